// Points in time as people write them: UTC only, RFC 3339 with a Z, so that no reader has to know where the
// host stands. Pure.
#pragma once

#include "base/result.hpp"
#include "core/durable.hpp"

#include <string>
#include <string_view>

namespace pgod::reconcile {

std::string utc_text(Time time); // 2026-11-21T04:40:00Z

// `30s`, `20m`, `2h`, `3d` from `now`, or an RFC 3339 time in UTC; after `now` and at most a year later.
Result<Time> parse_until(std::string_view text, Time now);

} // namespace pgod::reconcile
