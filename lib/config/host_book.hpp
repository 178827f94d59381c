// pgoctl's own file, ~/.config/pgoctl/config.toml: TOML to core/hosts.hpp, as strict as the server's. Runs in
// pgoctl.
#pragma once

#include "core/hosts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct HostBookReport {
    HostBook book;
    std::vector<std::string> errors; // FILE:LINE:COLUMN: sentence; with any, the book is not to be used
};

HostBookReport parse_host_book(std::string_view text, std::string_view file_name); // pure
HostBookReport load_host_book(const std::string& path); // a file that is missing is empty

} // namespace pgod
