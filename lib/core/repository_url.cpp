#include "core/repository_url.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace pgod {

namespace {

constexpr std::size_t max_url = 2048;

struct SchemeRow {
    std::string_view prefix;
    RepositoryUrl::Scheme scheme;
};
constexpr std::array<SchemeRow, 5> schemes{{
    {"https://", RepositoryUrl::Scheme::https},
    {"http://", RepositoryUrl::Scheme::http},
    {"ssh://", RepositoryUrl::Scheme::ssh},
    {"git://", RepositoryUrl::Scheme::git},
    {"file://", RepositoryUrl::Scheme::file},
}};

// No sentence here repeats the URL: what is malformed may be a password in the wrong place.
Error refused(std::string_view sentence) {
    return Error{Code::invalid, std::string(sentence)};
}

bool is_alphanumeric(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool all_of_set(std::string_view text, std::string_view punctuation) noexcept {
    return std::all_of(text.begin(), text.end(), [punctuation](char c) {
        return is_alphanumeric(c) || punctuation.find(c) != std::string_view::npos;
    });
}

bool is_host(std::string_view host) noexcept {
    if (host.starts_with('[') && host.ends_with(']') && host.size() > 4)
        return std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
                   c == '.';
        });
    return !host.empty() && is_alphanumeric(host.front()) && all_of_set(host, ".-_");
}

bool is_ssh_user(std::string_view user) noexcept {
    return !user.empty() && user.front() != '-' && all_of_set(user, ".-_+");
}

struct Address {
    std::optional<std::string_view> userinfo;
    std::string_view host_and_port;
    std::string_view path; // with its leading slash
};

// [userinfo@]host[:port]/path, RFC 3986 section 3.2.
Result<Address> parse_address(std::string_view rest) {
    Address address;
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos || slash + 1 == rest.size())
        return refused("the repository URL names no repository after its host");
    address.path = rest.substr(slash);
    // A "/" in a password would move the rest of it here, where nothing is redacted.
    if (address.path.find('@') != std::string_view::npos)
        return refused("the path of the repository URL holds \"@\": write it as %40, and a \"/\" in a "
                       "password as %2F");
    auto authority = rest.substr(0, slash);
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        address.userinfo = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    address.host_and_port = authority;

    auto host = authority;
    const auto after_bracket = host.starts_with('[') ? host.find(']') : 0;
    if (const auto colon = host.find(':', std::min(after_bracket, host.size()));
        colon != std::string_view::npos) {
        const auto port = parse_decimal(host.substr(colon + 1));
        if (!port || *port == 0 || *port > 65535)
            return refused("the port of the repository URL must be 1 to 65535");
        host = host.substr(0, colon);
    }
    if (!is_host(host))
        return refused("the repository URL has no valid host name");
    return address;
}

Status check_http(const Address& address) {
    if (address.path.find_first_of("?#") != std::string_view::npos)
        return refused("the repository URL must not hold a query (\"?\") or a fragment (\"#\")");
    if (address.userinfo && (address.userinfo->empty() || address.userinfo->front() == ':'))
        return refused("the repository URL has an empty user name before \"@\"");
    return ok();
}

Status check_ssh(const Address& address) {
    if (address.userinfo && address.userinfo->find(':') != std::string_view::npos)
        return refused(
            "an ssh repository URL must not hold a password: use a deploy key of the service's user");
    if (address.userinfo && !is_ssh_user(*address.userinfo))
        return refused("the user name in the ssh repository URL is not valid");
    return ok();
}

// git@host:path, which libgit2 takes as it is. "ext::" and its like (a helper program) end up here and are
// refused by the path's first character.
Status check_scp_like(std::string_view text) {
    const auto colon = text.find(':');
    auto host = text.substr(0, colon);
    const auto path = text.substr(colon + 1);
    if (const auto at = host.rfind('@'); at != std::string_view::npos) {
        if (!is_ssh_user(host.substr(0, at)))
            return refused("the user name in the ssh repository URL is not valid");
        host.remove_prefix(at + 1);
    }
    if (host.starts_with('['))
        return refused(
            "write an ssh repository on an IPv6 address or with a port as ssh://user@[address]:port/path");
    if (!is_host(host))
        return refused("the repository URL has no valid host name");
    if (path.empty() || path.front() == ':' || path.front() == '-' ||
        path.find('@') != std::string_view::npos)
        return refused("the path of the ssh repository URL is not valid");
    return ok();
}

Status check_text(std::string_view text) {
    if (text.empty())
        return refused("the repository URL is empty");
    if (text.size() > max_url)
        return refused("the repository URL is longer than 2048 bytes");
    if (text.front() == '-')
        return refused("the repository URL must not begin with \"-\"");
    if (text.find(' ') != std::string_view::npos || escaped(text) != text)
        return refused("the repository URL must not hold spaces or control characters");
    return ok();
}

constexpr std::string_view known_schemes = "the repository URL must begin with https://, http://, ssh://, "
                                           "git:// or file:///, or read user@host:path";

} // namespace

Result<RepositoryUrl> RepositoryUrl::parse(std::string_view text) {
    TRY(check_text(text));
    RepositoryUrl url;
    url.whole_ = Secret(std::string(text));
    url.redacted_ = text;

    const auto* row = std::find_if(schemes.begin(), schemes.end(),
                                   [text](const SchemeRow& each) { return text.starts_with(each.prefix); });
    if (row == schemes.end()) {
        const auto colon = text.find(':');
        if (text.find("://") != std::string_view::npos)
            return refused(known_schemes);
        if (colon == std::string_view::npos || text.find('/') < colon)
            return refused(text.front() == '/'
                               ? "the repository is a local path: write it as file:// and the path"
                               : known_schemes);
        TRY(check_scp_like(text));
        url.scheme_ = Scheme::ssh;
        return url;
    }

    url.scheme_ = row->scheme;
    const auto rest = text.substr(row->prefix.size());
    if (row->scheme == Scheme::file) {
        if (!rest.starts_with('/') || rest.size() < 2)
            return refused("a file repository URL must hold an absolute path: file:///srv/git/example.git");
        return url;
    }
    const auto address = TRY(parse_address(rest));
    switch (row->scheme) {
    case Scheme::https:
    case Scheme::http:
        TRY(check_http(address));
        if (address.userinfo) {
            url.redacted_ = row->prefix;
            url.redacted_ += "[redacted]@";
            url.redacted_ += address.host_and_port;
            url.redacted_ += address.path;
        }
        break;
    case Scheme::ssh:
        TRY(check_ssh(address));
        break;
    case Scheme::git:
        if (address.userinfo)
            return refused("a git:// repository URL takes no user name");
        break;
    case Scheme::file:
        break;
    }
    return url;
}

} // namespace pgod
