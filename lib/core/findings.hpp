// The violations found so far, at most max_violations: a hostile file cannot make a list without end.
#pragma once

#include "core/reasons.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgod {

inline constexpr std::size_t max_violations = 500; // people see fewer: core/reasons.hpp groups them

// A foreign value as a message shows it; describe() escapes it.
std::string quoted_value(std::string_view value);

class Findings {
  public:
    // Which entry of a setting's list the next ones are about, as in core/places.hpp; "": none.
    void about(std::string item) { item_ = std::move(item); }

    // The file is wrong, or with `grant`: the admin has to permit it.
    void add(std::string service, std::string setting, std::string problem, std::string grant = {}) {
        Violation violation{std::move(service), std::move(setting), std::move(problem), std::move(grant)};
        if (!violation.grant.empty())
            violation.danger = danger_of(violation.setting);
        keep(std::move(violation));
    }

    // What no admin can permit.
    void refuse(std::string service, std::string setting, std::string problem) {
        Violation violation{std::move(service), std::move(setting), std::move(problem), {}};
        violation.advice = nothing_permits;
        violation.danger = std::min(danger_of(violation.setting), Danger::key);
        keep(std::move(violation));
    }

    // What nobody knows.
    void unknown(std::string service, std::string setting, std::string problem) {
        Violation violation{std::move(service), std::move(setting), std::move(problem), {}};
        violation.danger = Danger::key;
        keep(std::move(violation));
    }

    void keep(Violation violation) {
        if (violation.item.empty())
            violation.item = item_;
        const auto is_same = [&violation](const Violation& one) {
            return one.service == violation.service && one.setting == violation.setting &&
                   one.problem == violation.problem && one.grant == violation.grant;
        };
        if (!full() && std::none_of(found_.begin(), found_.end(), is_same))
            found_.push_back(std::move(violation));
    }

    bool full() const noexcept { return found_.size() >= max_violations; }
    std::vector<Violation> take() && { return std::move(found_); }

  private:
    std::vector<Violation> found_;
    std::string item_;
};

} // namespace pgod
