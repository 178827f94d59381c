#include "compose/arguments.hpp"

#include "compose/host_gateway.hpp"
#include "core/memory_file.hpp"
#include "core/mount.hpp"

namespace pgod::compose {

namespace {

std::string moved_path(const RunSettings& settings, const std::string& path) {
    const auto found = settings.paths.find(path);
    return found == settings.paths.end() ? path : found->second;
}

PlanOption moved_option(const PlanOption& option, const RunSettings& settings) {
    if (option.flag == "--env-file")
        return {option.flag, moved_path(settings, option.value)};
    if (const auto file = memory_file_of(option))
        if (const auto path = settings.memory_files.find(file->target); path != settings.memory_files.end())
            return {"--volume", path->second + ':' + file->target + ":ro"};
    if (option.flag == "--ulimit")
        return {option.flag, within_limits(option.value, settings.limits)};
    if (option.flag == "--add-host")
        return with_host_gateway(option, settings.host_gateway);
    auto bind = bind_of(option);
    if (!bind)
        return option;
    bind->source = moved_path(settings, bind->source);
    return volume_option(*bind);
}

} // namespace

RunCall run_call(const PlannedContainer& container, const RunSettings& settings) {
    RunCall call;
    call.arguments = {"run", "--detach", "--pull=never", "--name=" + container.name};
    Argv options;
    for (const auto& option : container.options) {
        auto secret = option.flag == "--env" ? with_secrets(option.value, settings.secrets) : std::nullopt;
        if (secret) // check_secrets() saw that it fits
            call.environment += *secret + "\n";
        else if (option.flag == "--env" && fits_env_file(option.value))
            call.environment += option.value + "\n";
        else
            options.push_back(podman_argument(moved_option(option, settings)));
    }
    call.arguments.insert(call.arguments.end(), options.begin(), options.end());
    // After the plan's own env files: podman lets a later one win, as a variable of the compose file must.
    if (!call.environment.empty())
        call.arguments.push_back("--env-file=" + settings.env_file);
    for (const auto& [label, value] :
         {std::pair<const char*, const std::string&>{"service", settings.service},
          {"deployment", settings.deployment},
          {"commit", settings.commit},
          {"compose-service", container.service}})
        call.arguments.push_back(std::string("--label=pgod.") + label + "=" + value);
    // The image's own labels reach the container as well: podman auto-update must find nothing to do.
    call.arguments.insert(call.arguments.end(),
                          {"--label=io.containers.autoupdate=disabled", "--label=PODMAN_SYSTEMD_UNIT="});
    call.arguments.push_back(settings.image_id);
    call.arguments.insert(call.arguments.end(), container.command.begin(), container.command.end());
    return call;
}

Argv build_call(const PlannedBuild& build, const std::string& tag, const std::string& host_gateway) {
    Argv arguments{"build", "--tag=" + tag, "--file=" + build.file};
    for (const auto& option : build.options)
        arguments.push_back(podman_argument(with_host_gateway(option, host_gateway)));
    arguments.push_back(build.context);
    return arguments;
}

} // namespace pgod::compose
