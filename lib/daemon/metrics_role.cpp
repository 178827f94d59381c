#include "daemon/metrics_role.hpp"

#include "daemon/confinement.hpp"
#include "daemon/metrics_filter.hpp"
#include "daemon/metrics_listener.hpp"
#include "os/channel_descriptors.hpp"

#include <fmt/format.h>

namespace pgod::daemon {

namespace {

constexpr const char* program = "pgod-metrics";
constexpr rlim_t max_descriptors = 64;
// Of address space; with 1,000 services it takes 25 MiB.
[[maybe_unused]] constexpr rlim_t max_memory = 256 << 20;

Result<std::vector<Fd>> receive_sockets(const os::Channel& control) {
    auto frame = TRY(os::receive_with_descriptors(control));
    if (frame.closed())
        return Error{Code::gone, "pgod closed the control channel before it said what to do"};
    const auto message = TRY(ipc::decode<ipc::MetricsFrame>(frame.bytes));
    if (!std::holds_alternative<ipc::MetricsStart>(message) || frame.fds.empty())
        return Error{Code::invalid, "pgod did not say where to listen"};
    TRY(confirm_listening(frame.fds));
    return std::move(frame.fds);
}

Status serve(const Confinement& confinement) {
    os::LowerEnd control = TRY(take_line(program));
    TRY(confine(confinement));
    lower_limit(RLIMIT_NPROC, 0);
    auto sockets = TRY(receive_sockets(control.down));
#if !defined(__SANITIZE_ADDRESS__) // whose run-time library does as it likes
    lower_limit(RLIMIT_AS, max_memory);
    const auto filter = TRY(compile_metrics_filter());
    TRY(filter.enter());
#endif
    return MetricsListener(std::move(control), std::move(sockets)).run();
}

} // namespace

int run_metrics_role(const RunAs& as) {
    return run_role(program, false, [&as] {
        return serve({as.user, as.empty_directory, program, max_descriptors});
    });
}

} // namespace pgod::daemon
