// How long a container may take to end once it got its signal (stop_grace_period). podman sends SIGKILL after
// that.
#pragma once

#include <chrono>

namespace pgod {

// The reader refuses a longer period (compose/reader/limits.py), and so does the policy. Root knows no plan,
// so the deadlines that it gives leave room for this one.
inline constexpr std::chrono::seconds longest_stop_grace = std::chrono::minutes{10};

// A deployment stops the old containers, and when it fails, the new ones as well.
inline constexpr std::chrono::seconds stops_of_a_switch = 2 * longest_stop_grace;

} // namespace pgod
