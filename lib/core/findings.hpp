// The violations found so far, at most 20: the first ones say enough, and a hostile file cannot make a long
// list.
#pragma once

#include "core/plan.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgod {

inline constexpr std::size_t max_violations = 20;

// A foreign value as a message shows it; describe() escapes it.
std::string quoted_value(std::string_view value);

class Findings {
  public:
    void add(std::string service, std::string setting, std::string problem, std::string grant = {}) {
        Violation violation{std::move(service), std::move(setting), std::move(problem), std::move(grant)};
        if (found_.size() < max_violations &&
            std::find(found_.begin(), found_.end(), violation) == found_.end())
            found_.push_back(std::move(violation));
    }
    bool full() const noexcept { return found_.size() >= max_violations; }
    std::vector<Violation> take() && { return std::move(found_); }

  private:
    std::vector<Violation> found_;
};

} // namespace pgod
