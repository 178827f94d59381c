#include "compose/mount_points.hpp"

#include "compose/need.hpp"
#include "core/mount.hpp"
#include "core/paths.hpp"
#include "core/policy_targets.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace pgod::compose {

namespace {

bool is_there(int directory, const std::string& path) {
    const auto found =
        directory < 0 ? Result<Fd>(Error{Code::gone, ""}) : os::open_beneath(directory, path, O_PATH);
    return found || found.error().code != Code::gone; // a link: podman follows it, and check_binds() judges
}

// The innermost mount around the target, where it is a bind.
std::optional<Mount> bind_around(const PlannedContainer& container, const MountTarget& target) {
    std::string nearest;
    for (const auto& other : mount_targets(container))
        if (other.path != target.path && is_at_or_beneath(target.path, other.path) &&
            other.path.size() > nearest.size())
            nearest = other.path;
    for (const auto& option : container.options)
        if (auto bind = bind_of(option); bind && lexical_path("/", bind->target) == nearest)
            return bind;
    return std::nullopt;
}

} // namespace

void check_mount_points(const Plan& plan, int stage, const std::string& stage_path, int tree, int tracked,
                        Findings& findings) {
    const auto made = bind_sources(plan, stage_path); // pgod makes those that are missing
    for (const auto& container : plan.containers)
        for (const auto& target : mount_targets(container)) {
            const auto bind = bind_around(container, target);
            const auto source = bind ? path_beneath(bind->source, stage_path) : std::nullopt;
            if (!source || !is_read_only(*bind))
                continue;
            const auto outer = lexical_path("/", bind->target).value_or("/");
            const auto beneath = target.path.substr(outer == "/" ? 1 : outer.size() + 1);
            const auto wanted = source->empty() ? beneath : *source + "/" + beneath;
            const bool is_made = std::any_of(made.begin(), made.end(), [&wanted](const std::string& path) {
                return path_beneath(path, wanted).has_value();
            });
            // What the version that runs tracks and this one does not will be gone from the work tree.
            const bool stays = is_there(tree, wanted) && !is_there(tracked, wanted);
            if (is_made || is_there(stage, wanted) || stays)
                continue;
            Violation missing{container.service,
                              std::string(target.setting),
                              "nothing can be mounted at " + quoted_value(target.path) + ": " +
                                  quoted_value("./" + *source) +
                                  " is mounted read-only around it, and holds no " + quoted_value(beneath),
                              {}};
            missing.advice =
                "add it to the repository, mount what is around it writable, or choose another target";
            findings.keep(std::move(missing));
        }
}

} // namespace pgod::compose
