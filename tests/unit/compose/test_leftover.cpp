#include "compose/leftover.hpp"

#include "os/spawn.hpp"
#include "scratch.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace pgod;
using namespace std::chrono_literals;

namespace {

// sleep(1) under another name: what ps(1) shows as its command.
os::Child sleeper(const std::string& program, const std::string& mark) {
    os::SpawnRequest request;
    request.program = program;
    request.argv = {"sleep", "1000"};
    request.env = {"PATH=/usr/bin:/bin", mark};
    auto child = os::spawn(request);
    REQUIRE(child);
    return std::move(*child);
}

bool wait_for(std::string_view service, std::chrono::milliseconds patience) {
    const auto longest = [](const compose::Leftover&) {
        return std::chrono::seconds(3600);
    };
    return compose::wait_for_leftovers(service, longest, std::chrono::steady_clock::now() + patience);
}

} // namespace

TEST_CASE("a podman that changes the service is waited for, and killed at the deadline") {
    const Scratch scratch;
    const std::string podman = scratch.path("podman").string();
    std::filesystem::copy_file("/usr/bin/sleep", podman);
    os::Child ours = sleeper(podman, compose::leftover_mark("shop"));
    CHECK_FALSE(wait_for("shop", 200ms));
    CHECK(os::describe_wait_status(ours.reap()) == "killed by signal 9 (SIGKILL)");
    CHECK(wait_for("shop", 0ms));
}

TEST_CASE("a podman that is older than its call may take is killed at once, and another one is waited for") {
    const Scratch scratch;
    const std::string podman = scratch.path("podman").string();
    std::filesystem::copy_file("/usr/bin/sleep", podman);
    os::Child old = sleeper(podman, compose::leftover_mark("shop"));
    const auto found = compose::leftovers("shop");
    REQUIRE(found.size() == 1);
    CHECK(found[0].verb == "1000"); // its first argument
    CHECK(found[0].age < 60s);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    CHECK_FALSE(compose::wait_for_leftovers(
        "shop", [](const auto&) { return 0s; }, deadline));
    CHECK(os::describe_wait_status(old.reap()) == "killed by signal 9 (SIGKILL)");
}

TEST_CASE("other podmans, and what podman started, are nobody's business") {
    const Scratch scratch;
    const std::string podman = scratch.path("podman").string();
    std::filesystem::copy_file("/usr/bin/sleep", podman);
    std::filesystem::copy_file("/usr/bin/sleep", scratch.path("conmon"));
    os::Child another = sleeper(podman, compose::leftover_mark("shopping"));
    os::Child unmarked = sleeper(podman, "OTHER=1");
    os::Child started = sleeper(scratch.path("conmon").string(), compose::leftover_mark("shop"));
    CHECK(wait_for("shop", 0ms));
    for (auto* child : {&another, &unmarked, &started})
        CHECK_FALSE(child->try_reap());
}
