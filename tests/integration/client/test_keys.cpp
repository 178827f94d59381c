// Which key pgoctl offers, in which order, and what it says when none does.
#include "scene.hpp"

#include <doctest/doctest.h>

using namespace pgod::test;

namespace {

constexpr const char* target = "127.0.0.1:demo//ping";

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string with_crlf(const std::string& text) {
    std::string out;
    for (const char c : text)
        out += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return out;
}

struct KnownScene : Scene {
    KnownScene() { know_host(); }
};

void check_pong(const pgod::os::RunResult& result) {
    CHECK(status_of(result) == 0);
    CHECK(result.output.starts_with("pong! - "));
    CHECK_MESSAGE(result.errors.empty(), result.errors);
}

} // namespace

TEST_CASE_FIXTURE(KnownScene, "an identity given with -i") {
    const std::string text = text_of("good");
    SUBCASE("a file") {
        check_pong(pgoctl({"-i", good(), target}));
    }
    SUBCASE("the key's text") {
        check_pong(pgoctl({"-i", text, target}));
    }
    SUBCASE("a variable") {
        check_pong(pgoctl({"-i", "$DEPLOY_KEY", target}, {"DEPLOY_KEY=" + text}));
    }
    SUBCASE("a variable that names a file") {
        check_pong(pgoctl({"-i", "$DEPLOY_KEY", target}, {"DEPLOY_KEY=" + good()}));
    }
    SUBCASE("a variable with CRLF and without a last newline") {
        std::string mangled = with_crlf(text);
        mangled.resize(mangled.size() - 2);
        check_pong(pgoctl({"-i", "$DEPLOY_KEY", target}, {"DEPLOY_KEY=" + mangled}));
    }
    SUBCASE("it is the only one that counts") {
        const auto result = pgoctl({"-i", wrong(), target}, {"PGOCTL_ID=" + good()});
        CHECK(status_of(result) == 77);
    }
    SUBCASE("twice: the second is tried") {
        check_pong(pgoctl({"-i", wrong(), "-i", good(), target}));
    }
}

TEST_CASE_FIXTURE(KnownScene, "other types and formats of keys") {
    const Words kinds[] = {{"-t", "rsa", "-b", "2048", "-N", ""},
                           {"-t", "ecdsa", "-N", ""},
                           {"-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""},
                           {"-t", "ecdsa", "-m", "PKCS8", "-N", ""}};
    int number = 0;
    for (const Words& kind : kinds) {
        const std::string name = "key" + std::to_string(++number);
        CAPTURE(number);
        make_key(name, kind);
        admit(name);
        check_pong(pgoctl({"-i", path(name), target}));
    }
}

TEST_CASE_FIXTURE(KnownScene, "PGOCTL_ID, the agent and the default files") {
    SUBCASE("PGOCTL_ID is a path") {
        check_pong(pgoctl({target}, {"PGOCTL_ID=" + good()}));
    }
    SUBCASE("PGOCTL_ID is a text with CRLF") {
        check_pong(pgoctl({target}, {"PGOCTL_ID=" + with_crlf(text_of("good"))}));
    }
    SUBCASE("after a wrong PGOCTL_ID the agent") {
        check_pong(pgoctl({target}, {"PGOCTL_ID=" + wrong(), "SSH_AUTH_SOCK=" + start_agent({good()})}));
    }
    SUBCASE("an agent with a foreign key first") {
        check_pong(pgoctl({target}, {"SSH_AUTH_SOCK=" + start_agent({wrong(), good()})}));
    }
    SUBCASE("an agent with more foreign keys than the server takes on one connection") {
        Words keys;
        for (const char* name : {"f1", "f2", "f3", "f4", "f5", "f6", "f7"})
            keys.push_back(make_key(name));
        keys.push_back(good());
        check_pong(pgoctl({target}, {"SSH_AUTH_SOCK=" + start_agent(keys)}));
    }
    SUBCASE("an agent that is gone, and a default file") {
        write("home/.ssh/id_ed25519", text_of("good"));
        check_pong(pgoctl({target}, {"SSH_AUTH_SOCK=" + path("nobody")}));
    }
}

TEST_CASE_FIXTURE(KnownScene, "the words of a refusal and 77 have no other key tried: they may be output") {
    const auto result = pgoctl({"-i", stranger(), "-i", good(), target});
    CHECK(status_of(result) == 77);
    CHECK(result.errors == "Unauthorized: Key for user \"x\" does not match any for name demo\n");
    CHECK(result.output.empty());
}

TEST_CASE_FIXTURE(KnownScene, "refused keys end with the Unauthorized line and 77") {
    const auto result = pgoctl({"-i", wrong(), target}, {"LOGNAME=miek"});
    CHECK(status_of(result) == 77);
    CHECK(result.errors == "Unauthorized: Key for user \"miek\" does not match any for name demo\n");
    const auto odd = pgoctl({"-i", wrong(), target}, {"LOGNAME=DOM\\miek;reboot"});
    CHECK(odd.errors == "Unauthorized: Key for user \"pgoctl\" does not match any for name demo\n");
    const auto none = pgoctl({target});
    CHECK(status_of(none) == 77);
    CHECK(contains(none.errors, "there is no key to offer"));
}

TEST_CASE_FIXTURE(KnownScene, "identities that cannot be used are said, with 64") {
    const std::pair<Words, const char*> rows[] = {
        {{"-i", path("nothing"), target}, "No such file"},
        {{"-i", "$NOT_SET", target}, "the environment variable NOT_SET is not set"},
        {{"-i", path("good.pub"), target}, "public key"},
        {{"-i", path("sshd_config"), target}, "not a private key"},
        {{"-i", "-----BEGIN", "OPENSSH", "PRIVATE", "KEY-----", target}, "quoted"},
    };
    for (const auto& [args, says] : rows) {
        CAPTURE(args[1]);
        const auto result = pgoctl(args);
        CHECK(status_of(result) == 64);
        CHECK_MESSAGE(contains(result.errors, says), result.errors);
        CHECK(result.output.empty());
    }
    const auto secret = pgoctl({target}, {"PGOCTL_ID=b3BlbnNzaC1rZXktdjEAAAAA"});
    CHECK(status_of(secret) == 64);
    CHECK_MESSAGE(!contains(secret.errors, "b3Blbn"), "what a variable holds is never printed");
}

TEST_CASE_FIXTURE(KnownScene, "a key with a passphrase, where nobody can be asked") {
    const auto result = pgoctl({"-i", locked(), target});
    CHECK(status_of(result) == 77);
    CHECK(contains(result.errors, "it has a passphrase, and there is no terminal to ask for it"));
}
