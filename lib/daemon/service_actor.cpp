#include "daemon/service_actor.hpp"

#include "core/stop_grace.hpp"
#include "os/log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto trouble_retry = 30s; // what keeps a service from being looked at may pass
constexpr auto recover_deadline =
    35min + stops_of_a_switch; // waits for a deployment that an earlier pgod began

// Polls are jittered by a tenth (core/backoff.hpp): a user's only service is looked at with each of its
// polls, many together once in an interval.
std::chrono::milliseconds survey_spacing(std::chrono::milliseconds interval) {
    return interval * 9 / 10;
}

} // namespace

ServiceActor::ServiceActor(ActorPorts ports, Service service)
    : ports_(std::move(ports))
    , service_(std::move(service))
    , random_(std::random_device{}()) {}

ServiceActor::~ServiceActor() {
    ports_.places.leave(service_.name);
    ports_.surveys.forget(service_.name);
    if (worker_)
        worker_->leave_alone();
}

void ServiceActor::start() {
    state_.phase = reconcile::phase::Unavailable{};
    if (auto recalled = recall(); !recalled) {
        feed(reconcile::Unavailable{std::move(recalled).error().message, false});
        timer_ = ports_.loop.after(trouble_retry, [this] { start(); });
        return;
    }
    find_user();
}

void ServiceActor::reconfigure(Service service) {
    const bool other_source = service.repository != service_.repository || service.branch != service_.branch;
    service_ = std::move(service);
    if (other_source) { // whoever held keys in the old repository holds none in the new one
        ++source_generation_;
        save_and_adopt_keys({});
    }
    feed(reconcile::Reconfigured{other_source});
}

void ServiceActor::remove(bool take_down) {
    feed(reconcile::Removed{take_down});
}

void ServiceActor::others_changed() {
    feed(reconcile::OthersChanged{});
}

void ServiceActor::client_left(reconcile::CommandId command) {
    feed(reconcile::ClientLeft{command});
}

void ServiceActor::command(reconcile::PendingCommand command, std::string who) {
    feed(reconcile::CommandArrived{std::move(command), std::move(who)});
}

reconcile::Settings ServiceActor::settings() const {
    const reconcile::Room room = user_ ? ports_.places.room_for(user_->uid) : reconcile::Room{};
    reconcile::Settings settings{service_.interval, service_.auto_deploy, room};
    ports_.look_at_others(service_, settings);
    return settings;
}

// Events that arise while one is being handled wait their turn.
void ServiceActor::feed(reconcile::Event event) {
    events_.push_back(std::move(event));
    if (feeding_)
        return;
    feeding_ = true;
    while (!events_.empty()) {
        const reconcile::Event next = std::move(events_.front());
        events_.pop_front();
        const double jitter = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
        const reconcile::Settings now = settings(); // looks at the state, which the step takes
        auto stepped = reconcile::step(std::move(state_), now, next, wall_clock(), jitter);
        state_ = std::move(stepped.state);
        for (const auto& action : stepped.actions)
            perform(action);
    }
    feeding_ = false;
    arm_timer();
    ports_.stirred(service_.name);
}

void ServiceActor::perform(const reconcile::Action& action) {
    using namespace reconcile;
    if (std::holds_alternative<Recover>(action)) {
        recover();
    } else if (const auto* sync = std::get_if<StartSync>(&action)) {
        start_sync(*sync);
    } else if (const auto* exported = std::get_if<StartExport>(&action)) {
        start_export(*exported);
    } else if (const auto* work = std::get_if<StartWork>(&action)) {
        start_work(*work);
    } else if (const auto* await = std::get_if<AwaitTurn>(&action)) {
        await_turn(*await);
    } else if (const auto* open = std::get_if<OpenGate>(&action)) {
        open_gate(open->place);
    } else if (const auto* cancel = std::get_if<CancelWork>(&action)) {
        cancel_work(cancel->reason);
    } else if (std::holds_alternative<LeaveTurn>(action)) {
        ports_.places.leave(service_.name);
    } else if (const auto* superseded = std::get_if<Supersede>(&action)) {
        record_superseded(*superseded);
    } else if (std::holds_alternative<Survey>(action)) {
        survey();
    } else if (const auto* tell = std::get_if<Tell>(&action)) {
        ports_.say(tell->command, tell->sentence);
    } else if (const auto* finish = std::get_if<Finish>(&action)) {
        ports_.finish(*finish);
    } else if (const auto* attach = std::get_if<Attach>(&action)) {
        ports_.attach(*attach, *this);
    } else if (std::holds_alternative<Persist>(action)) {
        if (recalled_) // what is not known yet must not be overwritten
            ports_.store.save(service_.name, state_.durable);
    } else if (std::holds_alternative<Retire>(action)) {
        ports_.retired(service_.name);
    } else if (const auto* note = std::get_if<Note>(&action)) {
        os::log_line(note->problem ? os::Level::warning : os::Level::info,
                     fmt::format("{}: {}", service_.name, note->sentence));
    }
}

void ServiceActor::await_turn(const reconcile::AwaitTurn& action) {
    const auto ready = [this, after = action.after] {
        reconcile::Settings others;
        ports_.look_at_others(service_, others);
        return !reconcile::awaited(others, after);
    };
    ports_.places.of(action.place).wait({service_.name, user_->uid, action.asked_for, ready, [this] {
                                             feed(reconcile::TurnCame{});
                                         }});
}

