// The host key of a pgod, looked up in the user's known_hosts and in /etc/ssh/ssh_known_hosts, and written
// into the user's. core/known_hosts.hpp reads the lines; here are the files, each up to 8 MiB, and the
// digests. Runs in pgoctl.
#pragma once

#include "base/result.hpp"
#include "core/known_hosts.hpp"
#include "core/public_key.hpp"

#include <cstdint>
#include <string>

namespace pgod::ssh {

struct ServerKey {
    PublicKey key;
    std::string fingerprint; // SHA256:…
};

struct HostKeyVerdict {
    HostKeyStanding standing = HostKeyStanding::unknown;
    std::string where;       // "FILE:LINE" of the line that decided
    std::string fingerprint; // of the key in that line
};

inline constexpr std::size_t max_known_hosts_bytes = 8 << 20;

// `file` may be empty: the user has none. Code::invalid for a file that cannot be read; a missing one knows
// nobody.
Result<HostKeyVerdict> look_up_host_key(const std::string& file, const std::string& host, std::uint16_t port,
                                        const PublicKey& key);

// Appends one line; a missing file is made 0600, its directory 0700.
Status remember_host_key(const std::string& file, const std::string& host, std::uint16_t port,
                         const PublicKey& key);

} // namespace pgod::ssh
