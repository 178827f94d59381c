// One SSH connection of pgoctl: handshake, authentication, one command. There is no way to a session whose
// host key nobody has judged. Neither ~/.ssh/config nor /etc/ssh is read. libssh runs blocking up to the
// command, every step bounded by the timeout; the command itself may take as long as it likes, and TCP's own
// timers notice a dead peer. Runs in pgoctl; single-threaded apart from client_agent.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ssh/client_agent.hpp"
#include "ssh/client_command.hpp"
#include "ssh/client_known_hosts.hpp"
#include "ssh/key.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

struct ssh_session_struct;

namespace pgod::ssh {

// Ok: go on. Its error ends the handshake as it is.
using JudgeHostKey = std::function<Status(const ServerKey&)>;

inline constexpr std::string_view any_host_key = "ssh-ed25519,ecdsa-sha2-nistp256";

struct SessionOptions {
    std::string host; // for messages and names only; the connection exists
    std::string user;
    std::chrono::milliseconds timeout{10'000}; // of each step before the command
    std::string host_key_types{any_host_key};  // in the order in which they are asked for
};

enum class Authentication { accepted, refused };

void initialise_client(); // libcrypto and libssh, without their configuration files; once, before all else

class ClientSession {
  public:
    // `socket` is connected. Code::transient or timeout for the network and the peer; else the judge's error.
    static Result<ClientSession> handshake(Fd socket, const SessionOptions& options,
                                           const JudgeHostKey& judge);
    ClientSession(ClientSession&&) = default;
    ClientSession& operator=(ClientSession&&) = default;

    // An error means that the connection is lost: a server cuts it after too many refused keys.
    Result<Authentication> authenticate(ssh_key_struct* private_key);
    Result<bool> would_accept(ssh_key_struct* public_key); // asks without signing
    Result<Authentication> authenticate(const std::string& agent_socket, const AgentKey& key);

    // Code::transient: the connection was lost before the command ended.
    Result<CommandEnd> run(const CommandRequest& request, const TakeOutput& take);

  private:
    struct Closer {
        void operator()(ssh_session_struct* session) const noexcept;
    };
    using Session = std::unique_ptr<ssh_session_struct, Closer>;

    explicit ClientSession(Session session) noexcept
        : session_(std::move(session)) {}
    Status ask_for_login();
    Result<Authentication> authentication_of(int answer);

    Session session_;
    int agent_end_ = -1; // libssh's; of those it was given it closes only the last one
};

} // namespace pgod::ssh
