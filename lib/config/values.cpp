#include "config/values.hpp"

#include "base/text.hpp"
#include "config/nearest.hpp"
#include "core/command.hpp"
#include "core/dns_name.hpp"
#include "core/plan_shapes.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace pgod::config {

namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";

Error refused(std::string sentence) {
    return Error{Code::invalid, std::move(sentence)};
}

bool is_made_of(std::string_view text, std::string_view more) noexcept {
    return std::all_of(text.begin(), text.end(), [more](char c) {
        return letters.find(c) != std::string_view::npos || digits.find(c) != std::string_view::npos ||
               more.find(c) != std::string_view::npos;
    });
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
    const auto number = parse_decimal(text);
    if (!number || *number == 0 || *number > 65535)
        return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

bool is_address(int family, std::string_view text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

struct HostAndPort {
    std::string_view host; // without brackets
    bool in_brackets = false;
    std::string_view port;
};

std::optional<HostAndPort> split_host_and_port(std::string_view text) noexcept {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    HostAndPort parts{.host = text.substr(0, colon), .port = text.substr(colon + 1)};
    if (parts.host.starts_with('[') && parts.host.ends_with(']') && parts.host.size() > 2) {
        parts.host = parts.host.substr(1, parts.host.size() - 2);
        parts.in_brackets = true;
    }
    return parts;
}

// One second at least, whole seconds.
Result<std::chrono::milliseconds> parse_time(std::string_view text, std::chrono::minutes most) {
    using std::chrono::seconds;
    constexpr std::array<std::pair<char, std::uint64_t>, 3> units{{{'h', 3600}, {'m', 60}, {'s', 1}}};
    const auto limit = static_cast<std::uint64_t>(seconds(most).count());
    std::uint64_t total = 0;
    auto rest = text;
    for (const auto& [unit, in_seconds] : units) {
        const auto end = std::min(rest.find_first_not_of(digits), rest.size());
        const auto number = parse_decimal(rest.substr(0, std::min<std::size_t>(end, 6)));
        if (end == rest.size() || rest[end] != unit || !number)
            continue;
        total += (end > 6 ? limit + 1 : *number) * in_seconds;
        rest.remove_prefix(end + 1);
    }
    if (text.empty() || !rest.empty())
        return refused(
            fmt::format("must be a time such as \"90s\", \"5m\" or \"1h30m\", not {}", in_quotes(text)));
    if (total < 1 || total > limit)
        return refused(fmt::format("must be from \"1s\" to \"{}{}\", not {}",
                                   most.count() % 60 == 0 ? most.count() / 60 : most.count(),
                                   most.count() % 60 == 0 ? 'h' : 'm', in_quotes(text)));
    return std::chrono::milliseconds(seconds(total));
}

} // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
    const auto parts = split_host_and_port(text);
    const auto port = parts ? parse_port(parts->port) : std::nullopt;
    if (!port || !(parts->in_brackets ? is_address(AF_INET6, parts->host)
                                      : parts->host.empty() || is_address(AF_INET, parts->host)))
        return refused(
            fmt::format("must be \":PORT\", \"ADDRESS:PORT\" or \"[IPV6]:PORT\", not {}", in_quotes(text)));
    return ListenAddress{.host = std::string(parts->host), .port = *port};
}

Result<std::chrono::milliseconds> parse_interval(std::string_view text) {
    return parse_time(text, max_interval);
}

Result<std::chrono::milliseconds> parse_proxy_timeout(std::string_view text) {
    return parse_time(text, max_proxy_timeout);
}

Result<std::chrono::milliseconds> parse_start_timeout(std::string_view text) {
    return parse_time(text, max_start_timeout);
}

Result<std::string> parse_absolute_path(std::string_view text) {
    if (text.empty() || text.front() != '/')
        return refused(fmt::format("must be an absolute path, not {}", in_quotes(text)));
    if (text.size() > max_path)
        return refused(fmt::format("must be a path of at most {} bytes", max_path));
    if (escaped(text) != text)
        return refused(fmt::format("must hold no control characters, as {} does", in_quotes(text)));
    std::string path;
    for (const auto part : split(text, '/')) {
        if (part == "..")
            return refused(fmt::format("must not hold \"..\", as {} does", in_quotes(text)));
        if (!part.empty() && part != ".")
            path.append("/").append(part);
    }
    if (path.empty())
        return refused("must not be the root directory");
    return path;
}

Result<std::string> parse_name(std::string_view text) {
    if (!is_service_name(text))
        return refused(
            fmt::format("must be 1 to 63 of a-z, 0-9 and \"-\", beginning with a letter or a digit, not {}",
                        in_quotes(text)));
    return std::string(text);
}

Result<std::string> parse_user(std::string_view text) {
    if (text == "root")
        return refused("must not be root: a service belongs to an ordinary user");
    if (!text.empty() && text.find_first_not_of(digits) == std::string_view::npos)
        return refused(fmt::format("must be a user's name, not a number such as {}", in_quotes(text)));
    if (text.empty() || text.size() > 64 || text.find_first_of("-.@") == 0 || !is_made_of(text, "_-.@"))
        return refused(fmt::format("must be the name of a Unix user, not {}", in_quotes(text)));
    return std::string(text);
}

