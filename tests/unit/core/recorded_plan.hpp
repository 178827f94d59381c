// Calls as podman-compose 1.0.3 made them: recorded from real compose files with a podman that only writes
// down its arguments. `web_run` puts recorded flags into the frame of a recorded `run`.
#pragma once

#include "core/plan.hpp"
#include "core/policy.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgod::test {

inline const std::string stage = "/srv/stage/1";

inline Argv own_labels_of(const std::string& service) {
    Argv flags;
    for (const std::string& label :
         {std::string("io.podman.compose.config-hash=123"), std::string("io.podman.compose.project=demo"),
          std::string("io.podman.compose.version=0.0.1"), std::string("com.docker.compose.project=demo"),
          "com.docker.compose.project.working_dir=" + stage,
          std::string("com.docker.compose.project.config_files=compose.yaml"),
          std::string("com.docker.compose.container-number=1"), "com.docker.compose.service=" + service}) {
        flags.push_back("--label");
        flags.push_back(label);
    }
    return flags;
}

inline Argv joined(std::initializer_list<Argv> parts) {
    Argv all;
    for (const auto& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

// `podman run` of the compose service "web": what podman-compose puts before the network, after it, and from
// the image on.
inline Argv web_run(const Argv& before, const Argv& after = {},
                    const Argv& image = {"docker.io/library/nginx:1"}) {
    return joined({{"run", "--name=demo_web_1", "-d"},
                   before,
                   own_labels_of("web"),
                   {"--net", "demo_default", "--network-alias", "web"},
                   after,
                   image});
}

inline std::vector<Argv> with_default_network(const Argv& run) {
    return {{"network", "create", "--label", "io.podman.compose.project=demo", "--label",
             "com.docker.compose.project=demo", "demo_default"},
            run};
}

// A model in which "web" has every key that podman-compose turns into a flag.
inline Model web_model() {
    Model model;
    model.keys = {"version", "services", "x-pgo"};
    model.services["web"].keys = {"image",       "read_only", "stdin_open",   "tty",        "init",
                                  "healthcheck", "logging",   "privileged",   "publishall", "pod",
                                  "devices",     "cap_add",   "security_opt", "sysctls",    "annotations",
                                  "init-path",   "x-own"};
    return model;
}

inline PlanOrViolations parse_web(const Argv& run) {
    auto model = web_model();
    for (const char* key : {"secrets", "pid", "ipc", "uts", "userns_mode", "volumes_from", "group_add"})
        model.services["web"].keys.emplace_back(key);
    return parse_plan(with_default_network(run), "demo", std::move(model));
}

// One compose file with most of what an ordinary service needs; "./raw" is a bind in the long form.
inline std::vector<Argv> recorded_calls() {
    const std::string anonymous = "demo_web_1b71b9889c08dd7098bde93f37cdce61a2044921189884a078d8cb313f154db3";
    const Argv project_labels{"--label", "io.podman.compose.project=demo", "--label",
                              "com.docker.compose.project=demo"};
    return {
        {"build", "-t", "demo_web", "-f", "./app/Dockerfile", "--target", "prod", "--build-arg", "A=1",
         "./app"},
        joined({{"network", "create"}, project_labels, {"demo_default"}}),
        joined({{"run", "--name=mydb", "-d", "--read-only"},
                own_labels_of("db"),
                {"--cap-drop",
                 "ALL",
                 "--net",
                 "demo_default",
                 "--network-alias",
                 "db",
                 "--add-host",
                 "a:10.0.0.1",
                 "--expose",
                 "5432",
                 "-u",
                 "1000:1000",
                 "-w",
                 "/srv",
                 "--hostname",
                 "db",
                 "--shm-size",
                 "64m",
                 "-i",
                 "--stop-signal",
                 "SIGINT",
                 "--tty",
                 "--pull",
                 "always",
                 "--restart",
                 "on-failure:3",
                 "--ulimit",
                 "nofile=10:20",
                 "--ulimit",
                 "nproc=65535",
                 "--cpus",
                 "0.5",
                 "--cpu-shares",
                 "512",
                 "-m",
                 "512m",
                 "--memory-reservation",
                 "128m",
                 "--init",
                 "--entrypoint",
                 "[\"/x\", \"a b\"]",
                 "docker.io/library/postgres:15"}}),
        joined({{"volume", "create"}, project_labels, {"--label", "x=y", "demo_data"}}),
        joined({{"volume", "create"}, project_labels, {anonymous}}),
        joined({{"network", "create"}, project_labels, {"--label", "a=b", "--internal", "demo_front"}}),
        joined({{"run", "--name=demo_web_1", "-d", "--label", "foo=bar"},
                own_labels_of("web"),
                {"--env-file",
                 stage + "/web.env",
                 "-e",
                 "A=b",
                 "-e",
                 "discovery.type=single-node",
                 "--tmpfs",
                 "/tmp:size=1m",
                 "-v",
                 "demo_data:/data",
                 "-v",
                 stage + "/html:/html:z,ro",
                 "-v",
                 anonymous + ":/var/lib/mysql",
                 "-v",
                 "./raw:/raw:Z,rslave,ro",
                 "-v",
                 "demo_data:/more",
                 "--tmpfs",
                 "/cache:size=64m,mode=700",
                 "--net",
                 "demo_front,demo_default",
                 "--network-alias",
                 "web",
                 "--log-driver=json-file",
                 "--log-opt=max-size=10m",
                 "--log-opt=tag={{.Name}}",
                 "-p",
                 "8080:80",
                 "-p",
                 "127.0.0.1:8443:443/udp",
                 "-p",
                 "[::1]:9000-9002:90-92",
                 "-p",
                 "10.0.0.1:7000:70/sctp",
                 "--restart",
                 "unless-stopped",
                 "--healthcheck-command",
                 "/bin/sh -c 'curl -f x'",
                 "--healthcheck-interval",
                 "30s",
                 "--healthcheck-timeout",
                 "3s",
                 "--healthcheck-start-period",
                 "1m30s",
                 "--healthcheck-retries",
                 "3",
                 "demo_web",
                 "serve",
                 "--privileged",
                 ""}}),
    };
}

inline Model recorded_model() {
    Model model;
    model.keys = {"_dirname", "version", "x-pgo", "services", "networks", "volumes"};
    model.services["db"].keys = {"image", "read_only", "stdin_open", "tty", "init"};
    auto& web = model.services["web"];
    web.keys = {"build", "depends_on", "logging", "healthcheck", "_deps", "stop_grace_period"};
    web.depends_on = {{"db", "service_healthy"}};
    web.builds = true;
    return model;
}

inline PolicyGrants no_grants() {
    PolicyGrants grants;
    grants.stage = stage;
    return grants;
}

// podman's arguments, without podman-compose's own labels.
inline std::vector<std::string> arguments_of(const PlannedContainer& container) {
    std::vector<std::string> arguments;
    for (const auto& option : container.options)
        if (!option.value.starts_with("io.podman.") && !option.value.starts_with("com.docker."))
            arguments.push_back(podman_argument(option));
    return arguments;
}

inline std::string sentences(const std::vector<Violation>& violations) {
    std::string text;
    for (const auto& violation : violations)
        text += describe(violation) + "\n";
    return text;
}

} // namespace pgod::test
