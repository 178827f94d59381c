// known_hosts as ssh(1) reads it: patterns, negation, hashed names, [host]:port, @revoked, several keys of
// one host. A line that cannot be parsed is skipped. @cert-authority is skipped: pgod asks no server for a
// certificate. Pure; the caller reads the files, bounds them, and brings the digest.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct KnownHostsFile {
    std::string path;
    std::string text;
};

// One line that names the host.
struct KnownHostKey {
    std::string where; // "FILE:LINE"
    std::string type;
    std::string blob; // the key, decoded
    bool revoked = false;
};

enum class HostKeyStanding {
    known,
    unknown,    // no line names this host
    other_type, // lines name this host, with keys of other types only
    changed,    // a line names this host with another key of the same type
    revoked,    // an @revoked line names this very key; no other line can overrule that
};

struct HostKeyCheck {
    HostKeyStanding standing = HostKeyStanding::unknown;
    std::string where; // of the line that decided
};

using HmacSha1 = std::string (*)(std::string_view key, std::string_view text);

// The name under which ssh(1) keeps a host: lower case, [host]:port unless the port is 22.
std::string known_host_name(std::string_view host, std::uint16_t port);

std::vector<KnownHostKey> known_keys_of(std::span<const KnownHostsFile> files, std::string_view name,
                                        HmacSha1 hmac);

HostKeyCheck check_host_key(std::span<const KnownHostKey> known, std::string_view blob);

// The type that a key's blob begins with (RFC 4253 section 6.6); empty: it is no key.
std::string_view type_of_key_blob(std::string_view blob) noexcept;

// The algorithms to offer, as ssh(1) orders them: those of the known keys first, then the others.
std::string host_key_algorithms(std::span<const KnownHostKey> known);

} // namespace pgod
