#include "core/command.hpp"

#include "base/text.hpp"
#include "core/exec_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace pgod {

namespace {

constexpr std::size_t max_service_name = 63;
constexpr std::size_t max_shown = 80; // of a foreign word in one of our sentences

Error invalid(std::string message) {
    return Error{Code::invalid, std::move(message)};
}

std::string shown(std::string_view word) {
    return escaped(shortened(word, max_shown));
}

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n';
}

bool has_control_character(std::string_view text) {
    return escaped(text) != text;
}

bool is_plain_in_shell(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"%+,-./:=@_"}.find(c) != std::string_view::npos;
}

// The operation's name as it may stand in an "unknown operation" sentence; anything else is malformed.
bool is_operation_shaped(std::string_view name) noexcept {
    return !name.empty() && !has_control_character(name) &&
           name.find_first_of(" /:") == std::string_view::npos;
}

struct Request {
    std::string_view service; // empty for //list, //whoami and //audit only
    std::string_view operation;
};

// SERVICE//OPERATION into its two halves; `shape` is what the whole should have looked like.
Result<Request> split_request(std::string_view text, std::string_view whole, std::string_view shape) {
    const auto slashes = text.find("//");
    if (slashes == std::string_view::npos)
        return invalid(fmt::format("\"{}\" names no operation: write {}", shown(whole), shape));
    const Request request{text.substr(0, slashes), text.substr(slashes + 2)};
    if (request.operation.empty())
        return invalid(fmt::format("\"{}\" names no operation after //: write {}", shown(whole), shape));
    if (!is_operation_shaped(request.operation))
        return invalid(fmt::format("\"{}\" is not an operation: write {}", shown(request.operation), shape));
    if (request.service.empty() && request.operation != "list" && request.operation != "whoami" &&
        request.operation != "audit")
        return invalid(
            fmt::format("\"{}\" names no service: write {}; only //list, //whoami and //audit go without",
                        shown(whole), shape));
    if (!request.service.empty() && !is_service_name(request.service))
        return invalid(
            fmt::format("\"{}\" is not a service name (lower-case letters, digits and \"-\", at most {}): "
                        "write {}",
                        shown(request.service), max_service_name, shape));
    return request;
}

std::string operation_names() {
    std::string names;
    for (const Operation& operation : all_operations()) {
        names += names.empty() ? "" : ", ";
        names += operation.name;
    }
    return names;
}

bool takes_json(const Operation& operation) noexcept {
    return operation.group == OpGroup::read && operation.op != Op::ping && operation.op != Op::logs;
}

} // namespace

Result<std::vector<std::string>> split_words(std::string_view text) {
    std::vector<std::string> found;
    std::optional<std::string> word; // set inside a word: '' is a word too
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool more = i + 1 < text.size();
        if (quote != 0 && c == quote) {
            quote = 0;
        } else if (quote == '\'') {
            *word += c;
        } else if (c == '\\') {
            if (!more)
                return invalid("the command ends in a backslash");
            const char next = text[++i];
            if (next == '\n')
                continue; // a joined line
            if (!word)
                word.emplace();
            if (quote == '"' && std::string_view{"$`\"\\"}.find(next) == std::string_view::npos)
                *word += '\\';
            *word += next;
        } else if (quote == 0 && is_blank(c)) {
            if (word)
                found.push_back(std::move(*word));
            word.reset();
        } else {
            if (!word)
                word.emplace();
            if (quote == 0 && (c == '\'' || c == '"'))
                quote = c;
            else
                *word += c;
        }
        if (found.size() + (word ? 1 : 0) > max_command_words)
            return invalid(fmt::format("the command has more than {} words", max_command_words));
    }
    if (quote != 0)
        return invalid(
            fmt::format("the command has an unclosed {} quote", quote == '"' ? "double" : "single"));
    if (word)
        found.push_back(std::move(*word));
    return found;
}

std::string quoted_word(std::string_view word) {
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain_in_shell))
        return std::string{word};
    std::string quoted = "'";
    for (const char c : word) {
        if (c == '\'')
            quoted += "'\\''";
        else
            quoted += c;
    }
    return quoted += '\'';
}

