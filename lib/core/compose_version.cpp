#include "core/compose_version.hpp"

#include "base/text.hpp"
#include "core/version_numbers.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace pgod {

namespace {

using Numbers = std::array<std::uint64_t, 3>;

constexpr Numbers oldest{1, 0, 3};
// Those of tests/integration/translator, which unpacks Debian's packages.
constexpr std::array<Numbers, 4> compared{{{1, 0, 3}, {1, 0, 6}, {1, 3, 0}, {1, 6, 0}}};

Numbers numbers_of(std::string_view version) { // what is missing is 0
    Numbers numbers{};
    const auto found = version_numbers(trimmed(version));
    std::copy_n(found.begin(), std::min(found.size(), numbers.size()), numbers.begin());
    return numbers;
}

std::string written(const Numbers& numbers) {
    return std::to_string(numbers[0]) + '.' + std::to_string(numbers[1]) + '.' + std::to_string(numbers[2]);
}

} // namespace

ComposeStanding standing_of_compose(std::string_view version) {
    const auto numbers = numbers_of(version);
    if (numbers < oldest)
        return ComposeStanding::too_old;
    const bool known = std::any_of(compared.begin(), compared.end(), [&](const Numbers& one) {
        return one == numbers && written(one) == trimmed(version);
    });
    return known ? ComposeStanding::compared : ComposeStanding::untried;
}

std::string problem_of_compose(std::string_view version) {
    if (standing_of_compose(version) != ComposeStanding::too_old)
        return {};
    return "podman-compose " + written(oldest) + " or newer is needed, and this is \"" +
           escaped(shortened(trimmed(version), 60)) + "\"";
}

std::string compared_composes() {
    std::string list;
    for (const auto& one : compared)
        list.append(list.empty() ? "" : ", ").append(written(one));
    return list;
}

} // namespace pgod
