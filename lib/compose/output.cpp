#include "compose/output.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace pgod::compose {

namespace {

constexpr std::size_t piece = 4096; // PIPE_BUF: a pipe that polls writable takes that much without blocking
constexpr std::size_t max_line = 8192;     // bytes; a longer one is relayed in parts
constexpr std::size_t shortest_secret = 4; // bytes; "1" or "yes" would redact everything

} // namespace

bool write_patiently(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = ::write(fd, text.data(), text.size());
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

Output::Output(int out, int err, const std::vector<std::string>& admin_environment)
    : out_(out)
    , err_(err) {
    for (const auto& assignment : admin_environment) {
        const auto equals = assignment.find('=');
        if (equals != std::string::npos && assignment.size() - equals - 1 >= shortest_secret)
            secrets_.push_back(assignment.substr(equals + 1));
    }
    // A value that contains another goes first.
    std::sort(secrets_.begin(), secrets_.end(),
              [](const auto& one, const auto& other) { return one.size() > other.size(); });
}

std::string Output::redacted(std::string_view text) const {
    std::string result(text);
    for (const auto& secret : secrets_) {
        constexpr std::string_view mark = "[redacted]";
        for (auto at = result.find(secret); at != std::string::npos;
             at = result.find(secret, at + mark.size()))
            result.replace(at, secret.size(), mark);
    }
    return result;
}

void Output::write_to(int fd, bool& gone, std::string_view text) const {
    while (!gone && !text.empty()) {
        pollfd ready{fd, POLLOUT, 0};
        const int count = ::poll(&ready, 1, static_cast<int>(patience.count()));
        if (count < 0 && errno == EINTR)
            continue;
        const ssize_t size = count == 1 ? ::write(fd, text.data(), std::min(piece, text.size())) : -1;
        if (size < 0 && count == 1 && (errno == EINTR || errno == EAGAIN))
            continue;
        gone = size <= 0;
        if (!gone)
            text.remove_prefix(static_cast<std::size_t>(size));
    }
}

void Output::say(std::string_view sentence) {
    const std::string line = escaped(redacted(sentence)) + "\n";
    write_to(err_, err_gone_, line);
    log_.write(line);
}

void Output::print(std::string_view text) {
    write_to(out_, out_gone_, redacted(text));
}

bool Output::show(std::string_view text) const {
    return write_patiently(out_, redacted(text));
}

void Output::relay(std::string_view bytes) {
    line_ += bytes;
    auto end = line_.rfind('\n');
    if (end == std::string::npos && line_.size() < max_line)
        return;
    const std::string whole =
        redacted(std::string_view(line_).substr(0, end == std::string::npos ? end : end + 1));
    line_.erase(0, end == std::string::npos ? end : end + 1);
    write_to(out_, out_gone_, whole);
    log_.write(whole);
}

void Output::flush() {
    if (!line_.empty())
        relay("\n");
}

void Output::note(std::string_view line) {
    log_.write(escaped(redacted(line)) + "\n");
}

} // namespace pgod::compose
