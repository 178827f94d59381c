// The two questions that pgoctl asks, on a real pseudo-terminal.
#include "scene.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

using namespace pgod;
using namespace pgod::test;

namespace {

constexpr const char* target = "127.0.0.1:demo//ping";

// A person: sees what appears on the terminal, and types.
class Person {
  public:
    Person()
        : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        REQUIRE(::grantpt(master_.get()) == 0);
        REQUIRE(::unlockpt(master_.get()) == 0);
        slave_.reset(::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
        REQUIRE(slave_);
    }

    int terminal() const { return slave_.get(); }
    bool echoes() const {
        termios now{};
        ::tcgetattr(slave_.get(), &now);
        return (now.c_lflag & ECHO) != 0;
    }
    void reads(const std::string& text) {
        wait_until([&] {
            pollfd polled{master_.get(), POLLIN, 0};
            char block[4096];
            if (::poll(&polled, 1, 0) == 1) {
                const ssize_t got = ::read(master_.get(), block, sizeof block);
                seen_.append(block, got > 0 ? static_cast<std::size_t>(got) : 0);
            }
            return seen_.find(text) != std::string::npos;
        });
    }
    void types(const std::string& text) {
        REQUIRE(::write(master_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    const std::string& seen() const { return seen_; }

  private:
    Fd master_;
    Fd slave_;
    std::string seen_;
};

int reaped(os::Child& child) {
    return os::exit_code_of(child.reap());
}

} // namespace

TEST_CASE_FIXTURE(Scene, "a passphrase is asked for, and not shown") {
    know_host();
    Person person;
    auto child =
        start_pgoctl({"-i", locked(), target}, person.terminal(), person.terminal(), person.terminal());
    person.reads("Passphrase of " + locked() + ": ");
    SUBCASE("the right one") {
        CHECK_FALSE(person.echoes());
        person.types("sesamee\x7f\n");
        person.reads("pong! - ");
        CHECK(reaped(child) == 0);
        CHECK(person.seen().find("sesam") == std::string::npos);
    }
    SUBCASE("a wrong one") {
        person.types("mellon\n");
        person.reads("the passphrase is wrong");
        CHECK(reaped(child) == 77);
    }
    SUBCASE("control-C") {
        person.types("\x03");
        CHECK(reaped(child) == 130);
    }
    CHECK_MESSAGE(person.echoes(), "the terminal is as it was");
}

TEST_CASE_FIXTURE(Scene, "passphrases of PEM keys") {
    know_host();
    for (const char* format : {"PEM", "PKCS8"}) {
        CAPTURE(format);
        const std::string key = make_key(format, {"-t", "ecdsa", "-m", format, "-N", "sesame"});
        admit(format);
        Person person;
        auto child =
            start_pgoctl({"-i", key, target}, person.terminal(), person.terminal(), person.terminal());
        person.reads("Passphrase of ");
        person.types("sesame\n");
        person.reads("pong! - ");
        CHECK(reaped(child) == 0);
    }
}

TEST_CASE_FIXTURE(Scene, "nobody is asked for the passphrase of a key that the server would not take") {
    know_host();
    const std::string foreign = make_key("foreign", {"-t", "ed25519", "-N", "sesame"});
    Person person;
    auto child = start_pgoctl({"-i", foreign, "-i", good(), target}, person.terminal(), person.terminal(),
                              person.terminal());
    person.reads("pong! - ");
    CHECK(reaped(child) == 0);
    CHECK(person.seen().find("Passphrase") == std::string::npos);
}

TEST_CASE_FIXTURE(Scene, "a new host's key is shown and asked about") {
    Person person;
    auto child =
        start_pgoctl({"-i", good(), target}, person.terminal(), person.terminal(), person.terminal());
    person.reads("(yes or no)? ");
    CHECK(person.seen().find(fingerprint()) != std::string::npos);
    SUBCASE("yes") {
        person.types("yes\n");
        person.reads("pong! - ");
        CHECK(reaped(child) == 0);
        CHECK(status_of(pgoctl({"-i", good(), target})) == 0);
    }
    SUBCASE("no") {
        person.types("y\n"); // not the whole word
        person.reads("the host key was not accepted");
        CHECK(reaped(child) == 76);
    }
}
