// Histogram: how long things took, counted in fixed buckets that suit a poll as well as a deployment.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace pgod {

struct Histogram {
    using Span = std::chrono::milliseconds;
    static constexpr std::array<Span, 14> bounds{Span(50),      Span(100),      Span(250),     Span(500),
                                                 Span(1'000),   Span(2'500),    Span(5'000),   Span(10'000),
                                                 Span(30'000),  Span(60'000),   Span(120'000), Span(300'000),
                                                 Span(600'000), Span(1'800'000)};

    std::array<std::uint64_t, bounds.size() + 1> counts{}; // each alone; the last: above every bound
    Span sum{0};

    void add(Span span) noexcept; // below zero, by a clock that was set back: 0
    std::uint64_t count() const noexcept;
    void fields(auto& archive) {
        for (auto& bucket : counts)
            archive(bucket);
        archive(sum);
    }
    bool operator==(const Histogram&) const = default;
};

} // namespace pgod
