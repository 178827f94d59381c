// Points in time as people write them: UTC only, RFC 3339 with a Z, so that no reader has to know where the
// host stands. Pure.
#pragma once

#include "base/result.hpp"
#include "core/time.hpp"

#include <string>
#include <string_view>

namespace pgod::reconcile {

std::string utc_text(Time time); // 2026-11-21T04:40:00Z

// `30s`, `20m`, `2h`, `3d` from `now`, or an RFC 3339 time in UTC; after `now` and at most a year later.
Result<Time> parse_until(std::string_view text, Time now);

// How long to wait: `90`, `90s`, `30m`, `2h`; a second at least, 366 days at most.
Result<std::chrono::milliseconds> parse_span(std::string_view text);

} // namespace pgod::reconcile
