// ServerBind: the host key and the algorithms that every server session starts from. Held by pgod-ssh's
// listener; its forked children make one session each from it. Nothing is read from any file.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <memory>
#include <string>

struct ssh_bind_struct;

namespace pgod::ssh {

class ServerBind {
  public:
    // The key must be ed25519.
    static Result<ServerBind> create(const Secret& host_key);

    const std::string& fingerprint() const noexcept { return fingerprint_; } // SHA256:…
    ssh_bind_struct* handle() const noexcept { return bind_.get(); }

    // One whole login over a socket pair against a forked client. It fills OpenSSL's algorithm caches, which
    // every child then inherits: a fork of a cold listener costs twice the CPU. Call before the first fork
    // and before there is any thread. Bounded by ten seconds.
    Status warm_up() const;

  private:
    struct BindDeleter {
        void operator()(ssh_bind_struct* bind) const noexcept;
    };
    std::unique_ptr<ssh_bind_struct, BindDeleter> bind_;
    std::string fingerprint_;
};

} // namespace pgod::ssh
