// Caller: who runs a command, and what that may do. Either the holder of a key, which the key book judges
// anew at each question, or a user of this host at a control socket: root, and the user that pgod runs as,
// may do everything; the user of a service everything with that service, whatever its `ops`; others nothing.
// Pure.
#pragma once

#include "core/key_book.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace pgod::daemon {

// Of a service, what decides who may do what with it.
struct Ownership {
    std::string_view service;
    OperationGroups ceiling;    // its `ops`
    std::optional<uid_t> owner; // while its user is known
};

class Caller {
  public:
    struct Key {
        std::string base64;
        std::string fingerprint;
        std::string ssh_user; // as the client gave it; only echoed
        Circumstances at;
    };
    struct User {
        uid_t uid = 0;
        std::string name;     // empty: of no service, and not looked up
        bool may_all = false; // as root may
    };
    Caller(const KeyBook& keys, Key key)
        : keys_(&keys)
        , key_(std::move(key)) {}
    explicit Caller(User user)
        : user_(std::move(user)) {}

    bool is_user() const noexcept { return user_.has_value(); }
    std::string id() const;                                // what its limits are counted by
    std::string shown() const;                             // SHA256:…, or uid 1001 (miek)
    std::string name_in(std::string_view service) const;   // of the key there, or of the user
    std::string described(std::string_view service) const; // for the record: both
    std::string address_as() const;                        // in a sentence: your key, or uid 1001 (miek)

    bool is_admin() const;
    bool may_as_admin(Op op) const; // on every service
    bool may(const Ownership& service, Op op) const;
    bool could(const Ownership& service, Op op) const; // were it not for the service's `ops`

    // What is said of a service that is not this caller's, or is not there: nobody learns which.
    std::string refusal(std::string_view service) const;

  private:
    const KeyBook* keys_ = nullptr;
    Key key_;
    std::optional<User> user_;
};

} // namespace pgod::daemon
