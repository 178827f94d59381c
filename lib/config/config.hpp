// The configuration file: TOML to core types, strict. Everything that is wrong with a file is reported at
// once, each as one sentence "FILE:LINE:COLUMN: …" (column in characters, from 1); a config is given only
// when there is no error. Read by the supervisor and by `pgod --check`; a file is at most max_config_bytes.
//
// Environment values and the credentials of a URL are secrets: no error and no warning repeats them. Whether
// a user exists is not judged here (config → core only): an unknown user refuses its service, not the file.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "core/service.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

inline constexpr std::size_t max_config_bytes = std::size_t{1024} * 1024;
inline constexpr std::size_t max_config_errors = 100;

struct ConfigReport {
    std::optional<Config> config;      // absent when there are errors
    std::vector<std::string> errors;   // in the order of the file
    std::vector<std::string> warnings; // the file is taken all the same
};

// `file_name` is only for the messages.
ConfigReport parse_config(std::string_view text, std::string_view file_name);

// Reads a regular file, following links (its path is the admin's own), and warns when its mode gives secrets
// away.
ConfigReport load_config(const std::string& path);

// The text of a service's `env_file`: NAME=value a line, the value as it stands; lines that are empty or
// begin with
// "#" are left out. An error is the rest of a sentence that begins with the file, and repeats no value.
Result<std::vector<Secret>> parse_env_file(std::string_view text);

} // namespace pgod
