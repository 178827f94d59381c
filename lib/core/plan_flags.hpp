// The flags of `podman run` and `podman build` that a plan may hold, one row each, and the dangerous ones
// that get a sentence of their own. What has no row is refused. The rows are in the order that a plan has
// (plan_canonical.hpp). Rules: podman-compose's container_to_args() and build_one() with the keys that
// translator/levelling.py hands them, FLAGS of translator/handover.py, podman-run(1) and podman-build(1)
// of 4.3.1.
#pragma once

#include "core/plan.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

enum class Take {
    once,    // kept; a second one could not come from podman-compose
    many,    // kept, in order
    granted, // as many; only what `allow` permits passes the policy
    drop,    // accepted, but said by the worker itself
    never,   // refused, naming the setting
};

struct Flag {
    std::string_view name;    // canonical, "--publish"
    std::string_view other;   // its other spelling, "-p"; or empty
    std::string_view setting; // where it comes from in the compose file
    Take take = Take::once;
    bool has_value = true;
    bool (*fits)(std::string_view value) =
        nullptr;                    // absent: the reader of the call looks at the value itself
    std::string_view expected = {}; // "a size such as 64m"
};

std::span<const Flag> run_flags() noexcept;
std::span<const Flag> build_flags() noexcept;

struct GivenFlag {
    const Flag* flag = nullptr;
    std::string value;
    bool alone = false; // one argument: "--flag" or "--flag=value"
};

// The options at the front of `arguments`, up to the first that is not one.
struct GivenFlags {
    std::vector<GivenFlag> flags;
    std::size_t used = 0;             // arguments read
    std::optional<std::string> stray; // begins with "-" and is not in the table, or misses its value
};
GivenFlags read_flags(std::span<const std::string> arguments, std::span<const Flag> table);

} // namespace pgod
