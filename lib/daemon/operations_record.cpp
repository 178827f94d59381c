// The operations that read the record: what was done, what it said, and why.
#include "base/text.hpp"
#include "core/exit_status.hpp"
#include "daemon/client_streams.hpp"
#include "daemon/history_text.hpp"
#include "daemon/operations.hpp"

#include <fmt/format.h>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t usual_history = 20;
constexpr auto longest_read = 10min; // of a log that is paged through

} // namespace

bool Operations::was_served(const std::string& service) const {
    const auto rows = store_.deployments(service);
    return rows && !rows->empty();
}

void Operations::history(Connection& connection, const std::string& service, const Command& command) {
    const auto count = command.args.empty() ? std::optional<std::uint64_t>(usual_history)
                                            : parse_decimal(command.args.front());
    if (!count || *count == 0)
        return refuse(connection, exit_status::usage,
                      fmt::format("{} is no number of deployments: write history [COUNT]",
                                  escaped(command.args.front())));
    auto rows = store_.deployments(service);
    if (!rows)
        return refuse(connection, exit_status::failed, rows.error().message);
    if (rows->size() > *count)
        rows->resize(*count);
    connection.print(command.json ? history_json(*rows) : history_text(*rows));
    connection.finish(exit_status::done);
}

void Operations::why(Connection& connection, const ServiceActor& actor, bool json) {
    const ServiceView view{actor.service(), actor.state(), {}, {}};
    connection.print(json ? why_json(view) : why_text(view, wall_clock()));
    connection.finish(exit_status::done);
}

// The log lies in the service's directory, so its user reads it.
void Operations::log(Connection& connection, ServiceActor& actor, const Command& command) {
    const std::uint64_t newest = actor.state().durable.deployments;
    const auto number = command.args.empty() ? std::optional(newest) : parse_decimal(command.args.front());
    if (!number)
        return refuse(connection, exit_status::usage,
                      fmt::format("{} is no number of a deployment; history lists them",
                                  escaped(command.args.front())));
    if (*number == 0 || *number > newest)
        return refuse(connection, exit_status::failed,
                      newest == 0
                          ? "there was no deployment yet"
                          : fmt::format("there is no deployment {}; the newest is {}", *number, newest));
    ipc::WorkJob job;
    job.kind = ipc::WorkKind::log;
    job.deployment = *number;
    job.json = command.json;
    job.client = true;
    job.deadline = longest_read;
    auto streams = join_by_pipes(connection, false);
    if (!streams)
        return refuse(connection, exit_status::internal, streams.error().message);
    serve(connection, actor, std::move(job), std::move(*streams));
}

} // namespace pgod::daemon
