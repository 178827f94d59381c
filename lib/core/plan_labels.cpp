#include "core/plan_labels.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

namespace pgod {

namespace {

enum class Names { something, project, service, unit };

struct OwnLabel {
    std::string_view key;
    Names value;
    bool kept; // the others change with the stage or the version of podman-compose, and say nothing else
};

constexpr std::array<OwnLabel, 10> own{{
    {"io.podman.compose.project", Names::project, true},
    {"com.docker.compose.project", Names::project, true},
    {"com.docker.compose.service", Names::something, true},
    {"com.docker.compose.container-number", Names::something, true},
    {"com.docker.compose.project.working_dir", Names::something, false},
    {"com.docker.compose.project.config_files", Names::something, false},
    {"io.podman.compose.config-hash", Names::something, false},
    {"io.podman.compose.version", Names::something, false},
    {"io.podman.compose.service", Names::service, false}, // from 1.4 on
    {"PODMAN_SYSTEMD_UNIT", Names::unit, false},          // from 1.0.6 on
}};

bool fits(Names names, std::string_view value, const std::string& project, const std::string& service) {
    switch (names) {
    case Names::project:
        return value == project;
    case Names::service:
        return value == service;
    case Names::unit:
        return value == "podman-compose@" + project + ".service";
    case Names::something:
        break;
    }
    return true;
}

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
        return quoted_value(key) + " is not the name of a label";
    if (key == "PODMAN_SYSTEMD_UNIT" || key.starts_with("io.containers.autoupdate"))
        return quoted_value(key) + " would let podman auto-update restart things behind pgod's back";
    if (key.starts_with("pgod."))
        return quoted_value(key) + " begins with \"pgod.\", which only pgod sets";
    if (key.starts_with("io.podman.compose.") || key.starts_with("com.docker.compose."))
        return quoted_value(key) + " is a label that only podman-compose sets";
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
            if (own_values[key] != value || !fits(label_of_compose->value, value, project, service))
                findings.add(service, "labels", problem_of(key));
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
