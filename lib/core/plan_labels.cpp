#include "core/plan_labels.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

namespace pgod {

namespace {

struct OwnLabel {
    std::string_view key;
    bool names_project;
    bool kept; // the others change with the stage or the version of podman-compose, and say nothing else
};

constexpr std::array<OwnLabel, 8> own{{
    {"io.podman.compose.project", true, true},
    {"com.docker.compose.project", true, true},
    {"com.docker.compose.service", false, true},
    {"com.docker.compose.container-number", false, true},
    {"com.docker.compose.project.working_dir", false, false},
    {"com.docker.compose.project.config_files", false, false},
    {"io.podman.compose.config-hash", false, false},
    {"io.podman.compose.version", false, false},
}};

std::pair<std::string_view, std::string_view> key_and_value(std::string_view label) {
    const auto equals = std::min(label.find('='), label.size());
    return {label.substr(0, equals), label.substr(std::min(equals + 1, label.size()))};
}

const OwnLabel* find_own(std::string_view key) {
    const auto* row =
        std::find_if(own.begin(), own.end(), [key](const OwnLabel& label) { return label.key == key; });
    return row == own.end() ? nullptr : row;
}

std::string problem_of(std::string_view key) {
    if (key.empty() ||
        std::any_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20; }))
        return quoted(key) + " is not the name of a label";
    if (key.starts_with("pgod."))
        return quoted(key) + " begins with \"pgod.\", which only pgod sets";
    if (key.starts_with("io.podman.compose.") || key.starts_with("com.docker.compose."))
        return quoted(key) + " is a label that only podman-compose sets";
    if (key == "PODMAN_SYSTEMD_UNIT" || key.starts_with("io.containers.autoupdate"))
        return quoted(key) + " would let podman auto-update restart things behind pgod's back";
    return {};
}

} // namespace

OwnLabels own_labels(const std::vector<std::string>& labels) {
    OwnLabels found;
    for (const auto& label : labels) {
        const auto [key, value] = key_and_value(label);
        if (key == "com.docker.compose.service")
            found.service = value;
        else if (key == "com.docker.compose.project.working_dir")
            found.directory = value;
    }
    return found;
}

std::vector<std::string> judged_labels(const std::vector<std::string>& labels, const std::string& project,
                                       const std::string& service, Findings& findings) {
    std::vector<std::string> kept;
    std::map<std::string_view, std::string_view> own_values;
    for (const auto& label : labels) {
        const auto [key, value] = key_and_value(label);
        if (const auto* label_of_compose = find_own(key)) {
            const bool first = own_values.emplace(key, value).second;
            if (own_values[key] != value || (label_of_compose->names_project && value != project))
                findings.add(service, "labels", quoted(key) + " is a label that only podman-compose sets");
            else if (label_of_compose->kept && first)
                kept.push_back(label);
        } else if (auto problem = problem_of(key); !problem.empty()) {
            findings.add(service, "labels", std::move(problem));
        } else {
            kept.push_back(label);
        }
    }
    return kept;
}

} // namespace pgod
