// pgod-build: started by pgod-work as the service's user, for one build. It makes the jail (jail/jail.hpp),
// runs podman in it, and exits with podman's status. It makes the file --problem first: without it, a program
// that was to start pgod-build failed. When pgod-build cannot make the jail, it writes the reason there,
// which tells its own status from podman's: 70 without a jail, 71 beyond a limit.
#include "base/text.hpp"
#include "jail/jail.hpp"

#include <cstdio>
#include <fstream>
#include <optional>
#include <span>
#include <string_view>

namespace {

using pgod::jail::Jail;

constexpr int usage = 64;
constexpr int no_jail = 70;
constexpr int over_limit = 71;

constexpr const char* help =
    "usage: pgod-build --uids MAP --gids MAP --root DIRECTORY --problem FILE --processes N\n"
    "                  [--memory BYTES] [--reserve PATH BYTES INODES] [--show HOST INSIDE]…\n"
    "                  [--keep HOST INSIDE]… -- PROGRAM [ARGUMENT]… [\";\" PROGRAM …]…\n"
    "Runs the programs where the host cannot be reached; started by pgod-work for a build.\n";

struct Request {
    Jail jail;
    std::string problem;
};

std::vector<std::vector<std::string>> commands_of(std::span<char*> words) {
    std::vector<std::vector<std::string>> commands(1);
    for (const std::string_view word : words) {
        if (word == ";")
            commands.emplace_back();
        else
            commands.back().emplace_back(word);
    }
    return commands;
}

bool take_option(std::string_view name, std::string value, Request& request) {
    if (name == "--uids")
        request.jail.uids = pgod::jail::parse_id_map(value);
    else if (name == "--gids")
        request.jail.gids = pgod::jail::parse_id_map(value);
    else if (name == "--root")
        request.jail.root = std::move(value);
    else if (name == "--problem")
        request.problem = std::move(value);
    else if (name == "--memory")
        request.jail.memory = pgod::parse_decimal(value).value_or(0);
    else if (name == "--processes")
        request.jail.processes = static_cast<unsigned>(pgod::parse_decimal(value).value_or(0));
    else
        return false;
    return true;
}

std::optional<Request> read(std::span<char*> words) {
    Request request;
    while (words.size() >= 2 && words[0] != std::string_view("--")) {
        const std::string_view name = words[0];
        if (name == "--show" || name == "--keep") {
            if (words.size() < 3)
                return std::nullopt;
            (name == "--show" ? request.jail.show : request.jail.keep).emplace_back(words[1], words[2]);
            words = words.subspan(3);
            continue;
        }
        if (name == "--reserve") {
            if (words.size() < 4)
                return std::nullopt;
            request.jail.reserve = {words[1], pgod::parse_decimal(words[2]).value_or(0),
                                    pgod::parse_decimal(words[3]).value_or(0)};
            words = words.subspan(4);
            continue;
        }
        if (!take_option(name, words[1], request))
            return std::nullopt;
        words = words.subspan(2);
    }
    if (words.size() < 2)
        return std::nullopt;
    request.jail.commands = commands_of(words.subspan(1));
    for (const auto& command : request.jail.commands)
        if (command.empty())
            return std::nullopt;
    if (request.jail.uids.empty() || request.jail.gids.empty() || request.jail.root.empty() ||
        request.problem.empty() || request.jail.processes == 0)
        return std::nullopt;
    return request;
}

} // namespace

int main(int argc, char** argv) {
    const auto request = read(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    if (!request) {
        std::fputs(help, stderr);
        return usage;
    }
    { const std::ofstream begun(request->problem); }
    const auto status = pgod::jail::run_in_jail(request->jail);
    if (status)
        return *status;
    std::ofstream(request->problem) << status.error().message;
    return status.error().code == pgod::Code::permanent ? over_limit : no_jail;
}
