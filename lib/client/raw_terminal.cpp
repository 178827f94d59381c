#include "client/raw_terminal.hpp"

#include "client/interrupt.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace pgod::client {

RawTerminal::RawTerminal() {
    sigset_t change;
    sigemptyset(&change);
    sigaddset(&change, SIGWINCH);
    ::sigprocmask(SIG_BLOCK, &change, nullptr);
    resized_ = Fd(::signalfd(-1, &change, SFD_CLOEXEC | SFD_NONBLOCK));
    ::tcgetattr(STDIN_FILENO, &before_);
    restore_when_interrupted(&before_);
    termios raw = before_;
    ::cfmakeraw(&raw);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

RawTerminal::~RawTerminal() {
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    restore_when_interrupted(nullptr);
}

TerminalSize RawTerminal::size() noexcept {
    winsize window{};
    if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &window) != 0)
        return {};
    return terminal_size(window.ws_col, window.ws_row);
}

} // namespace pgod::client
