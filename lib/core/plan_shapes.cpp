#include "core/plan_shapes.hpp"

#include "base/text.hpp"
#include "core/paths.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace pgod {

namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_alnum(char c) noexcept {
    return is_digit(c) || is_letter(c);
}
bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template<typename Allowed>
bool consists_of(std::string_view text, std::size_t limit, Allowed allowed) noexcept {
    return !text.empty() && text.size() <= limit && std::all_of(text.begin(), text.end(), allowed);
}

// "12", "1.5": digits with at most one dot between them.
bool is_decimal(std::string_view text) noexcept {
    const auto dot = text.find('.');
    if (dot == std::string_view::npos)
        return is_number(text);
    return is_number(text.substr(0, dot)) && is_number(text.substr(dot + 1));
}

bool is_octal(std::string_view text) noexcept {
    return consists_of(text, 5, [](char c) { return c >= '0' && c <= '7'; });
}

// Transports that podman takes from an image name and that read local files or other stores; an image called
// "docker" exists, and "docker:" without "//" is not taken for the transport.
bool names_a_transport(std::string_view text) {
    constexpr std::array<std::string_view, 10> transports{"containers-storage",
                                                          "dir",
                                                          "docker-archive",
                                                          "docker-daemon",
                                                          "oci",
                                                          "oci-archive",
                                                          "ostree",
                                                          "sif",
                                                          "tarball",
                                                          "atomic"};
    const auto colon = text.find(':');
    return colon != std::string_view::npos &&
           std::find(transports.begin(), transports.end(), text.substr(0, colon)) != transports.end();
}

bool is_reference_component(std::string_view text) noexcept {
    return consists_of(text, 255, [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; }) &&
           is_alnum(text.front()) && is_alnum(text.back());
}

bool is_tmpfs_option(std::string_view option) {
    constexpr std::array<std::string_view, 8> words_allowed{"rw",     "ro",    "exec",      "noexec",
                                                            "nosuid", "nodev", "tmpcopyup", "notmpcopyup"};
    if (std::find(words_allowed.begin(), words_allowed.end(), option) != words_allowed.end())
        return true;
    const auto equals = option.find('=');
    if (equals == std::string_view::npos)
        return false;
    const auto name = option.substr(0, equals);
    const auto value = option.substr(equals + 1);
    if (name == "size")
        return is_size(value) || (value.ends_with('%') && is_number(value.substr(0, value.size() - 1)));
    return name == "mode" && is_octal(value); // podman refuses an owner, and a number of inodes
}

} // namespace

bool is_object_name(std::string_view text) noexcept {
    return consists_of(text, 255, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; }) &&
           is_alnum(text.front());
}

