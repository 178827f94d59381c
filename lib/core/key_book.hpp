// The key book: which public keys are known, and what each may do. Evaluated anew for every operation, so a
// key that a sync has removed is gone at once. Revoked beats everything.
#pragma once

#include "core/operation.hpp"
#include "core/public_key.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

class KeyBook {
  public:
    void set_admins(std::vector<PublicKey> keys) { admins_ = by_blob(std::move(keys)); }
    void set_revoked(std::vector<PublicKey> keys) { revoked_ = by_blob(std::move(keys)); }
    void set_service(const std::string& service, std::vector<PublicKey> keys);
    void forget_service(const std::string& service);

    // Whether anyone at all gave this key something: the question at authentication.
    bool knows(std::string_view base64) const;
    bool is_admin(std::string_view base64) const;
    // The name a key has in a service's repository (its file), or among the admins; for the log.
    std::string name_in(std::string_view service, std::string_view base64) const;
    // `ceiling` is the service's `ops`; admins are not bound by it.
    bool may(std::string_view base64, std::string_view service, const OperationGroups& ceiling,
             OpGroup group) const;

  private:
    using Keys = std::map<std::string, std::string, std::less<>>; // blob → name
    static Keys by_blob(std::vector<PublicKey> keys);

    Keys admins_;
    Keys revoked_;
    std::map<std::string, Keys, std::less<>> services_;
    std::map<std::string, unsigned, std::less<>> uses_; // blob → number of services that list it
};

} // namespace pgod
