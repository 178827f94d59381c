// Operations: what happens when a client runs a command. Authorises it, answers ping, list and status from
// the supervisor's own state, starts a worker for what only looks, and hands what changes a service to its
// actor.
#pragma once

#include "core/command.hpp"
#include "core/key_book.hpp"
#include "core/tally.hpp"
#include "daemon/audit_entry.hpp"
#include "daemon/audit_log.hpp"
#include "daemon/caller.hpp"
#include "daemon/command_rate.hpp"
#include "daemon/connection.hpp"
#include "daemon/request_places.hpp"
#include "daemon/service_actor.hpp"
#include "daemon/strangers.hpp"
#include "daemon/urls.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace pgod::daemon {

using Actors = std::map<std::string, std::unique_ptr<ServiceActor>, std::less<>>;

class Operations {
  public:
    // Whether a connection of pgod-ssh, by its id there, holds a place (request_places.hpp).
    using SetPlace = std::function<void(std::uint64_t ssh_id, bool kept)>;

    Operations(EventLoop& loop, const KeyBook& keys, Actors& actors, store::Store& store, const Urls& urls,
               AuditLog& audit, AuditLog& refused, Tally& tally, SetPlace set_place)
        : loop_(loop)
        , keys_(keys)
        , actors_(actors)
        , store_(store)
        , urls_(urls)
        , audit_(audit)
        , refused_(refused)
        , tally_(tally)
        , set_place_(std::move(set_place)) {}
    ~Operations() { write_strangers(); }
    Operations(const Operations&) = delete;
    Operations& operator=(const Operations&) = delete;

    void accept(os::UpperEnd line, Peer peer);
    std::size_t open_ssh() const; // connections

    // The answer to a user of this host who may not connect: neither root, nor the user of a service, or with
    // too many connections already. Nothing is kept of that user but a count.
    std::optional<ipc::Exit> turned_away(uid_t uid);

    // For the actors: the client that waits for a command, if it is still there.
    void say(reconcile::CommandId command, std::string_view sentence);
    Worker::Streams streams(reconcile::CommandId command);
    // `last`: one line, said when all of the operation's output has been.
    void finish(reconcile::CommandId command, int exit_status, std::string_view last = {});
    // It reads what a deployment says, from the beginning and as that goes on, until it is finished.
    void attach(reconcile::CommandId command, ServiceActor& actor, std::uint64_t deployment);

  private:
    // One client: its connection and, while it looks at something, the worker that does.
    struct Client {
        std::unique_ptr<Connection> connection;
        std::unique_ptr<Worker> worker;
        std::string caller;              // Caller::id(), once it runs a command
        std::optional<AuditEntry> entry; // …until that has ended
    };

    void run(Connection& connection, const ipc::Run& request);
    void closed(std::uint64_t id);
    void looked(std::uint64_t id);
    Caller caller_of(const Connection& connection, const ipc::Run& request) const;
    std::string name_of(uid_t uid) const;
    bool is_root(uid_t uid) const noexcept;
    void begin_entry(const Connection& connection, const Caller& caller);
    void end_entry(std::uint64_t id, std::optional<int> exit_status); // none: its client left
    bool has_room_for(const Caller& caller) const;
    bool is_slow_enough(const Caller& caller);
    void note_stranger(const std::string& from, unsigned unknown_keys);
    void count_refusal(const Connection& connection, Refusal why);
    void write_strangers();
    void refuse_unauthorized(Connection& connection, const Caller& caller, const Command& command);
    void serve_service(Connection& connection, ServiceActor& actor, const Caller& caller,
                       const Command& command, const std::optional<ipc::Terminal>& terminal);
    // operations_places.cpp
    std::ptrdiff_t count_of_users(std::optional<uid_t> uid) const;   // nullopt: of all but root
    bool take_place(Connection& connection, const Service* service); // null: an admin's; false: refused
    void evict(std::uint64_t id);
    void end_command(std::uint64_t id);              // for the actor: nobody waits for its result any more
    void end_look(std::uint64_t id, Client& client); // what only it was looking at; a deployment goes on
    // operations_read.cpp
    std::vector<std::string>
    warnings_of(const ServiceActor& actor) const; // and what all services suffer from
    void whoami(Connection& connection, const Caller& caller, const Command& command);
    void list(Connection& connection, const Caller& caller, bool json);
    void look(Connection& connection, ServiceActor& actor, const Command& command);
    void status(Connection& connection, ServiceActor& actor, bool json);
    void exec(Connection& connection, ServiceActor& actor, const Command& command,
              const std::optional<ipc::Terminal>& terminal);
    void serve(Connection& connection, ServiceActor& actor, ipc::WorkJob job, Worker::Streams streams);

    // operations_record.cpp
    void audit(Connection& connection, const Command& command);
    bool was_served(const std::string& service) const; // there is a history of it
    void history(Connection& connection, const std::string& service, const Command& command);
    void why(Connection& connection, const ServiceActor& actor, bool json);
    void log(Connection& connection, ServiceActor& actor, const Command& command);

    void refuse(Connection& connection, int exit_status, std::string_view sentence);
    Connection* find(std::uint64_t id); // null: its client has left, or has its exit status

    EventLoop& loop_;
    const KeyBook& keys_;
    Actors& actors_;
    store::Store& store_;
    const Urls& urls_;
    AuditLog& audit_;
    AuditLog& refused_;
    Tally& tally_;
    SetPlace set_place_;
    RequestPlaces request_places_;
    CommandRate rate_;
    CommandRate::Clock::time_point said_too_fast_{};
    CommandRate::Clock::time_point said_evicted_{};
    Strangers strangers_;
    EventLoop::Timer strangers_due_;
    std::map<std::uint64_t, Client> clients_;
    std::map<std::uint64_t, std::unique_ptr<Worker>> ending_; // of clients that left
    std::uint64_t last_id_ = 0;
};

} // namespace pgod::daemon
