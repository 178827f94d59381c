#include "core/proxy.hpp"

#include "base/text.hpp"
#include "core/dns_name.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod {

namespace {

constexpr std::size_t max_complaint = 300; // bytes
constexpr std::string_view site_head = "\n# service ";

std::string upstream_of(const Forward& to) {
    if (to.host.empty())
        return fmt::format("127.0.0.1:{}", to.port);
    return to.host.find(':') == std::string::npos ? fmt::format("{}:{}", to.host, to.port)
                                                  : fmt::format("[{}]:{}", to.host, to.port);
}

std::string indented(const std::vector<std::string>& lines, std::string_view before) {
    std::string text;
    for (const auto& line : lines)
        text += fmt::format("{}{}\n", before, line);
    return text;
}

std::string caddy_site(const std::vector<std::string>& lines, const Site& site) {
    return fmt::format("{} {{\n{}\treverse_proxy {}\n}}\n", site.name, indented(lines, "\t"),
                       upstream_of(site.to));
}

std::string nginx_site(const std::vector<std::string>& lines, const Site& site) {
    return fmt::format("server {{\n"
                       "    server_name {};\n"
                       "{}"
                       "    location / {{\n"
                       "        proxy_pass http://{};\n"
                       "        proxy_http_version 1.1;\n"
                       "        proxy_set_header Host $host;\n"
                       "        proxy_set_header X-Real-IP $remote_addr;\n"
                       "        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
                       "        proxy_set_header X-Forwarded-Proto $scheme;\n"
                       "        proxy_set_header Upgrade $http_upgrade;\n"
                       "        proxy_set_header Connection $pgod_connection;\n"
                       "    }}\n"
                       "}}\n",
                       site.name, indented(lines, "    "), upstream_of(site.to));
}

// For WebSockets, as nginx's own documentation has it.
constexpr std::string_view nginx_head = "map $http_upgrade $pgod_connection {\n"
                                        "    default upgrade;\n"
                                        "    '' close;\n"
                                        "}\n";

} // namespace

std::string_view name_of(ProxyKind kind) noexcept {
    return kind == ProxyKind::caddy ? "caddy" : "nginx";
}

ProxySettings usual_proxy(ProxyKind kind) {
    ProxySettings settings;
    settings.kind = kind;
    if (kind == ProxyKind::caddy) {
        settings.file = "/etc/caddy/pgod.conf";
        settings.main = "/etc/caddy/Caddyfile";
        settings.user = "caddy";
    } else {
        settings.file = "/etc/nginx/conf.d/pgod.conf";
        settings.main = "/etc/nginx/nginx.conf";
        settings.user = "root";
        settings.site = {"listen 80;", "listen [::]:80;"};
    }
    return settings;
}

std::string render_site(const ProxySettings& settings, const Site& site) {
    if (!dns_name_or_wildcard(site.name) || site.to.port == 0)
        return {};
    return fmt::format("{}{}\n", site_head, site.service) + (settings.kind == ProxyKind::caddy
                                                                 ? caddy_site(settings.site, site)
                                                                 : nginx_site(settings.site, site));
}

std::string render_proxy_file(const ProxySettings& settings, std::span<const Site> sites) {
    std::string text = "# Written by pgod from the urls of its services; changes here are lost.\n";
    if (settings.kind == ProxyKind::nginx && !sites.empty())
        text += nginx_head;
    for (const auto& site : sites)
        text += render_site(settings, site);
    return text;
}

std::set<std::string_view> sites_in(std::string_view text) {
    std::set<std::string_view> found;
    for (auto begin = text.find(site_head); begin != std::string_view::npos;) {
        const auto next = text.find(site_head, begin + 1);
        found.insert(text.substr(begin, next == std::string_view::npos ? next : next - begin));
        begin = next;
    }
    return found;
}

std::string proxy_probe(ProxyKind kind) {
    return kind == ProxyKind::caddy ? "pgod.invalid {\n\tpgod_looks_whether_this_file_is_imported\n}\n"
                                    : "pgod_looks_whether_this_file_is_included;\n";
}

std::string command_to_include(const ProxySettings& settings) {
    return settings.kind == ProxyKind::caddy
               ? fmt::format("echo 'import {}' >> {}", settings.file, settings.main)
               : fmt::format("sed -i '/^http *{{/a include {};' {}", settings.file, settings.main);
}

std::string complaint_in(std::string_view output) {
    std::string_view last;
    for (const auto line : split(output, '\n')) {
        const auto text = trimmed(line);
        if (text.empty())
            continue;
        last = text;
        if (text.find("[emerg]") != std::string_view::npos || text.starts_with("Error: "))
            break;
    }
    return escaped(shortened(last, max_complaint));
}

std::string conflict_in(std::string_view output, std::string_view text, std::string_view others) {
    constexpr std::string_view mark = "conflicting server name \"";
    for (const auto line : split(output, '\n')) {
        const auto at = line.find(mark);
        if (at == std::string_view::npos)
            continue;
        const auto name = line.substr(at + mark.size());
        const auto server = fmt::format("server_name {};", name.substr(0, name.find('"')));
        if (text.find(server) != std::string_view::npos && others.find(server) == std::string_view::npos)
            return escaped(shortened(trimmed(line), max_complaint));
    }
    return {};
}

ProxyStep next_proxy_step(const std::string& wanted, const std::optional<std::string>& present,
                          const std::optional<std::string>& loaded) {
    if (!present)
        return ProxyStep::place;
    if (*present != wanted)
        return ProxyStep::check;
    return loaded == wanted ? ProxyStep::nothing : ProxyStep::reload;
}

} // namespace pgod
