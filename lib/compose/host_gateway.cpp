#include "compose/host_gateway.hpp"

#include "base/text.hpp"
#include "compose/containers_conf.hpp"
#include "core/plan_shapes.hpp"
#include "core/version_numbers.hpp"
#include "os/users.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace pgod::compose {

namespace {

constexpr unsigned first_version_with_word = 5;

// One that other hosts can reach: podman passes over loopback, link-local and multicast ones.
bool is_global(const std::string& text) {
    in_addr four{};
    if (::inet_pton(AF_INET, text.c_str(), &four) == 1) {
        const auto number = ntohl(four.s_addr);
        return number != INADDR_ANY && number != INADDR_BROADCAST && !IN_MULTICAST(number) &&
               number >> 24U != IN_LOOPBACKNET && number >> 16U != 0xa9feU;
    }
    in6_addr six{};
    return ::inet_pton(AF_INET6, text.c_str(), &six) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&six) &&
           !IN6_IS_ADDR_LOOPBACK(&six) && !IN6_IS_ADDR_LINKLOCAL(&six) && !IN6_IS_ADDR_MULTICAST(&six);
}

bool is_entry(const PlanOption& option) {
    return option.flag == "--add-host" && option.value.ends_with(host_gateway_word) &&
           option.value.size() > host_gateway_word.size() &&
           option.value[option.value.size() - host_gateway_word.size() - 1] == ':';
}

std::string configured_address() {
    constexpr std::string_view setting = "host_containers_internal_ip";
    for (const std::string& text : containers_conf(os::current_user().home))
        for (const auto line : split(text, '\n')) {
            auto words = split(trimmed(line), '=');
            if (words.size() < 2 || trimmed(words[0]) != setting)
                continue;
            const auto quoted = split(words[1], '"');
            if (quoted.size() > 2 && !quoted[1].empty())
                return std::string(quoted[1]);
        }
    return {};
}

} // namespace

bool asks_for_host_gateway(std::span<const PlanOption> options) {
    return std::any_of(options.begin(), options.end(), is_entry);
}

std::string choose_host_gateway(std::string_view configured, std::span<const HostAddress> addresses) {
    if (!configured.empty()) // also "none"
        return is_ip_address(configured) ? std::string(configured) : std::string();
    const auto found = std::find_if(addresses.begin(), addresses.end(),
                                    [](const HostAddress& one) { return is_global(one.text); });
    return found == addresses.end() ? std::string() : found->text;
}

std::string host_gateway_of_builds() {
    return choose_host_gateway(configured_address(), addresses_of_this_host());
}

Result<std::string> host_gateway(const Podman& podman) {
    Podman::Call call;
    call.arguments = {"version", "--format", "{{.Client.Version}}"};
    call.ends_with_us = true;
    const auto version = TRY(podman.must(call, "podman version", Code::transient));
    const auto numbers = version_numbers(trimmed(version));
    if (!numbers.empty() && numbers.front() >= first_version_with_word)
        return std::string(host_gateway_word);
    return choose_host_gateway(configured_address(), addresses_of_this_host());
}

PlanOption with_host_gateway(const PlanOption& option, const std::string& gateway) {
    if (!is_entry(option) || gateway.empty())
        return option;
    return {option.flag,
            option.value.substr(0, option.value.size() - host_gateway_word.size()).append(gateway)};
}

Status check_host_gateway(const Podman& podman, const Plan& plan, Findings& findings) {
    std::string gateway(host_gateway_word);
    const auto asks = [](const PlannedContainer& container) {
        return asks_for_host_gateway(container.options);
    };
    if (std::any_of(plan.containers.begin(), plan.containers.end(), asks))
        gateway = TRY(host_gateway(podman));
    for (const auto& container : plan.containers)
        if (gateway.empty() && asks(container)) {
            Violation violation{container.service,
                                "extra_hosts",
                                "\"host-gateway\" has no address: this host has none that containers reach",
                                {}};
            violation.advice = "write an address in its place, or let the admin set "
                               "host_containers_internal_ip in containers.conf";
            findings.keep(std::move(violation));
        }
    return ok();
}

} // namespace pgod::compose
