#include "config/proxy.hpp"

#include "base/text.hpp"
#include "config/nearest.hpp"
#include "config/values.hpp"
#include "core/proxy.hpp"

#include <fmt/format.h>

#include <array>

namespace pgod::config {

namespace {

constexpr std::array<std::string_view, 8> proxy_keys{"kind",   "file", "main", "check",
                                                     "reload", "user", "site", "timeout"};
constexpr std::size_t max_lines = 64;
constexpr std::size_t max_line = 1024; // bytes
constexpr std::size_t max_words = 32;

Error refused(std::string sentence) {
    return Error{Code::invalid, std::move(sentence)};
}

Result<ProxyKind> parse_kind(std::string_view text) {
    constexpr std::array<std::string_view, 2> known{"caddy", "nginx"};
    if (text == known[0])
        return ProxyKind::caddy;
    if (text == known[1])
        return ProxyKind::nginx;
    const auto meant = nearest(text, known);
    return refused(fmt::format("must be \"caddy\" or \"nginx\", not \"{}\"{}", escaped(shortened(text, 100)),
                               meant.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", meant)));
}

Result<std::string> parse_proxy_user(std::string_view text) {
    return text == "root" ? Result<std::string>(std::string(text)) : parse_user(text);
}

// Lines as the admin wrote them, so without line breaks of their own.
Status add_line(std::vector<std::string>& lines, std::string_view text, std::size_t most) {
    if (text.empty() || text.size() > max_line || escaped(text) != text)
        return refused(fmt::format("must hold texts of 1 to {} bytes without control characters", max_line));
    if (lines.size() == most)
        return refused(fmt::format("must hold at most {} texts", most));
    lines.emplace_back(text);
    return ok();
}

void read_command(const TableReader& reader, std::string_view key, std::vector<std::string>& command) {
    std::vector<std::string> words;
    if (!reader.texts(key, [&words](std::string_view text) {
            if (words.empty() && !text.starts_with('/') && text.find('/') != std::string_view::npos)
                return Status(refused("must begin with an absolute path or the bare name of a program"));
            return add_line(words, text, max_words);
        }))
        return;
    if (reader.table().get_as<toml::array>(key) != nullptr &&
        reader.table().get_as<toml::array>(key)->empty())
        reader.complain(key, fmt::format("{} must hold a program and its arguments", key));
    command = std::move(words);
}

} // namespace

std::optional<ProxySettings> read_proxy(const toml::table& root, Complaints& errors) {
    const auto* node = root.get("proxy");
    if (node == nullptr)
        return std::nullopt;
    const auto* table = node->as_table();
    if (table == nullptr) {
        errors.add(node->source(),
                   fmt::format("proxy must be a table: begin it with [proxy], not {}", type_name(*node)));
        return std::nullopt;
    }
    const TableReader reader(*table, errors);
    reader.check_keys(proxy_keys, {}, {});
    ProxyKind kind{};
    reader.required_text("kind", "caddy", parse_kind, kind);
    ProxySettings settings = usual_proxy(kind);
    reader.text("file", parse_absolute_path, settings.file);
    reader.text("main", parse_absolute_path, settings.main);
    if (settings.file == settings.main)
        reader.complain("file", "file and main must differ: file is pgod's own, main the admin's");
    reader.text("user", parse_proxy_user, settings.user);
    if (std::vector<std::string> lines;
        reader.texts("site", [&lines](std::string_view text) { return add_line(lines, text, max_lines); }))
        settings.site = std::move(lines);
    reader.text("timeout", parse_proxy_timeout, settings.timeout);
    settings.check = settings.kind == ProxyKind::caddy
                         ? std::vector<std::string>{"caddy",       "validate",  "--config",
                                                    settings.main, "--adapter", "caddyfile"}
                         : std::vector<std::string>{"nginx", "-t", "-q", "-c", settings.main};
    settings.reload =
        settings.kind == ProxyKind::caddy
            ? std::vector<std::string>{"caddy", "reload", "--config", settings.main, "--adapter", "caddyfile"}
            : std::vector<std::string>{"nginx", "-c", settings.main, "-s", "reload"};
    read_command(reader, "check", settings.check);
    read_command(reader, "reload", settings.reload);
    return settings;
}

} // namespace pgod::config
