#include "core/reconcile_stepper.hpp"

#include <utility>

namespace pgod::reconcile {

// What something else began since makes stale is not believed.
void Stepper::on(const Surveyed& event) {
    const bool waits = is_in<phase::Queued>(state_) && work_of(state_) != Work::heal;
    if (!std::exchange(state_.drift.asked, false) || event.busy || (!is_idle() && !waits))
        return;
    state_.running = event.running;
    state_.health = event.health;
    mend(event);
}

void Stepper::survey() {
    // Who asked and has no answer yet waits for it: a podman that hangs longer than the interval is said.
    if (state_.running.empty() || !may_heal(false) || state_.drift.asked)
        return;
    state_.drift.asked = true;
    act(Survey{});
}

// What is suspended stays as somebody leaves it; but nobody left it as the end of the host or of a worker
// did.
bool Stepper::may_heal(bool accident) const {
    const Durable& durable = state_.durable;
    return durable.intent.desired == Desired::running && (!durable.suspension || accident) && !state_.removal;
}

void Stepper::mend(const Surveyed& seen) {
    state_.drift.accident = seen.accident;
    const DriftAnswer answer = answer_survey(state_.drift, seen, may_heal(seen.accident), now_);
    say(answer);
    if (!answer.heal)
        return;
    if (is_in<phase::Queued>(state_)) {
        act(LeaveTurn{});
        put_off("what runs is healed first: this goes on after it");
    }
    start_work(Work::heal);
}

// Where nothing is left that a deployment could hurt, it may help: it has the images pulled or built again.
void Stepper::on_healed(const WorkEnded& event) {
    say(answer_healing(state_.drift, event.error ? event.error->message : std::string()));
    if (!event.error || event.health != Health::missing)
        return;
    state_.needs_deploy = true;
    state_.because = Trigger::heal;
}

// One that waits for its turn makes way: for a command, or because the service is not to run any more.
void Stepper::drop_healing() {
    if (!is_in<phase::Queued>(state_) || work_of(state_) != Work::heal)
        return;
    act(LeaveTurn{});
    enter(phase::Idle{});
    state_.drift.healings.pop_back();
}

void Stepper::say(const DriftAnswer& answer) {
    if (!answer.said.empty())
        note(answer.problem, answer.said);
}

} // namespace pgod::reconcile
