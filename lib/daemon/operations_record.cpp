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
constexpr auto longest_follow = 2h;  // of one that is being written

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

// For admins. The lines as they are: each was made by audit_line(), or by Strangers.
void Operations::audit(Connection& connection, const Command& command) {
    constexpr std::uint64_t usual = 100;
    constexpr std::size_t max_answer = std::size_t{1} << 20; // bytes
    auto args = command.args;
    const bool of_strangers = std::erase(args, "--refused") > 0;
    const auto count = args.empty()                          ? std::optional(usual)
                       : args.size() == 2 && args[0] == "-n" ? parse_decimal(args[1])
                                                             : std::nullopt;
    if (!count || *count == 0 || (of_strangers && !command.service.empty()))
        return refuse(
            connection, exit_status::usage,
            "write audit [-n COUNT], the newest COUNT lines, or //audit --refused [-n COUNT], of those who "
            "asked for nothing");
    if (of_strangers)
        write_strangers(); // also those of this minute
    const auto lines =
        of_strangers ? refused_.newest(*count, "", max_answer)
                     : audit_.newest(*count, command.service.empty() ? "" : audit_mark_of(command.service),
                                     max_answer);
    if (!lines)
        return refuse(connection, exit_status::failed, lines.error().message);
    for (const auto& line : *lines)
        connection.print(line + "\n");
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
    const auto is_follow = [](const std::string& word) {
        return word == "-f" || word == "--follow";
    };
    auto args = command.args;
    const bool follow = std::erase_if(args, is_follow) > 0;
    const auto number = args.empty() ? std::optional(newest) : parse_decimal(args.front());
    if (!number || args.size() > 1 || (follow && command.json))
        return refuse(
            connection, exit_status::usage,
            follow && command.json
                ? "log -f is text: leave --json out"
                : fmt::format("{} is no number of a deployment; history lists them", escaped(args.back())));
    if (*number == 0 || *number > newest)
        return refuse(connection, exit_status::failed,
                      newest == 0
                          ? "there was no deployment yet"
                          : fmt::format("there is no deployment {}; the newest is {}", *number, newest));
    ipc::WorkJob job;
    job.kind = ipc::WorkKind::log;
    job.deployment = *number;
    job.json = command.json;
    job.follow = follow;
    job.client = true;
    job.deadline = follow ? std::chrono::milliseconds(longest_follow) : longest_read;
    auto streams = join_by_pipes(connection, false);
    if (!streams)
        return refuse(connection, exit_status::internal, streams.error().message);
    serve(connection, actor, std::move(job), std::move(*streams));
}

// Two people see one deployment: the second reads the log that the first one's worker writes.
void Operations::attach(reconcile::CommandId command, ServiceActor& actor, std::uint64_t deployment) {
    Connection* connection = find(command);
    if (connection == nullptr)
        return;
    auto streams = join_by_pipes(*connection, false);
    if (!streams)
        return connection->say(streams.error().message);
    ipc::WorkJob job;
    job.kind = ipc::WorkKind::log;
    job.deployment = deployment;
    job.follow = true;
    job.client = true;
    job.deadline = longest_follow;
    auto worker = actor.look(std::move(job), Worker::Streams{std::move(streams->errors), {}, {}},
                             [this, command](const ipc::WorkDone&) { looked(command); });
    if (!worker)
        return connection->say(worker.error().message);
    clients_[command].worker = std::move(*worker);
}

} // namespace pgod::daemon
