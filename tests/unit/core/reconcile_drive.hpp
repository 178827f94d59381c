// What the tables of reconcile are written with: a Drive of one state, where each call is a row: an event,
// and the actions that it must lead to, a word each.
#pragma once

#include "core/exit_status.hpp"
#include "core/reconcile.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace pgod::reconcile::test {

using namespace std::chrono_literals;

inline const std::string commit_a(40, 'a');
inline const std::string commit_b(40, 'b');
inline const std::string commit_c(40, 'c');
inline const std::string miek = "miek (SHA256:x) from 192.0.2.1";
inline constexpr Time start_time{1'000'000s};
inline constexpr double middle = 0.5; // jitter that changes nothing

// One action as a word, so that a whole step reads as a line of the table.
inline std::string word(const Action& action) {
    struct Words {
        std::string operator()(const Recover&) const { return "recover"; }
        std::string operator()(const StartSync& a) const { return "sync(" + a.known.substr(0, 1) + ")"; }
        std::string operator()(const StartExport& a) const { return "export(" + a.commit.substr(0, 1) + ")"; }
        std::string operator()(const StartWork& a) const {
            return fmt::format("work({},{},{})", name_of(a.work), a.commit.substr(0, 1), a.command);
        }
        std::string operator()(const OpenGate&) const { return "open"; }
        std::string operator()(const CancelWork&) const { return "cancel"; }
        std::string operator()(const AwaitTurn& a) const { return fmt::format("await({})", a.asked_for); }
        std::string operator()(const LeaveTurn&) const { return "leave"; }
        std::string operator()(const Supersede& a) const {
            return fmt::format("supersede({},{},{})", a.deployment, a.commit.substr(0, 1), a.by.substr(0, 1));
        }
        std::string operator()(const Survey&) const { return {}; } // test_drift.cpp has those
        std::string operator()(const Tell& a) const { return fmt::format("tell({})", a.command); }
        std::string operator()(const Attach& a) const {
            return fmt::format("attach({},{})", a.command, a.deployment);
        }
        std::string operator()(const Finish& a) const {
            return fmt::format("finish({},{})", a.command, a.exit_status);
        }
        std::string operator()(const Persist&) const { return "persist"; }
        std::string operator()(const Retire&) const { return "retire"; }
        std::string operator()(const Note& a) const { return a.problem ? "warn" : "note"; }
    };
    return std::visit(Words{}, action);
}

inline std::string line(const std::vector<Action>& actions) {
    std::string text;
    for (const auto& action : actions)
        if (const std::string one = word(action); !one.empty())
            text += (text.empty() ? "" : " ") + one;
    return text;
}

// Drives one state; every call is a row: event, expected actions.
struct Drive {
    State state;
    Settings settings{.interval = 60s, .auto_deploy = true};
    Time now = start_time;
    std::vector<Action> actions;

    std::string operator()(const Event& event) {
        Step stepped = step(std::move(state), settings, event, now, middle);
        state = std::move(stepped.state);
        actions = stepped.actions;
        return line(actions);
    }
    std::string operator()(Op op, CommandId id = 7, std::vector<std::string> args = {}) {
        PendingCommand command;
        command.id = id;
        command.op = op;
        command.args = std::move(args);
        return (*this)(CommandArrived{std::move(command), miek});
    }
    Place place() const { // that is waited for
        for (const auto& action : actions)
            if (const auto* turn = std::get_if<AwaitTurn>(&action))
                return turn->place;
        FAIL("nothing is waited for");
        return {};
    }
    std::string last_of(CommandId command) const {
        for (const auto& action : actions)
            if (const auto* end = std::get_if<Finish>(&action); end != nullptr && end->command == command)
                return end->last;
        return "it did not end";
    }
    const std::string& decision() const { return state.durable.decision.sentence; }
    std::string told() const {
        std::string text;
        for (const auto& action : actions)
            if (const auto* tell = std::get_if<Tell>(&action))
                text += tell->sentence;
        return text;
    }
};

inline SyncEnded tip(const std::string& commit) {
    return {commit, std::nullopt};
}
inline SyncEnded unreachable(const std::string& local = {}) {
    return {local, Error{Code::transient, "https://x/r: connection refused"}};
}
inline WorkEnded deployed(const std::string& commit) {
    return {0, Outcome::ok, std::nullopt, commit, Health::healthy};
}
inline WorkEnded rejected(const std::string& running) {
    return {exit_status::rejected, Outcome::rejected,
            Error{Code::permanent, "service \"web\": privileged is not allowed"}, running, Health::healthy};
}

// The worker was ended by root, and did not get to say what runs.
inline WorkEnded cancelled() {
    return {1, Outcome::cancelled, Error{Code::transient, "down"}, "", Health::unknown};
}

// A service that was started and runs commit a.
inline Drive settled_service() {
    Drive drive;
    CHECK(drive(Recovered{"", Health::missing}) == "sync()");
    CHECK(drive(tip(commit_a)) == "note export(a)");
    CHECK(drive(ExportEnded{}) == "persist work(deploy,a,0)");
    CHECK(drive(deployed(commit_a)) == "persist note");
    return drive;
}

} // namespace pgod::reconcile::test
