#include "daemon/audit_log.hpp"

#include "base/text.hpp"
#include "os/log.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace pgod::daemon {

std::string AuditLog::path_of(unsigned age) const {
    return age == 0 ? path_ : path_ + "." + std::to_string(age);
}

void AuditLog::write(std::string_view line) {
    auto written = append(line);
    if (!written && !complained_)
        os::log_error("{}: {}; what is asked for is not recorded until it can be written", path_,
                      written.error().message);
    if (written && complained_)
        os::log_info("{} is written again", path_);
    complained_ = !written;
}

Status AuditLog::open() {
    file_ =
        Fd(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
    struct stat status {};
    if (!file_ || ::fstat(file_.get(), &status) != 0)
        return errno_error("open it");
    size_ = static_cast<std::size_t>(status.st_size);
    return ok();
}

Status AuditLog::append(std::string_view line) {
    if (!file_)
        TRY(open());
    if (size_ > 0 && size_ + line.size() > max_file_) {
        rotate();
        TRY(open());
    }
    const ssize_t written = ::write(file_.get(), line.data(), line.size());
    if (written == static_cast<ssize_t>(line.size())) {
        size_ += line.size();
        return ok();
    }
    auto failure = written < 0 ? errno_error("write it") : Error{Code::transient, "the disk is full"};
    if (written > 0 && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) // half a line is none
        failure = errno_error("take half a line back");
    file_.reset();
    return failure;
}

void AuditLog::rotate() {
    for (unsigned age = kept_files - 1; age > 0; --age)
        (void)::rename(path_of(age - 1).c_str(), path_of(age).c_str());
    file_.reset();
}

Result<std::vector<std::string>> AuditLog::newest(std::size_t count, std::string_view mark,
                                                  std::size_t max_bytes) const {
    std::vector<std::string> found; // newest first
    std::size_t bytes = 0;
    for (unsigned age = 0; age < kept_files; ++age) {
        const auto text = os::read_file(path_of(age), 2 * max_file_);
        if (!text && text.error().code == Code::gone)
            continue;
        if (!text)
            return text.error();
        const auto lines = split(*text, '\n');
        for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
            if (line->empty() || line->find(mark) == std::string_view::npos)
                continue;
            bytes += line->size() + 1;
            if (found.size() == count || bytes > max_bytes) {
                std::reverse(found.begin(), found.end());
                return found;
            }
            found.emplace_back(*line);
        }
    }
    std::reverse(found.begin(), found.end());
    return found;
}

} // namespace pgod::daemon
