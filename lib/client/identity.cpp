#include "client/identity.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::client {

namespace {

using Kind = IdentitySource::Kind;

constexpr std::string_view key_begin = "-----BEGIN";
constexpr std::string_view key_end = "-----END";
constexpr std::string_view default_files[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
constexpr std::size_t longest_shown_path = 255;

bool is_variable_name(std::string_view name) noexcept {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

IdentitySource text_or_file(const std::string& value, std::string name) {
    if (looks_like_key_text(value))
        return {Kind::text, std::move(name), {}, normalised_key_text(value), true};
    return {Kind::file, std::move(name), std::string(trimmed(value)), {}, true};
}

Result<IdentitySource> given_source(const std::string& value, const Environment& environment) {
    if (value.empty())
        return Error{Code::invalid, "the identity given with -i is empty"};
    if (looks_like_key_text(value)) {
        if (value.find(key_end) == std::string::npos)
            return Error{Code::invalid,
                         "the key text given with -i ends early: the shell splits it into words unless "
                         "it is quoted, as in -i \"$NAME\""};
        return IdentitySource{Kind::text, "the key text given with -i", {}, normalised_key_text(value), true};
    }
    if (value.front() == '$') {
        const std::string variable = value.substr(1);
        if (!is_variable_name(variable))
            return Error{Code::invalid,
                         "the identity given with -i begins with $, but no variable's name follows"};
        const auto held = environment(variable);
        if (!held)
            return Error{Code::invalid, fmt::format("the environment variable {} is not set", variable)};
        return text_or_file(*held, value);
    }
    const bool pathlike = value.size() <= longest_shown_path && value.find('\n') == std::string::npos;
    return IdentitySource{Kind::file, pathlike ? value : "the identity given with -i", value, {}, true};
}

} // namespace

bool looks_like_key_text(std::string_view text) noexcept {
    return trimmed(text).starts_with(key_begin);
}

Secret normalised_key_text(std::string_view text) {
    std::string normal;
    for (const std::string_view line : split(trimmed(text), '\n')) {
        normal += trimmed(line);
        normal += '\n';
    }
    return Secret(std::move(normal));
}

Result<std::vector<IdentitySource>> identity_sources(const std::vector<std::string>& given,
                                                     const Environment& environment) {
    std::vector<IdentitySource> sources;
    sources.reserve(given.size() + 2 + std::size(default_files));
    for (const std::string& value : given)
        sources.push_back(TRY(given_source(value, environment)));
    if (!given.empty())
        return sources;
    if (const auto value = environment("PGOCTL_ID"))
        sources.push_back(text_or_file(*value, "PGOCTL_ID"));
    if (const auto socket = environment("SSH_AUTH_SOCK"))
        sources.push_back({Kind::agent, "the agent", *socket, {}, false});
    if (const auto home = environment("HOME"))
        for (const std::string_view file : default_files) {
            std::string path = fmt::format("{}/.ssh/{}", *home, file);
            sources.push_back({Kind::file, path, path, {}, false});
        }
    return sources;
}

} // namespace pgod::client
