// Where pgoctl looks for private keys, and in which order. Pure: the environment comes in as a function, and
// no message ever quotes what a variable holds. Runs in pgoctl.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::client {

struct IdentitySource {
    enum class Kind { file, text, agent };
    Kind kind = Kind::file;
    std::string name;       // how messages call it
    std::string path;       // of the file, or of the agent's socket
    Secret text;            // normalised
    bool asked_for = false; // named by the user: unusable is an error, not a reason to look elsewhere
};

// nullopt: not set; an empty value counts as not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// With `given` only those; else PGOCTL_ID, the agent, and the default key files. Code::invalid says what to
// type.
Result<std::vector<IdentitySource>> identity_sources(const std::vector<std::string>& given,
                                                     const Environment& environment);

bool looks_like_key_text(std::string_view text) noexcept;

// CI variables arrive with CRLF, without a final newline, with blanks around them.
Secret normalised_key_text(std::string_view text);

} // namespace pgod::client
