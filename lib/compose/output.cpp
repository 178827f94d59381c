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

// The size of `text` without a UTF-8 character at its end of which more is to come.
std::size_t before_unfinished_character(std::string_view text) {
    std::size_t at = text.size();
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xc0) == 0x80)
            continue;
        const std::size_t wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        if (wanted > back)
            at = text.size() - back;
        break;
    }
    return at;
}

// A build prints what a repository tells it to: nothing of it may drive the client's terminal. A carriage
// return, with which progress is shown, begins a new line.
std::string printable(std::string text) {
    for (auto at = text.find('\r'); at != std::string::npos; at = text.find('\r', at))
        if (at + 1 < text.size() && text[at + 1] == '\n')
            text.erase(at, 1);
        else
            text[at] = '\n';
    return escaped(text, true);
}

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
    for (const auto& assignment : admin_environment)
        if (const auto equals = assignment.find('='); equals != std::string::npos)
            redact(assignment.substr(equals + 1));
}

void Output::redact(const std::string& value) {
    const auto longer_first = [](const auto& one, const auto& other) {
        return one.size() > other.size();
    };
    if (value.size() >= shortest_secret)
        secrets_.insert(std::upper_bound(secrets_.begin(), secrets_.end(), value, longer_first), value);
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
    const auto end = line_.rfind('\n');
    if (end == std::string::npos && line_.size() < max_line)
        return;
    const auto size = end == std::string::npos ? before_unfinished_character(line_) : end + 1;
    const std::string whole = printable(redacted(std::string_view(line_).substr(0, size)));
    line_.erase(0, size);
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
