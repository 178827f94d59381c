#include "client/live_line.hpp"

#include "client/plan.hpp"
#include "client/say.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace pgod::client {

namespace {

using namespace std::chrono_literals;

constexpr auto interval = 1s;

auto seconds(std::chrono::steady_clock::duration span) {
    return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

} // namespace

LiveLine::LiveLine()
    : dim_(!environment("NO_COLOR")) // https://no-color.org: set, and not empty
    , ticker_([this](const std::stop_token& stop) { draw_until(stop); }) {}

LiveLine::~LiveLine() {
    ticker_.request_stop();
    ticker_.join();
    erase();
}

bool LiveLine::is_possible() noexcept {
    const auto terminal = environment("TERM");
    return ::isatty(STDERR_FILENO) == 1 && terminal && *terminal != "dumb";
}

bool LiveLine::write(int fd, std::string_view bytes) {
    if (bytes.empty())
        return true;
    const std::scoped_lock lock(mutex_);
    erase();
    if (fd == STDERR_FILENO)
        step_ = Clock::now();
    if (::isatty(fd) == 1)
        at_line_start_ = bytes.back() == '\n';
    return write_all(fd, bytes);
}

void LiveLine::draw_until(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, stop, interval, [&stop] { return stop.stop_requested(); }))
        draw();
}

void LiveLine::draw() {
    if (!at_line_start_)
        return;
    const auto now = Clock::now();
    const auto text = fmt::format("... {} s, {} s in all", seconds(now - step_), seconds(now - began_));
    shown_ = write_all(STDERR_FILENO, dim_ ? "\x1b[2m" + text + "\x1b[0m\x1b[K\r" : text + "\x1b[K\r");
}

void LiveLine::erase() {
    if (shown_)
        (void)write_all(STDERR_FILENO, "\x1b[K");
    shown_ = false;
}

} // namespace pgod::client
