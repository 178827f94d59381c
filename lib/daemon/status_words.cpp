#include "daemon/status_words.hpp"

#include "core/time_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace pgod::daemon {

std::string brief(const std::string& commit) {
    return commit.empty() ? "-" : commit.substr(0, 8);
}

Json time_json(std::optional<reconcile::Time> time) {
    return time ? Json(reconcile::utc_text(*time)) : Json(nullptr);
}

std::string span_text(std::chrono::milliseconds span) {
    const auto seconds = std::max<long long>(span.count() / 1000, 0);
    if (seconds < 120)
        return fmt::format("{} s", seconds);
    if (seconds < 7200)
        return fmt::format("{} min", seconds / 60);
    return fmt::format("{} h", seconds / 3600);
}

std::string ago(std::chrono::milliseconds span) {
    return span_text(span) + " ago";
}

std::string ahead(std::chrono::milliseconds span) {
    return "in " + span_text(span);
}

std::string dump(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string desired_text(const reconcile::Durable& durable) {
    std::string text(name_of(reconcile::shown_desired(durable)));
    if (const auto& suspension = durable.suspension) {
        text += fmt::format(", asked by {} at {}, until {}", suspension->by,
                            reconcile::utc_text(suspension->since),
                            suspension->until ? reconcile::utc_text(*suspension->until) : "resume");
        if (!suspension->reason.empty())
            text += ": " + suspension->reason;
        text += fmt::format("; before that {}", name_of(durable.intent.desired));
    }
    if (durable.intent.since)
        text +=
            fmt::format(", asked by {} at {}", durable.intent.by, reconcile::utc_text(*durable.intent.since));
    return text;
}

Json suspension_json(const reconcile::Durable& durable) {
    if (!durable.suspension)
        return nullptr;
    return {{"by", durable.suspension->by},
            {"since", reconcile::utc_text(durable.suspension->since)},
            {"until", time_json(durable.suspension->until)},
            {"reason", durable.suspension->reason}};
}

namespace {

// What the worker does.
std::string_view work_text(reconcile::Reach reach) {
    switch (reach) {
    case reconcile::Reach::preparing:
        return "fetches and builds now";
    case reconcile::Reach::at_gate:
        return "waits for room on this host (parallel) to change what runs";
    case reconcile::Reach::changing:
        break;
    }
    return "works on the containers now";
}

struct NextText { // empty: the next poll, or a retry
    const reconcile::State& state;
    std::string operator()(const reconcile::phase::Unavailable&) const {
        return "waits until it can be served";
    }
    std::string operator()(const reconcile::phase::Recovering&) const { return "looks at what runs"; }
    std::string operator()(const reconcile::phase::Idle&) const { return {}; }
    std::string operator()(const reconcile::phase::Syncing&) const { return "asks upstream now"; }
    std::string operator()(const reconcile::phase::Exporting& exporting) const {
        return "stages " + brief(exporting.commit) + " now";
    }
    std::string operator()(const reconcile::phase::Queued& queued) const {
        const std::string what =
            queued.commit.empty() ? std::string(name_of(queued.work)) : "deploys " + brief(queued.commit);
        return fmt::format("{}; {}", what, state.durable.decision.sentence);
    }
    std::string operator()(const reconcile::phase::Working& working) const {
        return std::string(work_text(working.reach));
    }
    std::string operator()(const reconcile::phase::StillThere&) const {
        return "waits until the configuration is read again";
    }
    std::string operator()(const reconcile::phase::Gone&) const { return "nothing"; }
};

} // namespace

std::string next_text(const reconcile::State& state, reconcile::Time now) {
    if (const auto text = std::visit(NextText{state}, state.phase); !text.empty())
        return text;
    std::string poll = "poll " + ahead(state.next_sync - now);
    if (!state.next_deploy || reconcile::shown_desired(state.durable) != Desired::running)
        return poll;
    return fmt::format("retry {}, {}", ahead(*state.next_deploy - now), poll);
}

} // namespace pgod::daemon
