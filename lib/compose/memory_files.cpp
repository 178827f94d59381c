#include "compose/memory_files.hpp"

#include "base/text.hpp"
#include "core/memory_file.hpp"
#include "core/plan_shapes.hpp"
#include "os/safe_path.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace pgod::compose {

namespace {

constexpr std::size_t max_copy = 1 << 20; // bytes; a value of the admin or a call of podman is shorter

std::vector<MemoryFile> files_of(const PlannedContainer& container) {
    std::vector<MemoryFile> files;
    for (const auto& option : container.options)
        if (auto file = memory_file_of(option))
            files.push_back(std::move(*file));
    return files;
}

// The values of `env` and `env_file`: a placeholder names one of these, or a file of `secrets`.
Secrets values_of(const Job& job) {
    Secrets values = job.secrets;
    for (const auto& assignment : job.env)
        if (const auto equals = assignment.find('='); equals != std::string::npos)
            values.emplace(assignment.substr(0, equals), Secret(assignment.substr(equals + 1)));
    return values;
}

Result<std::string> content_of(const MemoryFile& file, const Job& job) {
    const auto missing = [&](std::string_view name, std::string_view setting) {
        return Error{Code::permanent,
                     fmt::format("the admin's {} must have {}, and does not", setting, name)};
    };
    if (const auto name = secret_file_in(file.text)) {
        const auto found = job.secret_files.find(*name);
        if (found == job.secret_files.end())
            return missing(*name, "secrets");
        return found->second.reveal();
    }
    const Secrets values = values_of(job);
    if (const auto name = unknown_secret(file.text, values))
        return missing(*name, "env_file");
    if (size_with_secrets(file.text, values) > max_copy)
        return Error{Code::permanent, "is larger than 1 MiB with the admin's values in it"};
    return with_secrets(file.text, values).value_or(file.text);
}

std::string copy_of(const std::string& name) {
    return name + ".copy";
}

std::string new_of(const std::string& name) {
    return name + ".new";
}

// The service's directory, or that of one of its containers, beneath the user's runtime directory.
struct Place {
    Fd directory;
    std::string path;
};

Result<std::string> runtime_directory(const Work& work) {
    constexpr std::string_view name = "XDG_RUNTIME_DIR=";
    for (const auto& assignment : work.job.environment)
        if (assignment.starts_with(name))
            return assignment.substr(name.size());
    return Error{Code::transient, "the user has no runtime directory for secrets"};
}

std::string relative_place(const Work& work, const std::string& container = {}) {
    return fmt::format("pgod/{}{}{}", work.job.service, container.empty() ? "" : "/", container);
}

Result<Place> open_place(const Work& work, const std::string& container) {
    const std::string runtime = TRY(runtime_directory(work));
    const Fd root = TRY(os::open_directory(runtime));
    const std::string place = relative_place(work, container);
    return Place{TRY(os::open_beneath(root.get(), place, O_RDONLY | O_DIRECTORY)), runtime + "/" + place};
}

Result<Place> make_place(const Work& work, const std::string& container) {
    const std::string runtime = TRY(runtime_directory(work));
    const Fd root = TRY(os::open_directory(runtime));
    const std::string place = relative_place(work, container);
    return Place{TRY(os::make_directories(root.get(), place, 0700)), runtime + "/" + place};
}

// To users of the container, whom only a process with the user's subordinate ids may name.
Status give_away(const Work& work, const std::map<std::string, std::vector<std::string>>& by_owner) {
    for (const auto& [owner, paths] : by_owner) {
        Podman::Call call;
        call.arguments = {"unshare", "chown", "--no-dereference", owner, "--"};
        call.arguments.insert(call.arguments.end(), paths.begin(), paths.end());
        TRY(work.podman.must(call, fmt::format("give secrets to the user {} of the container", owner)));
    }
    return ok();
}

bool is_id(std::string_view text) {
    return is_number(text) && text.size() <= 9;
}

// A name would have to be looked up in the image; root is the owner then, who starts most programs of a
// database before they become somebody else.
std::string owner_by_image(std::string_view user) {
    const auto colon = std::min(user.find(':'), user.size());
    const auto uid = user.substr(0, colon);
    const auto gid = user.substr(std::min(colon + 1, user.size()));
    return is_id(uid) ? fmt::format("{}:{}", uid, is_id(gid) ? gid : "0") : "0:0";
}

Status name_owners(const Work& work, std::vector<MemoryFile>& files, const std::string& image_id) {
    std::optional<std::string> owner; // podman is asked only when it matters
    for (auto& file : files) {
        if (file.owner.empty() && !owner) {
            Podman::Call call;
            call.arguments = {"image", "inspect", "--format", "{{.Config.User}}", image_id};
            call.ends_with_us = true;
            owner = owner_by_image(trimmed(TRY(work.podman.must(call, "look at the user of the image"))));
        }
        if (file.owner.empty())
            file.owner = *owner;
    }
    return ok();
}

Status write_all(const Work& work, const Place& place, std::vector<MemoryFile> files,
                 const std::vector<std::string>& contents, const std::string& image_id) {
    TRY(name_owners(work, files, image_id));
    std::map<std::string, std::vector<std::string>> by_owner;
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string next = new_of(std::to_string(i));
        TRY(os::write_file_atomically(place.directory.get(), next, contents[i], 0600));
        if (::fchmodat(place.directory.get(), next.c_str(), files[i].mode, 0) != 0)
            return errno_error("set the mode of " + next);
        if (files[i].owner != "0:0") // the user is root there
            by_owner[files[i].owner].push_back(place.path + "/" + next);
    }
    TRY(give_away(work, by_owner));
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string name = std::to_string(i), next = new_of(name);
        if (::renameat(place.directory.get(), next.c_str(), place.directory.get(), name.c_str()) != 0)
            return errno_error("put " + name + " in its place");
        TRY(os::write_file_atomically(place.directory.get(), copy_of(name), contents[i], 0400));
    }
    return ok();
}

