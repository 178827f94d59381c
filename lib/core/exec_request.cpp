#include "core/exec_request.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod {

namespace {

constexpr std::size_t max_type = 64;  // bytes of TERM
constexpr std::size_t max_shown = 80; // of a foreign word in one of our sentences

bool is_of_a_type(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"+-._"}.find(c) != std::string_view::npos;
}

std::uint16_t bounded(long value, std::uint16_t otherwise) noexcept {
    return value <= 0 || value > UINT16_MAX ? otherwise : static_cast<std::uint16_t>(value);
}

} // namespace

Result<ExecRequest> parse_exec(std::span<const std::string> args) {
    constexpr std::string_view shape = "exec [-t] COMPOSE_SERVICE COMMAND [ARG...]";
    ExecRequest request;
    for (; !args.empty() && args.front().starts_with('-'); args = args.subspan(1)) {
        const std::string& option = args.front();
        if (option == "-t" || option == "--tty" || option == "-it" || option == "-ti")
            request.terminal = true;
        else if (option != "-i" && option != "--interactive") // standard input is there in any case
            return Error{Code::invalid, fmt::format("exec does not know the option \"{}\": write {}",
                                                    escaped(shortened(option, max_shown)), shape)};
    }
    if (args.size() < 2 || args.front().empty() || args[1].empty())
        return Error{Code::invalid,
                     fmt::format("exec needs a compose service and a command: write {}", shape)};
    request.service = args.front();
    request.command.assign(args.begin() + 1, args.end());
    return request;
}

TerminalSize terminal_size(long columns, long rows) noexcept {
    const TerminalSize usual;
    return {bounded(columns, usual.columns), bounded(rows, usual.rows)};
}

std::string terminal_type(std::string_view given) {
    const bool good = !given.empty() && given.size() <= max_type && given.front() != '-' &&
                      std::all_of(given.begin(), given.end(), is_of_a_type);
    return good ? std::string(given) : "dumb";
}

} // namespace pgod