bool is_compose_name(std::string_view text) noexcept {
    return consists_of(text, 255, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_image_reference(std::string_view text) {
    if (text.size() > 512 || names_a_transport(text))
        return false;
    if (const auto at = text.find('@'); at != std::string_view::npos) {
        const auto digest = text.substr(at + 1);
        if (!digest.starts_with("sha256:") || digest.size() != 71 ||
            !std::all_of(digest.begin() + 7, digest.end(), is_hex))
            return false;
        text = text.substr(0, at);
    }
    auto parts = split(text, '/');
    if (const auto colon = parts.back().find(':'); colon != std::string_view::npos) {
        const auto tag = parts.back().substr(colon + 1);
        const auto in_tag = [](char c) {
            return is_alnum(c) || c == '.' || c == '_' || c == '-';
        };
        if (!consists_of(tag, 128, in_tag) || tag.front() == '.' || tag.front() == '-')
            return false;
        parts.back() = parts.back().substr(0, colon);
    }
    if (const auto colon = parts.front().find(':'); parts.size() > 1 && colon != std::string_view::npos) {
        const auto port = parse_decimal(parts.front().substr(colon + 1));
        if (!port || *port == 0 || *port > 65535)
            return false;
        parts.front() = parts.front().substr(0, colon);
    }
    return std::all_of(parts.begin(), parts.end(), is_reference_component);
}

bool is_image_id(std::string_view text) noexcept {
    for (const std::string_view algorithm : {"sha256:", "sha384:", "sha512:"}) // of OCI images
        if (text.starts_with(algorithm)) {
            text.remove_prefix(algorithm.size());
            break;
        }
    return !text.empty() && std::all_of(text.begin(), text.end(), is_hex);
}

bool is_size(std::string_view text) noexcept {
    if (text.size() > 1 && (text.back() == 'b' || text.back() == 'B'))
        text.remove_suffix(1);
    if (text.size() > 2 && text.back() == 'i')
        text.remove_suffix(1);
    if (!text.empty() && std::string_view("kmgtKMGT").find(text.back()) != std::string_view::npos)
        text.remove_suffix(1);
    return is_decimal(text);
}

bool is_number(std::string_view text) noexcept {
    return consists_of(text, 18, is_digit);
}

bool is_positive_decimal(std::string_view text) noexcept {
    return is_decimal(text) && text.find_first_not_of("0.") != std::string_view::npos;
}

bool is_duration(std::string_view text) noexcept {
    if (text == "0")
        return true;
    if (text.empty() || text.size() > 32)
        return false;
    while (!text.empty()) {
        const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
        if (!is_decimal(text.substr(0, digits)))
            return false;
        text.remove_prefix(digits);
        const auto unit = text.substr(0, std::min(text.find_first_of("0123456789."), text.size()));
        if (unit != "h" && unit != "m" && unit != "s" && unit != "ms" && unit != "us" && unit != "ns")
            return false;
        text.remove_prefix(unit.size());
    }
    return true;
}

bool is_user(std::string_view text) noexcept {
    const auto colon = text.find(':');
    const auto group = colon == std::string_view::npos ? text.substr(text.size()) : text.substr(colon + 1);
    const auto in_name = [](char c) {
        return is_alnum(c) || c == '_' || c == '.' || c == '-';
    };
    const auto is_name = [&](std::string_view name) {
        return consists_of(name, 64, in_name) && name.front() != '-';
    };
    return is_name(text.substr(0, colon)) && (colon == std::string_view::npos || is_name(group));
}

bool is_plain_path(std::string_view text) noexcept {
    return consists_of(text, 4096, [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != ':' && c != ',' && c != '"' &&
               c != '\\';
    });
}

bool is_container_path(std::string_view text) {
    return is_plain_path(text) && text.size() > 1 && text.front() == '/' && !has_dot_dot(text);
}

bool is_hostname(std::string_view text) noexcept {
    return text.size() <= 64 && is_object_name(text);
}

bool is_ip_address(std::string_view text) noexcept {
    if (text.find(':') != std::string_view::npos)
        return consists_of(text, 45, [](char c) { return is_hex(c) || c == ':' || c == '.'; }) &&
               std::count(text.begin(), text.end(), ':') >= 2;
    if (std::count(text.begin(), text.end(), '.') != 3)
        return false;
    while (!text.empty()) {
        const auto dot = std::min(text.find('.'), text.size());
        const auto part = text.substr(0, dot);
        const auto value = parse_decimal(part);
        if (!value || *value > 255 || part.size() > 3 || (part.size() > 1 && part.front() == '0'))
            return false;
        if (dot + 1 == text.size())
            return false;
        text.remove_prefix(std::min(dot + 1, text.size()));
    }
    return true;
}

bool is_capability(std::string_view text) noexcept {
    return consists_of(text, 40, [](char c) { return is_letter(c) || c == '_'; });
}

bool is_signal(std::string_view text) {
    constexpr auto names = std::to_array<std::string_view>(
        {"ABRT", "ALRM",   "BUS",  "CHLD",   "CLD",   "CONT", "FPE",  "HUP",   "ILL",
         "INT",  "IO",     "IOT",  "KILL",   "PIPE",  "POLL", "PROF", "PWR",   "QUIT",
         "SEGV", "STKFLT", "STOP", "SYS",    "TERM",  "TRAP", "TSTP", "TTIN",  "TTOU",
         "URG",  "USR1",   "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX"});
    if (const auto number = parse_decimal(text))
        return *number >= 1 && *number <= 64;
    std::string name(text);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    name.erase(0, name.starts_with("SIG") ? 3 : 0);
    const auto away = name.starts_with("RTMIN+") || name.starts_with("RTMAX-")
                          ? parse_decimal(std::string_view(name).substr(6))
                          : std::nullopt;
    if (away) // both count towards the middle: RTMIN is 34, RTMAX 64
        return *away >= 1 && *away <= (name.starts_with("RTMIN+") ? 15 : 14) && name[6] != '0';
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_restart_policy(std::string_view text) noexcept {
    constexpr std::string_view counted = "on-failure:";
    if (text.starts_with(counted))
        return is_number(text.substr(counted.size())) && text.size() <= counted.size() + 9;
    return text == "no" || text == "always" || text == "on-failure" || text == "unless-stopped";
}

bool is_ulimit(std::string_view text) {
    if (text == "host")
        return true;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !consists_of(text.substr(0, equals), 16, is_letter))
        return false;
    const auto limits = split(text.substr(equals + 1), ':');
    return limits.size() <= 2 && std::all_of(limits.begin(), limits.end(), [](std::string_view limit) {
               return limit == "-1" || is_number(limit);
           });
}

bool is_host_entry(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || !is_object_name(text.substr(0, colon)))
        return false;
    const auto address = text.substr(colon + 1);
    return address == "host-gateway" || is_ip_address(address);
}

bool is_exposed_port(std::string_view text) {
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        const auto protocol = text.substr(slash + 1);
        if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
            return false;
        text = text.substr(0, slash);
    }
    const auto ends = split(text, '-');
    std::uint64_t previous = 0;
    for (const auto end : ends) {
        const auto port = parse_decimal(end);
        if (!port || *port <= previous || *port > 65535)
            return false;
        previous = *port;
    }
    return ends.size() <= 2;
}

bool is_tmpfs(std::string_view text) {
    const auto colon = text.find(':');
    if (!is_container_path(text.substr(0, colon)))
        return false;
    if (colon == std::string_view::npos)
        return true;
    const auto options = split(text.substr(colon + 1), ',');
    return std::all_of(options.begin(), options.end(), is_tmpfs_option);
}

bool has_value(std::string_view text) noexcept {
    const auto equals = text.find('=');
    return equals != std::string_view::npos && equals != 0 &&
           std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(equals),
                       [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

} // namespace pgod
