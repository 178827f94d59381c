// The host key is judged before any key of ours is shown.
#include "scene.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>

using namespace pgod::test;

namespace {

constexpr const char* target = "127.0.0.1:demo//ping";

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

unsigned mode_of(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777u : 0;
}

} // namespace

TEST_CASE_FIXTURE(Scene, "an unknown host is refused with its fingerprint") {
    const auto result = pgoctl({"-i", good(), target});
    CHECK(status_of(result) == 76);
    CHECK(contains(result.errors, "is not known"));
    CHECK(contains(result.errors, fingerprint()));
    CHECK(result.output.empty());
    CHECK_FALSE(std::filesystem::exists(home() + "/.ssh/known_hosts"));
}

TEST_CASE_FIXTURE(Scene, "--accept-new remembers, and the next time needs nothing") {
    std::filesystem::remove(home() + "/.ssh");
    const auto first = pgoctl({"--accept-new", "-i", good(), target});
    CHECK(status_of(first) == 0);
    CHECK(contains(first.errors, fingerprint()));
    CHECK(mode_of(home() + "/.ssh") == 0700);
    CHECK(mode_of(home() + "/.ssh/known_hosts") == 0600);
    const auto second = pgoctl({"-i", good(), target});
    CHECK(status_of(second) == 0);
    CHECK(second.errors.empty());
    // OpenSSH reads what pgoctl wrote.
    const auto found = run_program({"/usr/bin/ssh-keygen", "-F", fmt::format("[127.0.0.1]:{}", port()), "-f",
                                    home() + "/.ssh/known_hosts"});
    CHECK(status_of(found) == 0);
}

TEST_CASE_FIXTURE(Scene, "a changed host key is 76 with both fingerprints, also with --accept-new") {
    know_host();
    const auto before = fingerprint();
    restart_with_new_host_key();
    for (const Words& args : {Words{"-i", good(), target}, Words{"--accept-new", "-i", good(), target}}) {
        const auto result = pgoctl(args);
        CHECK(status_of(result) == 76);
        CHECK(contains(result.errors, "has changed"));
        CHECK(contains(result.errors, before));
        CHECK(contains(result.errors, fingerprint()));
        CHECK(result.output.empty());
    }
}

