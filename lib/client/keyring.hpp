// The private keys to offer, one after the other, each loaded only when its turn comes. Runs in pgoctl.
#pragma once

#include "client/identity.hpp"
#include "ssh/client_session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pgod::client {

inline constexpr std::size_t max_key_file_bytes = std::size_t{64} * 1024;

// One key, of a file or text, or of the agent.
class Candidate {
  public:
    Candidate(std::string name, ssh::Key key);
    Candidate(std::string name, Secret locked, ssh::Key public_half);
    Candidate(std::string name, std::string agent_socket, ssh::AgentKey key);

    const std::string& name() const noexcept { return name_; }

    // Code::invalid or denied: this key cannot be used, for the reason given; Code::transient: the connection
    // is gone. A passphrase is asked for when the server would take the key.
    Result<ssh::Authentication> offer(ssh::ClientSession& session);

  private:
    std::string name_;
    ssh::Key key_;         // null: locked, or the agent's
    Secret locked_;        // its text
    ssh::Key public_half_; // null: not known
    std::string agent_socket_;
    ssh::AgentKey agent_key_;
};

class Keyring {
  public:
    explicit Keyring(std::vector<IdentitySource> sources)
        : sources_(std::move(sources)) {}

    // nullopt: no more. An error: what the user named cannot be used.
    Result<std::optional<Candidate>> next();

  private:
    Result<std::optional<Candidate>> load(const IdentitySource& source);

    std::vector<IdentitySource> sources_;
    std::size_t next_source_ = 0;
    std::vector<ssh::AgentKey> agent_keys_; // of the source before next_source_
    std::size_t next_agent_key_ = 0;
};

} // namespace pgod::client
