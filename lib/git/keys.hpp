// The public keys of a commit: regular files `ssh/*.pub` of its tree, read from the object store and never
// through a work tree, so nothing is followed. Bounded: 16 KiB a file, max_repository_keys in all. What looks
// like a key file and is none becomes a warning that names it.
#pragma once

#include "git/handles.hpp"

#include "base/result.hpp"
#include "core/public_key.hpp"

#include <string>
#include <vector>

namespace pgod::git {

struct RepositoryKeys {
    std::vector<PublicKey> keys;
    std::vector<std::string> warnings;
};

// Code::internal: an object of the commit could not be read.
Result<RepositoryKeys> read_keys(git_repository* repository, const std::string& commit);

} // namespace pgod::git
