#include "daemon/operations.hpp"

#include "core/exit_status.hpp"
#include "daemon/client_streams.hpp"
#include "daemon/status_text.hpp"
#include "os/log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace pgod::daemon {

namespace {

// At a time, of 64 connections in all: nobody with a key keeps out everybody else who has one.
constexpr std::ptrdiff_t max_commands_per_key = 16;

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0)
        return "localhost";
    return name.data();
}

} // namespace

void Operations::accept(os::Channel channel, std::string peer) {
    const std::uint64_t id = ++last_id_;
    Connection::Handlers handlers;
    handlers.knows = [this, from = address_of_peer(peer)](const PublicKey& key) {
        return keys_.knows(key.base64, {wall_clock(), from});
    };
    handlers.run = [this](Connection& connection, const ipc::Run& request) {
        run(connection, request);
    };
    handlers.finished = [this, id](int exit_status) {
        end_entry(id, exit_status);
    };
    handlers.closed = [this, id](Connection&) {
        loop_.post([this, id] { closed(id); });
    };
    clients_[id].connection =
        std::make_unique<Connection>(loop_, id, std::move(channel), std::move(peer), std::move(handlers));
}

void Operations::closed(std::uint64_t id) {
    end_entry(id, std::nullopt);
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

void Operations::begin_entry(const Connection& connection, const ipc::Run& request) {
    AuditEntry& entry = clients_[connection.id()].entry.emplace();
    entry.at = wall_clock();
    entry.peer = connection.peer();
    entry.fingerprint = request.fingerprint;
}

void Operations::end_entry(std::uint64_t id, std::optional<int> exit_status) {
    const auto client = clients_.find(id);
    if (client == clients_.end() || !client->second.entry)
        return;
    AuditEntry& entry = *client->second.entry;
    entry.took = wall_clock() - entry.at;
    entry.exit_status = exit_status.value_or(0);
    entry.left = !exit_status;
    audit_.write(audit_line(entry));
    client->second.entry.reset();
}

void Operations::run(Connection& connection, const ipc::Run& request) {
    begin_entry(connection, request);
    const auto command = parse_command(request.command);
    if (!command) {
        os::log_info("{} ({}): {}", connection.peer(), request.fingerprint, command.error().message);
        return refuse(connection, exit_status::usage, command.error().message);
    }
    AuditEntry& entry = *clients_[connection.id()].entry;
    entry.service = command->service;
    entry.operation = operation_of(command->op).name;
    entry.args = command->args;
    entry.name = keys_.name_in(command->service, request.key.base64);
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
    const Circumstances at = circumstances_of(connection);
    const bool admin = keys_.may_as_admin(request.key.base64, command->op, at);
    if (command->op == Op::audit && admin)
        return audit(connection, *command);
    if (command->op == Op::audit && command->service.empty())
        return refuse(connection, exit_status::unauthorized, "Unauthorized: audit is for keys of admin_keys");
    if (command->service.empty())
        return command->op == Op::whoami ? whoami(connection, request, *command)
                                         : list(connection, request.key, command->json);

    const auto found = actors_.find(command->service);
    const bool exists = found != actors_.end();
    if (!exists && command->op == Op::history && admin && was_served(command->service))
        return history(connection, command->service, *command);
    if (!exists && keys_.is_admin(request.key.base64, at))
        return refuse(connection, exit_status::usage,
                      fmt::format("there is no service \"{}\"; //list names them", command->service));
    if (!exists ||
        !keys_.may(request.key.base64, command->service, found->second->service().ops, command->op, at))
        return refuse_unauthorized(connection, request, *command);

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
    case Op::history:
        return history(connection, command->service, *command);
    case Op::log:
        return log(connection, actor, *command);
    case Op::why:
        return why(connection, actor, command->json);
    case Op::whoami:
        return whoami(connection, request, *command);
    case Op::exec:
        return exec(connection, actor, *command, request.terminal);
    case Op::up:
    case Op::down:
    case Op::start:
    case Op::stop:
    case Op::restart:
    case Op::pull:
    case Op::build:
    case Op::sync:
    case Op::plan:
    case Op::check:
    case Op::retry:
    case Op::suspend:
    case Op::resume:
    case Op::rollback:
    case Op::audit: // answered above
        break;
    }
    const std::string key_name = keys_.name_in(command->service, request.key.base64);
    reconcile::PendingCommand pending;
    pending.id = connection.id();
    pending.op = command->op;
    pending.args = command->args;
    pending.json = command->json;
    actor.command(std::move(pending),
                  fmt::format("{} ({}) from {}", key_name, request.fingerprint, connection.peer()));
}

// A key of the service, or an admin's, is told what it may not do; to others the service does not exist.
void Operations::refuse_unauthorized(Connection& connection, const ipc::Run& request,
                                     const Command& command) {
    const Circumstances at = circumstances_of(connection);
    const auto name = operation_of(command.op).name;
    const auto found = actors_.find(command.service);
    const auto may = [&](const OperationGroups& ceiling, Op op) {
        return keys_.may(request.key.base64, command.service, ceiling, op, at);
    };
    constexpr OperationGroups everything{.read = true, .deploy = true, .exec = true};
    if (found != actors_.end() && may(everything, command.op))
        return refuse(
            connection, exit_status::unauthorized,
            fmt::format("Unauthorized: {} is not among the ops that {} grants to keys of its repository",
                        name, command.service));
    const auto operations = all_operations();
    if (found != actors_.end() &&
        std::any_of(operations.begin(), operations.end(),
                    [&](const Operation& other) { return may(everything, other.op); }))
        return refuse(
            connection, exit_status::unauthorized,
            fmt::format("Unauthorized: {} is not among what your key may do with {} (pgo-ops); whoami "
                        "lists that",
                        name, command.service));
    refuse(connection, exit_status::unauthorized,
           fmt::format("Unauthorized: Key for user \"{}\" does not match any for name {}", request.ssh_user,
                       command.service));
}

Circumstances Operations::circumstances_of(const Connection& connection) {
    return {wall_clock(), address_of_peer(connection.peer())};
}

void Operations::say(reconcile::CommandId command, std::string_view sentence) {
    if (Connection* connection = find(command))
        connection->say(sentence);
}

Worker::Streams Operations::streams(reconcile::CommandId command) {
    Connection* connection = find(command);
    if (connection == nullptr)
        return {};
    auto streams = join_by_pipes(*connection, false);
    if (!streams) {
        connection->say(streams.error().message);
        return {};
    }
    return std::move(*streams);
}

void Operations::finish(reconcile::CommandId command, int exit_status, std::string_view last) {
    if (Connection* connection = find(command))
        connection->finish(exit_status, last);
}

} // namespace pgod::daemon
