#include "core/reconcile_reason.hpp"

#include "core/time_text.hpp"

#include <fmt/format.h>

#include <string_view>

namespace pgod::reconcile {

namespace {

std::string_view text_of(Passing::What what) {
    switch (what) {
    case Passing::What::beginning:
        return "has only just begun";
    case Passing::What::working:
        return "is being worked on";
    case Passing::What::asking_upstream:
        return "asks upstream for the first time";
    case Passing::What::starting:
        break;
    }
    return "is starting";
}

struct LastingText {
    std::string operator()(const Lasting::Unavailable& one) const {
        return "cannot be served: " + one.reason;
    }
    std::string operator()(const Lasting::Unwanted& one) const {
        return fmt::format("is {}", name_of(one.desired));
    }
    std::string operator()(const Lasting::Failed& one) const {
        return fmt::format("has a deployment that was {}", name_of(one.outcome));
    }
    std::string operator()(const Lasting::NeverDeployed&) const { return "was never deployed"; }
    std::string operator()(const Lasting::Unhealthy& one) const {
        return fmt::format("is {}", name_of(one.health));
    }
};

} // namespace

std::string brief(const std::string& commit) {
    return commit.substr(0, 8);
}

std::string text_of(const Passing& obstacle) {
    return fmt::format("{}, which it comes after, {}", obstacle.service, text_of(obstacle.what));
}

std::string text_of(const Lasting& obstacle) {
    return fmt::format("{}, which it comes after, {}", obstacle.service,
                       std::visit(LastingText{}, obstacle.what));
}

std::string text_of(const Suspension& suspension) {
    return fmt::format("it is suspended by {} since {}{}{}", suspension.by, utc_text(suspension.since),
                       suspension.until ? " until " + utc_text(*suspension.until) : std::string(),
                       suspension.reason.empty() ? std::string() : ": " + suspension.reason);
}

std::string text_of(const Deploy& decision) {
    return brief(decision.commit) + " is to be deployed";
}

std::string text_of(const Suspended& decision) {
    return fmt::format("{}; {} is not deployed until resume", text_of(decision.suspension),
                       brief(decision.commit));
}

std::string text_of(const Stopped& decision) {
    return fmt::format("desired is {}{}: {} is not deployed until up", name_of(decision.intent.desired),
                       decision.intent.by.empty() ? std::string() : ", asked by " + decision.intent.by,
                       brief(decision.commit));
}

std::string text_of(const InQuarantine& decision) {
    const Quarantined& entry = decision.entry;
    const std::string commit = brief(entry.commit);
    if (entry.held)
        return fmt::format("{} is held back since {}: {}; a newer commit, resume, retry or up --commit {} "
                           "ends that",
                           commit, utc_text(entry.since), entry.reason, commit);
    return fmt::format("{} is quarantined since {}: {}; it is left alone until a new commit, retry or up "
                       "--commit {}",
                       commit, utc_text(entry.since), entry.reason, commit);
}

std::string text_of(const WaitsForUp& decision) {
    return brief(decision.commit) + " waits for up, because auto = false";
}

std::string text_of(const HeldBy& decision) {
    return fmt::format("{} is not deployed: {}", brief(decision.commit), text_of(decision.obstacle));
}

std::string text_of(const RetryAt& decision) {
    return fmt::format("{} failed and is tried again at {}: {}", brief(decision.commit),
                       utc_text(decision.at), decision.reason);
}

std::string text_of(const GivenUp& decision) {
    return fmt::format("{} was {} and is not tried again by itself: {}", brief(decision.commit),
                       name_of(decision.outcome), decision.reason);
}

std::string text_of(const UpToDate& decision) {
    return brief(decision.commit) + " is what upstream has, and it runs";
}

std::string text_of(const TipDecision& decision) {
    return std::visit([](const auto& one) { return text_of(one); }, decision);
}

} // namespace pgod::reconcile
