#include "core/backoff.hpp"

#include <algorithm>

namespace pgod {

namespace {

std::chrono::milliseconds spread(std::chrono::milliseconds value, double width, double jitter) {
    const double factor = 1.0 - width + 2.0 * width * std::clamp(jitter, 0.0, 1.0);
    return std::chrono::milliseconds(static_cast<long long>(static_cast<double>(value.count()) * factor));
}

} // namespace

std::chrono::milliseconds backoff(unsigned failures, std::chrono::milliseconds base,
                                  std::chrono::milliseconds cap, double jitter) {
    auto delay = base;
    for (unsigned i = 1; i < failures && delay < cap; ++i)
        delay *= 2;
    return spread(std::min(delay, cap), 0.25, jitter);
}

std::chrono::milliseconds jittered(std::chrono::milliseconds interval, double jitter) {
    return spread(interval, 0.1, jitter);
}

} // namespace pgod
