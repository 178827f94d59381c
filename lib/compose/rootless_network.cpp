#include "compose/rootless_network.hpp"

#include "os/safe_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace pgod::compose {

namespace {

constexpr std::string_view name_prefix = "rootless-netns-";
constexpr auto podmans_directory = "libpod/tmp";
constexpr auto with_it = "rootless-netns"; // in podmans_directory
constexpr auto podmans_lock = "rootless-netns.lock";

std::string runtime_directory(const Podman& podman) {
    constexpr std::string_view name = "XDG_RUNTIME_DIR=";
    for (const auto& variable : podman.environment())
        if (variable.starts_with(name))
            return variable.substr(name.size());
    return {};
}

// The names of namespaces; another store of the user has another one.
std::vector<std::string> names_in(int directory) {
    std::vector<std::string> names;
    const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(again < 0 ? nullptr : ::fdopendir(again), ::closedir);
    if (!entries)
        return names;
    while (const auto* entry = ::readdir(entries.get()))
        if (std::string_view(entry->d_name).starts_with(name_prefix))
            names.emplace_back(entry->d_name);
    return names;
}

// The last directory that podman makes: where the runtime directory, seen from within, has the names.
bool is_whole(int podmans, const std::string& runtime) {
    const std::string last = with_it + runtime + "/netns";
    return os::open_beneath(podmans, last, O_PATH | O_DIRECTORY).has_value();
}

// podman's own lock, held until the descriptor closes; false: podman holds it, and knows what it does.
bool lock_against_podman(int file) {
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return ::fcntl(file, F_SETLK, &whole) == 0;
}

bool runs_bridged(const Container& container) {
    return !container.networks.empty() && (container.state == "running" || container.state == "paused");
}

} // namespace

Status mend_rootless_network(const Podman& podman) {
    const std::string runtime = runtime_directory(podman);
    if (!runtime.starts_with('/'))
        return ok();
    const auto top = os::open_directory(runtime);
    if (!top)
        return ok(); // podman says what is wrong with it
    const auto names = os::open_beneath(top->get(), "netns", O_RDONLY | O_DIRECTORY);
    const auto podmans = os::open_beneath(top->get(), podmans_directory, O_RDONLY | O_DIRECTORY);
    if (!names || !podmans || names_in(names->get()).empty() || is_whole(podmans->get(), runtime))
        return ok();
    const auto lock = os::open_beneath(podmans->get(), podmans_lock, O_RDWR);
    if (!lock || !lock_against_podman(lock->get()) || is_whole(podmans->get(), runtime))
        return ok();
    const auto containers = TRY(podman.containers());
    if (std::any_of(containers.begin(), containers.end(), runs_bridged))
        return ok();
    for (const auto& name : names_in(names->get()))
        if (::unlinkat(names->get(), name.c_str(), 0) != 0)
            return errno_error("remove what is left of podman's network namespace");
    return os::remove_tree(podmans->get(), with_it);
}

} // namespace pgod::compose
