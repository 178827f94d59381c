// Where the commit's files write a setting. Pure.
#pragma once

#include "core/reasons.hpp"

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace pgod {

struct Written {
    std::string place; // "compose.yaml:12"
    std::string value; // as the file has it, in quotes; empty: a map or a list
};

// By service ("" at the top), setting and item; the setting "" is the whole service. Items of a list are
// called as what podman gets of them: the target of a mount, the host's port, the source of a device, the
// name of a variable, a capability.
using Places = std::map<std::tuple<std::string, std::string, std::string>, Written>;

// The item that a flag of podman is about.
std::string item_of(std::string_view flag, const std::string& value);

// Gives each violation without a place the most exact one that is known.
void locate(std::vector<Violation>& violations, const Places& places);

} // namespace pgod
