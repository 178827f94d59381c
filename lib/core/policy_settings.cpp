#include "core/policy_settings.hpp"

#include <fmt/format.h>

namespace pgod {

void judge_settings(const Model& model, Findings& findings) {
    for (const auto& [name, value] : model.settings) {
        if (name.empty())
            findings.add({}, "x-pgo",
                         fmt::format("holds settings, as {{strategy: changed}}, and not a {}", value));
        else if (name == "urls")
            findings.add(
                {}, "x-pgo",
                fmt::format("urls holds names, as {{\"blog.example.org\": \":5007\"}}, and not a {}", value));
        else if (name != "strategy")
            findings.add({}, "x-pgo",
                         quoted_value(name) +
                             " is not a setting that pgod knows; there are \"strategy\" and \"urls\"");
        else if (value != "changed" && value != "all")
            findings.add({}, "x-pgo",
                         "strategy " + quoted_value(value) +
                             " is unknown; there are \"all\" and \"changed\"");
    }
}

} // namespace pgod