TEST_CASE_FIXTURE(Scene, "lines of known_hosts") {
    const std::string host = fmt::format("[127.0.0.1]:{}", port());
    const std::string key = text_of("host.pub");
    const std::string other = text_of("wrong.pub");
    REQUIRE(
        run_program({"/usr/bin/ssh-keygen", "-q", "-N", "", "-t", "ecdsa", "-f", path("ecdsa")}).succeeded());
    struct Row {
        const char* name;
        std::string lines;
        int status;
        std::string says;
    };
    const Row rows[] = {
        {"plain", host + " " + key, 0, ""},
        {"several names", "a,b," + host + " " + key, 0, ""},
        {"tabs", host + "\t" + key, 0, ""},
        {"CRLF", host + " " + key.substr(0, key.size() - 1) + "\r\n", 0, ""},
        {"comments and rubbish before", "# x\n\nrubbish\n@mark\n" + host + " " + key, 0, ""},
        {"an old line and a new one", host + " " + other + host + " " + key, 0, ""},
        {"without the port", "127.0.0.1 " + key, 76, "is not known"},
        {"another port", "[127.0.0.1]:1 " + key, 76, "is not known"},
        {"another key", host + " " + other, 76, "has changed"},
        {"revoked", "@revoked " + host + " " + key, 76, "is revoked"},
        {"revoked for all", "@revoked * " + key, 76, "is revoked"},
        {"revoked after it was known", host + " " + key + "@revoked * " + key, 76, "is revoked"},
        {"another one revoked", "@revoked * " + other + host + " " + key, 0, ""},
        {"a pattern", "[127.0.0.?]:* " + key, 0, ""},
        {"a pattern that is not for this host", "*,!" + host + " " + key, 76, "is not known"},
        {"a line cut off before the right one", host + " ssh-ed25519 AAAA\n" + host + " " + key, 0, ""},
        {"a key that contradicts its type", host + " ssh-rsa" + key.substr(key.find(' ')), 76,
         "is not known"},
        {"a key of another type", host + " " + text_of("ecdsa.pub"), 76, "has changed"},
        {"an authority", "@cert-authority " + host + " " + key, 76, "is not known"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        write("known", row.lines);
        const auto result = pgoctl({"--known-hosts", path("known"), "-i", good(), target});
        CHECK(status_of(result) == row.status);
        CHECK_MESSAGE(contains(result.errors, row.says), result.errors);
        if (!contains(row.says, "has changed") && !contains(row.says, "is revoked"))
            continue;
        CHECK(status_of(pgoctl({"--accept-new", "--known-hosts", path("known"), "-i", good(), target})) ==
              76);
        CHECK(text_of("known") == row.lines);
    }
}

TEST_CASE_FIXTURE(Scene, "hashed names") {
    know_host();
    CHECK(run_program({"/usr/bin/ssh-keygen", "-q", "-H", "-f", home() + "/.ssh/known_hosts"}).succeeded());
    REQUIRE(text_of("home/.ssh/known_hosts").starts_with("|1|"));
    CHECK(status_of(pgoctl({"-i", good(), target})) == 0);
}

TEST_CASE_FIXTURE(Scene, "a pin decides alone") {
    const std::string wrong_pin = "SHA256:" + std::string(43, 'A');
    SUBCASE("the right one, of a new host") {
        const auto result = pgoctl({"--host-key", fingerprint(), "-i", good(), target});
        CHECK(status_of(result) == 0);
        CHECK(result.errors.empty());
        CHECK_FALSE(std::filesystem::exists(home() + "/.ssh/known_hosts"));
    }
    SUBCASE("from the environment") {
        CHECK(status_of(pgoctl({"-i", good(), target}, {"PGOCTL_HOST_KEY=" + fingerprint()})) == 0);
    }
    SUBCASE("the option beats the environment") {
        CHECK(status_of(pgoctl({"--host-key", fingerprint(), "-i", good(), target},
                               {"PGOCTL_HOST_KEY=" + wrong_pin})) == 0);
    }
    SUBCASE("the wrong one, though known_hosts agrees") {
        know_host();
        const auto result = pgoctl({"--host-key", wrong_pin, "-i", good(), target});
        CHECK(status_of(result) == 76);
        CHECK(contains(result.errors, fingerprint()));
        CHECK(contains(result.errors, wrong_pin));
    }
    SUBCASE("malformed") {
        CHECK(status_of(pgoctl({"--host-key", "MD5:00:11", "-i", good(), target})) == 64);
    }
}

TEST_CASE_FIXTURE(Scene, "a known_hosts file that cannot be read is no consent") {
    std::filesystem::create_directories(path("directory"));
    const auto result = pgoctl({"--accept-new", "--known-hosts", path("directory"), "-i", good(), target});
    CHECK(status_of(result) == 76);
    CHECK(contains(result.errors, "cannot judge the host key"));
}

TEST_CASE_FIXTURE(Scene, "the known_hosts of the host is read as well") {
    const std::string host = fmt::format("[127.0.0.1]:{}", port());
    std::filesystem::create_directories(path("etc"));
    const auto with_global = [&](const std::string& lines) {
        write("etc/ssh_known_hosts", lines);
        Words argv{"/usr/bin/unshare", "-rm", "--",
                   "/bin/sh",          "-c",  "mount --bind \"$0\" /etc/ssh && exec \"$@\"",
                   path("etc")};
        for (const auto& word : pgoctl_argv({"--accept-new", "-i", good(), target}))
            argv.push_back(word);
        return run_program(argv, environment());
    };
    const auto known = with_global(host + " " + text_of("host.pub"));
    CHECK(status_of(known) == 0);
    CHECK_MESSAGE(known.errors.empty(), known.errors);
    CHECK_FALSE(std::filesystem::exists(home() + "/.ssh/known_hosts"));
    CHECK(contains(with_global(host + " " + text_of("wrong.pub")).errors, "/etc/ssh/ssh_known_hosts:1 says"));
    know_host();
    CHECK(contains(with_global("@revoked * " + text_of("host.pub")).errors, "is revoked"));
}