Result<std::string> parse_branch(std::string_view text) {
    const auto bad = [text](std::string_view why) {
        return refused(fmt::format("{}, as {} does", why, in_quotes(text)));
    };
    if (text.empty() || text.size() > 200)
        return refused("must be the name of a branch, at most 200 bytes");
    if (text == "HEAD" || text == "@" || text.starts_with("refs/"))
        return refused(fmt::format("must be a branch's own name such as \"main\", not {}", in_quotes(text)));
    if (escaped(text) != text || text.find_first_of(" ~^:?*[\\") != std::string_view::npos)
        return bad("must not hold spaces, control characters or any of ~^:?*[\\");
    if (text.find("..") != std::string_view::npos || text.find("@{") != std::string_view::npos)
        return bad("must not hold \"..\" or \"@{\"");
    if (text.front() == '-' || text.back() == '.')
        return bad("must not begin with \"-\" or end with \".\"");
    for (const auto part : split(text, '/'))
        if (part.empty() || part.front() == '.' || part.ends_with(".lock"))
            return bad(
                "must not have a part between \"/\" that is empty, begins with \".\" or ends with \".lock\"");
    return std::string(text);
}

Result<std::string> parse_url_name(std::string_view text) {
    auto name = dns_name_or_wildcard(text);
    if (!name)
        return refused(fmt::format("{} is not a DNS name", in_quotes(text)));
    return std::move(*name);
}

Result<std::string> parse_domain(std::string_view text) {
    auto name = dns_name_or_wildcard(text);
    if (!name)
        return refused(
            fmt::format("must hold names such as \"*.apps.example.org\", not {}", in_quotes(text)));
    return std::move(*name);
}

Result<Forward> parse_forward(std::string_view text) {
    const auto parts = split_host_and_port(text);
    const auto port = parts ? parse_port(parts->port) : std::nullopt;
    if (!port || (!parts->host.empty() &&
                  (parts->in_brackets ? !is_address(AF_INET6, parts->host) : !dns_name(parts->host))))
        return refused(fmt::format("must be \":PORT\" or \"HOST:PORT\", not {}", in_quotes(text)));
    return Forward{.host = std::string(parts->host), .port = *port};
}

Result<PortRange> parse_ports(std::string_view text) {
    const auto parts = split(text, '/');
    const auto first = parse_port(parts[0]);
    const auto more = parts.size() == 2 ? parse_decimal(parts[1]) : std::nullopt;
    if (!first || !more)
        return refused(fmt::format("must be \"N/X\", the ports N to N+X (\"{}/0\" is one port), not {}",
                                   first.value_or(5005), in_quotes(text)));
    if (*more > 65535U - *first)
        return refused(fmt::format("{} goes beyond port 65535", in_quotes(text)));
    return PortRange{.first = *first, .last = static_cast<std::uint16_t>(*first + *more)};
}

Result<std::string> parse_volume(std::string_view text) {
    if (text.find('/') == std::string_view::npos) {
        if (!is_object_name(text))
            return refused(fmt::format("must hold absolute directories or names of podman volumes, not {}",
                                       in_quotes(text)));
        return std::string(text);
    }
    auto path = TRY(parse_absolute_path(text));
    if (path.find_first_of(":,") != std::string::npos) // they separate the fields of podman's mounts
        return refused(fmt::format("must hold neither \":\" nor \",\", as {} does", in_quotes(text)));
    return path;
}

Result<std::string> parse_socket_path(std::string_view text) {
    constexpr std::size_t longest = 107; // unix(7)
    auto path = TRY(parse_absolute_path(text));
    if (path.size() > longest)
        return refused(fmt::format("must be a path of at most {} bytes", longest));
    return path;
}

Result<std::string> parse_secret_file(std::string_view text) {
    if (!text.empty() && text.size() <= 200 && text.front() != '.' && is_made_of(text, "_-.@"))
        return std::string(text);
    if (text.empty() || text.front() != '/')
        return refused(fmt::format(
            "must be an absolute path, or the name of a systemd credential such as \"shop.token\", not {}",
            in_quotes(text)));
    return parse_absolute_path(text);
}

// As the Compose specification has the names of secrets.
bool is_secret_name(std::string_view text) noexcept {
    return is_object_name(text) && text.size() <= 128;
}

Result<std::string> parse_compose(std::string_view text) {
    bool good = !text.empty() && text.size() <= max_path && text.front() != '-' && escaped(text) == text;
    for (const auto part : split(text, '/'))
        good = good && !part.empty() && part != "." && part != "..";
    if (!good)
        return refused(fmt::format(
            "must be a file's path within the repository, such as \"deploy/compose.yaml\", not {}",
            in_quotes(text)));
    return std::string(text);
}

Result<std::string> parse_profile(std::string_view text) {
    if (text == "*")
        return std::string(text);
    if (text.empty() || text.size() > 128 || !is_made_of(text, "_.-") ||
        !is_made_of(text.substr(0, 1), "")) // as in a compose file
        return refused(fmt::format("must hold names of profiles such as \"debug\", or \"*\" for all, not {}",
                                   in_quotes(text)));
    return std::string(text);
}

Result<OpGroup> parse_ops(std::string_view text) {
    constexpr std::array<std::string_view, 3> known{"read", "deploy", "exec"};
    constexpr std::array<OpGroup, 3> groups{OpGroup::read, OpGroup::deploy, OpGroup::exec};
    const auto* found = std::find(known.begin(), known.end(), text);
    if (found != known.end())
        return groups.at(static_cast<std::size_t>(found - known.begin()));
    if (text == "admin")
        return refused("cannot hold \"admin\": a key in admin_keys has it");
    const auto meant = nearest(text, known);
    return refused(fmt::format("may hold \"read\", \"deploy\" and \"exec\", not {}{}", in_quotes(text),
                               meant.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", meant)));
}

bool overlap(std::string_view directory, std::string_view other) noexcept {
    if (directory.size() > other.size())
        std::swap(directory, other);
    return other.starts_with(directory) &&
           (other.size() == directory.size() || other[directory.size()] == '/');
}

} // namespace pgod::config
