// The real servers on loopback ports: git daemon, nginx with git http-backend, sshd; and one that never
// answers. Each is a child of the test and ends with it.
#pragma once

#include "base/fd.hpp"
#include "os/spawn.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::test {

int free_port();
// Runs a program to its end; a failure ends the test. Its standard output.
std::string run_tool(std::vector<std::string> argv, std::string_view input = {});

// A certificate authority and what it has signed, in `directory`: ca.pem, NAME.pem, NAME.key.
class Authority {
  public:
    explicit Authority(std::filesystem::path directory);
    void issue(const std::string& name, const std::string& subject_alternative_names) const;
    std::filesystem::path certificates() const { return directory_ / "ca.pem"; }

  private:
    std::filesystem::path directory_;
};

class Server {
  public:
    // Waits until something answers at the port.
    Server(std::vector<std::string> argv, std::vector<std::string> env, int port);
    int port() const { return port_; }

  private:
    os::Child child_;
    int port_;
};

Server git_daemon(const std::filesystem::path& base);
// sshd with its own host keys, `directory/host_key` (ed25519) and `directory/host_key_ecdsa`; logs in whoever runs the test, by `authorized_keys` there.
Server ssh_server(const std::filesystem::path& directory);

// Serves `repositories` by http-backend at /, the same behind a password at /private/, and a redirect to
// another host name at /moved/. With `certificate` (path without its ending) over TLS, `tls` naming the
// versions.
class HttpServer {
  public:
    HttpServer(const std::filesystem::path& directory, const std::filesystem::path& repositories,
               const std::string& certificate = {}, const std::string& tls = "TLSv1.2 TLSv1.3");
    int port() const { return nginx_.port(); }

  private:
    os::Child backend_;
    Server nginx_;
};

// Accepts by its backlog and says nothing.
class BlackHole {
  public:
    BlackHole();
    int port() const { return port_; }

  private:
    Fd socket_;
    int port_ = 0;
};

} // namespace pgod::test
