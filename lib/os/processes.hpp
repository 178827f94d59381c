// The processes that /proc shows, and how one of them is ended without hitting another that got its number.
// Whoever owns a user namespace may signal what runs in it (user_namespaces(7)): a user needs nothing more to
// reach into rootless containers.
#pragma once

#include "base/result.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgod::os {

struct Process {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t session = 0;
    std::string name;
    unsigned long long started = 0; // clock ticks after boot: with pid, one process and no other
};

std::vector<Process> processes(); // zombies left out
std::optional<Process> find_process(pid_t pid);

// How many process id namespaces a process is in, counted from that of /proc; 0: it is gone.
std::size_t namespace_depth(pid_t pid);

// Since when this host runs, in seconds since 1970: the start of its init and not the kernel's, because a
// host may be a container of another. nullopt: /proc does not show init to this user (hidepid=).
std::optional<std::int64_t> booted_at();

// Code::gone when it has ended.
Status signal_process(const Process& process, int signal);

} // namespace pgod::os
