#include "daemon/metrics_endpoint.hpp"

#include "daemon/listening_sockets.hpp"
#include "ipc/metrics_messages.hpp"
#include "os/log.hpp"

#include <utility>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto port_retry = 10s;
constexpr auto flush_pause = 100ms;
constexpr unsigned most_refusals = 300; // half a minute: it hangs

} // namespace

void MetricsEndpoint::follow(const std::optional<ListenAddress>& address,
                             const std::string& empty_directory) {
    if (address == address_)
        return;
    timer_.cancel();
    process_.stop();
    listeners_.clear();
    frames_.clear();
    said_ = false;
    address_ = address;
    empty_directory_ = empty_directory;
    if (address_)
        open();
}

void MetricsEndpoint::open() {
    if (auto started = start(); !started) {
        listeners_.clear();
        if (!std::exchange(said_, true))
            os::log_error("{}; pgod goes on without metrics and tries again", started.error().message);
        timer_ = loop_.after(port_retry, [this] { open(); });
        return;
    }
    os::log_info("metrics are served on {}:{}", address_->host.empty() ? "localhost" : address_->host,
                 address_->port);
}

Status MetricsEndpoint::start() {
    listeners_ = TRY(listen_at(*address_, NoHost::loopback, "metrics"));
    return process_.start({
        .program = "pgod-metrics",
        .arguments = confinement_arguments(empty_directory_),
        .begin =
            [this](const os::UpperEnd& line) {
                std::vector<int> fds;
                for (const Fd& listener : listeners_)
                    fds.push_back(listener.get());
                timer_ = loop_.after(0ms, [this] { tell(); });
                return line.send(ipc::encode(ipc::MetricsFrame(ipc::MetricsStart())), fds);
            },
        .heard = [](const os::Frame&) { return false; },
        .ended = [this] { frames_.clear(); },
    });
}

void MetricsEndpoint::tell() {
    if (process_.line() && frames_.empty())
        for (auto& frame : look_())
            frames_.push_back(std::move(frame));
    flush();
}

// Until the socket takes no more; the rest follows soon, the next snapshot in its time.
void MetricsEndpoint::flush() {
    while (!frames_.empty()) {
        const auto sent = process_.line().try_send(frames_.front());
        if (sent) {
            refused_ = 0;
            frames_.pop_front();
        } else if (sent.error().code == Code::transient && ++refused_ <= most_refusals) {
            timer_ = loop_.after(flush_pause, [this] { flush(); });
            return;
        } else {
            refused_ = 0;
            process_.restart(); // forgets the frames
        }
    }
    timer_ = loop_.after(ipc::snapshot_interval, [this] { tell(); });
}

} // namespace pgod::daemon
