// The shapes that values of podman's flags may have. Each is at most what podman 4.3.1 itself accepts, so
// that what passes here does not fail when the old containers are already gone, and never contains what
// podman would split or interpret once more: many of its list flags read their value as a line of CSV, with
// quotes.
#pragma once

#include <string_view>

namespace pgod {

bool is_object_name(
    std::string_view text) noexcept; // podman's own rule: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255
bool is_compose_name(std::string_view text) noexcept; // of Compose: as above, with any first character
bool is_image_reference(std::string_view text); // [host[:port]/]path[:tag][@sha256:…]; no transport ("dir:")
bool is_image_id(std::string_view text) noexcept; // hexadecimal digits only, or after "sha256:" and the like
bool is_size(std::string_view text) noexcept;     // 512, 64m, 1.5g, 10MiB
bool is_number(std::string_view text) noexcept;   // digits, at most 18
bool is_positive_decimal(std::string_view text) noexcept; // 0.5, 2
bool is_duration(std::string_view text) noexcept;         // 1m30s, 500ms, 0
bool is_user(std::string_view text) noexcept;             // name or uid, with :group or :gid
bool is_plain_path(
    std::string_view text) noexcept;              // without ":", ",", "\"", backslash and control characters
bool is_container_path(std::string_view text);    // plain, absolute, not "/", without ".."
bool is_hostname(std::string_view text) noexcept; // at most 64
bool is_ip_address(std::string_view text) noexcept; // digits and dots, or hexadecimal digits and colons
bool is_capability(std::string_view text) noexcept; // CAP_CHOWN, chown, ALL
bool is_signal(std::string_view text);              // SIGINT, INT, 2, RTMIN+3: one that podman knows
bool is_restart_policy(std::string_view text) noexcept;
bool is_ulimit(std::string_view text);          // nofile=1024:2048, host
bool is_host_entry(std::string_view text);      // name:address
bool is_exposed_port(std::string_view text);    // 80, 80-90, 80/udp
bool is_tmpfs(std::string_view text);           // path[:options of an allowed list]
bool has_value(std::string_view text) noexcept; // NAME=value, the name printable and not empty

} // namespace pgod