Result<std::vector<std::string>> contents_of(const std::vector<MemoryFile>& files,
                                             const PlannedContainer& container, const Job& job) {
    std::vector<std::string> contents;
    for (const auto& file : files)
        contents.push_back(
            TRY_DOING(content_of(file, job), fmt::format("{}: secrets: {}", container.service, file.target)));
    return contents;
}

bool is_there(const Place& place, std::size_t number) {
    struct stat status {};
    return ::fstatat(place.directory.get(), std::to_string(number).c_str(), &status, AT_SYMLINK_NOFOLLOW) ==
           0;
}

bool has(const Place& place, std::size_t number, const std::string& contents) {
    const auto copy = os::read_file_beneath(place.directory.get(), copy_of(std::to_string(number)), max_copy);
    return is_there(place, number) && copy && *copy == contents;
}

} // namespace

void check_memory_files(const Plan& plan, const Job& job, Findings& findings) {
    for (const auto& container : plan.containers)
        for (const auto& file : files_of(container))
            if (const auto content = content_of(file, job); !content)
                findings.add(container.service, "secrets", file.target + ": " + content.error().message);
}

Result<std::map<std::string, std::string>>
write_memory_files(const Work& work, const PlannedContainer& container, const std::string& image_id) {
    std::map<std::string, std::string> paths;
    const auto files = files_of(container);
    if (files.empty())
        return paths;
    const auto contents = TRY(contents_of(files, container, work.job));
    const Place place = TRY(make_place(work, container.name));
    TRY_DOING(write_all(work, place, files, contents, image_id), container.service);
    for (std::size_t i = 0; i < files.size(); ++i)
        paths[files[i].target] = fmt::format("{}/{}", place.path, i);
    return paths;
}

Status restore_memory_files(const Work& work, const PlannedContainer& container,
                            const std::string& image_id) {
    const auto files = files_of(container);
    if (files.empty())
        return ok();
    const Place place = TRY(make_place(work, container.name));
    const auto contents = contents_of(files, container, work.job);
    bool complete = true, same = true;
    for (std::size_t i = 0; i < files.size(); ++i) {
        complete &= is_there(place, i);
        same &= contents && has(place, i, (*contents)[i]);
    }
    if (same || (!contents && complete))
        return ok();
    return write_all(work, place, files, TRY(contents), image_id).context(container.service);
}

std::map<std::string, std::string> changed_memory_files(const Work& work, const Plan& plan,
                                                        std::span<const Container> seen) {
    std::map<std::string, std::string> changed;
    for (const auto& container : plan.containers) {
        const auto files = files_of(container);
        const Container* there = find_container(seen, container.name);
        if (files.empty() || there == nullptr || there->state != "running")
            continue;
        const auto place = open_place(work, container.name);
        for (std::size_t i = 0; i < files.size(); ++i) {
            const auto content = content_of(files[i], work.job);
            if (content && (!place || !has(*place, i, *content)))
                changed.emplace(container.name, files[i].target);
        }
    }
    return changed;
}

void remove_memory_files(const Work& work, const std::string& container) {
    if (!is_object_name(container))
        return;
    if (const auto place = open_place(work, {}))
        (void)os::remove_tree(place->directory.get(), container);
}

void remove_memory_files(const Work& work) {
    const auto runtime = runtime_directory(work);
    const auto root = runtime ? os::open_directory(*runtime) : Result<Fd>(runtime.error());
    const auto all = root ? os::open_beneath(root->get(), "pgod", O_RDONLY | O_DIRECTORY) : root.error();
    if (all)
        (void)os::remove_tree(all->get(), work.job.service);
}

} // namespace pgod::compose
