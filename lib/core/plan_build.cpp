// `podman build`, `podman volume` and `podman network` of a plan: podman-compose's build_one(),
// assert_volume() and assert_cnt_nets(), read back.
#include "core/paths.hpp"
#include "core/plan_calls.hpp"
#include "core/plan_flags.hpp"
#include "core/plan_labels.hpp"
#include "core/plan_shapes.hpp"
#include "core/subnet.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace pgod {

namespace {

std::string service_with_image(const Plan& plan, const std::string& image) {
    const auto found =
        std::find_if(plan.containers.begin(), plan.containers.end(),
                     [&](const PlannedContainer& container) { return container.image == image; });
    return found == plan.containers.end() ? std::string() : found->service;
}

// What podman takes for something to download or for its input.
bool is_remote_context(std::string_view context) {
    return context.find("://") != std::string_view::npos || context.starts_with("git@") ||
           context.starts_with("github.com/");
}

constexpr std::array<Flag, 1> volume_create_table{{{"--label", "", "labels", Take::many}}};
bool is_subnet(std::string_view text) {
    return parse_subnet(text).has_value();
}

constexpr std::array<Flag, 6> network_create_table{{
    {"--label", "", "labels", Take::many},
    {"--internal", "", "internal", Take::once, false},
    {"--ipv6", "", "enable_ipv6", Take::once, false},
    {"--subnet", "", "ipam", Take::many, true, is_subnet, "a range such as 172.30.0.0/24"},
    {"--gateway", "", "ipam", Take::many, true, is_ip_address, "an IP address"},
    {"--ip-range", "", "ipam", Take::many, true, is_subnet, "a range such as 172.30.0.0/24"},
}};

// The name and the flags of a `create`.
struct Creation {
    std::string name;
    std::vector<std::string> labels;
    bool internal = false;
    std::vector<PlanOption> options;
};

std::optional<Creation> read_creation(std::span<const std::string> arguments, std::span<const Flag> table,
                                      const std::string& setting, Reading& reading) {
    const auto given = read_flags(arguments, table);
    if (given.stray || given.used + 1 != arguments.size()) {
        reading.findings.add({}, setting, quoted_value(given.stray.value_or("create")) + " is not allowed");
        return std::nullopt;
    }
    Creation creation;
    creation.name = arguments[given.used];
    for (const auto& [flag, value, alone] : given.flags) {
        if (flag->fits != nullptr && !flag->fits(value))
            reading.findings.add({}, setting, quoted_value(value) + " is not " + std::string(flag->expected));
        else if (flag->name == "--label")
            creation.labels.push_back(value);
        else if (flag->name == "--internal")
            creation.internal = true;
        else
            creation.options.push_back({std::string(flag->name), value});
    }
    creation.labels = judged_labels(creation.labels, reading.plan.project, {}, reading.findings);
    return creation;
}

// Two entries of the file can have one `name:`.
template<typename Planned>
void add_once(std::vector<Planned>& all, Planned planned) {
    if (std::find(all.begin(), all.end(), planned) == all.end())
        all.push_back(std::move(planned));
}

} // namespace

std::string problem_of_variable(const std::string& variable) {
    const auto equals = variable.find('=');
    if (variable.substr(0, equals).find('*') != std::string::npos) // podman copies its own variables for it
        return quoted_value(variable.substr(0, equals)) +
               " holds a \"*\", for which podman copies variables of its own; "
               "write each name out";
    if (has_value(variable))
        return {};
    if (equals == std::string::npos && has_value(variable + "="))
        return quoted_value(variable) + " has no value; \"" + shortened(variable, 80) + ": ${" +
               shortened(variable, 80) + "}\" takes it from the admin's env";
    return quoted_value(variable.substr(0, equals)) + " is not the name of a variable";
}

void read_build(std::span<const std::string> arguments, Reading& reading) {
    Plan& plan = reading.plan;
    PlannedBuild build;
    std::string service;
    const auto refuse = [&](std::string problem) {
        reading.findings.add(service, "build", std::move(problem));
    };
    if (arguments.empty())
        return refuse("the context is missing");
    const auto& context = arguments.back();
    const auto given = read_flags(arguments.first(arguments.size() - 1), build_flags());
    for (const auto& [flag, value, alone] : given.flags)
        if (flag->name == "--tag")
            build.image = value;
    service = service_with_image(plan, build.image);
    if (given.stray)
        return refuse(quoted_value(*given.stray) + " would become an option of podman");
    if (context.starts_with('-') || given.used + 1 != arguments.size())
        return refuse("context " + quoted_value(context) + " would become an option of podman");
    if (is_remote_context(context))
        return refuse("context " + quoted_value(context) + " is not a directory of the repository");

    std::string file;
    for (const auto& [flag, value, alone] : given.flags) {
        if (flag->fits != nullptr && !flag->fits(value)) {
            reading.findings.add(service, std::string(flag->setting),
                                 quoted_value(value) + " is not " + std::string(flag->expected));
            continue;
        }
        if (flag->name == "--build-arg")
            if (const auto problem = problem_of_variable(value); !problem.empty())
                refuse("args: " + problem);
        if (flag->name == "--file")
            file = value;
        if (flag->take != Take::drop)
            build.options.push_back({std::string(flag->name), value});
    }
    auto context_path = lexical_path(reading.directory, context);
    auto file_path = lexical_path(reading.directory, file);
    if (!context_path || !is_plain_path(context))
        return refuse("context " + quoted_value(context) + " is not a directory of the repository");
    if (!file_path || file.empty() || build.image.empty())
        return refuse("dockerfile " + quoted_value(file) + " is not a file of the repository");
    if (file_path->ends_with(".in")) // the C preprocessor would run over it, and its #include reads any file
        return refuse("dockerfile " + quoted_value(file) + " ends with \".in\"; give it another name");
    build.context = std::move(*context_path);
    build.file = std::move(*file_path);
    if (std::find(plan.builds.begin(), plan.builds.end(), build) == plan.builds.end())
        plan.builds.push_back(std::move(build)); // replicas ask for the same build again
}

void read_volume_create(std::span<const std::string> arguments, Reading& reading) {
    if (auto made = read_creation(arguments, volume_create_table, "volumes", reading))
        add_once(reading.plan.volumes, PlannedVolume{std::move(made->name), std::move(made->labels)});
}

void read_network_create(std::span<const std::string> arguments, Reading& reading) {
    if (auto made = read_creation(arguments, network_create_table, "networks", reading))
        add_once(reading.plan.networks, PlannedNetwork{std::move(made->name), std::move(made->labels),
                                                       made->internal, std::move(made->options)});
}

} // namespace pgod
