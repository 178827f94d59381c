// `podman run` of a plan: podman-compose's container_to_args(), read back.
#include "core/allowance.hpp"
#include "core/memory_file.hpp"
#include "core/mount.hpp"
#include "core/paths.hpp"
#include "core/places.hpp"
#include "core/plan_calls.hpp"
#include "core/plan_flags.hpp"
#include "core/plan_labels.hpp"
#include "core/plan_networks.hpp"
#include "core/plan_shapes.hpp"
#include "core/published_port.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace pgod {

namespace {

// One container as it is being read.
class RunReader {
  public:
    explicit RunReader(Reading& reading)
        : reading_(reading) {}

    // Also a refused container is in the plan: the rest of the policy then speaks of what is there.
    PlannedContainer read(std::span<const std::string> arguments) && {
        read_call(arguments);
        return std::move(container_);
    }

  private:
    void read_call(std::span<const std::string> arguments) {
        const auto given = read_flags(arguments, run_flags());
        if (given.stray)
            return refuse_stray(arguments, *given.stray);
        read_labels(given);
        for (const auto& flag : given.flags) {
            reading_.findings.about(item_of(flag.flag->name, flag.value));
            read_flag(flag);
        }
        reading_.findings.about({});
        if (given.flags.size() > max_container_options)
            refuse("options", "more than " + std::to_string(max_container_options) + " options");
        if (container_.name.empty())
            refuse("container_name", "the container has no name");
        if (given.used == arguments.size())
            return refuse("image", "there is none");
        container_.image = arguments[given.used];
        if (!is_image_reference(container_.image))
            refuse("image", quoted_value(container_.image) + " is not the name of an image");
        const auto command = arguments.subspan(given.used + 1);
        container_.command.assign(command.begin(), command.end());
    }

    void refuse(std::string_view setting, std::string problem) {
        reading_.findings.add(container_.service, std::string(setting), std::move(problem));
    }

    void refuse_for_good(std::string_view setting, std::string problem) {
        reading_.findings.refuse(container_.service, std::string(setting), std::move(problem));
    }

    void keep(std::string_view flag, std::string value) {
        container_.options.push_back({std::string(flag), std::move(value)});
    }

    // What follows cannot be told apart any more, so the labels are only good enough to name the service.
    void refuse_stray(std::span<const std::string> arguments, const std::string& stray) {
        std::vector<std::string> labels;
        for (std::size_t i = 1; i < arguments.size(); ++i)
            if (arguments[i - 1] == "--label")
                labels.push_back(arguments[i]);
        container_.service = own_labels(labels).service;
        refuse("image", quoted_value(stray) + " begins with \"-\" and would become an option of podman");
    }

    void read_labels(const GivenFlags& given) {
        std::vector<std::string> labels;
        for (const auto& [flag, value, alone] : given.flags)
            if (flag->name == "--label")
                labels.push_back(value);
        const auto own = own_labels(labels);
        container_.service = own.service;
        if (own.service.empty())
            refuse("labels", "podman-compose's label com.docker.compose.service is missing");
        if (!own.directory.empty())
            reading_.directory = own.directory;
        for (auto& label : judged_labels(labels, reading_.plan.project, own.service, reading_.findings))
            keep("--label", std::move(label));
    }

    // podman-compose makes such a flag only of a key that the service has: any other is the image's name.
    bool is_smuggled(const GivenFlag& given) const {
        const auto& flag = *given.flag;
        const auto service = reading_.plan.model.services.find(container_.service);
        if (flag.take == Take::drop || service == reading_.plan.model.services.end())
            return false;
        const auto& keys = service->second.keys;
        return (given.alone || flag.take == Take::never || flag.take == Take::granted) &&
               std::find(keys.begin(), keys.end(), flag.setting) == keys.end();
    }

