// Source: which commits a service follows, and as whom they are asked for.
#pragma once

#include "core/repository_url.hpp"

#include <cstdint>
#include <string>

namespace pgod::git {

struct Source {
    RepositoryUrl url;
    std::string branch;
    std::string user;            // the service's Unix user, for sentences
    std::string home;            // whose .ssh holds the deploy key; libgit2 reads $HOME/.ssh/known_hosts
    std::uint64_t max_bytes = 0; // of one fetch
};

} // namespace pgod::git
