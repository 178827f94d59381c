// pgod: reads the configuration and runs the supervisor; --check judges a configuration file,
// --doctor the host.
#include "config/config.hpp"
#include "core/exit_status.hpp"
#include "daemon/doctor.hpp"
#include "daemon/host_key.hpp"
#include "daemon/secret_files.hpp"
#include "daemon/supervisor.hpp"
#include "os/log.hpp"
#include "os/users.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

struct Options {
    std::string config = "/etc/pgod/config.toml";
    bool check = false;
    bool fingerprint = false;
    bool doctor = false;
    bool json = false;
    bool debug = false;
};

// Everything that is wrong, on standard error; with --check also unknown users and files of secrets.
bool report_problems(const pgod::ConfigReport& report, const Options& options) {
    for (const auto& warning : report.warnings)
        fmt::print(stderr, "warning: {}\n", warning);
    for (const auto& error : report.errors)
        fmt::print(stderr, "{}\n", error);
    bool good = report.config.has_value();
    if (!good || !options.check)
        return good;
    for (const auto& service : report.config->services) {
        if (auto user = pgod::os::find_user(service.user); !user) {
            fmt::print(stderr, "{}: service \"{}\": {}\n", options.config, service.name,
                       user.error().message);
            good = false;
        }
        for (const auto& problem : pgod::daemon::problems_of_secret_files(service)) {
            fmt::print(stderr, "{}: service \"{}\": {}\n", options.config, service.name, problem);
            good = false;
        }
    }
    return good;
}

int print_fingerprints(const std::vector<std::string>& host_keys) {
    for (const auto& host_key : host_keys) {
        if (host_key.empty())
            continue;
        const auto fingerprint = pgod::daemon::host_key_fingerprint(host_key);
        if (!fingerprint) {
            const bool none = fingerprint.error().code == pgod::Code::gone;
            fmt::print(stderr, "{}\n",
                       none ? host_key + " is not there yet: pgod makes it when it starts"
                            : fingerprint.error().message);
            return pgod::exit_status::failed;
        }
        fmt::print("{}\n", *fingerprint);
    }
    return pgod::exit_status::done;
}

int examine(const pgod::Config& config, bool json) {
    pgod::os::start_log("pgod", false);
    const auto findings = pgod::daemon::examine(config);
    fmt::print("{}", json ? pgod::daemon::as_json(findings) : pgod::daemon::as_text(findings));
    return pgod::daemon::all_good(findings) ? pgod::exit_status::done : pgod::exit_status::failed;
}

int run(const Options& options) {
    auto report = pgod::load_config(options.config);
    if (!report_problems(report, options))
        return pgod::exit_status::config;
    if (options.fingerprint)
        return print_fingerprints({report.config->host_key, report.config->second_host_key});
    if (options.check) {
        const std::size_t count = report.config->services.size();
        fmt::print("{}: good, {} service{}\n", options.config, count, count == 1 ? "" : "s");
        return pgod::exit_status::done;
    }
    if (options.doctor)
        return examine(*report.config, options.json);
    pgod::os::start_log("pgod", options.debug);
    pgod::daemon::Supervisor supervisor(options.config, std::move(*report.config));
    if (auto ended = supervisor.run(); !ended) {
        pgod::os::log_error("{}", ended.error().message);
        return pgod::exit_status::failed;
    }
    return pgod::exit_status::done;
}

} // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("GitOps for podman-compose: deploys what is committed, as the user who owns it.", "pgod");
    app.add_option("-c,--config", options.config, "configuration file")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_flag("--check", options.check, "judge the configuration file and exit");
    app.add_flag("--fingerprint", options.fingerprint,
                 "print the host key's fingerprint, to be pinned, and exit");
    auto* doctor =
        app.add_flag("--doctor", options.doctor,
                     "look the host and every service over, say what is wrong and what mends it, and exit");
    app.add_flag("--json", options.json, "with --doctor: as JSON")->needs(doctor);
    app.add_flag("-d,--debug", options.debug, "log more");
    app.set_version_flag("--version", "pgod " PGOD_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? pgod::exit_status::done : pgod::exit_status::usage;
    }
    return run(options);
}
