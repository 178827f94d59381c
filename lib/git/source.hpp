// Source: which commits a service follows, and as whom they are asked for.
#pragma once

#include "core/repository_url.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace pgod::git {

// What the admin gave for the repository (`credentials`).
struct GivenCredentials {
    Secret text;      // USER:TOKEN, or a private key
    std::string path; // where this process can open the same again
};

struct Source {
    RepositoryUrl url;
    std::string branch;
    std::string user;            // the service's Unix user, for sentences
    std::string home;            // whose .ssh holds the deploy key and known_hosts
    std::uint64_t max_bytes = 0; // of one fetch
    std::optional<GivenCredentials> given = {};
};

} // namespace pgod::git
