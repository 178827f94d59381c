#include "core/histogram.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace pgod {

void Histogram::add(Span span) noexcept {
    span = std::max(span, Span(0));
    const auto bound = std::lower_bound(bounds.begin(), bounds.end(), span);
    ++counts[static_cast<std::size_t>(bound - bounds.begin())];
    sum += span;
}

std::uint64_t Histogram::count() const noexcept {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

} // namespace pgod
