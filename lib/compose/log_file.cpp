#include "compose/log_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace pgod::compose {

namespace {

constexpr std::size_t head = LogFile::max_size / 2;
constexpr std::size_t tail = LogFile::max_size / 4; // the rest is room until it is cut again
constexpr std::string_view mark = "\n[what was said here is left out: the log grew too long]\n";

} // namespace

LogFile::LogFile(Fd file)
    : file_(std::move(file)) {
    struct stat status {};
    if (::fstat(file_.get(), &status) == 0)
        size_ = static_cast<std::size_t>(status.st_size);
}

void LogFile::write(std::string_view text) {
    while (file_ && !text.empty()) {
        const auto part = text.substr(0, tail);
        if (size_ + part.size() > max_size - mark.size())
            cut_middle();
        const ssize_t written = ::write(file_.get(), part.data(), part.size());
        if (written <= 0)
            return;
        size_ += static_cast<std::size_t>(written);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void LogFile::cut_middle() {
    std::string end(tail, '\0');
    const ssize_t size = ::pread(file_.get(), end.data(), end.size(), static_cast<off_t>(size_ - tail));
    if (size <= 0 || ::ftruncate(file_.get(), static_cast<off_t>(head)) != 0)
        return;
    end.resize(static_cast<std::size_t>(size));
    end.erase(0, end.find('\n') + 1); // a whole line, if there is one
    size_ = head;
    for (const auto piece : {mark, std::string_view(end)})
        if (const ssize_t written = ::write(file_.get(), piece.data(), piece.size()); written > 0)
            size_ += static_cast<std::size_t>(written);
}

} // namespace pgod::compose
