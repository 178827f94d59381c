#include "client/options.hpp"

#include "core/exit_status.hpp"
#include "core/operation.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace pgod::client {

namespace {

constexpr int longest_timeout = 3600;

std::string operations_text() {
    std::string text = "Operations:\n";
    for (const Operation& operation : all_operations())
        text += fmt::format("  {:<26}{}\n", operation.name, operation.summary);
    return text + "\nExample: pgoctl -i ~/.ssh/id_ed25519 host.example.org:web//up\nMore: man pgoctl";
}

class HelpFormatter : public CLI::Formatter {
  public:
    std::string make_usage(const CLI::App*, std::string) const override {
        return "Usage: pgoctl [OPTION]... [--] [HOST|@GROUP[,...]]:[SERVICE]//OPERATION [ARG]...\n";
    }
};

} // namespace

std::variant<Options, EarlyEnd> parse_options(int argc, const char* const* argv) {
    Options options;
    int timeout = static_cast<int>(options.timeout.count());
    CLI::App app("Drive a service of pgod on HOST.", "pgoctl");
    app.formatter(std::make_shared<HelpFormatter>());
    app.footer(operations_text);
    app.prefix_command(); // the first word that is no option is the target; what follows is the operation's
    app.set_version_flag("--version", "pgoctl " PGOD_VERSION);
    app.add_option("-i,--identity", options.identities,
                   "private key: a file, $NAME (the variable NAME holds it), or its text")
        ->type_name("IDENTITY")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("-p,--port", options.port, "port of pgod, by default 2222")
        ->type_name("PORT")
        ->check(CLI::Range(1, 65535).description(""));
    app.add_flag("--json", options.json, "ask for JSON, where there is something to read");
    app.add_flag("--ssh-config", options.ssh_config, "take HostName, Port and IdentityFile of ~/.ssh/config");
    app.add_flag("--accept-new", options.accept_new, "accept and remember the host key of a new host");
    app.add_option("--host-key", options.host_key, "the only host key to accept")->type_name("SHA256:...");
    app.add_option("--known-hosts", options.known_hosts, "instead of ~/.ssh/known_hosts")->type_name("FILE");
    app.add_option("--control", options.control, "this host's control socket, for :SERVICE//OPERATION")
        ->type_name("PATH");
    app.add_option("--timeout", timeout, "for connecting and logging in, by default 10")
        ->type_name("SECONDS")
        ->check(CLI::Range(1, longest_timeout).description(""));
    app.add_flag("--plain", options.plain, "only lines of output, also on a terminal");
    app.add_flag("--watch", options.watch, "look every two seconds: list, status, ps, history, why");
    app.add_flag("-v,--verbose", options.verbose, "say what is tried");
    for (CLI::Option* option : app.get_options())
        if (option->get_name() != "--identity" && option->get_type_size() > 0)
            option->take_last(); // so that an alias with options can be overridden
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return EarlyEnd{exit_status::done, app.help()};
    } catch (const CLI::CallForVersion& version) {
        return EarlyEnd{exit_status::done, std::string(version.what()) + "\n"};
    } catch (const CLI::ParseError& error) {
        return EarlyEnd{exit_status::usage, fmt::format("{}: see pgoctl --help", error.what())};
    }
    options.timeout = std::chrono::seconds(timeout);
    options.args = app.remaining();
    if (!options.args.empty() && options.args.front().starts_with('-') && options.args.front() != "--")
        return EarlyEnd{exit_status::usage,
                        fmt::format("there is no option {}: see pgoctl --help", options.args.front())};
    if (!options.args.empty() && options.args.front() == "--")
        options.args.erase(options.args.begin());
    if (options.args.empty())
        return EarlyEnd{exit_status::usage, "no target given: write HOST:SERVICE//OPERATION"};
    options.target = std::move(options.args.front());
    options.args.erase(options.args.begin());
    return options;
}

Result<std::string> request_line(const std::string& command, bool json,
                                 const std::vector<std::string>& args) {
    std::string line = quoted_word(command);
    if (json)
        line += " --json";
    for (const std::string& arg : args)
        line += " " + quoted_word(arg);
    if (line.size() > max_command_bytes)
        return Error{Code::invalid, fmt::format("the operation and its arguments are longer than {} bytes",
                                                max_command_bytes)};
    return line;
}

} // namespace pgod::client
