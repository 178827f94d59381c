#include "daemon/worker.hpp"
#include "os/users.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::daemon;
using namespace std::chrono_literals;

namespace {

// Where there is neither systemd nor root, somebody has to make /run/user/UID first.
bool can_start() {
    return static_cast<bool>(os::ensure_runtime_directory(os::current_user()));
}

ipc::WorkDone done_of(const std::string& part) {
    EventLoop loop;
    ipc::WorkJob job;
    job.service = part;
    job.directory = "/";
    job.deadline = 1h;
    ipc::WorkDone result;
    auto worker = Worker::start(loop, job, os::current_user(), {}, [&](const ipc::WorkDone& done) {
        result = done;
        loop.stop();
    });
    REQUIRE_MESSAGE(worker, (worker ? "" : worker.error().message));
    loop.run();
    return result;
}

} // namespace

TEST_CASE("reports come in more than one round") {
    if (!can_start())
        return;
    const auto done = done_of("honest");
    CHECK(done.exit_status == 0);
    CHECK_FALSE(done.error);
}

TEST_CASE("a worker that breaks the protocol is ended, and nothing it said counts") {
    if (!can_start())
        return;
    for (const auto* part : {"twice", "flood", "noise", "commit"}) {
        CAPTURE(part);
        const auto done = done_of(part);
        CHECK(done.exit_status == 70);
        REQUIRE(done.error);
        CHECK(done.error->message.find("KILL") != std::string::npos);
    }
}

TEST_CASE("a worker's sentence is shortened, however long it is") {
    if (!can_start())
        return;
    const auto done = done_of("long");
    CHECK(done.exit_status == 0);
    REQUIRE(done.error);
    CHECK(done.error->message.size() <= 1003);
}

TEST_CASE("a deployment waits at its gate until that opens, and is ended there when it is cancelled") {
    if (!can_start())
        return;
    for (const bool opened : {true, false}) {
        CAPTURE(opened);
        EventLoop loop;
        ipc::WorkJob job;
        job.kind = ipc::WorkKind::deploy;
        job.service = "gate";
        job.directory = "/";
        job.deadline = 1h;
        bool reached = false;
        EventLoop::Timer later;
        std::unique_ptr<Worker> worker;
        ipc::WorkDone result;
        auto started = Worker::start(
            loop, job, os::current_user(), {},
            [&](const ipc::WorkDone& done) {
                result = done;
                loop.stop();
            },
            [&](const ipc::WorkReport& report) {
                reached = std::holds_alternative<ipc::AtGate>(report);
                later = loop.after(200ms, [&] {
                    CHECK(result.exit_status == 70); // it has not ended meanwhile
                    opened ? worker->open_gate() : worker->cancel();
                });
            });
        REQUIRE(started);
        worker = std::move(*started);
        loop.run();
        CHECK(reached);
        CHECK(result.error.has_value() != opened);
        CHECK(result.exit_status == (opened ? 0 : 70));
    }
}

TEST_CASE("a worker that goes away with its owner is not waited for") {
    if (!can_start())
        return;
    EventLoop loop;
    ipc::WorkJob job;
    job.service = "idle";
    job.directory = "/";
    job.deadline = 1h;
    auto worker = Worker::start(loop, job, os::current_user(), {}, [](const ipc::WorkDone&) {});
    REQUIRE(worker);
    worker->reset();
}
