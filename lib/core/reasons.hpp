// Why a commit is refused: each reason is a value, and what people read is made of all of them together, by
// these pure functions. Services that share a reason become one line, and the most dangerous reason comes
// first.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

// What the commit could reach by it, the worst first.
enum class Danger {
    host,  // the host itself, or containers of others: privileges, namespaces, sockets, devices
    files, // files of the host
    ports, // the host's ports and names
    key,   // nobody knows what a newer podman-compose would make of it
    value, // nothing: the file is wrong
};
Danger danger_of(std::string_view setting); // when what it asks for is not permitted

struct Violation {
    std::string service;     // compose service; empty: the file as a whole
    std::string setting;     // "privileged", "ports", "volumes"…
    std::string problem;     // "is not allowed", "host port 80 is outside 5005-5010"
    std::string grant;       // what the admin could put into the TOML; empty: nothing permits it
    std::string advice = {}; // without a grant: what to do, or that nothing permits it
    Danger danger = Danger::value;
    std::string item = {};  // which one of the setting's list: core/places.hpp
    std::string place = {}; // "compose.yaml:12"; empty: not known
    std::string value = {}; // as the file has it, in quotes; empty: not known, or the problem shows it
    bool operator==(const Violation&) const = default;
};

inline constexpr std::string_view nothing_permits = "nothing permits it";

std::string describe(const Violation& violation); // one sentence

inline constexpr std::size_t max_reason_lines = 20;

// The reasons that differ in more than the service and the place, each with the services that it is about;
// the most dangerous first, then as they were found.
struct Reason {
    Violation violation; // of the first service
    std::vector<std::string> services;
};
std::vector<Reason> grouped(std::span<const Violation> violations);

std::string describe(const Reason& reason);

// At most max_reason_lines sentences; the last line says how many more there are.
std::vector<std::string> lines_of(std::span<const Violation> violations);

// One line for all of them: the most dangerous reason "(and 3 more reasons)". Never of none.
std::string summary_of(std::span<const Violation> violations);

} // namespace pgod
