// The reverse proxy in front of the services (`[proxy]`): what pgod knows of the two kinds, the file that it
// writes for them, and what has to be done about that file. Pure; daemon/reverse_proxy carries it out.
#pragma once

#include "core/service.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace pgod {

// The settings that are not given otherwise, for each kind.
ProxySettings usual_proxy(ProxyKind kind);
std::string_view name_of(ProxyKind kind) noexcept;

// One DNS name, whose it is, and where it leads.
struct Site {
    std::string name; // as core/dns_name.hpp gives it, perhaps a wildcard
    std::string service;
    Forward to;
    bool operator==(const Site&) const = default;
};

// The whole file: a block for each site, in their order. Of a site only what passes core/dns_name.hpp and a
// port is ever written; a host is the admin's and was judged when the configuration was read.
std::string render_proxy_file(const ProxySettings& settings, std::span<const Site> sites);
std::string render_site(const ProxySettings& settings, const Site& site);

// The sites in such a file, each as render_site() gave it; they point into `text`.
std::set<std::string_view> sites_in(std::string_view text);

// What the proxy must refuse where it reads the file at all: telling whether its main configuration does.
std::string proxy_probe(ProxyKind kind);
// The command that lets the main configuration read the file.
std::string command_to_include(const ProxySettings& settings);

// The sentence in what a check or a reload printed that says what is wrong; escaped, one line.
std::string complaint_in(std::string_view output);

// nginx takes a name that stands twice, and gives it to whichever server it reads first. The sentence in what
// its check printed about such a name in `text` that `others` does not have; empty: there is none.
std::string conflict_in(std::string_view output, std::string_view text, std::string_view others);

// What is to be done next about the file, by its text, the one that was last loaded, and the one that is
// wanted.
enum class ProxyStep {
    nothing,
    place, // there is none: write what was loaded last, or a file without sites, so that includes of it work
    check, // …the wanted one, and write it if it is good
    reload
};
ProxyStep next_proxy_step(const std::string& wanted, const std::optional<std::string>& present,
                          const std::optional<std::string>& loaded);

} // namespace pgod
