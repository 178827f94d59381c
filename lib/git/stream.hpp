// Our own network streams for libgit2: TCP with timeouts and NODELAY, and TLS by OpenSSL on top. Debian's
// libgit2 1.5.1 has mbedTLS 2.28, which speaks no TLS 1.3 and knows no IP address in a certificate, and it
// has no timeouts at all: a server that accepts and never answers holds it for ever.
//
// Each connect, read and write ends after `io_timeout`; none outlives the network deadline.
#pragma once

#include "base/result.hpp"

#include <chrono>

namespace pgod::git {

inline constexpr std::chrono::seconds io_timeout{10};

// Loads the system's certificate authorities (SSL_CERT_FILE is honoured, as everywhere in
// OpenSSL) and registers the streams with libgit2. Once per process, before any fork.
Status start_streams();

// libgit2's ssh transport takes any plain stream for its own socket stream, so it must be given that one.
void use_own_plain_streams(bool own);

} // namespace pgod::git
