// Delays between attempts: capped, exponential, jittered. Jitter comes in as data (0 … 1), so that deciding
// stays pure.
#pragma once

#include <chrono>

namespace pgod {

// The delay after `failures` failures in a row (1: the first): base · 2^(failures-1), at most `cap`, spread
// over 75 … 125 %.
std::chrono::milliseconds backoff(unsigned failures, std::chrono::milliseconds base,
                                  std::chrono::milliseconds cap, double jitter);

// `interval` spread over 90 … 110 %, so that a thousand services do not poll at the same moment.
std::chrono::milliseconds jittered(std::chrono::milliseconds interval, double jitter);

} // namespace pgod
