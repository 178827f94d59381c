#include "core/diagnosis.hpp"

#include <doctest/doctest.h>

using namespace pgod;

TEST_CASE("versions") {
    for (const char* good :
         {"podman version 4.3.1", "podman version 4.10", "podman version 5.0.0-dev\n", "4.3"})
        CHECK_MESSAGE(problem_of_podman(good).empty(), good);
    for (const char* bad :
         {"podman version 4.2.9", "podman version 3.4.4", "podman version 4", "", "version"})
        CHECK_MESSAGE(!problem_of_podman(bad).empty(), bad);
    CHECK(problem_of_podman("podman version 3.4.4\n") ==
          "podman 4.3 or newer is needed, and this is \"3.4.4\"");
}

TEST_CASE("podman 5 has another program for the network of rootless containers") {
    CHECK(std::string(network_program("podman version 4.9.4").name) == "slirp4netns");
    CHECK(std::string(network_program("podman version 5.4.2\n").name) == "pasta");
    CHECK(std::string(network_program("6.0.0-rc1").package) == "passt");
}

TEST_CASE("subordinate ids") {
    const char* file =
        "# a comment\nann:100000:65536\nbob:165536:65536\n1007:300000:1000\nann:231072:10\nbroken\n"
        "x:1:99999999999999999999\n";
    CHECK(subordinate_ids(file, "ann", 1001).count == 65'546);
    CHECK(subordinate_ids(file, "cid", 1007).count == 1'000);
    CHECK(subordinate_ids(file, "dan", 1008).count == 0);
    CHECK(subordinate_ids(file, "dan", 1008).free_from == 301'000);
    CHECK(subordinate_ids("", "ann", 1).free_from == 100'000);
}

TEST_CASE("ports that an ordinary user may not bind") {
    Service service;
    CHECK_FALSE(privileged_port(service, 1024));
    service.ports = {{{8080, 8089}, {443, 443}, {80, 81}}};
    CHECK(privileged_port(service, 1024) == 80);
    CHECK(privileged_port(service, 81) == 80);
    CHECK_FALSE(privileged_port(service, 80));
}

TEST_CASE("the remedy for a repository is something that repairs it") {
    Service service;
    service.name = "shop";
    service.branch = "live";
    service.repository = *RepositoryUrl::parse("https://ann:secret@git.example.org/shop");
    const std::string reachable =
        "make https://[redacted]@git.example.org/shop reachable from this host (DNS, firewall, the "
        "server itself), then pgoctl :shop//sync";
    struct Row {
        Code failure;
        std::string remedy;
    };
    const Row rows[] = {
        {Code::gone, "set repository and branch of service \"shop\" to what exists (now "
                     "https://[redacted]@git.example.org/shop, live), then systemctl reload pgod"},
        {Code::denied, "do what the sentence above says, then pgoctl :shop//sync"},
        {Code::transient, reachable},
        {Code::timeout, reachable},
    };
    for (const auto& row : rows) {
        CAPTURE(name_of(row.failure));
        const auto remedy = remedy_of_repository(service, row.failure);
        CHECK(remedy == row.remedy);
        CHECK(remedy.find("secret") == std::string::npos);
    }
}
