#include "core/known_hosts.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace pgod {

namespace {

constexpr std::uint16_t standard_port = 22;

// `*` and `?`. Goes back to the last `*` only, so that no pattern takes more than length times length steps.
bool matches_pattern(std::string_view text, std::string_view pattern) noexcept {
    std::size_t at = 0;
    std::size_t in_pattern = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (at < text.size()) {
        if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
            star = in_pattern++;
            resume = at;
        } else if (in_pattern < pattern.size() &&
                   (pattern[in_pattern] == '?' || pattern[in_pattern] == text[at])) {
            ++at;
            ++in_pattern;
        } else if (star != std::string_view::npos) {
            in_pattern = star + 1;
            at = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

// "|1|SALT|DIGEST"
bool matches_hashed(std::string_view name, std::string_view field, HmacSha1 hmac) {
    const auto parts = split(field, '|');
    if (parts.size() != 4 || parts[1] != "1")
        return false;
    const auto salt = base64_decoded(parts[2]);
    const auto digest = base64_decoded(parts[3]);
    return salt && digest && hmac(*salt, name) == *digest;
}

// A negated pattern that matches decides for the whole line.
bool names_host(std::string_view field, std::string_view name, HmacSha1 hmac) {
    if (field.starts_with('|'))
        return matches_hashed(name, field, hmac);
    bool found = false;
    for (auto pattern : split(field, ',')) {
        const bool negated = pattern.starts_with('!');
        pattern.remove_prefix(negated ? 1 : 0);
        if (pattern.empty() || !matches_pattern(name, lowered(pattern)))
            continue;
        if (negated)
            return false;
        found = true;
    }
    return found;
}

std::optional<KnownHostKey> key_in_line(std::string_view line, std::string_view name, HmacSha1 hmac) {
    auto fields = words(trimmed(line));
    if (fields.empty() || fields[0].starts_with('#'))
        return std::nullopt;
    KnownHostKey key;
    if (fields[0].starts_with('@')) {
        if (fields[0] != "@revoked")
            return std::nullopt;
        key.revoked = true;
        fields.erase(fields.begin());
    }
    if (fields.size() < 3 || !names_host(fields[0], name, hmac))
        return std::nullopt;
    auto blob = base64_decoded(fields[2]);
    if (!blob || type_of_key_blob(*blob) != fields[1])
        return std::nullopt;
    key.type = fields[1];
    key.blob = std::move(*blob);
    return key;
}

} // namespace

std::string known_host_name(std::string_view host, std::uint16_t port) {
    auto name = lowered(host);
    return port == standard_port ? name : fmt::format("[{}]:{}", name, port);
}

std::string_view type_of_key_blob(std::string_view blob) noexcept {
    if (blob.size() < 4)
        return {};
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
        length = length << 8 | static_cast<unsigned char>(blob[i]);
    return length <= blob.size() - 4 ? blob.substr(4, length) : std::string_view();
}

std::vector<KnownHostKey> known_keys_of(std::span<const KnownHostsFile> files, std::string_view name,
                                        HmacSha1 hmac) {
    std::vector<KnownHostKey> keys;
    for (const auto& file : files) {
        std::size_t number = 0;
        for (const auto line : split(file.text, '\n')) {
            ++number;
            auto key = key_in_line(line, name, hmac);
            if (!key)
                continue;
            key->where = fmt::format("{}:{}", file.path, number);
            keys.push_back(std::move(*key));
        }
    }
    return keys;
}

HostKeyCheck check_host_key(std::span<const KnownHostKey> known, std::string_view blob) {
    const auto first = [&](HostKeyStanding standing, auto condition) -> std::optional<HostKeyCheck> {
        const auto found = std::find_if(known.begin(), known.end(), condition);
        return found == known.end() ? std::nullopt : std::optional(HostKeyCheck{standing, found->where});
    };
    const auto type = type_of_key_blob(blob);
    if (auto check =
            first(HostKeyStanding::revoked, [&](const auto& key) { return key.revoked && key.blob == blob; }))
        return *check;
    if (auto check =
            first(HostKeyStanding::known, [&](const auto& key) { return !key.revoked && key.blob == blob; }))
        return *check;
    if (auto check = first(HostKeyStanding::changed,
                           [&](const auto& key) { return !key.revoked && key.type == type; }))
        return *check;
    if (auto check = first(HostKeyStanding::other_type, [](const auto& key) { return !key.revoked; }))
        return *check;
    return {};
}

std::string host_key_algorithms(std::span<const KnownHostKey> known) {
    struct Algorithms {
        std::string_view type;
        std::string_view names; // an RSA key signs with three digests
    };
    constexpr std::array all{Algorithms{"ssh-ed25519", "ssh-ed25519"},
                             Algorithms{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
                             Algorithms{"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
                             Algorithms{"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
                             Algorithms{"ssh-rsa", "rsa-sha2-512,rsa-sha2-256,ssh-rsa"}};
    std::string list;
    for (const bool wanted : {true, false})
        for (const auto& one : all)
            if (wanted == std::any_of(known.begin(), known.end(), [&one](const auto& key) {
                    return !key.revoked && key.type == one.type;
                }))
                list += fmt::format("{}{}", list.empty() ? "" : ",", one.names);
    return list;
}

} // namespace pgod
