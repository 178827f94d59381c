#include "client/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

namespace pgod::client {

namespace {

struct Farewell {
    std::string message;
    int status;
};

// A handler can find what it needs nowhere else; changed only while both signals are blocked.
const Farewell* farewell = nullptr;

void on_signal(int signal) {
    const Farewell& last = *farewell;
    if (!last.message.empty())
        (void)!::write(STDERR_FILENO, last.message.data(), last.message.size());
    ::_exit(last.status != 0 ? last.status : 128 + signal);
}

} // namespace

void when_interrupted(std::string message, int status) {
    sigset_t both;
    sigset_t before;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &both, &before);
    static Farewell now;
    now = {std::move(message), status};
    farewell = &now;
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_mask = both;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

} // namespace pgod::client
