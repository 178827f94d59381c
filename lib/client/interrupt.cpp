#include "client/interrupt.hpp"

#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>

namespace pgod::client {

namespace {

struct Farewell {
    std::string message;
    int status;
};

// A handler can find what it needs nowhere else; changed only while both signals are blocked.
const Farewell* farewell = nullptr;
const termios* terminal = nullptr;

constexpr std::array ending{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

class Blocked {
  public:
    Blocked() {
        sigemptyset(&ours_);
        for (const int signal : ending)
            sigaddset(&ours_, signal);
        ::sigprocmask(SIG_BLOCK, &ours_, &before_);
    }
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;
    ~Blocked() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
    const sigset_t& signals() const noexcept { return ours_; }

  private:
    sigset_t ours_;
    sigset_t before_;
};

void on_signal(int signal) {
    const Farewell& last = *farewell;
    if (terminal != nullptr)
        ::tcsetattr(STDIN_FILENO, TCSANOW, terminal);
    if (!last.message.empty())
        (void)!::write(STDERR_FILENO, last.message.data(), last.message.size());
    ::_exit(last.status != 0 ? last.status : 128 + signal);
}

} // namespace

void when_interrupted(std::string message, int status) {
    const Blocked blocked;
    static Farewell now;
    now = {std::move(message), status};
    farewell = &now;
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_mask = blocked.signals();
    for (const int signal : ending) {
        struct sigaction before {};
        ::sigaction(signal, nullptr, &before);
        if (before.sa_handler != SIG_IGN) // nohup(1)
            ::sigaction(signal, &action, nullptr);
    }
}

std::string goes_on(const std::string& status_command) {
    return "pgoctl: the server finishes what it began; ask with `" + status_command + "`\n";
}

void restore_when_interrupted(const termios* saved) {
    const Blocked blocked;
    terminal = saved;
}

} // namespace pgod::client
