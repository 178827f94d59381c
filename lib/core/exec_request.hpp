// The arguments of `exec`: [-t] COMPOSE_SERVICE COMMAND [ARG…], as pgoctl, the supervisor and the worker read
// them, and the terminal that a client may bring. What follows the compose service is the command's and is
// handed on as it is.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct ExecRequest {
    bool terminal = false; // asked for with -t
    std::string service;
    std::vector<std::string> command; // never empty
};
Result<ExecRequest> parse_exec(std::span<const std::string> args); // Code::invalid

struct TerminalSize {
    std::uint16_t columns = 80;
    std::uint16_t rows = 24;
    bool operator==(const TerminalSize&) const = default;
};

// 0 is what a client says that does not know; above 65535 there is nothing.
TerminalSize terminal_size(long columns, long rows) noexcept;

// What may be handed to a container as TERM: a name of terminfo(5). Anything else becomes "dumb".
std::string terminal_type(std::string_view given);

} // namespace pgod
