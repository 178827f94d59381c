// What the configuration says, as plain data: the daemon's settings and its services. Validated by
// lib/config; everything downstream may rely on the bounds named here.
#pragma once

#include "core/operation.hpp"
#include "core/repository_url.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgod {

// Host ports first … last, inclusive ("5005/5" is 5005 … 5010).
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    bool contains(std::uint16_t port) const noexcept { return port >= first && port <= last; }
    bool operator==(const PortRange&) const = default;
};

// Where a DNS name of `urls` forwards to.
struct Forward {
    std::string host; // empty: this host
    std::uint16_t port = 0;
    bool operator==(const Forward&) const = default;
};

inline constexpr std::size_t max_service_secrets = 32;

struct Service {
    std::string name; // [a-z0-9][a-z0-9-]*, at most 63, unique
    std::string user; // never "root"
    RepositoryUrl repository;
    std::string branch = "main";
    std::map<std::string, Forward> urls; // DNS name or wildcard → where it forwards
    std::vector<std::string> domains;    // …names that the repository may ask for: core/dns_name.hpp
    std::optional<std::vector<PortRange>> ports; // absent: any host port may be bound
    std::vector<std::string> volumes;            // absolute host directories, normalised; names of volumes
    std::vector<std::string> networks;           // podman networks of the user that may be joined
    std::vector<std::string> allow;              // normalised words of core/allowance.hpp
    std::vector<std::string>
        compose; // relative paths of the compose files, later ones over earlier; none: the usual
    std::vector<std::string> profiles; // of compose services that run besides those without one; "*": all
    std::vector<std::string> after;    // services that have to stand first; no circles
    std::vector<std::string> env;      // NAME=value; they win over the repository's .env
    // Files that only pgod may read: absolute, or without "/" the name of a systemd credential. Empty: none.
    std::string credentials;                    // for the repository: USER:TOKEN, or a private key
    std::string registry_auth;                  // for registries: containers-auth.json(5)
    std::string env_file;                       // NAME=value lines, for what the compose file calls ${NAME}
    std::map<std::string, std::string> secrets; // name of a compose secret → file of its contents
    bool auto_deploy = true;                    // `auto`
    OperationGroups ops{.read = true, .deploy = true, .exec = false};  // ceiling for keys of the repository
    std::chrono::milliseconds interval{std::chrono::minutes{5}};       // poll interval, at least 1 s
    std::chrono::milliseconds start_timeout{std::chrono::seconds{60}}; // until healthchecks pass, 1 s to 1 h
    bool operator==(const Service&) const = default;
};

struct ListenAddress {
    std::string host; // empty: all addresses
    std::uint16_t port = 2222;
    bool operator==(const ListenAddress&) const = default;
};

enum class ProxyKind { caddy, nginx };

// The reverse proxy for which pgod writes the `urls` of all services into one file.
struct ProxySettings {
    ProxyKind kind = ProxyKind::caddy;
    std::string file;                // absolute; pgod's own, and the main configuration reads it
    std::string main;                // …the main configuration, the admin's own
    std::vector<std::string> check;  // the command that judges `main`; argv
    std::vector<std::string> reload; // …that makes the running proxy read it anew
    std::string user;                // as whom both are run
    std::vector<std::string> site;   // lines for each site, as they stand
    std::chrono::milliseconds timeout{std::chrono::seconds{20}}; // of each command, 1 s to 5 min
    bool operator==(const ProxySettings&) const = default;
};

struct Config {
    ListenAddress listen;
    std::chrono::milliseconds interval{std::chrono::minutes{5}};
    unsigned parallel = 4; // deployments at a time, 1 to 64
    bool prune = true;     // services that vanish from the file are taken down
    bool linger = true;    // systemd is asked to run a session for the users of services
    std::optional<ListenAddress>
        metrics; // for Prometheus; without a host: the loopback addresses. Absent: off
    std::string state = "/var/lib/pgod";
    std::string host_key = "/etc/pgod/ssh_host_ed25519_key";
    std::string second_host_key; // of another type, served as well while keys change; empty: there is none
    bool control_users = true;   // the users of services have a socket beside it
    std::string control;         // socket for users of this host; empty: os/control_socket.hpp names one
    std::string admin_keys = "/etc/pgod/admin_keys";
    std::string revoked_keys = "/etc/pgod/revoked_keys";
    std::optional<ProxySettings> proxy;
    std::vector<Service> services;
};

} // namespace pgod
