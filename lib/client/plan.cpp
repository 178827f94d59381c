#include "client/plan.hpp"

#include "client/live_line.hpp"
#include "core/exec_request.hpp"
#include "core/pin.hpp"
#include "ssh/client_config.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace pgod::client {

namespace {

// pgod only echoes the user. A name of another shape could not travel: libssh refuses shell metacharacters.
std::string user_name() {
    auto name = environment("LOGNAME");
    if (!name)
        name = environment("USER");
    if (!name)
        if (const passwd* entry = ::getpwuid(::getuid()))
            name = entry->pw_name;
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || c == '_';
    };
    const auto inner = [&](char c) {
        return plain(c) || (c >= '0' && c <= '9') || c == '-';
    };
    if (!name || name->size() > 32 || !plain(name->front()) ||
        !std::all_of(name->begin(), name->end(), inner))
        return "pgoctl";
    return *name;
}

// `exec` alone is sent what stands on standard input; with -t that is a person's terminal.
Status look_at_exec(Plan& plan, const std::vector<std::string>& args) {
    const auto request = TRY(parse_exec(args));
    plan.takes_input = true;
    plan.terminal = request.terminal;
    if (plan.terminal && ::isatty(STDIN_FILENO) != 1)
        return Error{Code::invalid, "exec -t needs a terminal on standard input: leave -t out"};
    return ok();
}

} // namespace

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::optional<std::string> host_book_path() {
    std::string directory = environment("XDG_CONFIG_HOME").value_or("");
    if (!directory.starts_with('/')) { // which the specification says to ignore
        const auto home = environment("HOME");
        if (!home)
            return std::nullopt;
        directory = *home + "/.config";
    }
    return directory + "/pgoctl/config.toml";
}

Result<Plan> plan_of(const Options& options, Target target, const HostBook& book) {
    Plan plan;
    plan.options = options;
    plan.target = std::move(target);
    plan.request = TRY(request_line(plan.target.command, options.json, options.args));
    const auto slashes = plan.target.command.find("//");
    plan.service = plan.target.command.substr(0, slashes);
    plan.operation = find_operation(std::string_view(plan.target.command).substr(slashes + 2));
    if (plan.operation != nullptr) {
        plan.ends_with_client = plan.operation->ends_with_client;
        plan.progress = !plan.ends_with_client && !options.plain && LiveLine::is_possible();
        if (plan.operation->op == Op::exec)
            TRY(look_at_exec(plan, options.args));
    }
    plan.json = options.json || (!plan.takes_input && std::find(options.args.begin(), options.args.end(),
                                                                "--json") != options.args.end());
    plan.user = user_name();
    const auto known = book.hosts.find(plan.target.host);
    const HostDefaults defaults = known == book.hosts.end() ? HostDefaults{} : known->second;
    ssh::ConfiguredHost configured{plan.target.host, {}, {}};
    if (options.ssh_config && !plan.target.host.empty())
        configured =
            TRY(ssh::read_ssh_config(environment("HOME").value_or("") + "/.ssh/config", plan.target.host));
    plan.target.host = configured.name;
    plan.port = options.port.value_or(defaults.port.value_or(configured.port.value_or(default_port)));
    plan.identity = defaults.identity.empty() ? configured.identity : defaults.identity;

    plan.host_key.host = plan.target.host;
    plan.host_key.port = plan.port;
    plan.host_key.accept_new = options.accept_new;
    const std::string pin =
        options.host_key.empty() ? environment("PGOCTL_HOST_KEY").value_or("") : options.host_key;
    plan.host_key.pin = pin.empty() ? defaults.host_key : TRY(parse_pin(pin));
    plan.host_key.known_hosts = options.known_hosts;
    if (const auto home = environment("HOME"); home && options.known_hosts.empty())
        plan.host_key.known_hosts = *home + "/.ssh/known_hosts";
    return plan;
}

Result<std::vector<IdentitySource>> identities_of(const Plan& plan) {
    std::string identity = plan.identity;
    if (!plan.options.identities.empty() || identity.empty() || environment("PGOCTL_ID"))
        return identity_sources(plan.options.identities, environment);
    if (identity.starts_with("~/"))
        identity.replace(0, 1, environment("HOME").value_or(""));
    return identity_sources({identity}, environment);
}

std::string status_command(const Plan& plan) {
    const auto& host = plan.target.host;
    const bool bare_v6 = host.find(':') != std::string::npos;
    const bool usual = host.empty() || plan.port == default_port;
    return fmt::format("pgoctl {}{}:{}//status", usual ? "" : fmt::format("-p {} ", plan.port),
                       bare_v6 ? fmt::format("[{}]", host) : host, plan.service);
}

} // namespace pgod::client