// What a deployment that was cut off left at work is waited for.
void ServiceActor::recover() {
    if (std::exchange(recovered_, true) || has_unfinished())
        return wait_for_worker();
    look();
}

// With all services of the user at once: a start must not begin as many podmans as there are services.
void ServiceActor::look() {
    ports_.surveys.ask(service_.name, *user_, ports_.services_directory, 0ms,
                       [this](Result<ipc::Surveyed> seen) {
                           if (!seen)
                               return retry_later(std::move(seen).error().message);
                           if (seen->busy)
                               return wait_for_worker();
                           feed(reconcile::Recovered{{seen->running_commit, seen->health, seen->lost,
                                                      seen->accident, seen->problem}});
                       });
}

void ServiceActor::wait_for_worker() {
    auto observe = job(ipc::WorkKind::observe);
    observe.wait = true;
    observe.deadline = recover_deadline + 2 * service_.start_timeout;
    const auto recovered = [this](const ipc::WorkDone& done) {
        worker_.reset();
        adopt_claims(done);
        if (done.error)
            os::log_warning("{}: {}", service_.name, done.error->message);
        else
            close_unfinished(done);
        look();
    };
    auto worker = Worker::start(ports_.loop, observe, *user_, {}, recovered);
    if (!worker)
        return retry_later(std::move(worker).error().message);
    worker_ = std::move(*worker);
}

void ServiceActor::retry_later(std::string reason) {
    feed(reconcile::Unavailable{std::move(reason), false});
    timer_ = ports_.loop.after(trouble_retry, [this] { find_user(); });
}

void ServiceActor::survey() {
    ports_.surveys.ask(
        service_.name, *user_, ports_.services_directory, survey_spacing(service_.interval),
        [this](const Result<ipc::Surveyed>& seen) {
            count_deadline(seen ? std::nullopt : std::optional(seen.error()), Deadline::look);
            if (seen)
                return feed(reconcile::Surveyed{seen->running_commit, seen->health, seen->lost,
                                                seen->accident, seen->problem, seen->busy});
            feed(reconcile::Surveyed{state_.running, Health::unknown, false, false, seen.error().message});
        });
}

// Whoever waits for a deployment is told what is done before its worker has the word.
void ServiceActor::tell_waiting(std::string_view sentence) {
    if (state_.current && (state_.current->op == Op::up || state_.current->op == Op::retry))
        ports_.say(state_.current->id, sentence);
}

void ServiceActor::start_sync(const reconcile::StartSync& action) {
    if (reconcile::is_in<reconcile::phase::Syncing>(state_) && !has_its_user()) // else something is under way
        return;
    if (reconcile::is_in<reconcile::phase::Syncing>(state_))
        tell_waiting("asking upstream");
    ports_.git.sync(
        service_, *user_, directory(), action.known,
        [this, generation = source_generation_, began = std::chrono::steady_clock::now()](SyncResult result) {
            const auto took = std::chrono::steady_clock::now() - began;
            ports_.tally.synced(std::chrono::floor<std::chrono::milliseconds>(took), !result.error);
            count_deadline(result.error, Deadline::sync);
            if (generation != source_generation_)
                result.moved = false; // its keys are another repository's
            on_synced(std::move(result));
        });
}

void ServiceActor::count_deadline(const std::optional<Error>& error, Deadline of) {
    if (error && error->code == Code::timeout)
        ports_.tally.deadline_passed(of);
}

void ServiceActor::on_synced(SyncResult result) {
    report_warnings(result.warnings);
    if (result.rewritten)
        os::log_warning("{}: branch {} was rewritten upstream", service_.name, service_.branch);
    if (result.moved && result.keys != keys_)
        save_and_adopt_keys(std::move(result.keys));
    feed(reconcile::SyncEnded{std::move(result.tip), std::move(result.error)});
}

void ServiceActor::report_warnings(const std::vector<std::string>& warnings) {
    for (const auto& warning : warnings)
        if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end())
            os::log_warning("{}: {}", service_.name, warning);
    warnings_ = warnings;
}

void ServiceActor::start_export(const reconcile::StartExport& action) {
    tell_waiting("staging " + action.commit.substr(0, 8));
    ports_.git.export_commit(service_, *user_, directory(),
                             {action.commit, action.on_branch, "stage", action.named, action.serving},
                             [this](ExportResult result) {
                                 count_deadline(result.error, Deadline::stage);
                                 for (const auto& warning : result.warnings) {
                                     os::log_warning("{}: {}", service_.name, warning);
                                     if (state_.current)
                                         ports_.say(state_.current->id, warning);
                                 }
                                 feed(reconcile::ExportEnded{std::move(result.error),
                                                             std::move(result.commit),
                                                             std::move(result.named)});
                             });
}

void ServiceActor::arm_timer() {
    const auto when = reconcile::due(state_);
    if (!when)
        return;
    // By a clock that was set back it would be due when that clock comes there again.
    const auto wait = std::clamp<std::chrono::milliseconds>(*when - wall_clock(), 0ms, 2 * service_.interval);
    timer_ = ports_.loop.after(wait, [this] { feed(reconcile::Tick{}); });
}

} // namespace pgod::daemon
