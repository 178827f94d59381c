#include "core/diagnosis.hpp"

#include "base/text.hpp"
#include "core/version_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod {

namespace {

// "podman version 4.3.1" → "4.3.1".
std::string_view number_text(std::string_view version) {
    auto text = trimmed(version);
    if (text.starts_with("podman version "))
        text.remove_prefix(15);
    return text;
}

constexpr std::string_view not_by_name = "containers do not find each other by name: ";

// An older netavark starts the container all the same, without the name server.
bool server_failed(const NameLookup& lookup) {
    return lookup.failure.find("aardvark-dns failed to start") != std::string::npos;
}

Advice advice_on_start(const NameLookup& lookup, std::string_view user) {
    const std::string said = fmt::format("no container of the user starts on a network: {}", lookup.failure);
    if (lookup.failure.find("unable to execute nft") != std::string::npos)
        return {said, "apt-get install nftables"};
    // A netavark that runs iptables does not say what it misses.
    if (!lookup.has_iptables && (lookup.failure.starts_with("netavark: No such file") ||
                                 lookup.failure.starts_with("netavark: Permission denied")))
        return {said + "; iptables is not installed", "apt-get install iptables"};
    if (server_failed(lookup))
        return {said, fmt::format("systemctl restart user@$(id -u {}) # ends what runs of the user", user)};
    return {said, as_user(user, "podman unshare --rootless-netns true") + " # says more"};
}

} // namespace

std::string as_user(std::string_view user, std::string_view command) {
    return fmt::format("runuser -l {} -s /bin/sh -c '{}'", user, command);
}

std::string remedy_of_repository(const Service& service, Code failure) {
    const auto url = service.repository.redacted();
    if (failure == Code::gone)
        return fmt::format("set repository and branch of service \"{}\" to what exists (now {}, {}), then "
                           "systemctl reload pgod",
                           service.name, url, service.branch);
    if (failure == Code::denied)
        return fmt::format("do what the sentence above says, then pgoctl :{}//sync", service.name);
    return fmt::format("make {} reachable from this host (DNS, firewall, the server itself), then "
                       "pgoctl :{}//sync",
                       url, service.name);
}

std::string problem_of_podman(std::string_view version) {
    const auto text = number_text(version);
    const auto numbers = version_numbers(text);
    if (numbers.size() >= 2 && (numbers[0] > 4 || (numbers[0] == 4 && numbers[1] >= 3)))
        return {};
    return "podman 4.3 or newer is needed, and this is \"" + escaped(shortened(text, 60)) + "\"";
}

NetworkProgram network_program(std::string_view version) {
    const auto numbers = version_numbers(number_text(version));
    if (!numbers.empty() && numbers[0] < 5)
        return {"slirp4netns", "slirp4netns"};
    return {"pasta", "passt"};
}

SubordinateIds subordinate_ids(std::string_view file, std::string_view user, std::uint32_t uid) {
    SubordinateIds found{0, 100'000};
    const std::string by_number = std::to_string(uid);
    for (const auto line : split(file, '\n')) {
        const auto fields = split(trimmed(line), ':');
        if (fields.size() != 3)
            continue;
        const auto first = parse_decimal(fields[1]);
        const auto count = parse_decimal(fields[2]);
        if (!first || !count || *first > UINT32_MAX || *count > UINT32_MAX)
            continue;
        found.free_from = std::max(found.free_from, *first + *count);
        if (fields[0] == user || fields[0] == by_number)
            found.count += *count;
    }
    return found;
}

Advice advice_on_names(const NameLookup& lookup, std::string_view user) {
    if (lookup.found)
        return {};
    const bool cni = lookup.backend == "cni";
    if (!cni && !lookup.session && (lookup.started || server_failed(lookup)))
        return {fmt::format("{}aardvark-dns needs the systemd session of user {}, and there is none",
                            not_by_name, user),
                fmt::format("loginctl enable-linger {}", user)};
    if (!lookup.started)
        return advice_on_start(lookup, user);
    const std::string anew =
        fmt::format(" # then down and up each service of {}: its networks are made anew", user);
    if (cni && !lookup.dns_enabled)
        return {fmt::format("{}podman uses CNI here, without its plugin dnsname", not_by_name),
                "apt-get install golang-github-containernetworking-plugin-dnsname" + anew};
    if (!cni && !lookup.has_aardvark)
        return {fmt::format("{}aardvark-dns is not installed", not_by_name),
                "apt-get install aardvark-dns" + anew};
    if (!lookup.dns_enabled)
        return {fmt::format("{}podman makes networks without DNS", not_by_name),
                as_user(user, "podman info") + " # shows the networkBackend; netavark has DNS"};
    return {fmt::format("{}the name server of podman's networks does not answer", not_by_name),
            "journalctl --boot --identifier aardvark-dns # says why"};
}

std::optional<std::uint16_t> privileged_port(const Service& service, unsigned unprivileged_from) {
    std::optional<std::uint16_t> lowest;
    for (const auto& range : service.ports.value_or(std::vector<PortRange>()))
        if (range.first < unprivileged_from && (!lowest || range.first < *lowest))
            lowest = range.first;
    return lowest;
}

} // namespace pgod
