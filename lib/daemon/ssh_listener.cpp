#include "daemon/ssh_listener.hpp"

#include "core/exit_status.hpp"
#include "daemon/confinement.hpp"
#include "daemon/ssh_child.hpp"
#include "daemon/ssh_sockets.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/channel_descriptors.hpp"
#include "os/log.hpp"
#include "os/pipe.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;
using Clock = Admission::Clock;

constexpr auto farewell = 2s;   // for the children, when pgod stops
constexpr auto kill_grace = 1s; // after the deadlines for login and request, which the child keeps itself
constexpr auto pause_when_short = 100ms; // of descriptors or processes
constexpr auto quiet_between_warnings = 10s;
constexpr auto quiet_before_spare = 10ms; // the connection that took the last one goes first
constexpr int accepts_at_once = 16;
constexpr rlim_t child_descriptors = 16;
[[maybe_unused]] constexpr rlim_t child_memory =
    96 << 20; // of address space; the listener's own is about 30 MiB

// Waits for no more than the kernel's part of its end. The status is that of an end of its own, if it had
// one.
int kill_and_reap(pid_t pid) noexcept {
    int wait_status = 0;
    (void)::kill(pid, SIGKILL);
    while (::waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    return wait_status;
}

Fd terminate_events() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    return Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

} // namespace

SshListener::SshListener(ssh::ServerBind bind, CallFilter filter, os::LowerEnd control,
                         std::vector<Fd> sockets, const ipc::SshStart& start)
    : bind_(std::move(bind))
    , filter_(std::move(filter))
    , control_(std::move(control))
    , sockets_(std::move(sockets))
    , login_deadline_(start.login_deadline)
    , admission_({start.max_connections, start.max_strangers, 2 * start.login_deadline + kill_grace})
    , terminate_(terminate_events())
    , self_(::getpid()) {
    for (const Fd& socket : sockets_) {
        (void)::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
        tune_listener(socket.get());
    }
}

SshListener::~SshListener() {
    end_spare();
    while (!children_.empty())
        end_child(children_.back().id);
}

Status SshListener::run() {
    keep_spare();
    while (!stopping_)
        TRY(wait());
    sockets_.clear();
    end_spare();
    const auto end = Clock::now() + farewell;
    while (!children_.empty() && Clock::now() < end)
        TRY(wait());
    return ok();
}

// One round: poll, then each event. `polled_` is made anew each time; it is a few dozen entries.
Status SshListener::wait() {
    const auto now = Clock::now();
    const auto opens_at = std::max(accept_after_, admission_.opens_at());
    const bool accepting = now >= opens_at;
    polled_.clear();
    if (!stopping_) {
        polled_.push_back({control_.down.fd(), POLLIN, 0});
        polled_.push_back({announcement_waits() ? control_.up.fd() : -1, POLLOUT, 0});
        polled_.push_back({terminate_.get(), POLLIN, 0});
    }
    for (const Child& child : children_)
        polled_.push_back({child.life.get(), POLLIN, 0});
    for (const Fd& socket : sockets_)
        polled_.push_back({accepting ? socket.get() : -1, POLLIN, 0});
    auto wake = admission_.next_deadline();
    if (!accepting)
        wake = std::min(wake.value_or(opens_at), opens_at);
    if (accepting && spare_.pid <= 0)
        wake = std::min(wake.value_or(now + quiet_before_spare), now + quiet_before_spare);
    if (stopping_)
        wake = now + 50ms;
    const auto left = wake ? std::chrono::ceil<std::chrono::milliseconds>(*wake - now) : -1ms;
    const int timeout = wake ? static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)) : -1;
    const int ready = ::poll(polled_.data(), polled_.size(), timeout);
    if (ready < 0) {
        if (errno == EINTR)
            return ok();
        return errno_error("poll");
    }
    const auto children_before = children_.size();
    for (const pollfd& event : polled_) {
        if (event.revents == 0)
            continue;
        if (event.fd == control_.up.fd())
            continue; // announce() is next
        if (event.fd == control_.down.fd()) {
            if (!read_control())
                stopping_ = true;
        } else if (event.fd == terminate_.get()) {
            stopping_ = true;
        } else if (std::any_of(sockets_.begin(), sockets_.end(),
                               [&](const Fd& socket) { return socket.get() == event.fd; })) {
            accept_some(event.fd);
        } else {
            end_of(event.fd);
        }
    }
    end_overdue();
    TRY(announce());
    if (!stopping_ && (ready == 0 || children_.size() < children_before))
        keep_spare();
    return ok();
}