    void read_flag(const GivenFlag& given) {
        const auto& [flag, value, alone] = given;
        const auto name = flag->name;
        if (is_smuggled(given))
            return refuse("image", quoted_value(name) + " would become an option of podman");
        if (flag->take == Take::never)
            return refuse_for_good(flag->setting, flag->has_value ? quoted_value(value) + " is not allowed"
                                                                  : "is not allowed");
        if (flag->take != Take::many && flag->take != Take::granted && !once_.insert(name).second)
            return refuse(flag->setting.empty() ? "image" : flag->setting,
                          quoted_value(name) + " is given twice");
        if (name == "--name")
            container_.name = value;
        if (flag->fits != nullptr && !flag->fits(value))
            return refuse(flag->setting, quoted_value(value) + " is not " + std::string(flag->expected));
        if (name == memory_file_flag)
            claim_target(value.substr(0, value.find(':')));
        if (name == "--volume" || name == "--mount")
            read_mount(name, value);
        else if (name == "--tmpfs")
            read_tmpfs(value);
        else if (name == "--network")
            read_networks(value);
        else if (name == "--publish")
            read_port(value);
        else if (name == "--env")
            read_variable(value);
        else if (name == "--env-file")
            read_env_file(value);
        else if (name != "--label" && flag->take != Take::drop)
            keep(name, value);
    }

    void read_mount(std::string_view name, const std::string& value) {
        if (name == "--volume") {
            auto mount = parse_volume(value);
            return mount ? keep_mount(std::move(*mount)) : refuse("volumes", mount.error().message);
        }
        auto mount = parse_mount(value);
        if (!mount)
            return refuse("volumes", mount.error().message);
        if (auto* tmpfs = std::get_if<std::string>(&*mount))
            return read_tmpfs(*tmpfs);
        keep_mount(std::get<Mount>(std::move(*mount)));
    }

    void keep_mount(Mount mount) {
        claim_target(mount.target);
        if (mount.kind == MountKind::bind) {
            auto source = lexical_path(reading_.directory, mount.source);
            if (!source)
                return refuse("volumes", "source " + quoted_value(mount.source) + " leads nowhere");
            mount.source = std::move(*source);
        }
        keep("--volume", volume_value(mount));
    }

    void read_tmpfs(const std::string& value) {
        claim_target(value.substr(0, value.find(':')));
        keep("--tmpfs", value);
    }

    // podman refuses a second mount at the same place, but only when the container is made.
    void claim_target(const std::string& target) {
        if (!targets_.insert(lexical_path("/", target).value_or(target)).second)
            refuse("volumes", "two mounts have the target " + quoted_value(target));
    }

    void read_networks(const std::string& value) {
        const auto shared = shared_container(value);
        if (shared && !is_object_name(*shared))
            return refuse("network_mode", quoted_value(value) + " is not allowed");
        const bool is_mode = value == "host" || value == "none" || shared; // the policy judges which
        if (!network_.empty() && (is_mode || has_mode_))
            return refuse("network_mode",
                          quoted_value(is_mode ? value : network_) + " and \"networks\" exclude each other");
        has_mode_ = is_mode;
        network_ = value;
        if (is_mode)
            return keep("--network", value);
        const auto colon = value.find(':');
        const bool fits = colon == std::string::npos ||
                          (value.find(',') > colon && are_network_options(value.substr(colon + 1)));
        for (const auto name : split(std::string_view(value).substr(0, colon), ',')) {
            if (is_network_mode(name) || !fits)
                return refuse_for_good("network_mode",
                                       quoted_value(value) +
                                           " is not allowed; containers of a service reach each "
                                           "other by name without it");
            if (!is_object_name(name))
                return refuse("networks", quoted_value(name) + " is not the name of a network");
        }
        keep("--network", value);
    }

    void read_port(const std::string& value) {
        if (auto port = parse_published_port(value); !port)
            return refuse("ports", port.error().message);
        keep("--publish", value);
    }

    void read_variable(const std::string& value) {
        if (auto problem = problem_of_variable(value); !problem.empty())
            return refuse("environment", std::move(problem));
        keep("--env", value);
    }

    void read_env_file(const std::string& value) {
        auto path = lexical_path(reading_.directory, value);
        if (!path)
            return refuse("env_file", quoted_value(value) + " leads nowhere");
        keep("--env-file", std::move(*path));
    }

    Reading& reading_;
    PlannedContainer container_;
    std::set<std::string_view> once_;
    std::set<std::string> targets_;
    std::string network_; // the last --network
    bool has_mode_ = false;
};

} // namespace

void read_run(std::span<const std::string> arguments, Reading& reading) {
    auto container = RunReader(reading).read(arguments);
    reading.plan.containers.push_back(std::move(container));
}

} // namespace pgod
