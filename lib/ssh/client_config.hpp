// What a person's ssh_config(5) says of a host, read by libssh: HostName, Port and the first IdentityFile.
// pgoctl makes its own connections, so a proxy is refused, not left out. Runs in pgoctl.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace pgod::ssh {

struct ConfiguredHost {
    std::string name;                  // to connect to
    std::optional<std::uint16_t> port; // another one than sshd's own
    std::string identity;              // a file; empty: none is named
};

// Code::invalid: the file cannot be read, or asks for a proxy.
Result<ConfiguredHost> read_ssh_config(const std::string& file, const std::string& host);

} // namespace pgod::ssh
