// Operations: who gets a place, over SSH (request_places.hpp) and on users.sock (users_share.hpp), and how a
// request loses it.
#include "core/exit_status.hpp"
#include "daemon/operations.hpp"
#include "daemon/users_share.hpp"
#include "os/log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::daemon {

namespace {

constexpr std::chrono::seconds quiet_between_warnings{10};

std::string sentence_for(RequestPlaces::Bound bound, const Service* service) {
    constexpr RequestPlaces::Limits limits;
    switch (bound) {
    case RequestPlaces::Bound::service:
        return fmt::format("{} requests of {} run already, which is the limit; end one of them or wait",
                           limits.per_service, service->name);
    case RequestPlaces::Bound::user:
        return fmt::format(
            "{} requests of the services of user {} run already, which is the limit; end one of them or wait",
            limits.per_user, service->user);
    case RequestPlaces::Bound::admins:
        return fmt::format("{} requests of admins run already, which is the limit; end one of them or wait",
                           limits.admins);
    case RequestPlaces::Bound::host:
        break;
    }
    return "pgod serves as many requests as it can; try again later";
}

// `up` and its like go on without their client, as when it hangs up.
std::string farewell(const AuditEntry& entry) {
    const Operation* operation = find_operation(entry.operation);
    const bool goes_on = operation != nullptr && !operation->ends_with_client;
    return fmt::format("pgod serves as many requests as it can, and gave your place to another service or an "
                       "admin; {}",
                       goes_on ? "the operation goes on at the server" : "run it again later");
}

} // namespace

std::ptrdiff_t Operations::count_of_users(std::optional<uid_t> uid) const {
    return std::count_if(clients_.begin(), clients_.end(), [this, uid](const auto& client) {
        const auto one = client.second.connection ? client.second.connection->uid() : std::nullopt;
        return one && (uid ? one == uid : !is_root(*one));
    });
}

std::optional<ipc::Exit> Operations::turned_away(uid_t uid) {
    const Caller caller({uid, name_of(uid), is_root(uid)});
    if (!caller.is_admin() && caller.name_in({}).empty()) {
        note_stranger(caller.id(), 0);
        return ipc::Exit{exit_status::unauthorized, caller.refusal({}) + "\n"};
    }
    const auto held = static_cast<std::size_t>(count_of_users(uid));
    const auto held_by_all = static_cast<std::size_t>(count_of_users({}));
    if (held >= most_of_one_user)
        return ipc::Exit{
            exit_status::busy,
            fmt::format("uid {} has {} connections already, which is the limit; end one of them\n", uid,
                        most_of_one_user)};
    if (!caller.is_admin() && held >= share_of_user(held_by_all))
        return ipc::Exit{
            exit_status::busy,
            fmt::format("the users of this host have {} connections and uid {} has {} of them, which is its "
                        "share; end one of them or try again later\n",
                        held_by_all, uid, held)};
    return std::nullopt;
}

bool Operations::take_place(Connection& connection, const Service* service) {
    if (connection.uid())
        return true;
    const auto decision = request_places_.ask(
        connection.id(), service != nullptr ? RequestPlaces::Claim{service->name, service->user}
                                            : RequestPlaces::Claim{{}, {}, true});
    if (decision.refused_by) {
        count_refusal(connection,
                      *decision.refused_by == RequestPlaces::Bound::host ? Refusal::full : Refusal::limit);
        refuse(connection, exit_status::busy, sentence_for(*decision.refused_by, service));
        return false;
    }
    if (decision.evicted) // first: pgod-ssh never holds one place more than there are
        evict(*decision.evicted);
    set_place_(connection.ssh_id(), true);
    return true;
}

void Operations::evict(std::uint64_t id) {
    const auto found = clients_.find(id);
    if (found == clients_.end())
        return;
    Client& client = found->second;
    Connection& connection = *client.connection;
    set_place_(connection.ssh_id(), false);
    if (connection.finished())
        return;
    const auto now = CommandRate::Clock::now();
    if (said_evicted_ == CommandRate::Clock::time_point{} || now - said_evicted_ > quiet_between_warnings) {
        said_evicted_ = now;
        os::log_warning("{}: lost its place, because every place was taken and another service or an admin "
                        "needed one",
                        connection.peer());
    }
    end_command(id);
    connection.finish(exit_status::busy, client.entry ? farewell(*client.entry) : std::string());
    end_look(id, client);
}

void Operations::end_look(std::uint64_t id, Client& client) {
    if (!client.worker)
        return;
    client.worker->cancel();
    ending_.emplace(id, std::move(client.worker));
}

} // namespace pgod::daemon
