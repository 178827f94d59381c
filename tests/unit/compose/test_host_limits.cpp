#include "compose/host_limits.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <fstream>

using namespace pgod;
using namespace pgod::compose;

namespace {

HostLimits host() {
    return {1024, true, [](std::string_view name) -> std::optional<std::uint64_t> {
                if (name == "nofile")
                    return 524288;
                if (name == "memlock")
                    return 8388608;
                return name == "core" ? std::optional(no_limit) : std::nullopt;
            }};
}

std::string problem_of(PlannedContainer container, const HostLimits& limits = host(),
                       const std::set<std::string>& here = {}) {
    Plan plan;
    container.service = "web";
    plan.containers.push_back(std::move(container));
    Findings findings;
    check_limits(plan, limits, findings);
    const auto found = std::move(findings).take();
    if (!found.empty())
        return describe(found.front());
    const auto checked = check_local_images(plan, here);
    return checked ? "" : checked.error().message;
}

std::string problem_of(const std::string& flag, const std::string& value, const HostLimits& limits = host()) {
    return problem_of({"c", "", {{flag, value}}, "docker.io/library/web:1", {}}, limits);
}

} // namespace

TEST_CASE("a host port that users may not bind is refused with the setting that lasts") {
    CHECK(problem_of("--publish", "1024:80").empty());
    CHECK(problem_of("--publish", "80").empty()); // podman picks a port
    for (const char* const value : {"80:80", "127.0.0.1:80:8080", "80-90:80-90", "53:53/udp"})
        CHECK(problem_of("--publish", value).starts_with("web: ports: host port "));
    const auto problem = problem_of("--publish", "80:80");
    CHECK(problem.find("from 1024 on") != std::string::npos);
    CHECK(problem.find("net.ipv4.ip_unprivileged_port_start=80 into /etc/sysctl.d/") != std::string::npos);
    auto lower = host();
    lower.first_port = 80;
    CHECK(problem_of("--publish", "80:80", lower).empty());
    CHECK_FALSE(problem_of("--publish", "79:80", lower).empty());
}

TEST_CASE("a ulimit above the hard limit of this process is refused with the setting of the unit") {
    for (const char* const value :
         {"nofile=524288", "nofile=1024:524288", "nofile=-1", "nofile=1024:-1", "core=-1",
          "core=99999999999999999999", "memlock=-1:-1", "host", "nofile=0"}) {
        CAPTURE(value);
        CHECK(problem_of("--ulimit", value).empty());
    }
    for (const char* const value : {"nofile=524289", "nofile=1024:524289", "nofile=99999999999999999999",
                                    "nofile=18446744073709551615", "memlock=8388609"}) {
        CAPTURE(value);
        CHECK(problem_of("--ulimit", value).find(" is above ") != std::string::npos);
    }
    CHECK(problem_of("--ulimit", "nofile=1048576") ==
          "web: ulimits: nofile=1048576 is above 524288, the most that processes of pgod get on "
          "this "
          "host; lower it, or let the admin raise LimitNOFILE with `systemctl edit pgod` and restart pgod");
    CHECK(problem_of("--ulimit", "nofile=9:8").find("soft is above hard") != std::string::npos);
    CHECK(problem_of("--ulimit", "nofile=-1:8").find("soft is above hard") != std::string::npos);
    CHECK(problem_of("--ulimit", "wings=1").find("wings is no limit that podman knows") != std::string::npos);
}

TEST_CASE("podman gets the hard limit where a file asks for as much as there is") {
    CHECK(within_limits("nofile=-1", host()) == "nofile=524288:524288");
    CHECK(within_limits("nofile=1024:-1", host()) == "nofile=1024:524288");
    for (const char* const value : {"nofile=1024", "nofile=1:2", "core=-1", "host", "wings=-1"})
        CHECK(within_limits(value, host()) == value);
    CHECK(within_limits("nofile=-1", {}) == "nofile=-1");
}

TEST_CASE("an id that no container of the user has is refused") {
    auto limits = host();
    for (const char* const value : {"--user", "--in-memory"})
        CHECK(problem_of(value, "4000000000", limits).empty()); // nobody knows how many there are
    limits.last_uid = 65536;
    limits.last_gid = 1000;
    for (const char* const value : {"0", "65536", "65536:1000", "postgres", "postgres:staff", "1:staff"})
        CHECK(problem_of("--user", value, limits).empty());
    CHECK(problem_of("--user", "65537", limits) ==
          "web: user: uid 65537 is above 65536, the highest one in containers of this user; take a lower "
          "one, or let the admin give the user more in /etc/subuid");
    CHECK(problem_of("--user", "www:1001", limits).find("user: gid 1001 is above 1000") != std::string::npos);
    CHECK(problem_of("--in-memory", "/run/secrets/a:::0400:x", limits).empty());
    CHECK(problem_of("--in-memory", "/run/secrets/a:65536:1000:0400:x", limits).empty());
    CHECK(problem_of("--in-memory", "/run/secrets/a:65537:0:0400:x", limits)
              .starts_with("web: secrets: /run/secrets/a: uid 65537 is above 65536"));
}

TEST_CASE("a user has as many ids as all their ranges hold") {
    Identity ann;
    ann.name = "ann";
    ann.uid = 1001;
    CHECK(subordinate_ids("bob:1:5\nann:100000:65536\n1001:300000:10\nannie:1:2\nann:1\n", ann) == 65546);
    CHECK_FALSE(subordinate_ids("bob:100000:65536\n", ann));
    CHECK_FALSE(subordinate_ids("", ann));
    CHECK(subordinate_ids("ann:1:99999999999999999999\nann:1:18446744073709551615\n", ann) <= UINT32_MAX);
}

TEST_CASE("init needs a program") {
    CHECK(problem_of("--init", "").empty());
    auto without = host();
    without.has_init = false;
    CHECK(problem_of("--init", "", without).find("apt install catatonit") != std::string::npos);
}

TEST_CASE("an image of this host that is not there can come from nowhere") {
    const PlannedContainer container{"c", "", {}, "localhost/x:1", {}};
    CHECK(problem_of(container, host(), {"localhost/x:1"}).empty());
    CHECK(problem_of(container).starts_with("web: image: podman of this user has no localhost/x:1"));
    Plan plan;
    plan.builds.push_back({"localhost/x:1", "/stage", "/stage/Containerfile", {}});
    plan.containers.push_back(container);
    CHECK(check_local_images(plan, {}));
}

TEST_CASE("the limits of this host are those of this process") {
    const auto limits = limits_of_this_host({});
    rlimit files{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
    CHECK(limits.hard("nofile") == files.rlim_max);
    CHECK_FALSE(limits.hard("wings"));
    unsigned first = 0;
    std::ifstream file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    file >> first;
    REQUIRE(file);
    CHECK(limits.first_port == first);
}
