// ServiceActor: one service. Feeds the events of git jobs, workers, commands and time into the pure step
// function, one at a time, and carries its actions out. Everything about a service goes through here, so a
// poll and a command can never race.
#pragma once

#include "core/key_book.hpp"
#include "core/reconcile.hpp"
#include "core/service.hpp"
#include "core/tally.hpp"
#include "daemon/caller.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/git_jobs.hpp"
#include "daemon/places.hpp"
#include "daemon/survey.hpp"
#include "daemon/user_sessions.hpp"
#include "daemon/worker.hpp"
#include "store/store.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace pgod::daemon {

reconcile::Time wall_clock();

class ServiceActor;

// What a service's actor needs of the world around it.
struct ActorPorts {
    EventLoop& loop;
    GitJobs& git;
    Surveys& surveys;
    store::Store& store;
    KeyBook& keys;
    UserSessions& sessions;
    Places& places;
    Tally& tally;
    std::string services_directory; // absolute; the service's own is made beneath it
    // The client that waits for a command, by its id; each does nothing when it has left.
    std::function<void(reconcile::CommandId, std::string_view)> say;
    std::function<Worker::Streams(reconcile::CommandId)> streams;
    std::function<void(const reconcile::Finish&)> finish;
    // Shows it what a deployment of the service says, as that goes on.
    std::function<void(const reconcile::Attach&, ServiceActor&)> attach;
    // What the services that it comes after have in the way, into the settings of a step.
    std::function<void(const Service&, reconcile::Settings&)> look_at_others;
    // DNS names that others hold and this one might ask for; and that what one asks for has changed.
    std::function<std::vector<std::string>(const Service&)> taken_names;
    std::function<void()> claims_changed;
    // Names of the other services of its user, as they are configured now.
    std::function<std::vector<std::string>(const Service&)> neighbours;
    std::function<std::vector<std::string>(const Service&)> nesting_neighbours; // core/object_names.hpp
    std::function<void(const std::string& service)> stirred; // after each step of a service
    std::function<void(const std::string& service)> retired; // must not destroy the actor before it returns
};

class ServiceActor {
  public:
    ServiceActor(ActorPorts ports, Service service);
    ~ServiceActor();

    void start();
    void write_down(); // all that it remembers, into a store that lost it
    void command(reconcile::PendingCommand command, std::string who);
    // All but a change of user, which is another service: remove this one first.
    void reconfigure(Service service);
    void others_changed();
    void client_left(reconcile::CommandId command); // before its command ended
    // Whether env_file or a file of secrets is another than the last deployment had, as far as that is known.
    // A systemd credential never is: it stays what it was when pgod was started.
    bool secrets_changed() const;
    void remove(bool take_down); // …and tell `retired`

    // Reading operations do not queue: they run beside whatever the service is doing, as its user.
    using Looked = std::function<void(ipc::WorkDone)>;
    Result<std::unique_ptr<Worker>> look(ipc::WorkJob job, Worker::Streams streams, Looked looked);

    const Service& service() const noexcept { return service_; }
    Ownership ownership() const { return {service_.name, service_.ops, owner()}; }
    std::optional<uid_t> owner() const noexcept { return user_ ? std::optional(user_->uid) : std::nullopt; }
    const reconcile::State& state() const noexcept { return state_; }
    // The DNS names that what runs asks for; none: what the store knows of them was not read yet.
    const std::optional<std::vector<UrlClaim>>& claims() const noexcept { return claims_; }
    const std::vector<std::string>& warnings() const noexcept { return warnings_; } // of the last sync

  private:
    void feed(reconcile::Event event);
    reconcile::Settings settings() const;
    void perform(const reconcile::Action& action);
    // service_actor_record.cpp
    Status recall();
    void begin_deployment(const reconcile::StartWork& action);
    void end_deployment(const ipc::WorkDone& done);
    void record_superseded(const reconcile::Supersede& action);
    void close_unfinished(const ipc::WorkDone& seen);
    bool has_unfinished();
    void adopt_keys(std::vector<PublicKey> keys);
    void adopt_claims(const ipc::WorkDone& done);
    void save_and_adopt_keys(std::vector<PublicKey> keys);

    // service_actor_work.cpp
    void start_work(const reconcile::StartWork& action);
    void end_work(ipc::WorkDone done);
    ipc::WorkJob job(ipc::WorkKind kind) const;
    Result<std::unique_ptr<Worker>> start_worker(const ipc::WorkJob& work, Worker::Streams streams,
                                                 Looked done, Worker::Seen seen = {});
    void open_gate(reconcile::Place place);
    void cancel_work(const std::string& reason);
    // service_actor_user.cpp
    void find_user();
    bool has_its_user();
    Status make_directory() const;
    std::string look_of_secrets() const; // without those of systemd

    void recover();
    void look();
    void wait_for_worker();
    void survey();
    void retry_later(std::string reason);
    void start_sync(const reconcile::StartSync& action);
    void on_synced(SyncResult result);
    void count_deadline(const std::optional<Error>& error, Deadline of);
    void start_export(const reconcile::StartExport& action);
    void await_turn(const reconcile::AwaitTurn& action);
    void arm_timer();
    void tell_waiting(std::string_view sentence);
    void report_warnings(const std::vector<std::string>& warnings);
    std::string directory() const { return ports_.services_directory + "/" + service_.name; }

    ActorPorts ports_;
    Service service_;
    std::optional<Identity> user_;
    reconcile::State state_;
    bool recalled_ = false;                          // what the store knows was read
    std::optional<store::DeploymentRow> deployment_; // the one that runs
    std::vector<PublicKey> keys_;                    // as the last sync found them
    std::optional<std::vector<UrlClaim>> claims_;
    std::vector<std::string> warnings_;
    unsigned source_generation_ = 0; // counts changes of repository or branch
    std::deque<reconcile::Event> events_;
    bool feeding_ = false;
    std::string secrets_seen_;            // look_of_secrets() when the last deployment began
    std::optional<WorkSlots::Slot> slot_; // of the worker that runs
    std::string cancelled_;               // why that is to end; empty: it is not
    bool recovered_ = false;              // once before
    std::unique_ptr<Worker> worker_;
    EventLoop::Timer timer_;
    std::minstd_rand random_; // for jitter only
};

} // namespace pgod::daemon
