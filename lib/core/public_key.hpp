// A public key as it is committed in `ssh/*.pub` or listed in admin_keys: one line in authorized_keys format.
// Pure text: the blob is checked to be base64 and to begin with its own type (RFC 4253 section 6.6), no more.
#pragma once

#include "base/result.hpp"
#include "core/key_grant.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct PublicKey {
    std::string type;    // one of the accepted types
    std::string base64;  // the key blob; two keys are the same when this is
    std::string name;    // the file it stood in, or the line's comment; for people only
    KeyGrant grant = {}; // its options
    bool operator==(const PublicKey&) const = default;
};

inline constexpr std::size_t max_key_line = std::size_t{16} * 1024;
inline constexpr std::size_t max_repository_keys = 100;
inline constexpr std::size_t max_warnings = 32; // of one sync or export, in all

bool is_accepted_key_type(std::string_view type) noexcept; // no DSA, no certificates
std::vector<std::string_view> accepted_key_types();

// nullopt: a blank line or a comment. An option before the key that is not known makes the line no key.
Result<std::optional<PublicKey>> parse_key_line(std::string_view line);

// All keys of a file's text; a line that is no key becomes a warning "line N: …".
struct KeyFile {
    std::vector<PublicKey> keys;
    std::vector<std::string> warnings;
};
KeyFile parse_key_file(std::string_view text, std::string_view name);

} // namespace pgod
