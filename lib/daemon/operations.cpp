#include "daemon/operations.hpp"

#include "base/text.hpp"
#include "core/exit_status.hpp"
#include "daemon/status_text.hpp"
#include "os/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto glance = 10s;                   // `status` looks at the containers no longer than this
constexpr std::chrono::hours longest_look{24}; // `logs -f`

// At a time, of 64 connections in all: nobody with a key keeps out everybody else who has one.
constexpr std::ptrdiff_t max_commands_per_key = 16;

reconcile::Time now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0)
        return "localhost";
    return name.data();
}

Result<std::array<Fd, 2>> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return errno_error("make a pipe");
    return std::array<Fd, 2>{Fd(ends[0]), Fd(ends[1])};
}

// The client reads what the worker writes; the supervisor keeps neither end.
Result<Worker::Streams> connect_streams(Connection& connection) {
    auto output = TRY(make_pipe());
    auto errors = TRY(make_pipe());
    TRY(connection.hand_over(output[0].get(), errors[0].get()));
    return Worker::Streams{std::move(output[1]), std::move(errors[1])};
}

} // namespace

void Operations::accept(os::Channel channel, std::string peer) {
    const std::uint64_t id = ++last_id_;
    Connection::Handlers handlers;
    handlers.knows = [this](const PublicKey& key) {
        return keys_.knows(key.base64);
    };
    handlers.run = [this](Connection& connection, const ipc::Run& request) {
        run(connection, request);
    };
    handlers.closed = [this, id](Connection&) {
        loop_.post([this, id] { closed(id); });
    };
    clients_[id].connection =
        std::make_unique<Connection>(loop_, id, std::move(channel), std::move(peer), std::move(handlers));
}

void Operations::closed(std::uint64_t id) {
    auto node = clients_.extract(id);
    if (node.empty() || !node.mapped().worker)
        return;
    // A client that left ends what only it was looking at; a deployment goes on.
    node.mapped().worker->cancel();
    ending_.emplace(id, std::move(node.mapped().worker));
}

// Called by a worker that ended, from within it: it is destroyed once the loop has control again.
void Operations::looked(std::uint64_t id) {
    loop_.post([this, id] {
        ending_.erase(id);
        if (const auto client = clients_.find(id); client != clients_.end())
            client->second.worker.reset();
    });
}

Connection* Operations::find(std::uint64_t id) {
    const auto client = clients_.find(id);
    return client == clients_.end() ? nullptr : client->second.connection.get();
}

void Operations::refuse(Connection& connection, int exit_status, std::string_view sentence) {
    connection.say(sentence);
    connection.finish(exit_status);
}

bool Operations::has_room_for(const PublicKey& key) const {
    return std::count_if(clients_.begin(), clients_.end(), [&key](const auto& client) {
               return client.second.key == key.base64;
           }) < max_commands_per_key;
}

void Operations::run(Connection& connection, const ipc::Run& request) {
    const auto command = parse_command(request.command);
    if (!command) {
        os::log_info("{} ({}): {}", connection.peer(), request.fingerprint, command.error().message);
        return refuse(connection, exit_status::usage, command.error().message);
    }
    if (!has_room_for(request.key))
        return refuse(
            connection, exit_status::busy,
            fmt::format("your key runs {} commands already, which is the limit; end one of them or wait",
                        max_commands_per_key));
    clients_[connection.id()].key = request.key.base64;
    const Operation& operation = operation_of(command->op);
    os::log_line(operation.group == OpGroup::read ? os::Level::debug : os::Level::info,
                 fmt::format("{} ({}): {}//{}", connection.peer(), request.fingerprint, command->service,
                             operation.name));
    if (command->service.empty())
        return list(connection, request.key, command->json);

    const auto found = actors_.find(command->service);
    const bool exists = found != actors_.end();
    if (!exists && keys_.is_admin(request.key.base64))
        return refuse(connection, exit_status::usage,
                      fmt::format("there is no service \"{}\"; //list names them", command->service));
    if (!exists ||
        !keys_.may(request.key.base64, command->service, found->second->service().ops, operation.group)) {
        const bool its_own =
            exists && keys_.may(request.key.base64, command->service,
                                {.read = true, .deploy = true, .exec = true}, operation.group);
        if (its_own)
            return refuse(
                connection, exit_status::unauthorized,
                fmt::format("Unauthorized: {} is not among the ops that {} grants to keys of its repository",
                            operation.name, command->service));
        return refuse(connection, exit_status::unauthorized,
                      fmt::format("Unauthorized: Key for user \"{}\" does not match any for name {}",
                                  request.ssh_user, command->service));
    }

    ServiceActor& actor = *found->second;
    switch (command->op) {
    case Op::ping:
        connection.print(fmt::format("pong! - {}\n", host_name()));
        return connection.finish(exit_status::done);
    case Op::list:
        return list(connection, request.key, command->json);
    case Op::status:
        return status(connection, actor, command->json);
    case Op::ps:
    case Op::logs:
        return look(connection, actor, *command);
    case Op::up:
    case Op::down:
    case Op::start:
    case Op::stop:
    case Op::restart:
    case Op::pull:
    case Op::build:
    case Op::sync:
        break;
    }
    const std::string key_name = keys_.name_in(command->service, request.key.base64);
    actor.command({connection.id(), command->op, command->args, {}},
                  fmt::format("{} ({}) from {}", key_name, request.fingerprint, connection.peer()));
}

void Operations::list(Connection& connection, const PublicKey& key, bool json) {
    std::vector<ServiceView> visible;
    for (const auto& [name, actor] : actors_)
        if (keys_.may(key.base64, name, actor->service().ops, OpGroup::read))
            visible.push_back({actor->service(), actor->state(), {}, actor->warnings()});
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
        const ServiceView view{served.service(), state, std::move(containers), served.warnings()};
        client->print(json ? status_json(view) : status_text(view, now()));
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

void Operations::say(reconcile::CommandId command, std::string_view sentence) {
    if (Connection* connection = find(command))
        connection->say(sentence);
}

Worker::Streams Operations::streams(reconcile::CommandId command) {
    Connection* connection = find(command);
    if (connection == nullptr)
        return {};
    auto streams = connect_streams(*connection);
    if (!streams) {
        connection->say(streams.error().message);
        return {};
    }
    return std::move(*streams);
}

void Operations::finish(reconcile::CommandId command, int exit_status) {
    if (Connection* connection = find(command))
        connection->finish(exit_status);
}

} // namespace pgod::daemon
