// Durable: what a service must remember over a restart, whatever the reconcile state of the moment is. Pure
// data; the store writes it (store/store.hpp), reconcile changes it.
#pragma once

#include "core/operation.hpp"
#include "core/time.hpp"
#include "core/vocabulary.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgod::reconcile {

// What an operator asked for, and who.
struct Intent {
    Desired desired = Desired::running;
    std::string by; // key name, fingerprint and address; empty: nobody yet
    std::optional<Time> since;
    bool operator==(const Intent&) const = default;
};

// Tracking is paused: containers stay as they are, keys are still synced.
struct Suspension {
    std::string by; // as Intent::by
    Time since{};
    std::optional<Time> until; // none: until `resume`
    std::string reason;        // the operator's words; may be empty
    bool operator==(const Suspension&) const = default;
};

// A commit that is left alone until `retry`, `up --commit` or another commit.
struct Quarantined {
    std::string commit;
    std::string reason; // one sentence: why it failed, or who holds it back
    Time since{};
    bool held = false; // nothing is wrong with it, an operator went back by hand; `resume` ends this as well
    bool operator==(const Quarantined&) const = default;
};

// Why the service is as it is: what was decided last, also when that was to do nothing.
struct Decision {
    std::string sentence; // for people; empty: nothing was decided yet
    std::optional<Time> at;
    DecisionKind kind = DecisionKind::none;
    std::string commit = {}; // that it is about; empty: none
    bool operator==(const Decision&) const = default;
};

struct Durable {
    static constexpr std::size_t max_quarantine = 64; // the oldest goes first

    Intent intent;
    std::optional<Op> stopping; // a `down` or `stop` of all of it that has not come to its end
    std::optional<Suspension> suspension;
    std::string settled;            // the commit that was last carried to an end: not tried again by itself
    std::string last_good;          // the newest commit whose deployment was ok
    std::string waiting;            // auto = false: the staged commit that waits for `up`
    std::optional<Outcome> outcome; // of the last attempt
    std::string reason;             // one sentence, when it did not end well
    std::uint64_t deployments = 0;  // the number of the last one
    std::vector<Quarantined> quarantine; // oldest first
    Decision decision;
    bool operator==(const Durable&) const = default;
};

// What `status` calls desired: a suspension hides what was asked for before it.
constexpr Desired shown_desired(const Durable& durable) noexcept {
    return durable.suspension ? Desired::suspended : durable.intent.desired;
}

} // namespace pgod::reconcile
