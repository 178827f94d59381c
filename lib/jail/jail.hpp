// Jail: where the image of a stranger's Containerfile is built. pgod-build makes it, as the service's user
// and with that user's subordinate ids, and nothing in it outlives pgod-build:
//
//   pgod-build            the user; started by pgod-work, dies with it
//    └─ keeper            root of a user namespace with all ids of the user; stays in the host's network
//        ├─ slirp4netns   the way out: the outside network and its names, never the host's loopback; or
//        │                pasta, alone in a process namespace
//        └─ init          root of a second user namespace, alone in its mount, process, network, IPC and UTS
//                         namespaces; runs the commands, one after the other. Its end ends everybody in it.
//
// The second user namespace is there for the limit of processes: the kernel holds all processes in it against
// the limit that its maker had (user_namespaces(7), getrlimit(2)), and no other process of the user.
// The mount namespace holds what view.hpp lists, on an empty file system; the host's root is unmounted. There
// is no no_new_privs: a RUN may use sudo within its container.
//
// Why this and not bubblewrap: bwrap(1) sets no_new_privs and cannot bound the processes of the whole tree.
// Why as the user and not as root: nothing here needs root, so no line of it runs as root.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pgod::jail {

// A line of /proc/PID/uid_map or gid_map (user_namespaces(7)).
struct IdRange {
    unsigned inside = 0;
    unsigned outside = 0;
    unsigned count = 0;
    bool operator==(const IdRange&) const = default;
};

// "0:1000:1,1:100000:65536", at most 16 ranges; empty: the text is malformed.
using IdMap = std::vector<IdRange>;
IdMap parse_id_map(const std::string& text);
std::string text_of(const IdMap& map);

// The build ends before its file system has less free than this (watch.hpp).
struct Reserve {
    std::string path; // on that file system; empty: no limit
    std::uint64_t bytes = 0;
    std::uint64_t inodes = 0; // 0: no limit
};

struct Jail {
    IdMap uids;
    IdMap gids;
    std::string root;                                      // an empty directory of the user's, for the view
    std::vector<std::pair<std::string, std::string>> show; // host path → path inside, read-only
    std::vector<std::pair<std::string, std::string>> keep; // …writable
    unsigned processes = 0;                                // at most, of all ids together
    Reserve reserve;
    std::uint64_t memory = 0; // bytes: the limit of the cgroup that the caller started us in; 0: none
    std::vector<std::vector<std::string>> commands; // argv; the program by its absolute path
};

// Runs the commands until one fails, and returns the exit status of the last one that ran, or 128 + signal.
// Code::permanent: the commands went beyond a limit, and none of their processes runs on. Other Errors: the
// jail could not be made, and nothing ran.
Result<int> run_in_jail(const Jail& jail);

} // namespace pgod::jail
