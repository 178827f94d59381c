#include "compose/binds.hpp"

#include "base/text.hpp"
#include "compose/need.hpp"
#include "compose/work_tree.hpp"
#include "core/mount.hpp"
#include "core/nested_binds.hpp"
#include "core/paths.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include <cerrno>

namespace pgod::compose {

namespace {

Status judge_kind(int fd, const std::string& shown) {
    struct stat status {};
    if (::fstat(fd, &status) != 0)
        return errno_error(shown);
    if (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode))
        return ok();
    return Error{Code::permanent, fmt::format("{} is neither a file nor a directory", shown)};
}

Error refusal(const Error& error, const std::string& shown, std::string_view root) {
    if (error.code == Code::invalid)
        return Error{Code::permanent, fmt::format("{} leads through a link that is in the {}", shown, root)};
    return Error{Code::permanent, fmt::format("{}: {}", shown, error.message)};
}

Result<std::string> in_work_tree(const std::string& path, const BindRoots& roots, int tree,
                                 IfMissing missing) {
    if (path.empty())
        return roots.tree;
    const std::string shown = "./" + escaped(path);
    auto found = os::open_beneath(tree, path, O_PATH);
    if (!found && found.error().code == Code::gone) {
        if (missing == IfMissing::accept)
            return roots.tree + "/" + path;
        found = make_public_directories(tree, path);
    }
    if (!found)
        return refusal(found.error(), shown, "work tree");
    TRY(judge_kind(found->get(), shown));
    return roots.tree + "/" + path;
}

Result<std::string> in_volume(const std::string& source, const std::string& volume, const std::string& path) {
    const Fd top(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto root = os::open_beneath(top.get(), volume.substr(1), O_PATH | O_DIRECTORY);
    if (!root)
        return refusal(root.error(), escaped(volume), "directory that `volumes` grants");
    if (path.empty())
        return source;
    const auto found = os::open_beneath(root->get(), path, O_PATH);
    if (!found)
        return refusal(found.error(), escaped(source), "directory that `volumes` grants");
    TRY(judge_kind(found->get(), escaped(source)));
    return source;
}

bool is_missing(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

} // namespace

std::vector<std::string> with_targets(std::vector<std::string> volumes, std::string_view state) {
    for (std::size_t i = 0, given = volumes.size(); i < given; ++i) {
        if (!volumes[i].starts_with('/'))
            continue;
        auto target = os::follow_links_of_root(volumes[i]);
        if (target != volumes[i] && !is_at_or_beneath(target, state) && !is_at_or_beneath(state, target))
            volumes.push_back(std::move(target));
    }
    return volumes;
}

PlannedContainer without_missing(PlannedContainer container) {
    std::erase_if(container.options, [](const PlanOption& option) {
        const auto bind = bind_of(option);
        return bind && is_optional_path_of_time(bind->source) && is_missing(bind->source);
    });
    return container;
}

Result<std::string> resolve_bind(const std::string& source, const BindRoots& roots, int tree,
                                 IfMissing missing) {
    if (const auto path = path_beneath(source, roots.stage))
        return in_work_tree(*path, roots, tree, missing);
    if (is_path_of_time(source)) {
        if (is_missing(source) && !is_optional_path_of_time(source))
            return Error{Code::permanent, fmt::format("{} does not exist on this host", escaped(source))};
        return source;
    }
    for (const auto& volume : roots.volumes)
        if (const auto path = path_beneath(source, volume))
            return in_volume(source, volume, *path);
    return Error{
        Code::permanent,
        fmt::format("{} is neither in the repository nor in a directory of `volumes`", escaped(source))};
}

void check_binds(const Plan& plan, const BindRoots& roots, int tree, const std::set<std::string>& files,
                 Findings& findings) {
    const auto writable = writable_binds(plan);
    for (const auto& container : plan.containers) {
        const auto nested = nested_binds(container, writable);
        const auto is_elsewhere = [&](const Mount& bind) { // what the container did to the source is no harm
            return std::any_of(nested.begin(), nested.end(), [&](const NestedBind& one) {
                return one.inner.source == bind.source &&
                       one.inner.target == lexical_path("/", bind.target) &&
                       (one.redundant || (is_read_only(bind) && files.contains(bind.source)));
            });
        };
        for (const auto& option : container.options)
            if (const auto bind = bind_of(option); bind && !is_elsewhere(*bind))
                if (auto path = resolve_bind(bind->source, roots, tree, IfMissing::accept); !path)
                    findings.add(container.service, "volumes", path.error().message);
    }
}

Status check_binds(const Plan& plan, const BindRoots& roots, int tree, const std::set<std::string>& files) {
    Findings findings;
    check_binds(plan, roots, tree, files, findings);
    const auto found = std::move(findings).take();
    return found.empty() ? ok() : Error{Code::permanent, summary_of(found)};
}

} // namespace pgod::compose
