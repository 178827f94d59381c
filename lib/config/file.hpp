// A configuration file's text and mode, of one open descriptor. Private to this folder.
#pragma once

#include "base/result.hpp"

#include <sys/stat.h>

#include <string>

namespace pgod::config {

struct ConfigFile {
    std::string text; // at most max_config_bytes
    struct stat status {};
};

// Refuses what is no regular file or what everybody may write. Code::gone: it is not there.
Result<ConfigFile> read_config_file(const std::string& path);

} // namespace pgod::config
