// Diagnosis: what `pgod --doctor` looks for on a host, as far as it can be judged without looking: versions,
// ranges of subordinate ids, ports. Pure. Each finding that is not good says what is wrong and the command
// that mends it.
#pragma once

#include "core/service.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct Finding {
    std::string about;   // "host", `user "ann"`, `service "shop"`
    std::string check;   // "podman", "subuid"…
    std::string problem; // one sentence; empty: it is as it should be
    std::string remedy;  // a command, or a line for the configuration; empty with `problem`
    bool operator==(const Finding&) const = default;
};

// What root types to run something as a user: in a login of that user, whatever shell the user has, since
// root's own XDG_RUNTIME_DIR would stop podman. `command` has no single quotes.
std::string as_user(std::string_view user, std::string_view command);

// What the admin does about a repository that cannot be synced; `failure` is its class. The problem's own
// sentence names the command where there is one, so that a key is not added without its warning.
std::string remedy_of_repository(const Service& service, Code failure);

// "podman version 4.3.1": 4.3 at least. The problem, or empty.
std::string problem_of_podman(std::string_view version);

// What that podman starts for the network of rootless containers, unless containers.conf names another.
struct NetworkProgram {
    const char* name;
    const char* package;
};
NetworkProgram network_program(std::string_view version);

// /etc/subuid or /etc/subgid, as subuid(5) describes it: has the user 65,536 ids? With a range that is free
// for the remedy.
struct SubordinateIds {
    std::uint64_t count = 0;     // of the user, by name or uid
    std::uint64_t free_from = 0; // above every range of the file, and at least 100000
};
SubordinateIds subordinate_ids(std::string_view file, std::string_view user, std::uint32_t uid);
inline constexpr std::uint64_t wanted_ids = 65'536;

// What became of a container that asked for its own name on a network, and what the host has for an answer.
struct NameLookup {
    std::string backend;      // as podman calls it: "netavark", "cni"
    bool dns_enabled = false; // podman gave the network DNS
    bool started = false;     // the container ran; if not, `failure` is podman's sentence
    bool found = false;       // the name led to an address
    std::string failure = {};
    bool session = true;      // the user's systemd runs, or the host has none
    bool has_iptables = true; // which an older netavark runs, where a newer one runs nft
    bool has_aardvark = true; // netavark's name server
};

// Both are empty when the name was found.
struct Advice {
    std::string problem;
    std::string remedy;
};
Advice advice_on_names(const NameLookup& lookup, std::string_view user);

// The lowest port that the configuration lets a service bind although an ordinary user may not; nullopt:
// none. Services without `ports` are not judged.
std::optional<std::uint16_t> privileged_port(const Service& service, unsigned unprivileged_from);

} // namespace pgod
