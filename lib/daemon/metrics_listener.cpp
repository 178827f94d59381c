#include "daemon/metrics_listener.hpp"

#include "core/http_request.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_clients = 32;
constexpr int accepts_at_once = 16;
constexpr auto request_deadline = 5s;
constexpr auto answer_deadline = 10s;
constexpr auto leaving_deadline = 1s; // what it still sends is thrown away so long, or it would not read us
constexpr auto oldest_snapshot = 4 * ipc::snapshot_interval;
constexpr auto pause_when_short = 100ms; // of descriptors or memory
constexpr std::size_t max_services = 100'000;

constexpr std::string_view plain_text = "text/plain; charset=utf-8";

auto response(std::string_view status, std::string_view body, std::string_view type = plain_text,
              std::string_view fields = {}) {
    return std::make_shared<const std::string>(
        fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}"
                    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{}",
                    status, type, body.size(), fields, body));
}

} // namespace

MetricsListener::MetricsListener(os::LowerEnd control, std::vector<Fd> sockets)
    : control_(std::move(control))
    , sockets_(std::move(sockets)) {}

Status MetricsListener::run() {
    while (!stopping_)
        TRY(wait());
    return ok();
}

// One round: poll, then each event. `polled_` is made anew each time: it is a few dozen entries, the channel,
// the clients in their order, the listening sockets.
Status MetricsListener::wait() {
    const auto now = Clock::now();
    const bool accepting = now >= accept_after_;
    auto wake = Clock::time_point::max();
    polled_.clear();
    polled_.push_back({control_.down.fd(), POLLIN, 0});
    for (const Client& client : clients_) {
        polled_.push_back({client.socket.get(),
                           static_cast<short>(client.answer && !client.answered ? POLLOUT : POLLIN), 0});
        wake = std::min(wake, client.deadline);
    }
    for (const Fd& socket : sockets_)
        polled_.push_back({accepting ? socket.get() : -1, POLLIN, 0});
    if (!accepting)
        wake = std::min(wake, accept_after_);
    int timeout = -1;
    if (wake != Clock::time_point::max())
        timeout = static_cast<int>(
            std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(wake - now).count(), 0));
    if (::poll(polled_.data(), polled_.size(), timeout) < 0)
        return errno == EINTR ? ok() : Status(errno_error("poll"));

    if (polled_.front().revents != 0)
        TRY(read_snapshots());
    const auto after = Clock::now();
    const std::size_t before = clients_.size();
    for (std::size_t i = 0; i < before; ++i) {
        Client& client = clients_[i];
        const short events = polled_[1 + i].revents;
        if (after >= client.deadline || (events != 0 && !serve(client, events)))
            client.socket.reset();
    }
    std::erase_if(clients_, [](const Client& client) { return !client.socket; });
    for (std::size_t i = 1 + before; i < polled_.size(); ++i)
        if (polled_[i].revents != 0)
            accept_some(polled_[i].fd);
    return ok();
}

Status MetricsListener::read_snapshots() {
    while (true) {
        auto frame = TRY(control_.down.try_receive());
        if (!frame)
            return ok();
        if (frame->closed()) {
            stopping_ = true;
            return ok();
        }
        auto message = TRY(ipc::decode<ipc::MetricsFrame>(frame->bytes));
        TRY(take(std::move(message)));
    }
}

Status MetricsListener::take(ipc::MetricsFrame frame) {
    if (auto* host = std::get_if<ipc::HostNumbers>(&frame)) {
        coming_.emplace().host = std::move(*host);
        return ok();
    }
    auto* page = std::get_if<ipc::ServicePage>(&frame);
    if (page == nullptr || !coming_ || coming_->services.size() + page->services.size() > max_services)
        return Error{Code::invalid, "pgod sent a snapshot that makes no sense"};
    std::move(page->services.begin(), page->services.end(), std::back_inserter(coming_->services));
    if (page->last) {
        snapshot_ = std::exchange(coming_, std::nullopt);
        received_ = Clock::now();
        metrics_.reset();
    }
    return ok();
}

void MetricsListener::accept_some(int socket) {
    for (int i = 0; i < accepts_at_once; ++i) {
        Fd accepted(::accept4(socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (accepted) {
            if (clients_.size() >= max_clients)
                clients_.pop_front();
            clients_.push_back({std::move(accepted), Clock::now() + request_deadline, {}, {}, 0, false});
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            accept_after_ = Clock::now() + pause_when_short;
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

bool MetricsListener::serve(Client& client, short events) {
    if (client.answered) {
        std::array<char, 4096> thrown_away{};
        const ssize_t got = ::recv(client.socket.get(), thrown_away.data(), thrown_away.size(), 0);
        return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
    }
    if ((events & (POLLIN | POLLOUT)) == 0)
        return false;
    if (!client.answer && !read_request(client))
        return false;
    return !client.answer || write_answer(client);
}

bool MetricsListener::read_request(Client& client) {
    std::array<char, max_http_request> part{};
    const ssize_t got = ::recv(client.socket.get(), part.data(), part.size() - client.request.size(), 0);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    client.request.append(part.data(), static_cast<std::size_t>(got));
    client.answer = answer_to(client.request);
    if (client.answer)
        client.deadline = Clock::now() + answer_deadline;
    return true;
}

bool MetricsListener::write_answer(Client& client) {
    const auto rest = std::string_view(*client.answer).substr(client.sent);
    const ssize_t sent = ::send(client.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    client.sent += static_cast<std::size_t>(sent);
    if (client.sent == client.answer->size()) {
        client.answered = true;
        client.answer.reset();
        client.deadline = Clock::now() + leaving_deadline;
        return ::shutdown(client.socket.get(), SHUT_WR) == 0;
    }
    return true;
}

// Null: more has to come.
MetricsListener::Answer MetricsListener::answer_to(std::string_view received) {
    const auto request = read_http_request(received);
    switch (request.reading) {
    case HttpRequest::Reading::incomplete:
        return {};
    case HttpRequest::Reading::malformed:
        return response("400 Bad Request", "this is not a request of HTTP/1\n");
    case HttpRequest::Reading::other_method:
        return response("405 Method Not Allowed", "only GET is answered\n", plain_text, "Allow: GET\r\n");
    case HttpRequest::Reading::too_large:
        return response("431 Request Header Fields Too Large", "the request is too large\n");
    case HttpRequest::Reading::asked:
        break;
    }
    return answer_of(request.path);
}

MetricsListener::Answer MetricsListener::answer_of(std::string_view path) {
    if (path != "/metrics" && path != "/healthz" && path != "/readyz")
        return response("404 Not Found", "there are /metrics, /healthz and /readyz\n");
    if (!fresh())
        return response("503 Service Unavailable", "pgod has not been heard of for a while\n");
    if (path == "/healthz")
        return response("200 OK", "ok\n");
    if (path == "/readyz")
        return snapshot_->host.listens
                   ? response("200 OK", "ok\n")
                   : response("503 Service Unavailable", "the SSH endpoint does not listen\n");
    if (!metrics_)
        metrics_ = response("200 OK", metrics_text(*snapshot_), "text/plain; version=0.0.4; charset=utf-8");
    return metrics_;
}

bool MetricsListener::fresh() const {
    return snapshot_ && Clock::now() - received_ < oldest_snapshot;
}

} // namespace pgod::daemon
