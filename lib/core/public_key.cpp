#include "core/public_key.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pgod {

namespace {

constexpr std::array<std::string_view, 7> accepted{
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
};

constexpr std::size_t max_comment = 200;
constexpr std::string_view space = " \t";

Error refused(std::string sentence) {
    return Error{Code::invalid, std::move(sentence)};
}

bool begins_private_key(std::string_view line) noexcept {
    return (line.starts_with("-----BEGIN") && line.find("PRIVATE KEY") != std::string_view::npos) ||
           line.starts_with("PuTTY-User-Key-File-");
}

bool is_certificate_type(std::string_view type) noexcept {
    return type.find("-cert-v0") != std::string_view::npos;
}

// Where the options field ends: the first space outside of double quotes, as sshd(8) reads it.
std::size_t end_of_options(std::string_view line) noexcept {
    bool in_quotes = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '"')
            ++i;
        else if (line[i] == '"')
            in_quotes = !in_quotes;
        else if (!in_quotes && space.find(line[i]) != std::string_view::npos)
            return i;
    }
    return line.size();
}

// RFC 4253 section 6.6: a key blob begins with its type as a length-prefixed string.
bool blob_begins_with(std::string_view blob, std::string_view type) noexcept {
    if (blob.size() < 4 + type.size())
        return false;
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
        length = length << 8 | static_cast<unsigned char>(blob[i]);
    return length == type.size() && blob.substr(4, type.size()) == type;
}

Error refuse_first_word(std::string_view type) {
    if (is_certificate_type(type))
        return refused(fmt::format("{} is a certificate, which is not accepted: list the plain public key",
                                   in_quotes(type)));
    if (type == "ssh-dss")
        return refused("DSA keys (ssh-dss) are too weak and not accepted: make an ssh-ed25519 key");
    return refused(fmt::format("{} is no accepted key type: it must be one of {}", in_quotes(type),
                               fmt::join(accepted, ", ")));
}

} // namespace

bool is_accepted_key_type(std::string_view type) noexcept {
    return std::find(accepted.begin(), accepted.end(), type) != accepted.end();
}

std::vector<std::string_view> accepted_key_types() {
    return {accepted.begin(), accepted.end()};
}

Result<std::optional<PublicKey>> parse_key_line(std::string_view line) {
    if (line.size() > max_key_line)
        return refused(fmt::format("the line is longer than {} bytes", max_key_line));
    line = trimmed(line);
    if (line.empty() || line.front() == '#')
        return std::optional<PublicKey>{};
    if (begins_private_key(line))
        return refused(
            "THIS IS A PRIVATE KEY and must be considered stolen: remove it, make a new key pair, and "
            "put only the one line of its .pub file here");
    if (line.find('\0') != std::string_view::npos)
        return refused("the line holds NUL bytes: save the file as plain text, not as UTF-16");
    if (line.starts_with("---- BEGIN SSH2") || line.starts_with("-----BEGIN"))
        return refused("this key format is not accepted: convert it to one OpenSSH line with ssh-keygen -i");

    KeyGrant grant;
    if (!is_accepted_key_type(words(line)[0])) {
        const auto options_end = end_of_options(line);
        const auto after = words(line.substr(options_end));
        if (after.empty() || !(is_accepted_key_type(after[0]) || is_certificate_type(after[0])))
            return refuse_first_word(words(line)[0]);
        grant = TRY(parse_key_options(line.substr(0, options_end)));
        line = trimmed(line.substr(options_end));
    }
    const auto fields = words(line);
    const std::string_view type = fields[0];
    if (!is_accepted_key_type(type))
        return refuse_first_word(type);
    if (fields.size() < 2)
        return refused(fmt::format("the key is missing after its type {}", type));
    const auto blob = base64_decoded(fields[1]);
    if (!blob)
        return refused(fmt::format("the key after {} is not valid base64: it may be cut or wrapped", type));
    if (!blob_begins_with(*blob, type))
        return refused(fmt::format("the key after {} is of another type or damaged", type));

    const auto blob_end = static_cast<std::size_t>(fields[1].data() - line.data()) + fields[1].size();
    return std::optional(PublicKey{.type = std::string(type),
                                   .base64 = std::string(fields[1]),
                                   .name = escaped(shortened(trimmed(line.substr(blob_end)), max_comment)),
                                   .grant = std::move(grant)});
}

KeyFile parse_key_file(std::string_view text, std::string_view name) {
    KeyFile file;
    if (text.starts_with("\xef\xbb\xbf")) // what some editors put before UTF-8
        text.remove_prefix(3);
    bool in_private_key = false; // its other lines are part of the same mistake
    std::size_t number = 0;
    for (const auto line : split(text, '\n')) {
        ++number;
        if (in_private_key) {
            in_private_key = !line.starts_with("-----END");
            continue;
        }
        auto parsed = parse_key_line(line);
        if (!parsed) {
            in_private_key = begins_private_key(trimmed(line));
            if (file.warnings.size() == max_warnings)
                break; // this is no key file
            file.warnings.push_back(fmt::format("line {}: {}", number, parsed.error().message));
        } else if (*parsed) {
            auto& key = file.keys.emplace_back(std::move(**parsed));
            if (key.name.empty())
                key.name = name;
        }
    }
    return file;
}

} // namespace pgod
