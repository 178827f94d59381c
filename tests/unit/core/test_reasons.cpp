#include "core/findings.hpp"
#include "core/places.hpp"
#include "core/reasons.hpp"

#include <doctest/doctest.h>

using namespace pgod;

namespace {

Violation refused(const std::string& service, const std::string& setting, const std::string& problem) {
    Findings findings;
    findings.refuse(service, setting, problem);
    return std::move(findings).take().at(0);
}

Violation wrong(const std::string& service, const std::string& setting, const std::string& problem,
                const std::string& grant = {}) {
    Findings findings;
    findings.add(service, setting, problem, grant);
    return std::move(findings).take().at(0);
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("a reason is one sentence: place, service, setting, value, problem, and what permits it") {
    auto one = wrong("web", "volumes", "\"/srv/x\" is outside of the repository", "volumes = [\"/srv/x\"]");
    CHECK(describe(one) ==
          "web: volumes: \"/srv/x\" is outside of the repository; the admin can grant it with "
          "volumes = [\"/srv/x\"]");
    one.place = "compose.yaml:7";
    one.value = "\"../x\"";
    CHECK(describe(one) ==
          "compose.yaml:7: web: volumes: \"../x\": \"/srv/x\" is outside of the repository; the "
          "admin can grant it with volumes = [\"/srv/x\"]");
    one.value = "\"/srv/x\""; // the problem says it
    CHECK(describe(one).starts_with("compose.yaml:7: web: volumes: \"/srv/x\" is outside"));
    CHECK(describe(refused("web", "privileged", "is not allowed")) ==
          "web: privileged is not allowed; nothing permits it");
    CHECK(describe(wrong("", "services", "more than 100 containers")) ==
          "services: more than 100 containers");
    CHECK(describe(wrong("", "", "the repository holds no files")) == "the repository holds no files");
    auto value = refused("web", "privileged", "is not allowed");
    value.value = "\"true\"";
    CHECK(describe(value) == "web: privileged: \"true\" is not allowed; nothing permits it");
    CHECK(describe(wrong("\x1b[2J", "a", "b")).find('\x1b') == std::string::npos);
    CHECK(describe(wrong(std::string(5000, 's'), std::string(5000, 'k'), std::string(5000, 'p'))).size() <
          700);
}

TEST_CASE("services that share a reason are one line") {
    struct Row {
        std::size_t services;
        std::string line;
    };
    for (const auto& [services, line] : std::vector<Row>{
             {1, "s0: privileged is not allowed; nothing permits it"},
             {4, "s0, s1, s2, s3: privileged is not allowed; nothing permits it"},
             {5, "s0, s1, s2 and 2 more: privileged is not allowed; nothing permits it"},
             {30, "s0, s1, s2 and 27 more: privileged is not allowed; nothing permits it"},
         }) {
        std::vector<Violation> violations;
        for (std::size_t i = 0; i < services; ++i)
            violations.push_back(refused("s" + std::to_string(i), "privileged", "is not allowed"));
        violations.push_back(violations.front()); // another container of it
        CHECK(lines_of(violations) == Lines{line});
        CHECK(summary_of(violations) == line);
    }
    auto one = refused("a", "privileged", "is not allowed");
    auto other = refused("b", "privileged", "is not allowed");
    one.place = "compose.yaml:3";
    other.place = "compose.yaml:9";
    CHECK(lines_of(std::vector{one, other}) ==
          Lines{"compose.yaml:3: a, b: privileged is not allowed; nothing permits it"});
    other.problem = "is not possible";
    CHECK(lines_of(std::vector{one, other}).size() == 2);
}

TEST_CASE("the most dangerous reason comes first, and those of one rank in their order") {
    Findings findings;
    findings.add("a", "image", "\"X\" is not the name of an image");
    findings.unknown("a", "\"frob\"", "is not a key that pgod knows");
    findings.add("a", "ports", "host port 80 is outside 5005-5010", "ports = [\"80/0\"]");
    findings.add("a", "volumes", "\"/srv/x\" is outside of the repository", "volumes = [\"/srv/x\"]");
    findings.add("b", "volumes", "two mounts have the target \"/x\"");
    findings.add("b", "cap_add", "\"NET_ADMIN\" is not allowed", "allow = [\"cap:NET_ADMIN\"]");
    findings.refuse("a", "privileged", "is not allowed");
    findings.refuse("a", "deploy.resources.reservations.devices", "would reach the host's devices");
    const auto violations = std::move(findings).take();
    std::vector<std::string> settings;
    for (const auto& reason : grouped(violations))
        settings.push_back(reason.violation.setting);
    CHECK(settings == Lines{"cap_add", "privileged", "volumes", "ports", "\"frob\"",
                            "deploy.resources.reservations.devices", "image", "volumes"});
    CHECK(summary_of(violations) == "b: cap_add: \"NET_ADMIN\" is not allowed; the admin can grant it with "
                                    "allow = [\"cap:NET_ADMIN\"] (and 7 more reasons)");
    CHECK(summary_of(std::vector{violations[0], violations[1]}).ends_with(" (and 1 more reason)"));
    CHECK(summary_of({}).empty());
    CHECK(lines_of({}).empty());
}

TEST_CASE("a long list is cut, and says so") {
    std::vector<Violation> violations;
    for (int i = 0; i < 32; ++i)
        violations.push_back(wrong("a", "volumes", "problem " + std::to_string(i)));
    const auto lines = lines_of(violations);
    REQUIRE(lines.size() == max_reason_lines + 1);
    CHECK(lines.back() == "and 12 more reasons");
    violations.resize(21);
    CHECK(lines_of(violations).back() == "and 1 more reason");
    violations.resize(20);
    CHECK(lines_of(violations).back() == "a: volumes: problem 19");
    Findings findings;
    for (int i = 0; i < 2000; ++i)
        findings.add("a", "b", std::to_string(i));
    CHECK(std::move(findings).take().size() == max_violations);
}

TEST_CASE("a reason gets the most exact place that is known") {
    const Places places{{{"", "", ""}, {"compose.yaml", ""}},
                        {{"web", "", ""}, {"compose.yaml:2", ""}},
                        {{"web", "ports", ""}, {"compose.yaml:4", ""}},
                        {{"web", "ports", "80/tcp"}, {"compose.yaml:5", "\"80:80\""}},
                        {{"web", "deploy.mode", ""}, {"compose.yaml:9", ""}},
                        {{"", "volumes", "x_data"}, {"compose.yaml:12", ""}}};
    struct Row {
        std::string service, setting, item, place, value;
    };
    for (const auto& row : std::vector<Row>{
             {"web", "ports", "80/tcp", "compose.yaml:5", "\"80:80\""},
             {"web", "ports", "81/tcp", "compose.yaml:4", ""},
             {"web", "deploy.mode.x", "", "compose.yaml:9", ""},
             {"web", "privileged", "", "compose.yaml:2", ""},
             {"gone", "privileged", "", "", ""},
             {"", "volumes", "x_data", "compose.yaml:12", ""},
             {"", "services", "", "compose.yaml", ""},
         }) {
        CAPTURE(row.setting);
        std::vector<Violation> violations{wrong(row.service, row.setting, "p")};
        violations[0].item = row.item;
        locate(violations, places);
        CHECK(violations[0].place == row.place);
        CHECK(violations[0].value == row.value);
    }
    std::vector<Violation> known{wrong("web", "ports", "p")};
    known[0].place = "other.yaml:1";
    locate(known, places);
    CHECK(known[0].place == "other.yaml:1");
}

TEST_CASE("how an item of a list is called") {
    for (const auto& [flag, value, item] : std::vector<std::tuple<std::string, std::string, std::string>>{
             {"--publish", "127.0.0.1:8080-8090:80-90/udp", "8080/udp"},
             {"--publish", "80", ":80/tcp"},
             {"--publish", "x", ""},
             {"--volume", "/srv/x:/data:ro", "/data"},
             {"--volume", "/data", "/data"},
             {"--device", "/dev/kvm:/dev/kvm:r", "/dev/kvm"},
             {"--env", "A=b=c", "A"},
             {"--sysctl", "kernel.sem=1", "kernel.sem"},
             {"--tmpfs", "/t:size=1m", "/t"},
             {"--cap-add", "NET_ADMIN", "NET_ADMIN"}})
        CHECK(item_of(flag, value) == item);
}
