// Consequences: what deploying the exported commit would do to what runs. Found out without touching anything
// and shown as text or JSON; what the admin keeps secret is redacted before it is put into either.
#pragma once

#include "compose/job.hpp"
#include "compose/json.hpp"
#include "compose/need.hpp"
#include "compose/release.hpp"
#include "core/plan_difference.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pgod::compose {

inline constexpr std::size_t max_shown_files = 500; // of each kind; the rest is counted

struct Consequences {
    std::string running; // commit; empty: nothing runs
    PlanDifference difference;
    std::vector<std::string> to_build; // images
    std::vector<std::string> to_pull;
    FileChanges files;
    std::optional<Need> need; // nullopt: no container would be touched
};

// `seen`: all containers of the user.
Result<Consequences> consequences_of(const Work& work, const Plan& plan, std::span<const Container> seen);

std::string text_of(const Work& work, const Consequences& consequences);
Json json_of(const Work& work, const Consequences& consequences);

} // namespace pgod::compose
