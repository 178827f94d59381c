// Obstacle: what keeps a service waiting for another one that it comes after (`after`). Pure data;
// core/reconcile_order finds it, core/reconcile_reason has the words.
#pragma once

#include "core/vocabulary.hpp"

#include <string>
#include <variant>

namespace pgod::reconcile {

// Ends by itself, within the deadlines of what the other service does.
struct Passing {
    enum class What { beginning, working, asking_upstream, starting };
    std::string service; // the other one
    What what = What::working;
    bool operator==(const Passing&) const = default;
};

// Lasts until somebody fixes or decides something.
struct Lasting {
    struct Unavailable {
        std::string reason;
        bool operator==(const Unavailable&) const = default;
    };
    struct Unwanted {
        Desired desired = Desired::stopped;
        bool operator==(const Unwanted&) const = default;
    };
    struct Failed {
        Outcome outcome = Outcome::failed;
        bool operator==(const Failed&) const = default;
    };
    struct NeverDeployed {
        bool operator==(const NeverDeployed&) const = default;
    };
    struct Unhealthy {
        Health health = Health::degraded;
        bool operator==(const Unhealthy&) const = default;
    };
    using What = std::variant<Unavailable, Unwanted, Failed, NeverDeployed, Unhealthy>;

    std::string service; // the other one
    What what;
    bool operator==(const Lasting&) const = default;
};

} // namespace pgod::reconcile