bool is_service_name(std::string_view name) noexcept {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= max_service_name && plain(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return plain(c) || c == '-'; });
}

Result<Command> parse_command(std::string_view line) {
    constexpr std::string_view shape = "SERVICE//OPERATION [ARG...]";
    if (line.size() > max_command_bytes)
        return invalid(fmt::format("the command is longer than {} bytes", max_command_bytes));
    if (line.find('\0') != std::string_view::npos)
        return invalid(fmt::format("the command \"{}\" contains a NUL byte", shown(line)));
    auto given = TRY(split_words(line));
    if (given.empty())
        return invalid(fmt::format("no command given: write {}", shape));

    const Request request = TRY(split_request(given.front(), given.front(), shape));
    const Operation* operation = find_operation(request.operation);
    if (operation == nullptr)
        return invalid(fmt::format("unknown operation \"{}\": the operations are {}",
                                   shown(request.operation), operation_names()));

    Command command;
    command.service = request.service;
    command.op = operation->op;
    if (command.op == Op::exec) { // whose words are the command's
        command.args.assign(given.begin() + 1, given.end());
        TRY(parse_exec(command.args));
        return command;
    }
    bool options_ended = false;
    for (auto word = given.begin() + 1; word != given.end(); ++word) {
        if (!options_ended && *word == "--json") {
            if (!takes_json(*operation))
                return invalid(fmt::format("\"{}\" has no JSON to give: leave --json out", operation->name));
            command.json = true;
            continue;
        }
        if (operation->max_args == 0 && !options_ended && word->starts_with('-') && *word != "--")
            return invalid(
                fmt::format("\"{}\" does not know the option \"{}\"", operation->name, shown(*word)));
        options_ended = options_ended || *word == "--";
        if (operation->max_args > 0 || *word != "--")
            command.args.push_back(std::move(*word));
    }
    if (command.args.size() > operation->max_args)
        return invalid(operation->max_args == 0
                           ? fmt::format("\"{}\" takes no arguments, and \"{}\" was given", operation->name,
                                         shown(command.args.front()))
                           : fmt::format("\"{}\" takes at most {} arguments, and {} were given",
                                         operation->name, operation->max_args, command.args.size()));
    return command;
}

Result<Target> parse_target(std::string_view text) {
    constexpr std::string_view shape = "HOST:SERVICE//OPERATION";
    const bool bracketed = text.starts_with('[');
    const auto bracket = bracketed ? text.find(']') : 0;
    if (bracket == std::string_view::npos)
        return invalid(
            fmt::format("\"{}\" lacks the closing bracket: write [ADDRESS]:SERVICE//OPERATION", shown(text)));
    const auto colon = text.find(':', bracket);
    const auto slashes = text.find("//");
    if (colon < slashes && text.find(':', colon + 1) < slashes)
        return invalid(
            fmt::format("\"{}\" has a second colon: write an IPv6 address as [::1]:SERVICE//OPERATION, and "
                        "the port with -p",
                        shown(text)));
    if (colon == std::string_view::npos || colon > slashes || (bracketed && colon != bracket + 1))
        return invalid(fmt::format("\"{}\" is not a target: write {}", shown(text), shape));
    const std::string_view host = bracketed ? text.substr(1, bracket - 1) : text.substr(0, colon);
    if (host.find('@') != std::string_view::npos)
        return invalid(fmt::format(
            "\"{}\" has a user before the host: leave it out, the key says who you are", shown(text)));
    const bool here = colon == 0;
    if ((host.empty() && !here) || host.starts_with('-') || has_control_character(host) ||
        host.find_first_of(" /\\'\"") != std::string_view::npos)
        return invalid(fmt::format("\"{}\" is not a host name: write {}", shown(host), shape));
    const std::string_view command = text.substr(colon + 1);
    TRY(split_request(command, text, shape));
    return Target{std::string{host}, std::string{command}};
}

} // namespace pgod
