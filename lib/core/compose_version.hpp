// Which podman-compose pgod translates with. Pure. Tests compare the plans of the versions that Debian ships;
// any other one from 1.0.3 on has to pass compose/self_test.hpp on the host before its plans are believed.
#pragma once

#include <string>
#include <string_view>

namespace pgod {

enum class ComposeStanding { too_old, compared, untried };

// "1.3.0", as the module says it. What is no version is too old.
ComposeStanding standing_of_compose(std::string_view version);

// One sentence about a version that is too old; empty for the others.
std::string problem_of_compose(std::string_view version);

// "1.0.3, 1.0.6": those that need no self-test, oldest first, for remedies.
std::string compared_composes();

} // namespace pgod
