// Files of the admin that hold secrets: read only when nobody else can read or change them, and handed on in
// anonymous files, which are never on a disk and reach only the process that is given the descriptor.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace pgod::os {

inline constexpr std::size_t max_secret_file = std::size_t{64} * 1024; // bytes

// `name`: an absolute path, or without "/" a systemd credential, looked for in $CREDENTIALS_DIRECTORY.
// Refused (Code::denied) unless it is a regular file, reached without links, of ours, that only we may read.
// Errors name the file and what to do, never its contents.
Result<Secret> read_secret_file(const std::string& name);

// An unnamed file in memory that cannot be changed any more, read from its beginning.
Result<Fd> sealed_file(std::string_view text);

} // namespace pgod::os
