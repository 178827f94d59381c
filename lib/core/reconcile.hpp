// Reconcile: what a service does next, as a pure function of its state, an event and the time. No clock, no
// I/O, no log: events and actions are data, jitter comes in with the event. Around it, daemon/service_actor
// feeds one queue of events per service, so a poll, a command and a configuration change can never race.
#pragma once

#include "base/result.hpp"
#include "core/drift.hpp"
#include "core/durable.hpp"
#include "core/obstacle.hpp"
#include "core/operation.hpp"
#include "core/sync.hpp"
#include "core/vocabulary.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgod::reconcile {

using CommandId = std::uint64_t; // 0: nobody waits

// Work on a service takes a place of the host. Each kind has places of its own, so that work of one kind
// never waits for another; stop, start, restart, down and what only looks need none.
enum class Place {
    preparing, // fetch and build, while what runs goes on; a share of each Unix user
    switching, // change what runs (`parallel`)
    healing,   // a share of each Unix user
};

// Whether the host has a place of each kind for this service now.
struct Room {
    bool preparing = true;
    bool switching = true;
    bool healing = true;
    bool operator==(const Room&) const = default;
};

// What the configuration says, and the host has, that deciding depends on.
struct Settings {
    std::chrono::milliseconds interval{std::chrono::minutes(5)};
    bool auto_deploy = true;
    Room room = {};
    // What the services that it comes after (`after`) have in the way.
    std::optional<Passing> awaits = {};    // a new version waits for it
    std::optional<Passing> unsettled = {}; // …and ends within minutes: healing and rollback wait as well
    std::optional<Lasting> held_by = {};   // a new version is not deployed
};

// How far a worker is. Until root opens its gate it has touched nothing that runs, and can be cancelled.
enum class Reach {
    preparing, // deploy: plans, fetches, builds; pull and build: all that they do
    at_gate,   // …and waits for a place to switch
    changing,  // all other work from its begin on
};

using pgod::Work;

// What a service is doing. Each phase holds what only it has.
namespace phase {
struct Unavailable { // the service's user does not exist, or its directory cannot be made
    std::string reason = {};
    bool user_gone = false; // and with the user everything that the service ran
};
struct Recovering { // after a start: waiting for what a worker left, and a first look at the containers
    std::string unavailable = {}; // why it could not be served until now
};
struct Idle {};
struct Syncing {};
struct Exporting {
    Work then = Work::deploy;
    std::string commit = {};
};
struct Queued { // staged, and waiting for other services: for a place, or because it comes after them
    Work work = Work::deploy;
    std::string commit = {}; // empty: the work needs none, as in Working
};
struct Working {
    Work work = Work::deploy;
    std::string commit = {};
    Reach reach = Reach::changing;
    std::optional<std::string> cancelling = {}; // why the worker is to end before the switch
    std::string settled_before = {};            // Durable::settled when the deployment began
    bool rejudge = false;                       // the settings changed since, and it runs under the old ones
};
struct StillThere {}; // no longer configured, but it could not be taken down
struct Gone {};       // Retire was the last action: nothing follows
} // namespace phase

using Phase = std::variant<phase::Unavailable, phase::Recovering, phase::Idle, phase::Syncing,
                           phase::Exporting, phase::Queued, phase::Working, phase::StillThere, phase::Gone>;

// What becomes of a service that is no longer configured.
enum class Removal {
    take_down,
    leave_alone, // it is not taken down
};

struct PendingCommand {
    CommandId id = 0;
    Op op = Op::sync;
    std::vector<std::string> args;
    std::optional<Intent> instead_of; // the intent that it changed when it came; set by step()
    bool json = false;
    std::string who; // as Intent::by; set by step()
    std::string
        commit; // that has to serve, perhaps its first digits; of `check` what is judged; set by step()
    bool serves = false;          // that commit runs already, or one that came after it; set by step()
    bool wait = true;             // the client stays until the end; set by step(), as the following are
    Time since{};                 // when it came
    std::optional<Time> deadline; // its client waits no longer
    bool asked = false;           // upstream was asked after it came; set by step()
    std::string wanted; // the commit that it was to bring, when that is known before its turn; set by step()
    bool operator==(const PendingCommand&) const = default;
};

struct State {
    Phase phase = phase::Recovering{};
    Durable durable;
    std::string tip;     // of upstream, as last fetched
    std::string running; // the commit that the containers were made from
    Health health = Health::unknown;
    std::optional<Time> synced;   // last successful sync
    std::string sync_error;       // of the last sync; empty: it went well
    unsigned sync_failures = 0;   // in a row
    unsigned deploy_failures = 0; // transient ones in a row, of `tip`
    bool read_repository = false; // the next sync looks at the local repository again
    bool needs_deploy = false;    // containers were missing at the start
    Time next_sync{};
    std::optional<Time> next_deploy;       // after a transient failure
    std::optional<PendingCommand> current; // the command being carried out; none in a poll
    std::vector<PendingCommand> followers; // others that end with it, and as it does
    bool asking_beside = false;            // a sync is under way beside a deployment
    std::optional<Trigger> because;        // of the next deployment that no command asks for; none: a poll
    std::deque<PendingCommand> queue;
    std::optional<Removal> removal; // it is no longer configured
    unsigned lost_stops = 0; // workers in a row that were lost while they carried out Durable::stopping
    Drift drift;
};

template<typename P>
bool is_in(const State& state) {
    return std::holds_alternative<P>(state.phase);
}

