// AuditLog: who ran what, in files of the state directory, readable by the supervisor's user alone. One JSON
// object a line (audit_entry.hpp); audit.log is the newest, of at most `max_file` bytes, and audit.log.1 …
// audit.log.N-1 the older ones. Runs in the supervisor. A write that fails is said once, and stops nothing.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::daemon {

class AuditLog {
  public:
    static constexpr std::size_t usual_max_file = std::size_t{4} << 20; // bytes
    static constexpr unsigned kept_files = 5;

    explicit AuditLog(std::string directory, std::size_t max_file = usual_max_file,
                      std::string_view name = "audit.log")
        : path_(std::move(directory).append("/").append(name))
        , max_file_(max_file) {}

    void write(std::string_view line);

    // The newest `count` lines that hold `mark` (empty: all), oldest first, within `max_bytes`.
    Result<std::vector<std::string>> newest(std::size_t count, std::string_view mark,
                                            std::size_t max_bytes) const;

  private:
    Status open();
    Status append(std::string_view line);
    void rotate();
    std::string path_of(unsigned age) const;

    std::string path_;
    std::size_t max_file_;
    Fd file_;
    std::size_t size_ = 0;
    bool complained_ = false;
};

} // namespace pgod::daemon
