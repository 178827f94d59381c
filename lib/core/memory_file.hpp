// A file in memory that a container mounts: a secret or config of the compose file whose contents are a text.
// In a plan it is an option of pgod's own, "--in-memory=TARGET:UID:GID:MODE:TEXT". TEXT has a placeholder for
// each value of the admin, so that no plan or record holds one. Pure.
#pragma once

#include "core/plan.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pgod {

inline constexpr std::string_view memory_file_flag = "--in-memory";

struct MemoryFile {
    std::string target; // absolute, in the container
    std::string owner;  // "UID:GID" of the container; empty: the image's own user
    unsigned mode = 0;  // permission bits
    std::string text;
};

bool is_memory_file(std::string_view value);
std::optional<MemoryFile> memory_file_of(const PlanOption& option);

} // namespace pgod
