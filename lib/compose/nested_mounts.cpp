#include "compose/nested_mounts.hpp"

#include "base/text.hpp"
#include "compose/file_tree.hpp"
#include "compose/json.hpp"
#include "compose/need.hpp"
#include "compose/release.hpp"
#include "compose/shared_binds.hpp"
#include "compose/switch.hpp"
#include "core/nested_binds.hpp"
#include "core/paths.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace pgod::compose {

namespace {

constexpr const char* copies = "mounted";

bool is_file(int directory, const std::string& path) {
    struct stat status {};
    const auto found = os::open_beneath(directory, path, O_PATH);
    return found && ::fstat(found->get(), &status) == 0 && S_ISREG(status.st_mode);
}

bool is_executable(int directory, const std::string& path) {
    struct stat status {};
    const auto found = os::open_beneath(directory, path, O_PATH);
    return found && ::fstat(found->get(), &status) == 0 && (status.st_mode & S_IXUSR) != 0;
}

// The path within the commit, of a bind that gets a copy.
std::optional<std::string> copied_path(const NestedBind& nested, const std::string& stage, int files) {
    if (nested.redundant || !is_read_only(nested.inner))
        return std::nullopt;
    auto path = path_beneath(nested.inner.source, stage);
    if (!path || !is_file(files, *path))
        path.reset();
    return path;
}

PlanOption* option_of(PlannedContainer& container, const Mount& bind) {
    const auto found =
        std::find_if(container.options.begin(), container.options.end(), [&bind](const PlanOption& option) {
            const auto mount = bind_of(option);
            return mount && mount->source == bind.source && mount->options == bind.options &&
                   lexical_path("/", mount->target) == bind.target;
        });
    return found == container.options.end() ? nullptr : &*found;
}

// podman mounts the volumes of an image where the container mounts nothing: it must not hide what a bind
// shows.
Status keep_image_volumes(const Work& work, const std::string& image, const std::vector<Mount>& left_out,
                          PlannedContainer& container) {
    Podman::Call call;
    call.arguments = {"image", "inspect", "--format", "json", "--", image};
    const Json list = parse_json(TRY(work.podman.must(call, "look at the image")));
    const Json config = member_of(list.is_array() && !list.empty() ? list[0] : Json(), "Config");
    std::vector<std::string> volumes;
    for (const auto& [target, empty] : members_of(config, "Volumes"))
        volumes.push_back(target);
    if (volumes.empty())
        return ok();
    std::set<std::string> taken;
    for (const auto& option : container.options) {
        if (option.flag == "--tmpfs")
            taken.insert(lexical_path("/", option.value.substr(0, option.value.find(':'))).value_or(""));
        if (const auto mount = mount_of(option))
            taken.insert(lexical_path("/", mount->target).value_or(""));
    }
    container.options.push_back({"--image-volume", "ignore"});
    for (const auto& target : volumes) {
        const auto mount = parse_volume(target);
        const auto path = lexical_path("/", target).value_or("/");
        const bool hides =
            std::any_of(left_out.begin(), left_out.end(),
                        [&path](const Mount& bind) { return is_at_or_beneath(bind.target, path); }) &&
            std::any_of(taken.begin(), taken.end(), [&path](const std::string& outer) {
                return path != outer && is_at_or_beneath(path, outer);
            });
        if (!mount || mount->kind != MountKind::anonymous)
            return Error{Code::permanent, fmt::format("{}: the image has a volume with the odd name {}",
                                                      container.service, escaped(target))};
        if (!hides && !taken.contains(path))
            container.options.push_back(volume_option(*mount));
    }
    return ok();
}

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

std::vector<std::string> names_in(int directory) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, CloseDirectory> list(::fdopendir(::fcntl(directory, F_DUPFD_CLOEXEC, 0)));
    while (const dirent* entry = list ? ::readdir(list.get()) : nullptr)
        if (const std::string name = entry->d_name; name != "." && name != "..")
            names.push_back(name);
    return names;
}

} // namespace