// False: the supervisor has gone, or says what it must not.
bool SshListener::read_control() {
    while (true) {
        const auto frame = os::try_receive_with_descriptors(control_.down);
        if (frame && !*frame)
            return true;
        const auto order = !frame || (*frame)->closed() ? Result<ipc::SshControl>(Error{})
                                                        : ipc::decode<ipc::SshControl>((*frame)->bytes);
        if (!order)
            return false;
        const auto& fds = (*frame)->fds;
        if (const auto* place = std::get_if<ipc::Place>(&*order)) {
            if (place->kept)
                admission_.keep(place->connection);
            else
                admission_.release(place->connection, Clock::now());
        } else if (const auto* line = std::get_if<ipc::Line>(&*order); line != nullptr && fds.size() == 2) {
            pass_line(line->connection, fds);
        } else {
            return false;
        }
    }
}

void SshListener::accept_some(int socket) {
    for (int i = 0; i < accepts_at_once && Clock::now() >= admission_.opens_at(); ++i) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        Fd accepted(
            ::accept4(socket, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (accepted) {
            start_child(std::move(accepted), peer_text(address));
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            accept_after_ = Clock::now() + pause_when_short;
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

void SshListener::start_child(Fd socket, std::string peer) {
    const auto id = next_id_++;
    const auto place = admission_.arrive(id, address_of_peer(peer).value_or(Address{}), Clock::now());
    if (place.evicted)
        end_child(*place.evicted);
    if (!place.admitted)
        return say_full(peer);
    const std::array<int, 1> fds{socket.get()};
    // A spare that ended while it waited is replaced, once.
    Status given = Error{Code::transient, "no process could be made for it"};
    for (int attempt = 0; attempt < 2; ++attempt) {
        keep_spare();
        if (spare_.pid > 0)
            given = spare_.connection.try_send(peer, fds);
        if (given) {
            children_.push_back(
                {id, spare_.pid, std::move(spare_.life), std::move(spare_.connection), std::move(peer)});
            spare_ = {};
            return;
        }
        end_spare();
    }
    admission_.ended(id);
    say_turned_away(peer, given.error().message);
}

void SshListener::keep_spare() {
    if (spare_.pid > 0)
        return;
    auto spare = fork_spare();
    if (spare) {
        spare_ = std::move(*spare);
        return;
    }
    if (Clock::now() >= accept_after_)
        os::log_error("{}", spare.error().message);
    accept_after_ = Clock::now() + pause_when_short;
}

void SshListener::end_spare() noexcept {
    if (spare_.pid > 0)
        (void)kill_and_reap(spare_.pid);
    spare_ = {};
}

Result<SshListener::Spare> SshListener::fork_spare() {
    auto connection = TRY(os::Channel::pair());
    auto life = TRY(os::make_pipe());
    const pid_t pid = ::fork();
    if (pid == 0)
        become_child(std::move(connection[1]), std::move(life.write_end));
    if (pid < 0)
        return errno_error("fork");
    return Spare{pid, std::move(connection[0]), std::move(life.read_end)};
}

void SshListener::become_child(os::Channel connection, Fd life) noexcept {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || ::getppid() != self_)
        ::_exit(exit_status::internal);
    close_all_but({connection.fd(), life.get(), life.get()});
    (void)::signal(SIGPIPE, SIG_IGN);
    lower_limit(RLIMIT_NOFILE, child_descriptors);
    lower_limit(RLIMIT_NPROC, 0);
#if !defined(__SANITIZE_ADDRESS__)
    lower_limit(RLIMIT_AS, child_memory);
#endif
    ssh::ServerBind::seed();
#if !defined(__SANITIZE_ADDRESS__) // whose run-time library does as it likes
    if (auto entered = filter_.enter(); !entered) {
        os::log_error("{}", entered.error().message);
        ::_exit(exit_status::internal);
    }
#endif
    auto given = os::receive_with_descriptors(connection);
    if (!given || given->closed() || given->fds.size() != 1)
        ::_exit(exit_status::done);
    auto line = os::receive_with_descriptors(connection);
    if (!line || line->closed() || line->fds.size() != 2)
        ::_exit(exit_status::done);
    connection.close();
    serve_connection({bind_,
                      std::move(given->fds.front()),
                      {os::Channel(std::move(line->fds[0])), os::FrameWriter(std::move(line->fds[1]))},
                      std::move(life),
                      std::move(given->bytes),
                      login_deadline_});
}

bool SshListener::announcement_waits() const noexcept {
    return std::any_of(children_.begin(), children_.end(),
                       [](const Child& child) { return !child.announced; });
}

// In order of arrival. A supervisor that does not read makes them wait, not the listener.
Status SshListener::announce() {
    for (Child& child : children_) {
        if (child.announced || stopping_)
            continue;
        auto sent = control_.up.try_send(ipc::encode(ipc::SshNotice(ipc::Connected{child.id, child.peer})));
        if (!sent && sent.error().code == Code::transient)
            break;
        if (!sent)
            return std::move(sent).error();
        child.announced = true;
    }
    return ok();
}

// The supervisor's answer to an announcement. A child that has ended meanwhile needs none.
void SshListener::pass_line(Admission::Id id, const std::vector<Fd>& line) {
    const auto child =
        std::find_if(children_.begin(), children_.end(), [id](const Child& one) { return one.id == id; });
    if (child == children_.end() || !child->connection)
        return;
    const std::array<int, 2> fds{line[0].get(), line[1].get()};
    (void)child->connection.try_send("line", fds); // a failure means that it has ended, which end_of() sees
    child->connection.close();
}

void SshListener::end_of(int fd) {
    const auto child =
        std::find_if(children_.begin(), children_.end(), [fd](const Child& c) { return c.life.get() == fd; });
    if (child == children_.end()) // evicted in this round
        return;
    end_child(child->id);
}

// Also when its end of `life` closed, which it does when it exits.
void SshListener::end_child(Admission::Id id) {
    admission_.ended(id);
    const auto child =
        std::find_if(children_.begin(), children_.end(), [id](const Child& c) { return c.id == id; });
    if (child == children_.end())
        return;
    const int wait_status = kill_and_reap(child->pid);
    if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSYS)
        os::log_error(
            "the SSH process of {} was ended because it made a system call that none of its code makes: "
            "somebody may have taken it over; the kernel's log names the call",
            child->peer);
    children_.erase(child);
}

void SshListener::end_overdue() {
    while (const auto id = admission_.overdue(Clock::now()))
        end_child(*id);
}

void SshListener::say_full(const std::string& peer) {
    (void)control_.up.try_send(ipc::encode(ipc::SshNotice(ipc::TurnedAway()))); // only counted: may be lost
    say_turned_away(peer, fmt::format("{} requests are being served, which is the limit", children_.size()));
}

void SshListener::say_turned_away(const std::string& peer, const std::string& why) {
    const auto now = Clock::now();
    if (said_turned_away_ != Clock::time_point{} && now - said_turned_away_ < quiet_between_warnings)
        return;
    said_turned_away_ = now;
    os::log_warning("{} was turned away: {}", peer, why);
}

} // namespace pgod::daemon
