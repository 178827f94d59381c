// Kept releases: the last good versions before the one that runs, in `kept-N` of the service's directory, N
// being the number of the deployment that brought them: record and files as they were when they ran, and
// their images under tags of ours. A rollback takes what it needs from there and asks neither git nor a
// registry. A commit is kept once, by its newest release, and not while it runs.
#pragma once

#include "compose/record.hpp"
#include "compose/service_directory.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace pgod::compose {

inline constexpr std::size_t max_kept = 3;

std::string kept_name(std::uint64_t deployment); // "kept-12"

// Newest first; what cannot be read is left out.
std::vector<Record> kept_releases(const ServiceDirectory& directory);

// Moves a release there, and removes those that are too many or of the commit that runs now.
Status keep_release(const ServiceDirectory& directory, const std::string& release);

// `wanted`: a deployment's number, or a commit's first 4 digits or more; none: the newest. Pure.
// Code::permanent names what is kept.
Result<Record> choose_kept(const std::vector<Record>& kept, const Record* running,
                           const std::optional<std::string>& wanted);

} // namespace pgod::compose
