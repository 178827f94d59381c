// Who waits for what a service does: the last word of each command, and those that do not wait for it.
#include "core/exit_status.hpp"
#include "core/reconcile_reason.hpp"
#include "core/reconcile_stepper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

namespace {

bool has_last_line(Op op) {
    return op == Op::up || op == Op::retry || op == Op::rollback;
}

std::string_view outcome_of(int status) {
    switch (status) {
    case exit_status::done:
        return name_of(Outcome::ok);
    case exit_status::rejected:
        return name_of(Outcome::rejected);
    case exit_status::rolled_back:
        return name_of(Outcome::rolled_back);
    default:
        return name_of(Outcome::failed);
    }
}

} // namespace

// The outcome, the commit and the time in one line, which a CI job ends with.
void Stepper::end(const PendingCommand& command, int status, const std::string& commit,
                  std::string_view outcome) {
    if (command.id == 0 || !has_last_line(command.op))
        return finish(command.id, status);
    const std::string& named = command.commit;
    const bool other = !named.empty() && !commit.empty() && !commit.starts_with(named);
    finish(command.id, status,
           fmt::format("{}: {}{}after {:.1f} s", outcome.empty() ? outcome_of(status) : outcome,
                       commit.empty() ? "" : fmt::format("commit {}, ", brief(commit)),
                       other && status == exit_status::done ? fmt::format("which contains {}, ", brief(named))
                                                            : std::string(),
                       std::chrono::duration<double>(now_ - command.since).count()));
}

void Stepper::finish_current(int status, std::string_view outcome) {
    const bool back = current_op() == Op::rollback && status == exit_status::done;
    const std::string& reached = back ? state_.running : target_;
    const auto end_one = [&](const PendingCommand& command) {
        const std::string& wished = command.commit.empty() ? state_.tip : command.commit;
        end(command, status, reached.empty() ? wished : reached, outcome);
    };
    if (state_.current)
        end_one(*state_.current);
    for (const auto& command : state_.followers)
        end_one(command);
    state_.followers.clear();
    state_.current.reset();
}

// --no-wait: its client leaves with the word that it is under way; what it asked for goes on.
void Stepper::let_go(PendingCommand& command) {
    if (command.wait || command.id == 0)
        return;
    tell(command.id, "accepted: it goes on at the server; status and log -f show how");
    finish(std::exchange(command.id, 0), exit_status::done);
}

// --timeout: the same, after that time.
void Stepper::let_waits_end() {
    const auto look = [this](PendingCommand& command, const std::string& commit) {
        if (command.id == 0 || !command.deadline || now_ < *command.deadline)
            return;
        tell(command.id, "it is not done in the time given with --timeout; it goes on at the server: status "
                         "and log -f show how");
        end(command, exit_status::busy, commit, "timed out");
        command.id = 0;
    };
    if (state_.current)
        look(*state_.current, target_);
    for (auto& command : state_.followers)
        look(command, target_);
    for (auto& command : state_.queue)
        look(command, command.commit);
}

// Each is to be judged by itself.
void Stepper::queue_followers_again() {
    state_.queue.insert(state_.queue.begin(), std::make_move_iterator(state_.followers.begin()),
                        std::make_move_iterator(state_.followers.end()));
    state_.followers.clear();
}

// What the branch says of the commits that commands name. False: the current command has come to its end.
bool Stepper::take_named(const std::vector<NamedCommit>& named) {
    const auto answer_to = [&named](const PendingCommand& command) -> const NamedCommit* {
        const auto found = std::find_if(named.begin(), named.end(), [&command](const NamedCommit& one) {
            return !command.commit.empty() && one.digits == command.commit;
        });
        return command.op == Op::up && found != named.end() ? &*found : nullptr;
    };
    const auto take = [](PendingCommand& command, const NamedCommit& answer) {
        command.commit = answer.commit;
        command.serves = answer.serves;
    };
    std::erase_if(state_.followers, [&](PendingCommand& command) {
        const NamedCommit* answer = answer_to(command);
        if (answer == nullptr)
            return false;
        if (answer->refused.empty()) {
            take(command, *answer);
            return false;
        }
        tell(command.id, answer->refused);
        end(command, exit_status::rejected, command.commit);
        return true;
    });
    const NamedCommit* answer = state_.current ? answer_to(*state_.current) : nullptr;
    if (answer == nullptr)
        return true;
    if (!answer->refused.empty()) {
        queue_followers_again();
        target_.clear(); // the tip is not what is refused
        refuse_current(answer->refused);
        return false;
    }
    take(*state_.current, *answer);
    return true;
}

void Stepper::tell_current(const std::string& sentence) {
    tell(current_id(), sentence);
    tell_followers(sentence);
}

void Stepper::tell_followers(const std::string& sentence) {
    for (const auto& command : state_.followers)
        tell(command.id, sentence);
}

} // namespace pgod::reconcile
