// The keys of a running ssh-agent, one at a time. libssh's own agent support offers every key until one is
// accepted and does not say which; pgoctl has to go on with the next key when the accepted one may not do
// what was asked. So each key is offered through a socket behind which the agent holds that key only. Runs in
// pgoctl.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <string>
#include <thread>
#include <vector>

namespace pgod::ssh {

struct AgentKey {
    std::string blob;    // as the agent gave it; its type is judged by the server
    std::string comment; // foreign text
};

inline constexpr std::size_t max_agent_keys = 64;
inline constexpr std::size_t max_agent_frame = std::size_t{256} * 1024;

// Code::gone: nobody answers at this socket.
Result<std::vector<AgentKey>> list_agent_keys(const std::string& socket_path);

// An agent with one key; the real one signs. One thread, ended by the destructor.
class SingleKeyAgent {
  public:
    static Result<SingleKeyAgent> start(const std::string& socket_path, const AgentKey& key);
    SingleKeyAgent(SingleKeyAgent&&) = default;
    SingleKeyAgent& operator=(SingleKeyAgent&&) = delete;
    ~SingleKeyAgent();

    Fd release_client_end() noexcept { return std::move(client_); }

  private:
    SingleKeyAgent(Fd client, Fd inside, Fd agent, std::string answer);

    Fd client_;
    Fd inside_;
    Fd agent_;
    std::thread thread_;
};

} // namespace pgod::ssh
