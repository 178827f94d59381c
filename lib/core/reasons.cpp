#include "core/reasons.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace pgod {

namespace {

constexpr std::size_t max_shown_services = 4;
constexpr std::size_t max_shown_name = 80;     // bytes
constexpr std::size_t max_shown_setting = 120; // …and of the other parts of a sentence
constexpr std::size_t max_shown_part = 400;

struct Rank {
    std::string_view setting;
    Danger danger;
};

// Settings that are not here ask for nothing of the host.
constexpr auto ranks = std::to_array<Rank>({
    {"cap_add", Danger::host},
    {"cgroup", Danger::host},
    {"cgroup_parent", Danger::host},
    {"device_cgroup_rules", Danger::host},
    {"devices", Danger::host},
    {"external_links", Danger::host},
    {"gpus", Danger::host},
    {"ipc", Danger::host},
    {"network_mode", Danger::host},
    {"pid", Danger::host},
    {"pod", Danger::host},
    {"privileged", Danger::host},
    {"provider", Danger::host},
    {"runtime", Danger::host},
    {"security_opt", Danger::host},
    {"sysctls", Danger::host},
    {"use_api_socket", Danger::host},
    {"userns_mode", Danger::host},
    {"uts", Danger::host},
    {"volumes_from", Danger::host},
    {"build", Danger::files},
    {"configs", Danger::files},
    {"env_file", Danger::files},
    {"secrets", Danger::files},
    {"volumes", Danger::files},
    {"container_name", Danger::ports},
    {"networks", Danger::ports},
    {"ports", Danger::ports},
    {"x-pgo", Danger::ports},
});

// They go on from the setting: "privileged is not allowed". The reader's sentences have the same rule.
bool goes_on(std::string_view problem) {
    constexpr auto verbs = std::to_array<std::string_view>(
        {"is ", "are ", "must ", "has ", "differs ", "names ", "stands ", "begins ", "needs ", "would "});
    return std::any_of(verbs.begin(), verbs.end(),
                       [problem](std::string_view verb) { return problem.starts_with(verb); });
}

std::string listed(const std::vector<std::string>& services) {
    const bool all = services.size() <= max_shown_services;
    const std::size_t shown = all ? services.size() : max_shown_services - 1;
    std::string text;
    for (std::size_t i = 0; i < shown; ++i)
        text.append(i == 0 ? "" : ", ").append(shortened(services[i], max_shown_name));
    if (!all)
        text.append(" and ").append(std::to_string(services.size() - shown)).append(" more");
    return text;
}

bool is_of_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// As a word of its own.
bool shows(std::string_view text, std::string_view word) {
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const auto end = at + word.size();
        if ((at == 0 || !is_of_word(text[at - 1])) && (end == text.size() || !is_of_word(text[end])))
            return true;
    }
    return false;
}

std::string_view unquoted(std::string_view value) {
    return value.size() >= 2 && value.front() == '"' && value.back() == '"'
               ? value.substr(1, value.size() - 2)
               : value;
}

auto what_differs(const Violation& one) {
    return std::tie(one.setting, one.problem, one.grant, one.advice, one.value, one.danger);
}

std::string more_text(std::size_t left) {
    return "and " + std::to_string(left) + (left == 1 ? " more reason" : " more reasons");
}

} // namespace

Danger danger_of(std::string_view setting) {
    const auto key = setting.substr(0, setting.find_first_of(".: "));
    const auto rank =
        std::find_if(ranks.begin(), ranks.end(), [key](const Rank& one) { return one.setting == key; });
    return rank == ranks.end() ? Danger::value : rank->danger;
}

std::vector<Reason> grouped(std::span<const Violation> violations) {
    std::vector<Reason> reasons;
    std::map<decltype(what_differs(violations.front())), std::size_t> known;
    for (const auto& violation : violations) {
        const auto [at, is_new] = known.emplace(what_differs(violation), reasons.size());
        if (is_new)
            reasons.push_back({violation, {}});
        auto& services = reasons[at->second].services;
        if (!violation.service.empty() &&
            std::find(services.begin(), services.end(), violation.service) == services.end())
            services.push_back(violation.service);
    }
    std::stable_sort(reasons.begin(), reasons.end(), [](const Reason& one, const Reason& other) {
        return one.violation.danger < other.violation.danger;
    });
    return reasons;
}

std::string describe(const Reason& reason) {
    const auto& [service, setting, problem, grant, advice, danger, item, place, value] = reason.violation;
    std::string sentence;
    const auto add = [&sentence](std::string_view part) {
        if (!part.empty())
            sentence.append(sentence.empty() ? "" : ": ").append(part);
    };
    add(place);
    add(listed(reason.services));
    add(shortened(setting, max_shown_setting));
    if (!shows(problem, unquoted(value)))
        add(value);
    sentence.append(sentence.empty()                       ? ""
                    : goes_on(problem) && !setting.empty() ? " "
                                                           : ": ")
        .append(shortened(problem, max_shown_part));
    if (!grant.empty())
        sentence.append("; the admin can grant it with ").append(grant);
    else if (!advice.empty())
        sentence.append("; ").append(advice);
    return escaped(sentence);
}

std::string describe(const Violation& violation) {
    std::vector<std::string> services;
    if (!violation.service.empty())
        services.push_back(violation.service);
    return describe(Reason{violation, std::move(services)});
}

std::vector<std::string> lines_of(std::span<const Violation> violations) {
    const auto reasons = grouped(violations);
    std::vector<std::string> lines;
    for (const auto& reason : reasons) {
        if (lines.size() == max_reason_lines) {
            lines.push_back(more_text(reasons.size() - lines.size()));
            break;
        }
        lines.push_back(describe(reason));
    }
    return lines;
}

std::string summary_of(std::span<const Violation> violations) {
    const auto reasons = grouped(violations);
    if (reasons.empty())
        return {};
    const auto left = reasons.size() - 1;
    return describe(reasons.front()) + (left == 0 ? "" : " (" + more_text(left) + ")");
}

} // namespace pgod