std::set<std::string> nested_files(const Work& work, const Plan& plan, const std::string& files) {
    std::set<std::string> found;
    const auto directory = work.directory.open_directory(files);
    const auto writable = writable_binds(plan);
    if (directory)
        for (const auto& container : plan.containers)
            for (const auto& [inner, outer, redundant] : nested_binds(container, writable))
                if (const auto path = path_beneath(inner.source, work.directory.path_of("stage"));
                    path && is_file(directory->get(), *path))
                    found.insert(inner.source);
    return found;
}

void note_copies(const Work& work, const Plan& plan) {
    const std::string stage = work.directory.path_of("stage");
    const auto directory = work.directory.open_directory("stage");
    const auto writable = writable_binds(plan);
    std::set<std::string> said;
    for (const auto& container : plan.containers)
        for (const auto& nested : nested_binds(container, writable))
            if (const auto path = directory ? copied_path(nested, stage, directory->get()) : std::nullopt;
                path && said.insert(container.service + ":" + *path).second)
                work.output.say(
                    fmt::format("{}: volumes: a container may write to what is around ./{}, so pgod "
                                "mounts a copy of the commit's file",
                                container.service, escaped(*path)));
}

Result<PlannedContainer> with_nested_binds(const Work& work, const Record& record, PlannedContainer container,
                                           const std::string& release, const std::string& image) {
    auto writable = writable_binds(record.plan);
    if (release == running_release) // healing has a part of the plan alone
        if (const auto whole = read_record(work.directory, running_release))
            writable.merge(writable_binds(whole->plan));
    const auto nested = nested_binds(container, writable);
    if (nested.empty())
        return container;
    const Fd files = TRY(work.directory.open_directory(release + "/files"));
    const Fd tree = TRY(work.directory.open_directory("tree"));
    std::vector<Mount> left_out;
    for (std::size_t i = 0; i < nested.size(); ++i) {
        PlanOption* option = option_of(container, nested[i].inner);
        if (option == nullptr)
            continue;
        if (nested[i].redundant) {
            // Only to make what is missing: a link that the container left there is mounted by nobody.
            (void)resolve_bind(nested[i].inner.source, bind_roots(work), tree.get(), IfMissing::make);
            left_out.push_back(nested[i].inner);
            container.options.erase(container.options.begin() + (option - container.options.data()));
        } else if (const auto path = copied_path(nested[i], work.directory.path_of("stage"), files.get())) {
            const std::string place = fmt::format("{}/{}", copies, container.name);
            const Fd directory = TRY(work.directory.make_directory(place));
            const auto name = fmt::format("{}-{}", record.deployment, i);
            (void)::unlinkat(directory.get(), name.c_str(), 0);
            const auto kind = is_executable(files.get(), *path) ? FileKind::executable : FileKind::file;
            TRY(copy_entry(files.get(), {*path, kind}, directory.get(), name));
            Mount copy = nested[i].inner;
            copy.source = work.directory.path_of(place + "/" + name);
            *option = volume_option(copy);
        }
    }
    if (!left_out.empty())
        TRY(keep_image_volumes(work, image, left_out, container));
    return container;
}

bool is_copy(const Work& work, const std::string& source) {
    return path_beneath(source, work.directory.path_of(copies)).has_value();
}

void remove_unused_copies(const Work& work) {
    const auto directory = work.directory.open_directory(copies);
    const auto containers = directory ? work.podman.containers() : directory.error();
    if (!containers)
        return;
    std::vector<std::string> ids;
    for (const auto& container : *containers)
        if (container.owner == work.job.service)
            ids.push_back(container.id);
    const auto binds = host_binds_of(work.podman, ids);
    if (!binds)
        return; // a container that podman left out may have a copy
    std::set<std::string> used;
    for (const auto& bind : *binds)
        used.insert(bind.source);
    for (const auto& name : names_in(directory->get())) {
        const std::string place = fmt::format("{}/{}", copies, name);
        const auto of_container = work.directory.open_directory(place);
        for (const auto& copy : of_container ? names_in(of_container->get()) : std::vector<std::string>())
            if (!used.contains(work.directory.path_of(place + "/" + copy)))
                (void)::unlinkat(of_container->get(), copy.c_str(), 0);
        if (!used.contains(work.directory.path_of(place))) // a file by an older pgod
            (void)::unlinkat(directory->get(), name.c_str(), of_container ? AT_REMOVEDIR : 0);
    }
}

} // namespace pgod::compose
