// The server's private key on disk: read, made when it is missing. pgod does not look into it: a pgod-ssh
// that is started for that, as user pgod when we are root, makes a new one and says the fingerprint of one.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <string>

namespace pgod::daemon {

inline constexpr const char* endpoint_user = "pgod"; // as whom pgod-ssh runs when we are root

// Code::denied: others can read it. One that is made is ed25519, or beside another the type which that is
// not.
Result<Secret> load_host_key(const std::string& path, const Secret& other);

// SHA256:…, what people pin. Code::gone: there is no key yet.
Result<std::string> host_key_fingerprint(const std::string& path);

} // namespace pgod::daemon
