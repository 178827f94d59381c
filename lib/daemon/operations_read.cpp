// The operations that change nothing about a service: answered from the supervisor's own state, or by a
// worker beside whatever the service is doing.
#include "core/exec_request.hpp"
#include "core/exit_status.hpp"
#include "daemon/client_streams.hpp"
#include "daemon/operations.hpp"
#include "daemon/status_text.hpp"
#include "daemon/whoami_text.hpp"

#include <fmt/format.h>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto glance = 10s;                   // `status` looks at the containers no longer than this
constexpr std::chrono::hours longest_look{24}; // `logs -f` and `exec`

ipc::WorkDone nothing_seen() {
    ipc::WorkDone done;
    done.error = Error{Code::internal, "nobody looked"};
    return done;
}

} // namespace

std::vector<std::string> Operations::warnings_of(const ServiceActor& actor) const {
    auto warnings = store_.problems();
    const auto of_urls = urls_.problems_of(actor.service());
    warnings.insert(warnings.end(), of_urls.begin(), of_urls.end());
    warnings.insert(warnings.end(), actor.warnings().begin(), actor.warnings().end());
    return warnings;
}

void Operations::list(Connection& connection, const Caller& caller, bool json) {
    std::vector<ServiceView> visible;
    for (const auto& [name, actor] : actors_)
        if (caller.may(actor->ownership(), Op::list))
            visible.push_back({actor->service(),
                               actor->state(),
                               {},
                               warnings_of(*actor),
                               urls_.sites_of(actor->service())});
    connection.print(json ? list_json(visible) : list_text(visible));
    connection.finish(exit_status::done);
}

void Operations::whoami(Connection& connection, const Caller& caller, const Command& command) {
    WhoAmI found{caller.shown(), caller.is_user(), caller.is_admin(), {}};
    for (const auto& [name, actor] : actors_) {
        if (!command.service.empty() && command.service != name)
            continue;
        Grant grant{name, caller.name_in(name), {}};
        for (const Operation& operation : all_operations())
            if (caller.may(actor->ownership(), operation.op))
                grant.may.push_back(operation.op);
        if (!grant.may.empty())
            found.grants.push_back(std::move(grant));
    }
    connection.print(command.json ? whoami_json(found) : whoami_text(found));
    connection.finish(exit_status::done);
}

void Operations::look(Connection& connection, ServiceActor& actor, const Command& command) {
    auto streams = join_by_pipes(connection, false);
    if (!streams)
        return refuse(connection, exit_status::internal, streams.error().message);
    ipc::WorkJob job;
    job.kind = command.op == Op::ps ? ipc::WorkKind::ps : ipc::WorkKind::logs;
    job.args = command.args;
    job.json = command.json;
    job.client = true;
    job.deadline = command.op == Op::ps ? std::chrono::milliseconds(60s) : longest_look;
    serve(connection, actor, std::move(job), std::move(*streams));
}

// With a terminal if the client has one for it: pgoctl asks for it with -t, as ssh does.
void Operations::exec(Connection& connection, ServiceActor& actor, const Command& command,
                      const std::optional<ipc::Terminal>& terminal) {
    const auto request = parse_exec(command.args);
    if (!request)
        return refuse(connection, exit_status::usage, request.error().message);
    if (request->terminal && !terminal)
        return refuse(
            connection, exit_status::usage,
            "exec -t needs a terminal, and your client asked for none: leave -t out, or use ssh -t");
    auto streams = terminal ? join_by_terminal(connection, terminal_size(terminal->columns, terminal->rows))
                            : join_by_pipes(connection, true);
    if (!streams)
        return refuse(connection, exit_status::internal, streams.error().message);
    ipc::WorkJob job;
    job.kind = ipc::WorkKind::exec;
    job.args = command.args;
    job.client = true;
    if (terminal)
        job.terminal = terminal_type(terminal->type);
    job.deadline = longest_look;
    serve(connection, actor, std::move(job), std::move(*streams));
}

void Operations::serve(Connection& connection, ServiceActor& actor, ipc::WorkJob job,
                       Worker::Streams streams) {
    const std::uint64_t id = connection.id();
    auto worker = actor.look(std::move(job), std::move(streams), [this, id](const ipc::WorkDone& done) {
        if (done.error && done.error->code == Code::internal)
            say(id, done.error->message);
        finish(id, done.exit_status);
        looked(id);
    });
    if (!worker)
        return refuse(connection, exit_status::failed, worker.error().message);
    clients_[id].worker = std::move(*worker);
}

// A fresh look at the containers, beside what the service is doing; when it cannot be had, what is known.
void Operations::status(Connection& connection, ServiceActor& actor, bool json) {
    const std::uint64_t id = connection.id();
    const auto answer = [this, id, name = actor.service().name, json](const ipc::WorkDone& done) {
        Connection* client = find(id);
        const auto found = actors_.find(name); // it may have been removed meanwhile
        if (client == nullptr)
            return;
        if (found == actors_.end())
            return refuse(*client, exit_status::failed,
                          fmt::format("service {} is no longer configured", name));
        const ServiceActor& served = *found->second;
        reconcile::State state = served.state();
        if (!done.error)
            state.health = done.health;
        const ServiceView view{
            served.service(), state, done.containers, warnings_of(served), urls_.sites_of(served.service()),
            done.notes};
        client->print(json ? status_json(view) : status_text(view, wall_clock()));
        client->finish(exit_status::done);
    };
    ipc::WorkJob job;
    job.kind = ipc::WorkKind::observe;
    job.deadline = glance;
    auto worker = actor.look(std::move(job), {}, [this, id, answer](const ipc::WorkDone& done) {
        answer(done);
        looked(id);
    });
    if (!worker)
        return answer(nothing_seen());
    clients_[id].worker = std::move(*worker);
}

} // namespace pgod::daemon
