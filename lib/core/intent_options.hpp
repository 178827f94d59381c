// What follows the name of an operation that states an intent: `up [--commit SHA] [--wait|--no-wait]
// [--timeout TIME] [--resume]`, `suspend [--until TIME] [REASON…]`, `rollback [ID|COMMIT]`. Pure; every error
// is one sentence that says what to type instead.
#pragma once

#include "base/result.hpp"
#include "core/time.hpp"

#include <optional>
#include <span>
#include <string>

namespace pgod::reconcile {

inline constexpr std::size_t max_suspend_reason = 200; // bytes; more is cut

struct UpOptions {
    std::string commit; // 4 to 40 hexadecimal digits, lower case; empty: the tip
    bool resume = false;
    bool wait = true;                                 // the client stays until the outcome
    std::optional<std::chrono::milliseconds> timeout; // …but no longer than this
};
Result<UpOptions> parse_up(std::span<const std::string> args);

struct SuspendOptions {
    std::optional<Time> until;
    std::string reason;
};
Result<SuspendOptions> parse_suspend(std::span<const std::string> args, Time now);

// The first digits of a commit, or all of them.
Result<std::string> parse_commit(const std::string& text);

} // namespace pgod::reconcile
