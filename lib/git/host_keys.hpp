// The host key of an ssh upstream, checked as ssh(1) checks it: against the known_hosts files of the
// service's user and of the host. Runs in a git job, as the service's user. Each file is read up to 8 MiB;
// one that exists and cannot be read is an error, Code::denied.
#pragma once

#include "base/result.hpp"
#include "core/known_hosts.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::git {

class HostKeys {
  public:
    // Reads the files for one server.
    static Result<HostKeys> load(const std::string& home, std::string_view host, std::uint16_t port);

    HostKeyCheck check(std::string_view blob) const;
    std::string algorithms() const { return host_key_algorithms(keys_); }

  private:
    std::vector<KnownHostKey> keys_;
    std::vector<KnownHostKey> without_port_; // ssh(1) takes a line without the port as well, if its key fits
};

// "SHA256:…", as ssh-keygen -l prints it.
std::string fingerprint_of(std::string_view blob);

// libgit2's ssh connections of this process offer these algorithms for host keys, in this order, and read no
// known_hosts themselves. libgit2 has no setting for either: it would offer the type of the first line alone,
// and refuse a whole file for one line that libssh2 cannot parse.
void offer_host_key_algorithms(std::string algorithms);

} // namespace pgod::git
