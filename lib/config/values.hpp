// The single values of a configuration: text in, core type out, pure. An error is the rest of a sentence that
// begins with the setting's name ("interval" … "must be …"); none repeats a value that may be secret.
#pragma once

#include "base/result.hpp"
#include "core/service.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace pgod::config {

inline constexpr std::chrono::hours max_interval{24}; // the least is one second
inline constexpr std::chrono::hours max_start_timeout{1};
inline constexpr std::chrono::minutes max_proxy_timeout{5};
inline constexpr unsigned max_parallel = 64;
inline constexpr std::size_t max_path = 1024; // bytes
// What a worker is told must fit one frame of ipc (128 KiB): env, volumes and a command of 8 KiB.
inline constexpr std::size_t max_list_bytes =
    std::size_t{32} * 1024; // of all entries of `env`, and of `volumes`
inline constexpr std::size_t max_names_bytes = std::size_t{8} * 1024; // of `allow`, and of `networks`
inline constexpr std::size_t max_files_bytes = std::size_t{4} * 1024; // of `compose`, and of `profiles`

Result<ListenAddress> parse_listen(std::string_view text);               // :2222, 127.0.0.1:2222, [::1]:2222
Result<std::chrono::milliseconds> parse_interval(std::string_view text); // 90s, 5m, 1h30m
Result<std::chrono::milliseconds> parse_start_timeout(std::string_view text); // to max_start_timeout
Result<std::chrono::milliseconds> parse_proxy_timeout(std::string_view text); // to max_proxy_timeout
Result<std::string> parse_absolute_path(std::string_view text);               // normalised
Result<std::string> parse_socket_path(std::string_view text); // …and short enough for a socket
Result<std::string> parse_name(std::string_view text);
Result<std::string> parse_user(std::string_view text);
Result<std::string> parse_branch(std::string_view text);   // git-check-ref-format(1)
Result<std::string> parse_url_name(std::string_view text); // core/dns_name.hpp, also a wildcard
Result<std::string> parse_domain(std::string_view text);   // …what a repository may ask for
Result<Forward> parse_forward(std::string_view text);      // :5007, host:5007
Result<PortRange> parse_ports(std::string_view text);      // N/X: N … N+X
Result<std::string> parse_volume(std::string_view text);   // a directory, or the name of a podman volume
Result<std::string> parse_compose(std::string_view text);
Result<std::string> parse_profile(std::string_view text);     // "*": all of them
Result<std::string> parse_env(std::string_view text);         // NAME=value; the result is the NAME
Result<std::string> parse_secret_file(std::string_view text); // absolute, or a systemd credential's name
bool is_secret_name(std::string_view text) noexcept;          // of a compose file's secret
Result<OpGroup> parse_ops(std::string_view text);

// One directory is the other or lies in it.
bool overlap(std::string_view directory, std::string_view other) noexcept;

} // namespace pgod::config
