// Private keys as pgoctl takes them: text from a file or from the environment, perhaps with a passphrase.
// Runs in pgoctl, as the person who owns the key.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "ssh/key.hpp"

#include <functional>
#include <optional>

namespace pgod::ssh {

// Asked at most once per key, and only for a key that needs it; nullopt: there is nobody to ask.
using AskPassphrase = std::function<std::optional<Secret>()>;

// `text` is in OpenSSH or PEM format. Code::denied: it has a passphrase and nobody gave one; Code::invalid:
// it is no private key, or the passphrase is wrong.
Result<Key> import_client_key(const Secret& text, const AskPassphrase& ask);

// The key of one authorized_keys line, such as a .pub file; null when it is none.
Key import_public_line(const std::string& line);

} // namespace pgod::ssh
