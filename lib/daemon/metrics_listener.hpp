// MetricsListener: HTTP for Prometheus, and the supervisor's snapshots. Runs in pgod-metrics, confined and
// single-threaded. It answers three paths, a GET each, and ends every connection after its answer:
//   /metrics  the numbers; 503 while the supervisor's last snapshot is too old to be true
//   /healthz  200 while snapshots come
//   /readyz   …and SSH connections are answered
// No HTTP library: all that they are for (bodies, keeping alive, fields, TLS, threads) is what is not wanted
// here. Bounds: max_http_request bytes of a request, 5 s until it is there and 10 s until its answer was
// taken, 32 connections. When these are full the oldest is closed: whoever holds them all keeps nobody out.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "daemon/metrics_text.hpp"
#include "os/line.hpp"

#include <poll.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgod::daemon {

class MetricsListener {
  public:
    // Listening sockets are non-blocking.
    MetricsListener(os::LowerEnd control, std::vector<Fd> sockets);

    // Until the supervisor closes the line; an error when what it sends makes no sense.
    Status run();

  private:
    using Clock = std::chrono::steady_clock;
    // Shared: one text of a snapshot serves all who ask for it.
    using Answer = std::shared_ptr<const std::string>;

    struct Client {
        Fd socket;
        Clock::time_point deadline;
        std::string request;
        Answer answer; // none: the request is not whole
        std::size_t sent = 0;
        bool answered = false; // only waits for it to leave
    };

    Status wait();
    Status read_snapshots();
    Status take(ipc::MetricsFrame frame);
    void accept_some(int socket);
    bool serve(Client& client, short events); // false: it is over
    bool read_request(Client& client);
    bool write_answer(Client& client);
    Answer answer_to(std::string_view request);
    Answer answer_of(std::string_view path);
    bool fresh() const;

    os::LowerEnd control_; // nothing is sent up; the supervisor sees the end of the process there
    std::vector<Fd> sockets_;
    std::deque<Client> clients_; // oldest first
    std::vector<pollfd> polled_;
    std::optional<Snapshot> coming_; // its pages are not all there
    std::optional<Snapshot> snapshot_;
    Clock::time_point received_{};
    Answer metrics_; // of the snapshot, once somebody asked
    Clock::time_point accept_after_{};
    bool stopping_ = false;
};

} // namespace pgod::daemon
