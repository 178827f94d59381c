#include "daemon/relay_child.hpp"

#include "core/exit_status.hpp"
#include "ipc/control_messages.hpp"
#include "os/channel_descriptors.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

namespace pgod::daemon {

namespace {

constexpr time_t patience = 10;                     // seconds
constexpr int look_again = 100;                     // milliseconds
constexpr std::chrono::seconds hand_on_patience{5}; // its pipe holds more than one Ask

// Whose end is the process's: SIGALRM also ends a call in which the kernel closes what a user sent.
void set_deadline(time_t seconds) noexcept {
    const itimerval once{{0, 0}, {seconds, 0}};
    (void)::setitimer(ITIMER_REAL, &once, nullptr);
}

class Between {
  public:
    Between(const os::Channel& user, const os::LowerEnd& supervisor)
        : user_(user)
        , supervisor_(supervisor) {}

    void run() {
        // Until the supervisor has let go of it, nothing is done with the user's connection.
        const auto frame = supervisor_.down.receive();
        const auto begin =
            frame ? ipc::decode<ipc::RelayStart>(frame->bytes) : Result<ipc::RelayStart>(Error{});
        if (!begin)
            return;
        set_deadline(patience);
        if (const auto& refusal = std::get<ipc::Begin>(*begin).refusal)
            (void)user_.try_send(ipc::encode(ipc::SshReply(*refusal)));
        else
            while (turn()) {
            }
        keep_place();
        leave();
    }

  private:
    bool turn() {
        const int from_user = (asked_ ? 0 : POLLIN) | (waiting_ ? POLLOUT : 0);
        std::array<pollfd, 2> polled{{{user_.fd(), static_cast<short>(from_user), 0},
                                      {supervisor_.down.fd(), static_cast<short>(waiting_ ? 0 : POLLIN), 0}}};
        if (::poll(polled.data(), polled.size(), -1) < 0)
            return errno == EINTR;
        const auto [user, supervisor] = polled;
        if ((user.revents & POLLIN) != 0 && !take_ask())
            return false;
        if ((user.revents & (POLLHUP | POLLERR)) != 0)
            return false;
        if ((supervisor.revents & POLLIN) != 0 && !take_reply())
            return false;
        if (waiting_ && !hand_on())
            return false;
        // The supervisor has gone, and the user reads nothing: neither is waited for.
        return (supervisor.revents & POLLHUP) == 0 || !waiting_;
    }

    bool take_ask() {
        const auto frame = user_.try_receive();
        if (frame && !*frame)
            return true;
        if (!frame || (*frame)->closed())
            return false;
        const auto request = ipc::decode<ipc::ControlRequest>((*frame)->bytes);
        if (!request)
            return false;
        (void)supervisor_.up.send(ipc::encode(*request), hand_on_patience); // one that has gone has said why
        asked_ = true;
        set_deadline(0);
        return true;
    }

    bool take_reply() {
        auto frame = os::try_receive_with_descriptors(supervisor_.down);
        if (frame && !*frame)
            return true;
        if (!frame || (*frame)->closed())
            return false;
        waiting_ = std::move(**frame);
        return true;
    }

    bool hand_on() {
        std::vector<int> fds;
        for (const Fd& fd : waiting_->fds)
            fds.push_back(fd.get());
        auto sent = user_.try_send(waiting_->bytes, fds);
        gave_ = gave_ || (sent && !fds.empty());
        if (sent)
            waiting_.reset();
        return sent || sent.error().code == Code::transient;
    }

    // Descriptors that a user leaves in his connection are counted to user pgod by the kernel (unix(7),
    // ETOOMANYREFS). Who hangs up over them keeps his place, and so has no more of them than places.
    void keep_place() {
        pollfd supervisor{supervisor_.down.fd(), 0, 0};
        while (gave_ && unread() > 0 && ::poll(&supervisor, 1, look_again) <= 0) {
        }
    }

    // Bytes that the user has neither taken nor, by closing his end, thrown away.
    int unread() const noexcept {
        int bytes = 0;
        return ::ioctl(user_.fd(), SIOCOUTQ, &bytes) == 0 ? bytes : 0;
    }

    // What is left unread when a socket closes takes the answer with it: of one who was turned away, the Ask.
    void leave() {
        set_deadline(patience);
        (void)::shutdown(user_.fd(), SHUT_RD);
        (void)user_.try_receive();
    }

    const os::Channel& user_;
    const os::LowerEnd& supervisor_;
    std::optional<os::FrameWithDescriptors> waiting_; // from the supervisor
    bool asked_ = false;
    bool gave_ = false; // descriptors, to the user
};

} // namespace

void relay_connection(os::Channel user, os::LowerEnd supervisor) noexcept {
    Between(user, supervisor).run();
    ::_exit(exit_status::done);
}

} // namespace pgod::daemon
