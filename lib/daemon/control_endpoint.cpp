#include "daemon/control_endpoint.hpp"

#include "os/control_socket.hpp"
#include "os/log.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace pgod::daemon {

namespace {

constexpr int most_at_once = 16; // connections of one turn of the loop: others have their turns as well
constexpr std::chrono::seconds rest_when_full{1};

} // namespace

std::string control_path_of(const Config& config) {
    if (!config.control.empty())
        return config.control;
    if (::geteuid() == 0)
        return os::control_socket_of_host();
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    if (runtime != nullptr && *runtime == '/')
        return os::control_socket_of_user(runtime);
    return config.state + "/control.sock";
}

void ControlEndpoint::start(const Config& config) {
    const std::string path = control_path_of(config);
    constexpr mode_t for_ourselves = 0600;
    auto listener = os::listen_for_users(path, for_ourselves);
    if (!listener)
        return os::log_error("control: {}; pgod serves without a control socket", listener.error().message);
    listener_ = std::move(*listener);
    watch_ = loop_.watch(listener_.get(), [this] { on_readable(); });
    os::log_info("{} on this host reaches pgod on {}", ::geteuid() == 0 ? "root" : "its user", path);
}

void ControlEndpoint::on_readable() {
    for (int i = 0; i < most_at_once; ++i) {
        auto fd = os::accept_user(listener_.get());
        if (!fd) { // no descriptors left, most likely: what waits is tried again, and not at once
            os::log_error("{}", fd.error().message);
            watch_.cancel();
            rest_ = loop_.after(rest_when_full,
                                [this] { watch_ = loop_.watch(listener_.get(), [this] { on_readable(); }); });
            return;
        }
        if (!*fd)
            return;
        if (const auto uid = os::peer_of((*fd)->get()))
            accepted_(os::Channel(std::move(**fd)), *uid);
    }
}

} // namespace pgod::daemon
