// The key book: which public keys are known, and what each may do. Evaluated anew for every operation, so a
// key that a sync has removed, or that expired meanwhile, is gone at once. Revoked beats everything. A key
// that stands in several lines may do what any of them grants.
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

    // Whether anyone at all gave this key something, here and now: the question at authentication.
    bool knows(std::string_view base64, const Circumstances& at) const;
    bool is_admin(std::string_view base64, const Circumstances& at) const; // perhaps one that may only read
    // The name a key has in a service's repository (its file), or among the admins; for the log.
    std::string name_in(std::string_view service, std::string_view base64) const;
    // `ceiling` is the service's `ops`; admins are not bound by it.
    bool may(std::string_view base64, std::string_view service, const OperationGroups& ceiling, Op op,
             const Circumstances& at) const;
    bool may_as_admin(std::string_view base64, Op op, const Circumstances& at) const; // on every service

  private:
    struct Entry {
        std::string name;
        KeyGrant grant;
    };
    using Keys = std::map<std::string, std::vector<Entry>, std::less<>>; // by blob
    static Keys by_blob(std::vector<PublicKey> keys);
    const std::vector<Entry>& lines_of(const Keys& keys, std::string_view base64) const;

    Keys admins_;
    Keys revoked_;
    std::map<std::string, Keys, std::less<>> services_;
    std::map<std::string, unsigned, std::less<>> uses_; // blob → number of services that list it
};

} // namespace pgod
