// The operations that only look: answered from the supervisor's own state, or by a worker beside whatever the
// service is doing.
#include "core/exit_status.hpp"
#include "daemon/operations.hpp"
#include "daemon/status_text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto glance = 10s;                   // `status` looks at the containers no longer than this
constexpr std::chrono::hours longest_look{24}; // `logs -f`

Result<std::array<Fd, 2>> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return errno_error("make a pipe");
    return std::array<Fd, 2>{Fd(ends[0]), Fd(ends[1])};
}

} // namespace

// The client reads what the worker writes; the supervisor keeps neither end.
Result<Worker::Streams> Operations::connect_streams(Connection& connection) {
    auto output = TRY(make_pipe());
    auto errors = TRY(make_pipe());
    TRY(connection.hand_over(output[0].get(), errors[0].get()));
    return Worker::Streams{std::move(output[1]), std::move(errors[1])};
}

std::vector<std::string> Operations::warnings_of(const ServiceActor& actor) const {
    auto warnings = store_.problems();
    warnings.insert(warnings.end(), actor.warnings().begin(), actor.warnings().end());
    return warnings;
}

void Operations::list(Connection& connection, const PublicKey& key, bool json) {
    std::vector<ServiceView> visible;
    for (const auto& [name, actor] : actors_)
        if (keys_.may(key.base64, name, actor->service().ops, OpGroup::read))
            visible.push_back({actor->service(), actor->state(), {}, warnings_of(*actor)});
    connection.print(json ? list_json(visible) : list_text(visible));
    connection.finish(exit_status::done);
}

void Operations::look(Connection& connection, ServiceActor& actor, const Command& command) {
    auto streams = connect_streams(connection);
    if (!streams)
        return refuse(connection, exit_status::internal, streams.error().message);
    ipc::WorkJob job;
    job.kind = command.op == Op::ps ? ipc::WorkKind::ps : ipc::WorkKind::logs;
    job.args = command.args;
    job.json = command.json;
    job.client = true;
    job.deadline = command.op == Op::ps ? std::chrono::milliseconds(60s) : longest_look;
    const std::uint64_t id = connection.id();
    auto worker = actor.look(std::move(job), std::move(*streams), [this, id](const ipc::WorkDone& done) {
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
    const auto answer = [this, id, name = actor.service().name, json](std::vector<std::string> containers,
                                                                      std::optional<Health> health) {
        Connection* client = find(id);
        const auto found = actors_.find(name); // it may have been removed meanwhile
        if (client == nullptr)
            return;
        if (found == actors_.end())
            return refuse(*client, exit_status::failed,
                          fmt::format("service {} is no longer configured", name));
        const ServiceActor& served = *found->second;
        reconcile::State state = served.state();
        if (health)
            state.health = *health;
        const ServiceView view{served.service(), state, std::move(containers), warnings_of(served)};
        client->print(json ? status_json(view) : status_text(view, wall_clock()));
        client->finish(exit_status::done);
    };
    ipc::WorkJob job;
    job.kind = ipc::WorkKind::observe;
    job.deadline = glance;
    auto worker = actor.look(std::move(job), {}, [this, id, answer](const ipc::WorkDone& done) {
        answer(done.containers, done.error ? std::nullopt : std::optional(done.health));
        looked(id);
    });
    if (!worker)
        return answer({}, std::nullopt);
    clients_[id].worker = std::move(*worker);
}

} // namespace pgod::daemon
