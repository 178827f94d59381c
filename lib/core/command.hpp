// The command grammar: what a client asks for. `SERVICE//OPERATION [ARG…]` travels as an SSH exec request;
// pgoctl's own target adds the host before it: `HOST:SERVICE//OPERATION`.
//
// An SSH exec request is one string. pgoctl quotes each argument as sh(1) would ('…'), ssh(1) joins its
// arguments with spaces; both are split here by the same rules (quotes and backslash, nothing is expanded),
// so that arguments survive unharmed.
#pragma once

#include "base/result.hpp"
#include "core/operation.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct Command {
    std::string service; // empty for `list` and `whoami` over all services
    Op op = Op::ping;
    std::vector<std::string> args;
    bool json = false; // `--json` among the arguments of an operation that has something to read
};

inline constexpr std::size_t max_command_bytes = 8192;
inline constexpr std::size_t max_command_words = 128;

// Splits as sh(1) splits words: single quotes, double quotes, backslash. An unclosed quote is an error.
Result<std::vector<std::string>> split_words(std::string_view text);
std::string quoted_word(std::string_view word); // the inverse for one word

bool is_service_name(std::string_view name) noexcept; // [a-z0-9][a-z0-9-]*, at most 63

// Judges one exec request; every error is one sentence that says what to type instead.
Result<Command> parse_command(std::string_view line);

struct Target {
    std::string host;    // empty: this one, over its control socket
    std::string command; // SERVICE//OPERATION, handed on as it is
};

// HOST:SERVICE//OPERATION, [::1]:SERVICE//OPERATION, :SERVICE//OPERATION, HOST://list or HOST://whoami.
Result<Target> parse_target(std::string_view text);

} // namespace pgod
