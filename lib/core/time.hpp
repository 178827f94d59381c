// Time: a point of wall clock time.
#pragma once

#include <chrono>

namespace pgod::reconcile {

// Milliseconds since the epoch, read once by whoever calls a decision: nothing in lib/core asks for the time.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

} // namespace pgod::reconcile
