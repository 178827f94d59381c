// Changes: what is to be written of one service. Newer values take the place of older ones, so what waits for
// a disk that is full or locked stays small however long that takes.
#pragma once

#include "core/durable.hpp"
#include "core/public_key.hpp"
#include "core/url_claims.hpp"
#include "store/deployment_row.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgod::store {

struct Changes {
    bool forgotten = false; // first of all: nothing but its deployments is kept
    std::optional<std::string> user;
    std::optional<reconcile::Durable> durable;
    std::optional<std::vector<PublicKey>> keys;
    std::optional<std::vector<UrlClaim>> claims;
    std::map<std::uint64_t, DeploymentRow> deployments; // by number
};

} // namespace pgod::store
