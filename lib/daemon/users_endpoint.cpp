#include "daemon/users_endpoint.hpp"

#include "daemon/control_endpoint.hpp"
#include "ipc/control_messages.hpp"
#include "os/control_socket.hpp"
#include "os/log.hpp"

#include <unistd.h>

#include <array>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr int most_at_once = 16; // connections of one turn of the loop: others have their turns as well
constexpr auto rest_when_many = 100ms;
constexpr auto rest_when_full = 1s; // no descriptors left, or the relay has not started again yet
constexpr mode_t for_everybody = 0666;

} // namespace

void UsersEndpoint::start(const Config& config, const std::string& empty_directory) {
    if (::geteuid() != 0 || !config.control_users)
        return;
    if (auto listening = listen(config, empty_directory); !listening)
        os::log_error("control_users: {}; the users of services reach pgod over SSH alone",
                      listening.error().message);
}

Status UsersEndpoint::listen(const Config& config, const std::string& empty_directory) {
    const std::string path = os::users_socket_beside(control_path_of(config));
    listener_ = TRY(os::listen_for_users(path, for_everybody));
    TRY(relay_.start({
        .program = "pgod-relay",
        .arguments = confinement_arguments(empty_directory),
        .env = {"LD_BIND_NOW=1"}, // as pgod-ssh
        .begin = [](const os::UpperEnd&) { return ok(); },
        .heard = [](const os::Frame&) { return false; },
    }));
    watch_ = loop_.watch(listener_.get(), [this] { on_readable(); });
    os::log_info("the users of services reach pgod on {}", path);
    return ok();
}

void UsersEndpoint::rest(std::chrono::milliseconds time) {
    watch_.cancel();
    rest_ = loop_.after(time, [this] {
        watch_ = loop_.watch(listener_.get(), [this] { on_readable(); });
        on_readable();
    });
}

void UsersEndpoint::on_readable() {
    for (int i = 0; i < most_at_once; ++i) {
        if (!held_) {
            auto fd = os::accept_user(listener_.get());
            if (!fd) {
                os::log_error("{}", fd.error().message);
                return rest(rest_when_full);
            }
            if (!*fd)
                return;
            held_ = std::move(**fd);
        }
        if (!rate_.take({}, CommandRate::Clock::now()))
            return rest(rest_when_many);
        if (auto handed = hand_over(); !handed)
            return rest(handed.error().code == Code::transient ? rest_when_many : rest_when_full);
    }
}

Status UsersEndpoint::hand_over() {
    if (!relay_.line())
        return Error{Code::gone, "pgod-relay does not run"};
    const uid_t uid = TRY(os::peer_of(held_.get()));
    auto line = TRY(os::make_line());
    const std::array<int, 3> fds{held_.get(), line.lower.down.fd(), line.lower.up.fd()};
    TRY(relay_.line().try_send(ipc::encode(ipc::RelayControl(ipc::Guest{})), fds));
    held_.reset();
    line.lower.close();
    const ipc::Begin begin{judge_(uid)};
    TRY(line.upper.try_send(ipc::encode(ipc::RelayStart(begin))));
    if (!begin.refusal)
        accepted_(std::move(line.upper), uid);
    return ok();
}

} // namespace pgod::daemon
