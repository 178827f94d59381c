// ServerBind: the host key and the algorithms that every server session starts from. Held by pgod-ssh's
// listener; its forked children make one session each from it. Nothing is read from any file.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "ssh/key.hpp"

#include <memory>
#include <optional>
#include <string>

struct ssh_bind_struct;
struct ssh_session_struct;

namespace pgod::ssh {

struct SessionDeleter {
    void operator()(ssh_session_struct* session) const noexcept;
};
using SessionHandle = std::unique_ptr<ssh_session_struct, SessionDeleter>;

class ServerBind {
  public:
    // `second`, which may be empty, must be of the other type: a client is shown the one that it asks for.
    static Result<ServerBind> create(const Secret& host_key, const Secret& second);

    const std::string& fingerprint() const noexcept { return fingerprint_; } // SHA256:…, or two of them
    ssh_bind_struct* handle() const noexcept { return bind_.get(); }

    // A session with its options set, not connected: the one that was prepared, else a new one.
    Result<SessionHandle> take_session();

    // One whole login over a socket pair against a forked client. It fills OpenSSL's algorithm caches, which
    // every child then inherits: a fork of a cold listener costs twice the CPU. Call before the first fork
    // and before there is any thread. Bounded by ten seconds.
    // Leaves a session prepared; each child takes its own copy of that.
    Status warm_up();

    // In a forked child: OpenSSL notices the fork and seeds its generators anew, now instead of within the
    // first key exchange.
    static void seed() noexcept;

  private:
    struct BindDeleter {
        void operator()(ssh_bind_struct* bind) const noexcept;
    };
    Status add_key(const Secret& text);

    std::unique_ptr<ssh_bind_struct, BindDeleter> bind_;
    SessionHandle prepared_;
    std::string fingerprint_;
    std::optional<HostKeyType> type_; // of the key that was added last
};

} // namespace pgod::ssh
