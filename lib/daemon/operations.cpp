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

// At a time: one key leaves some of its services' places to their other keys (request_places.hpp).
constexpr std::ptrdiff_t max_commands_per_key = 16;

// Connections that asked for nothing, before they are written down.
constexpr std::chrono::minutes counted_together{1};

constexpr std::chrono::seconds quiet_between_warnings{10};

std::string_view audit_refusal(const Caller& caller) {
    return caller.is_user() ? "Unauthorized: audit is for root"
                            : "Unauthorized: audit is for keys of admin_keys";
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0)
        return "localhost";
    return name.data();
}

} // namespace

void Operations::accept(os::UpperEnd line, Peer peer) {
    if (!peer.uid)
        ++tally_.host.ssh_connections;
    const std::uint64_t id = ++last_id_;
    Connection::Handlers handlers;
    handlers.knows = [this, from = address_of_peer(peer.name)](const PublicKey& key) {
        return keys_.knows(key.base64, {wall_clock(), from});
    };
    handlers.run = [this](Connection& connection, const ipc::Run& request) {
        run(connection, request);
    };
    handlers.finished = [this, id](int exit_status) {
        request_places_.finished(id);
        end_entry(id, exit_status);
    };
    handlers.closed = [this, id](Connection&) {
        loop_.post([this, id] { closed(id); });
    };
    clients_[id].connection =
        std::make_unique<Connection>(loop_, id, std::move(line), std::move(peer), std::move(handlers));
}

bool Operations::is_root(uid_t uid) const noexcept {
    return uid == 0 || uid == ::geteuid();
}

std::size_t Operations::open_ssh() const {
    return static_cast<std::size_t>(std::count_if(clients_.begin(), clients_.end(), [](const auto& client) {
        return client.second.connection && !client.second.connection->uid();
    }));
}

// At the control socket nobody is refused over SSH.
void Operations::count_refusal(const Connection& connection, Refusal why) {
    if (!connection.uid())
        tally_.refused(why);
}

void Operations::note_stranger(const std::string& from, unsigned unknown_keys) {
    if (strangers_.empty())
        strangers_due_ = loop_.after(counted_together, [this] { write_strangers(); });
    strangers_.note(from, unknown_keys, wall_clock());
}

void Operations::write_strangers() {
    for (const auto& line : strangers_.take())
        refused_.write(line);
}

void Operations::end_command(std::uint64_t id) {
    if (const auto client = clients_.find(id); client != clients_.end() && client->second.entry)
        if (const auto actor = actors_.find(client->second.entry->service); actor != actors_.end())
            actor->second->client_left(id);
}

void Operations::closed(std::uint64_t id) {
    request_places_.ended(id);
    end_command(id);
    end_entry(id, std::nullopt);
    auto node = clients_.extract(id);
    if (const auto* gone = node.empty() ? nullptr : node.mapped().connection.get(); gone && !gone->ran()) {
        note_stranger(gone->uid() ? Caller({*gone->uid(), {}, false}).id()
                                  : gone->peer().substr(0, gone->peer().rfind(':')),
                      gone->unknown_keys());
        count_refusal(*gone, gone->unknown_keys() > 0 ? Refusal::unknown_key : Refusal::nothing_asked);
    }
    if (!node.empty())
        end_look(id, node.mapped());
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
    if (client == clients_.end() || client->second.connection->finished())
        return nullptr;
    return client->second.connection.get();
}

void Operations::refuse(Connection& connection, int exit_status, std::string_view sentence) {
    if (exit_status == pgod::exit_status::unauthorized)
        return connection.refuse(sentence);
    connection.say(sentence);
    connection.finish(exit_status);
}

bool Operations::has_room_for(const Caller& caller) const {
    return std::count_if(clients_.begin(), clients_.end(), [id = caller.id()](const auto& client) {
               return client.second.caller == id;
           }) < max_commands_per_key;
}

Caller Operations::caller_of(const Connection& connection, const ipc::Run& request) const {
    if (const auto uid = connection.uid())
        return Caller(Caller::User{*uid, name_of(*uid), is_root(*uid)});
    return Caller(keys_, Caller::Key{request.key.base64,
                                     request.fingerprint,
                                     request.ssh_user,
                                     {wall_clock(), address_of_peer(connection.peer())}});
}

// Of whom pgod serves; to look up others would let anybody make root ask the host's user database.
std::string Operations::name_of(uid_t uid) const {
    if (uid == 0)
        return "root";
    for (const auto& [name, actor] : actors_)
        if (actor->owner() == uid)
            return actor->service().user;
    return {};
}

bool Operations::is_slow_enough(const Caller& caller) {
    const auto now = CommandRate::Clock::now();
    if (rate_.take(caller.id(), now))
        return true;
    if (said_too_fast_ == CommandRate::Clock::time_point{} || now - said_too_fast_ > quiet_between_warnings) {
        said_too_fast_ = now;
        os::log_warning("{} runs more than {} commands a second: the others are refused, and not recorded",
                        caller.shown(), CommandRate::per_second);
    }
    return false;
}

