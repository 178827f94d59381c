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

TEST_CASE("what keeps containers from finding each other by name, and the remedy") {
    const auto lookup = [](const char* backend, bool dns_enabled, const char* failure) {
        NameLookup made;
        made.backend = backend;
        made.dns_enabled = dns_enabled;
        made.started = *failure == '\0';
        made.failure = failure;
        return made;
    };
    const auto without = [](NameLookup had, bool NameLookup::*missing) {
        had.*missing = false;
        return had;
    };
    const char* nft =
        "netavark: nftables error: unable to execute nft: No such file or directory (os error 2)";
    const char* bus = "netavark: error while applying dns entries: IO error: aardvark-dns failed to start: "
                      "Failed to connect to user scope bus via local transport: No such file or directory";
    const char* silent = "netavark: No such file or directory (os error 2)";
    struct Row {
        const char* what;
        NameLookup lookup;
        const char* problem; // part of it
        const char* remedy;  // how it starts
    };
    const Row rows[] = {
        {"CNI without its plugin", lookup("cni", false, ""),
         "podman uses CNI here, without its plugin dnsname",
         "apt-get install golang-github-containernetworking-plugin-dnsname # then down and up"},
        {"CNI needs no session", without(lookup("cni", false, ""), &NameLookup::session), "plugin dnsname",
         "apt-get install golang-github-containernetworking-plugin-dnsname"},
        {"no nft", lookup("netavark", true, nft), "unable to execute nft", "apt-get install nftables"},
        {"no iptables", without(lookup("netavark", true, silent), &NameLookup::has_iptables),
         "iptables is not installed", "apt-get install iptables"},
        {"something else is not there", lookup("netavark", true, silent),
         "starts on a network: netavark: No such", "runuser -l ann"},
        {"no session, and netavark says so", without(lookup("netavark", true, bus), &NameLookup::session),
         "needs the systemd session of user ann", "loginctl enable-linger ann"},
        {"no session, and netavark starts the container all the same",
         without(lookup("netavark", true, ""), &NameLookup::session), "needs the systemd session of user ann",
         "loginctl enable-linger ann"},
        {"no session, and no nft", without(lookup("netavark", true, nft), &NameLookup::session),
         "unable to execute nft", "apt-get install nftables"},
        {"a session that refuses", lookup("netavark", true, bus), "aardvark-dns failed to start",
         "systemctl restart user@"},
        {"no aardvark-dns", without(lookup("netavark", true, ""), &NameLookup::has_aardvark),
         "aardvark-dns is not installed", "apt-get install aardvark-dns # then down and up"},
        {"a name server that says nothing", lookup("netavark", true, ""), "does not answer", "journalctl"},
        {"networks without DNS", lookup("netavark", false, ""), "podman makes networks without DNS",
         "runuser -l ann"},
        {"no pasta", lookup("netavark", true, "setting up Pasta: could not find pasta"),
         "could not find pasta", "runuser -l ann"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        const auto advice = advice_on_names(row.lookup, "ann");
        CHECK_MESSAGE(advice.problem.find(row.problem) != std::string::npos, advice.problem);
        CHECK_MESSAGE(advice.remedy.starts_with(row.remedy), advice.remedy);
        NameLookup found = row.lookup;
        found.found = true;
        CHECK(advice_on_names(found, "ann").problem.empty());
        CHECK(advice_on_names(found, "ann").remedy.empty());
    }
}
