#include "compose/memory_limit.hpp"

#include "base/text.hpp"
#include "os/run.hpp"
#include "os/safe_path.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace pgod::compose {

namespace {

constexpr const char* program = "/usr/bin/systemd-run";
constexpr std::chrono::seconds patience{10};
constexpr std::size_t max_controllers = 4096; // bytes

std::uint64_t half_of_memory() {
    return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) / 2 *
           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

bool has_memory_controller(std::string_view controllers) {
    const auto names = words(trimmed(controllers));
    return std::find(names.begin(), names.end(), "memory") != names.end();
}

std::optional<MemoryLimit> find_memory_limit() {
    const auto controllers = os::read_file(
        fmt::format("/sys/fs/cgroup/user.slice/user-{0}.slice/user@{0}.service/cgroup.controllers",
                    ::getuid()),
        max_controllers);
    if (!controllers || !has_memory_controller(*controllers) || ::access(program, X_OK) != 0)
        return std::nullopt;
    MemoryLimit limit{half_of_memory(), {}};
    // Delegate: systemd leaves the processes of the scope alone when the kernel ends one of them.
    limit.scope = {program,
                   "--user",
                   "--scope",
                   "--quiet",
                   "--collect",
                   "--property=Delegate=yes",
                   "--property=MemorySwapMax=0",
                   fmt::format("--property=MemoryMax={}", limit.bytes),
                   "--"};
    os::RunRequest trial;
    trial.spawn.program = program;
    trial.spawn.argv = limit.scope;
    trial.spawn.argv.emplace_back("/usr/bin/true");
    trial.spawn.env = {bus_of_user()};
    trial.spawn.die_with_parent = true;
    trial.deadline = patience;
    const auto ran = os::run(trial);
    if (!ran || !ran->succeeded())
        return std::nullopt;
    return limit;
}

} // namespace pgod::compose