void Operations::begin_entry(const Connection& connection, const Caller& caller) {
    AuditEntry& entry = clients_[connection.id()].entry.emplace();
    entry.at = wall_clock();
    entry.peer = connection.peer();
    entry.fingerprint = caller.shown();
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
    const Caller caller = caller_of(connection, request);
    if (!is_slow_enough(caller)) { // and not in the audit log either, from which it would push out the others
        count_refusal(connection, Refusal::limit);
        return refuse(connection, exit_status::busy,
                      fmt::format("{} runs more than {} commands a second, which is the limit; slow down",
                                  caller.address_as(), CommandRate::per_second));
    }
    begin_entry(connection, caller);
    // A user is judged when he connects; the configuration may have changed since.
    if (caller.is_user() && !caller.is_admin() && caller.name_in({}).empty())
        return refuse(connection, exit_status::unauthorized, caller.refusal({}));
    const auto command = parse_command(request.command);
    if (!command) {
        os::log_info("{} ({}): {}", connection.peer(), caller.shown(), command.error().message);
        return refuse(connection, exit_status::usage, command.error().message);
    }
    AuditEntry& entry = *clients_[connection.id()].entry;
    entry.service = command->service;
    entry.operation = operation_of(command->op).name;
    entry.args = command->args;
    entry.name = caller.name_in(command->service);
    if (!has_room_for(caller)) {
        count_refusal(connection, Refusal::limit);
        return refuse(connection, exit_status::busy,
                      fmt::format("{} runs {} commands already, which is the limit; end one of them or wait",
                                  caller.address_as(), max_commands_per_key));
    }
    clients_[connection.id()].caller = caller.id();
    const Operation& operation = operation_of(command->op);
    os::log_line(
        operation.group == OpGroup::read ? os::Level::debug : os::Level::info,
        fmt::format("{} ({}): {}//{}", connection.peer(), caller.shown(), command->service, operation.name));
    if (caller.is_admin() && !take_place(connection, nullptr))
        return;
    const bool admin = caller.may_as_admin(command->op);
    if (command->op == Op::audit && admin)
        return audit(connection, *command);
    if (command->op == Op::audit && command->service.empty())
        return refuse(connection, exit_status::unauthorized, audit_refusal(caller));
    if (command->service.empty())
        return command->op == Op::whoami ? whoami(connection, caller, *command)
                                         : list(connection, caller, command->json);

    const auto found = actors_.find(command->service);
    const bool exists = found != actors_.end();
    if (!exists && command->op == Op::history && admin && was_served(command->service))
        return history(connection, command->service, *command);
    if (!exists && caller.is_admin())
        return refuse(connection, exit_status::usage,
                      fmt::format("there is no service \"{}\"; //list names them", command->service));
    if (!exists || !caller.may(found->second->ownership(), command->op))
        return refuse_unauthorized(connection, caller, *command);
    const bool is_short = command->op == Op::list || command->op == Op::whoami; // and leaves at once
    if (!caller.is_admin() && !is_short && !take_place(connection, &found->second->service()))
        return;
    serve_service(connection, *found->second, caller, *command, request.terminal);
}

void Operations::serve_service(Connection& connection, ServiceActor& actor, const Caller& caller,
                               const Command& command, const std::optional<ipc::Terminal>& terminal) {
    switch (command.op) {
    case Op::ping:
        connection.print(fmt::format("pong! - {}\n", host_name()));
        return connection.finish(exit_status::done);
    case Op::list:
        return list(connection, caller, command.json);
    case Op::status:
        return status(connection, actor, command.json);
    case Op::ps:
    case Op::logs:
        return look(connection, actor, command);
    case Op::history:
        return history(connection, command.service, command);
    case Op::log:
        return log(connection, actor, command);
    case Op::why:
        return why(connection, actor, command.json);
    case Op::whoami:
        return whoami(connection, caller, command);
    case Op::exec:
        return exec(connection, actor, command, terminal);
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
    case Op::audit: // answered before
        break;
    }
    reconcile::PendingCommand pending;
    pending.id = connection.id();
    pending.op = command.op;
    pending.args = command.args;
    pending.json = command.json;
    actor.command(std::move(pending),
                  fmt::format("{} from {}", caller.described(command.service), connection.peer()));
}

// A caller who may do something with the service is told what not; to others it does not exist.
void Operations::refuse_unauthorized(Connection& connection, const Caller& caller, const Command& command) {
    count_refusal(connection, Refusal::unauthorized);
    const auto name = operation_of(command.op).name;
    const auto found = actors_.find(command.service);
    if (found != actors_.end() && caller.could(found->second->ownership(), command.op))
        return refuse(
            connection, exit_status::unauthorized,
            fmt::format("Unauthorized: {} is not among the ops that {} grants to keys of its repository",
                        name, command.service));
    const auto operations = all_operations();
    const bool knows = found != actors_.end() &&
                       std::any_of(operations.begin(), operations.end(), [&](const Operation& other) {
                           return caller.could(found->second->ownership(), other.op);
                       });
    if (knows && command.op == Op::audit && !caller.is_admin())
        return refuse(connection, exit_status::unauthorized, audit_refusal(caller));
    if (knows)
        return refuse(connection, exit_status::unauthorized,
                      fmt::format("Unauthorized: {} is not among what {} may do with {}{}; whoami lists that",
                                  name, caller.address_as(), command.service,
                                  caller.is_user() ? "" : " (pgo-ops)"));
    refuse(connection, exit_status::unauthorized, caller.refusal(command.service));
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
