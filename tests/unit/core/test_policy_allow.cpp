// What `allow` decides, of flags as podman-compose 1.0.3 makes them.
#include "core/allowance.hpp"
#include "core/policy.hpp"
#include "recorded_plan.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::test;

namespace {

std::string verdict(const Argv& flags, const std::vector<std::string>& allow) {
    auto model = web_model();
    model.services["web"].keys.emplace_back("network_mode");
    const auto [plan, violations] =
        parse_plan(with_default_network(web_run(flags)), "demo", std::move(model));
    auto grants = no_grants();
    grants.allow = allow;
    return sentences(violations) + sentences(judge(plan, grants));
}

// Without podman-compose's own network, as the translator leaves it out beside `network_mode`.
std::string host_verdict(const Argv& flags, const std::vector<std::string>& allow) {
    const auto run = joined({{"run", "--name=demo_web_1", "-d"}, flags, own_labels_of("web"), {"image"}});
    auto model = web_model();
    model.services["web"].keys.emplace_back("network_mode");
    const auto [plan, violations] = parse_plan(std::vector<Argv>{run}, "demo", std::move(model));
    auto grants = no_grants();
    grants.allow = allow;
    return sentences(violations) + sentences(judge(plan, grants));
}

} // namespace

TEST_CASE("a word of allow permits just what it names, and a refusal names the word") {
    struct Row {
        const char* flag;
        const char* value;
        const char* setting;
        const char* word; // "": every repository may; nullptr: nothing permits it
    };
    for (const auto& row : std::vector<Row>{
             {"--cap-add", "NET_ADMIN", "cap_add", "cap:NET_ADMIN"},
             {"--cap-add", "cap_net_admin", "cap_add", "cap:NET_ADMIN"},
             {"--cap-add", "NET_RAW", "cap_add", "cap:NET_RAW"},
             {"--cap-add", "CHOWN", "cap_add", ""},
             {"--cap-add", "CAP_NET_BIND_SERVICE", "cap_add", ""},
             {"--cap-add", "ALL", "cap_add", nullptr},
             {"--cap-add", "all", "cap_add", nullptr},
             {"--cap-add", "NO_SUCH", "cap_add", nullptr},
             {"--device", "/dev/fuse", "devices", "device:/dev/fuse"},
             {"--device", "/dev/net/tun:/dev/net/tun:rwm", "devices", "device:/dev/net/tun"},
             {"--security-opt", "no-new-privileges", "security_opt", ""},
             {"--security-opt", "no-new-privileges:true", "security_opt", ""},
             {"--security-opt", "no-new-privileges=false", "security_opt", nullptr},
             {"--security-opt", "label=disable", "security_opt", "security-opt:label=disable"},
             {"--security-opt", "label:disable", "security_opt", "security-opt:label=disable"},
             {"--security-opt", "seccomp=unconfined", "security_opt", "security-opt:seccomp=unconfined"},
             {"--security-opt", "seccomp=/etc/passwd", "security_opt", nullptr},
             {"--security-opt", "label=type:spc_t", "security_opt", nullptr},
             {"--security-opt", "proc-opts=hidepid=0", "security_opt", nullptr},
             {"--sysctl", "net.core.somaxconn=1024", "sysctls", "sysctl:net.core.somaxconn"},
             {"--sysctl", "kernel.shm_rmid_forced=1", "sysctls", "sysctl:kernel.shm_rmid_forced"},
             {"--sysctl", "kernel.core_pattern=x", "sysctls", nullptr},
         }) {
        CAPTURE(row.flag);
        CAPTURE(row.value);
        const std::vector<std::string> everything{"cap:SYS_ADMIN", "device:/dev/kvm", "host-network",
                                                  "security-opt:unmask=ALL",
                                                  "sysctl:net.ipv4.tcp_syncookies"};
        const std::string refusal =
            std::string("web: ") + row.setting + ": \"" + row.value + "\" is not allowed";
        if (row.word == nullptr) {
            CHECK(verdict({row.flag, row.value}, everything) == refusal + "; nothing permits it\n");
        } else if (*row.word == '\0') {
            CHECK(verdict({row.flag, row.value}, {}) == "");
        } else {
            CHECK(verdict({row.flag, row.value}, everything) ==
                  refusal + "; the admin can grant it with allow = [\"" + row.word + "\"]\n");
            CHECK(verdict({row.flag, row.value}, {row.word}) == "");
        }
    }
}

TEST_CASE("the host's network, and none") {
    const std::string refusal = "web: network_mode: \"host\" is not allowed; the admin can grant it with "
                                "allow = [\"host-network\"]\n";
    CHECK(host_verdict({"--network", "host"}, {}) == refusal);
    CHECK(host_verdict({"--network", "host"}, {"host-network"}) == "");
    CHECK(host_verdict({"--network", "none"}, {}) == "");
    CHECK(host_verdict({"--network", "ns:/proc/1/ns/net"}, {"host-network"}).find("not allowed") !=
          std::string::npos);
    CHECK(host_verdict({"--network", "host", "--sysctl", "net.core.somaxconn=1"},
                       {"host-network", "sysctl:net.core.somaxconn"}) ==
          "web: sysctls: \"net.core.somaxconn=1\" would change the host beside "
          "\"network_mode: host\"; nothing permits it\n");
    CHECK(host_verdict({"--network", "host", "--sysctl", "kernel.sem=1 2 3 4"},
                       {"host-network", "sysctl:kernel.sem"}) == "");
    // An external network that is called "host".
    CHECK(host_verdict({"--net", "host"}, {}) == refusal);
    CHECK(verdict({"--network", "host"}, {"host-network"}).find("exclude each other") != std::string::npos);
}
