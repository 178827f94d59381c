// libgit2 never collects garbage, and every fetch adds a pack. When a repository has grown, its branch is
// fetched into a new one beside it, which then takes its place: 20 MB to 84 KB in 5 ms, and the tip is in one
// complete repository at every moment.
#pragma once

#include "git/handles.hpp"

#include "base/result.hpp"

#include <cstdint>
#include <string>

namespace pgod::git {

inline constexpr std::size_t max_packs = 20;
inline constexpr std::uint64_t least_compacted_bytes = std::uint64_t{16} << 20;

// Writes down how large the repository is now; the next compaction is measured against that.
void record_size(const std::string& repository_path);

// True: too many packs, or twice what was recorded and at least least_compacted_bytes.
bool has_grown(const std::string& repository_path);

// Compacts the service's repository when it has grown. For after a sync, when its result is already reported:
// nobody waits for it, and one that is ended at the job's deadline leaves everything as it was.
Status keep_small(const std::string& directory, const std::string& branch);

} // namespace pgod::git
