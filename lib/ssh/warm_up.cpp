// ServerBind::warm_up(): the login that the listener plays through with itself.
#include "base/handle.hpp"
#include "ssh/key.hpp"
#include "ssh/server_bind.hpp"
#include "ssh/server_session.hpp"

#include <libssh/libssh.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <new>

namespace pgod::ssh {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto deadline = 10s;

// libssh deprecates one in 0.11, where 0.10 has no other.
int exit_status_of(ssh_channel channel) noexcept {
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
    std::uint32_t status = 0;
    return ::ssh_channel_get_exit_state(channel, &status, nullptr, nullptr) == SSH_OK
               ? static_cast<int>(status)
               : -1;
#else
    return ::ssh_channel_get_exit_status(channel);
#endif
}

// The client's side, in a forked child that never returns. Blocking, ended by its alarm. It needs no home
// directory: behind chroot(2) there is none.
bool play_client(int socket) noexcept {
    const Handle<ssh_session_struct, ::ssh_free> session(::ssh_new());
    Key key;
    const bool process_config = false;
    if (!session || ::ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, Out(key)) != SSH_OK)
        return false;
    ssh_session raw = session.get();
    if (::ssh_options_set(raw, SSH_OPTIONS_PROCESS_CONFIG, &process_config) != SSH_OK ||
        ::ssh_options_set(raw, SSH_OPTIONS_SSH_DIR, "/") != SSH_OK ||
        ::ssh_options_set(raw, SSH_OPTIONS_HOST, "localhost") != SSH_OK ||
        ::ssh_options_set(raw, SSH_OPTIONS_USER, "warm-up") != SSH_OK ||
        ::ssh_options_set(raw, SSH_OPTIONS_FD, &socket) != SSH_OK || ::ssh_connect(raw) != SSH_OK ||
        ::ssh_userauth_publickey(raw, nullptr, key.get()) != SSH_AUTH_SUCCESS)
        return false;
    ssh_channel channel = ::ssh_channel_new(raw); // owned by the session
    std::array<char, 16> answer{};
    if (channel == nullptr || ::ssh_channel_open_session(channel) != SSH_OK ||
        ::ssh_channel_request_exec(channel, "warm-up") != SSH_OK)
        return false;
    while (::ssh_channel_read(channel, answer.data(), answer.size(), 0) > 0) {
    }
    return exit_status_of(channel) == 0;
}

Status play_server(ServerBind& bind, Fd socket) {
    auto session = TRY(ServerSession::accept(bind, std::move(socket), [](const PublicKey&) { return true; }));
    const auto end = Clock::now() + deadline;
    bool asked = false;
    while (Clock::now() < end) {
        pollfd ready{session->fd(), session->poll_events(), 0};
        if (::poll(&ready, 1, 100) < 0 && errno != EINTR)
            return errno_error("poll");
        if (ready.revents != 0 && !session->turn())
            break; // the client hung up: it says itself whether all went well
        if (session->take_request()) {
            asked = true;
            (void)TRY(session->write("warm\n", false));
        }
        if (asked && !session->finish(0))
            break;
    }
    return ok();
}

// glibc sorts what was freed at the next large allocation. Here, once; else every child does it, and copies
// each page that it touches on the way.
void settle_heap() {
    constexpr std::size_t large =
        100'000; // more than any bin of small ones, less than what is mapped by itself
    void* volatile block = ::operator new(large);
    ::operator delete(block);
}

} // namespace

Status ServerBind::warm_up() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
        return errno_error("make a socket pair");
    Fd server(ends[0]);
    Fd client(ends[1]);
    const pid_t child = ::fork();
    if (child < 0)
        return errno_error("fork");
    if (child == 0) {
        server.reset();
        ::alarm(static_cast<unsigned>(std::chrono::seconds(deadline).count()));
        ::_exit(play_client(client.get()) ? 0 : 1);
    }
    client.reset();
    const auto played = play_server(*this, std::move(server));
    int wait_status = -1;
    while (::waitpid(child, &wait_status, 0) < 0 && errno == EINTR) {
    }
    TRY(played);
    if (wait_status != 0)
        return Error{Code::internal, "the SSH server does not answer its own login"};
    prepared_ = TRY(take_session());
    settle_heap();
    return ok();
}

} // namespace pgod::ssh