// What is under way, or follows as soon as its commit is staged or its turn comes.
std::optional<Work> work_of(const State& state);
const std::string& commit_of(const State& state); // that this is about; empty: none
// Why the service cannot be served; empty: it can, or that is being found out.
const std::string& why_unavailable(const State& state);

// Events
struct Available { // the user was found and the directory is there
    bool operator==(const Available&) const = default;
};
struct Unavailable {
    std::string reason;
    bool user_gone = false; // and with the user everything that the service ran
    bool operator==(const Unavailable&) const = default;
};
struct Recovered : Surveyed {}; // the first look after a start, when no worker is busy any more
struct Tick {};
struct CommandArrived {
    PendingCommand command;
    std::string who;
};
struct SyncEnded {
    std::string tip; // empty: nothing was ever fetched
    std::optional<Error> error;
};
struct ExportEnded {
    std::optional<Error> error;
    std::string commit;                  // the whole id of what was exported
    std::vector<NamedCommit> named = {}; // as StartExport::named
};
struct WorkEnded {
    int exit_status = 0;
    std::optional<Outcome> outcome;
    std::optional<Error> error;
    std::string running;
    Health health = Health::unknown;
};
struct GateReached {   // the worker has prepared everything, and asks for a place to switch
    bool lost = false; // what runs ended or is missing meanwhile
};
struct ClientLeft { // …and reads no output any more
    CommandId command = 0;
};
struct TurnCame {};      // nothing that it awaited is in the way, and the host has room, which is its own now
struct OthersChanged {}; // …the services that it comes after
struct Reconfigured {
    bool other_source = false; // another repository or branch: what was fetched counts no more
};
struct Removed {
    bool take_down = true;
};

using Event =
    std::variant<Available, Unavailable, Recovered, Tick, CommandArrived, SyncEnded, ExportEnded, WorkEnded,
                 GateReached, ClientLeft, TurnCame, OthersChanged, Surveyed, Reconfigured, Removed>;

// Actions
struct Recover { // look at the containers, once no worker of an earlier pgod is busy
    bool operator==(const Recover&) const = default;
};
struct StartSync {
    std::string known; // empty: the local repository is looked at as well
    bool operator==(const StartSync&) const = default;
};
struct StartExport {
    std::string commit;             // or its first digits, when an operator named it
    bool on_branch = false;         // an operator named it: refuse with Code::gone what is not on the branch
    std::vector<std::string> named; // what the commands that wait for it name
    std::string serving;            // what runs: does that contain them?
    bool operator==(const StartExport&) const = default;
};
struct StartWork {
    Work work = Work::deploy;
    std::optional<Place> place;   // that it takes
    std::string commit;           // deploy, pull, build, plan, check
    std::uint64_t deployment = 0; // deploy
    CommandId command = 0;        // whose client reads the output
    std::vector<std::string> args;
    bool json = false;
    Trigger trigger = Trigger::poll; // deploy
    std::string who;                 // whose command it was; empty: nobody's
    bool operator==(const StartWork&) const = default;
};
struct OpenGate { // the worker leaves its place to prepare, takes this one, and goes on
    Place place = Place::switching;
    bool operator==(const OpenGate&) const = default;
};
struct CancelWork { // end the worker, which has touched nothing; WorkEnded with Outcome::cancelled follows
    std::string reason;
    bool operator==(const CancelWork&) const = default;
};
// Which of the services that it comes after make work wait.
enum class After { none, unsettled, awaits };
struct AwaitTurn { // TurnCame is to follow, unless LeaveTurn does
    Place place = Place::switching;
    After after = After::none;
    bool asked_for = false; // by a command: before those that nobody waits for
    bool operator==(const AwaitTurn&) const = default;
};
struct LeaveTurn {
    bool operator==(const LeaveTurn&) const = default;
};
struct Supersede { // record a commit that was to be deployed, and a newer one took its place
    std::uint64_t deployment = 0;
    std::string commit;
    std::string who;
    std::string by; // the newer commit
    bool operator==(const Supersede&) const = default;
};
struct Survey { // look at the containers, with those of the same user's other services
    bool operator==(const Survey&) const = default;
};
struct Tell { // a sentence for the client of a command, on its standard error
    CommandId command = 0;
    std::string sentence;
    bool operator==(const Tell&) const = default;
};
struct Attach { // the client of a command reads the log of a deployment that another began, as it grows
    CommandId command = 0;
    std::uint64_t deployment = 0;
    bool operator==(const Attach&) const = default;
};
struct Finish { // the end of a command
    CommandId command = 0;
    int exit_status = 0;
    std::string last = {}; // the last line that its client reads; may be empty
    bool operator==(const Finish&) const = default;
};
struct Persist { // write State::durable before anything that follows
    bool operator==(const Persist&) const = default;
};
struct Retire { // the service was taken down for good; volumes and files stay
    bool operator==(const Retire&) const = default;
};
struct Note { // a line for the log
    bool problem = false;
    std::string sentence;
    bool operator==(const Note&) const = default;
};

using Action = std::variant<Recover, StartSync, StartExport, StartWork, OpenGate, CancelWork, AwaitTurn,
                            LeaveTurn, Supersede, Survey, Tell, Attach, Finish, Persist, Retire, Note>;

struct Step {
    State state;
    std::vector<Action> actions;
};

// What of `settings` is in the way of such work.
const std::optional<Passing>& awaited(const Settings& settings, After after);

Step step(State state, const Settings& settings, const Event& event, Time now, double jitter);

// When a Tick is due next; nullopt while something else has to happen first.
std::optional<Time> due(const State& state);

} // namespace pgod::reconcile
