#include "core/version_numbers.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace pgod {

std::vector<std::uint64_t> version_numbers(std::string_view version) {
    std::vector<std::uint64_t> numbers;
    for (const auto part : split(version, '.')) {
        const auto digits = part.substr(0, std::min(part.find_first_not_of("0123456789"), part.size()));
        const auto number = parse_decimal(digits);
        if (!number)
            break;
        numbers.push_back(*number);
    }
    return numbers;
}

} // namespace pgod
