#include "compose/memory_files.hpp"

#include "base/text.hpp"
#include "compose/kept_values.hpp"
#include "compose/release.hpp"
#include "compose/runtime_place.hpp"
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

Result<std::string> content_of(const MemoryFile& file, const SecretValues& given) {
    const auto missing = [&](std::string_view name, std::string_view setting) {
        return Error{Code::permanent,
                     fmt::format("the admin's {} must have {}, and does not", setting, name)};
    };
    if (const auto name = secret_file_in(file.text)) {
        const auto found = given.files.find(*name);
        if (found == given.files.end())
            return missing(*name, "secrets");
        return found->second.reveal();
    }
    Secrets values = given.variables;
    values.insert(given.plain.begin(), given.plain.end());
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

// A copy says what the container has; without one, the container counts as one with another value.
Status write_copies(const Place& place, const std::vector<std::string>& contents) {
    for (std::size_t i = 0; i < contents.size(); ++i)
        TRY(os::write_file_atomically(place.directory.get(), copy_of(std::to_string(i)), contents[i], 0400));
    return ok();
}

Status write_files(const Work& work, const Place& place, std::vector<MemoryFile> files,
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
        (void)::unlinkat(place.directory.get(), copy_of(name).c_str(), 0);
        if (::renameat(place.directory.get(), next.c_str(), place.directory.get(), name.c_str()) != 0)
            return errno_error("put " + name + " in its place");
    }
    return ok();
}

Result<std::vector<std::string>> contents_of(const std::vector<MemoryFile>& files,
                                             const PlannedContainer& container, const SecretValues& values) {
    std::vector<std::string> contents;
    for (const auto& file : files)
        contents.push_back(TRY_DOING(content_of(file, values),
                                     fmt::format("{}: secrets: {}", container.service, file.target)));
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

void check_memory_files(const Plan& plan, const SecretValues& values, Findings& findings) {
    for (const auto& container : plan.containers)
        for (const auto& file : files_of(container))
            if (const auto content = content_of(file, values); !content)
                findings.add(container.service, "secrets", file.target + ": " + content.error().message);
}

Result<std::map<std::string, std::string>> write_memory_files(const Work& work,
                                                              const PlannedContainer& container,
                                                              const std::string& image_id,
                                                              const SecretValues& values) {
    std::map<std::string, std::string> paths;
    const auto files = files_of(container);
    if (files.empty())
        return paths;
    const auto contents = TRY(contents_of(files, container, values));
    const Place place = TRY(make_place(work, container.name));
    TRY_DOING(write_files(work, place, files, contents, image_id), container.service);
    TRY(write_copies(place, contents)); // a container that is not made has none
    for (std::size_t i = 0; i < files.size(); ++i)
        paths[files[i].target] = fmt::format("{}/{}", place.path, i);
    return paths;
}

Result<bool> restore_memory_files(const Work& work, const PlannedContainer& container,
                                  const std::string& image_id) {
    const auto files = files_of(container);
    if (files.empty())
        return false;
    const Place place = TRY(make_place(work, container.name));
    const auto contents = contents_of(files, container, values_for(work, running_release));
    bool complete = true, same = true;
    for (std::size_t i = 0; i < files.size(); ++i) {
        complete &= is_there(place, i);
        same &= contents && has(place, i, (*contents)[i]);
    }
    if (same || (!contents && complete))
        return false;
    const auto wanted = TRY(contents);
    TRY_DOING(write_files(work, place, files, wanted, image_id), container.service);
    return true;
}

Status note_memory_files(const Work& work, const PlannedContainer& container) {
    const auto contents = TRY(contents_of(files_of(container), container, values_for(work, running_release)));
    return write_copies(TRY(make_place(work, container.name)), contents);
}

std::map<std::string, std::string> changed_memory_files(const Work& work, const Plan& plan,
                                                        std::span<const Container> seen) {
    std::map<std::string, std::string> changed;
    const SecretValues values = given_values(work.job);
    for (const auto& container : plan.containers) {
        const auto files = files_of(container);
        const Container* there = find_container(seen, container.name);
        if (files.empty() || there == nullptr || there->state != "running")
            continue;
        const auto place = open_place(work, container.name);
        for (std::size_t i = 0; i < files.size(); ++i) {
            const auto content = content_of(files[i], values);
            if (content && (!place || !has(*place, i, *content)))
                changed.emplace(container.name, files[i].target);
        }
    }
    return changed;
}

void remove_memory_files(const Work& work, const std::string& container) {
    if (is_object_name(container))
        remove_place(work, container);
}

void remove_memory_files(const Work& work) {
    remove_place(work);
}

} // namespace pgod::compose
