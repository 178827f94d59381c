// LogFile: a text on disk that has a bound: of one that grows too long the beginning and the end are kept,
// with a line in between that says so. What was written is in the file at once, so a crash loses nothing of
// it. Best effort: a full disk stops nobody.
#pragma once

#include "base/fd.hpp"

#include <cstddef>
#include <string_view>

namespace pgod::compose {

class LogFile {
  public:
    static constexpr std::size_t max_size = 1 << 20; // bytes

    LogFile() = default;       // writes nowhere
    explicit LogFile(Fd file); // open for reading and appending
    void write(std::string_view text);

  private:
    void cut_middle();
    Fd file_;
    std::size_t size_ = 0;
};

} // namespace pgod::compose
