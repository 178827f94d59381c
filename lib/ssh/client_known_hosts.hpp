// known_hosts as OpenSSH writes it: plain, [host]:port and hashed names, patterns, @revoked. libssh judges a
// single line; markers, which libssh ignores (a revoked key would read as an unknown one), are judged here.
// Runs in pgoctl.
#pragma once

#include "base/result.hpp"
#include "core/public_key.hpp"

#include <cstdint>
#include <string>

namespace pgod::ssh {

struct ServerKey {
    PublicKey key;
    std::string fingerprint; // SHA256:…
};

enum class HostKeyStanding {
    known,
    unknown, // no line names this host and port, or there is no file
    changed, // a line names this host and port with another key
    revoked, // an @revoked line names this very key
};

struct HostKeyVerdict {
    HostKeyStanding standing = HostKeyStanding::unknown;
    std::string where;       // "FILE:LINE" of the line that decided
    std::string fingerprint; // of the key in that line, for `changed`
};

inline constexpr std::size_t max_known_hosts_bytes = 8 << 20;

// Code::invalid for a file that cannot be read; a missing one knows nobody.
Result<HostKeyVerdict> look_up_host_key(const std::string& file, const std::string& host, std::uint16_t port,
                                        const PublicKey& key);

// Appends one line; a missing file is made 0600, its directory 0700.
Status remember_host_key(const std::string& file, const std::string& host, std::uint16_t port,
                         const PublicKey& key);

} // namespace pgod::ssh
