#include "core/nested_binds.hpp"

#include "core/allowance.hpp"
#include "core/paths.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgod {

namespace {

std::string parent_of(std::string_view path) {
    return std::string(path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)));
}

bool lies_within(std::string_view path, std::string_view directory) {
    return path != directory && is_at_or_beneath(path, directory);
}

struct Targets {
    std::vector<Mount> binds;
    std::vector<std::string> all; // of everything that is mounted
};

Targets targets_of(const PlannedContainer& container) {
    Targets targets;
    for (const auto& option : container.options) {
        if (option.flag == "--tmpfs")
            targets.all.push_back(
                lexical_path("/", option.value.substr(0, option.value.find(':'))).value_or(""));
        auto mount = mount_of(option);
        if (!mount)
            continue;
        mount->target = lexical_path("/", mount->target).value_or(mount->target);
        targets.all.push_back(mount->target);
        if (mount->kind == MountKind::bind)
            targets.binds.push_back(std::move(*mount));
    }
    return targets;
}

// Is the inner one, without a mount of its own, what the outer one shows at that place?
bool repeats(const Mount& inner, const Mount& outer, const Targets& targets) {
    if (!lies_within(inner.source, outer.source) || !lies_within(inner.target, outer.target) ||
        inner.options != outer.options)
        return false;
    const std::string_view source = inner.source;
    const std::string_view target = inner.target;
    const auto beneath = source.substr(outer.source.size());
    if (target.substr(outer.target == "/" ? 0 : outer.target.size()) != beneath)
        return false;
    return std::none_of(targets.all.begin(), targets.all.end(), [&](const std::string& other) {
        return lies_within(other, outer.target) && lies_within(inner.target, other);
    });
}

} // namespace

std::set<std::string> writable_binds(const Plan& plan) {
    std::set<std::string> writable;
    for (const auto& container : plan.containers)
        for (const auto& option : container.options)
            if (auto bind = bind_of(option); bind && !is_read_only(*bind) && !is_path_of_time(bind->source))
                writable.insert(std::move(bind->source));
    return writable;
}

std::vector<NestedBind> nested_binds(const PlannedContainer& container,
                                     const std::set<std::string>& writable) {
    std::vector<NestedBind> found;
    const Targets targets = targets_of(container);
    for (const auto& inner : targets.binds) {
        if (is_path_of_time(inner.source) || inner.source == "/")
            continue;
        std::string outer = parent_of(inner.source);
        while (outer != "/" && !writable.contains(outer))
            outer = parent_of(outer);
        if (!writable.contains(outer))
            continue;
        const bool redundant =
            std::any_of(targets.binds.begin(), targets.binds.end(),
                        [&](const Mount& other) { return repeats(inner, other, targets); });
        found.push_back({inner, std::move(outer), redundant});
    }
    return found;
}

void judge_nested_binds(const Plan& plan, const PolicyGrants& grants, Findings& findings) {
    if (std::find(grants.allow.begin(), grants.allow.end(), allow_nested_binds) != grants.allow.end())
        return;
    const auto shown = [&grants](const std::string& path) {
        return quoted_value(is_at_or_beneath(path, grants.stage)
                                ? "." + path.substr(std::min(grants.stage.size(), path.size()))
                                : path);
    };
    const auto writable = writable_binds(plan);
    for (const auto& container : plan.containers)
        for (const auto& [inner, outer, redundant] : nested_binds(container, writable)) {
            const bool is_file = grants.files.contains(inner.source);
            if (redundant || (is_file && is_read_only(inner)))
                continue;
            findings.add(container.service, "volumes",
                         shown(inner.source) + " lies in " + shown(outer) +
                             ", which is mounted as well and could be changed under it; " +
                             (is_file ? "mount the file read-only (:ro), or" : "mount") +
                             " the outer one read-only, or mount only the outer one",
                         "allow = [" + quoted_value(allow_nested_binds) + "]");
        }
}

} // namespace pgod
