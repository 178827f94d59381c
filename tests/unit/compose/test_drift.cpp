#include "compose/ending.hpp"
#include "compose/heal.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace pgod;
using namespace pgod::compose;

namespace {

// Events of one container as podman 4.3.1 prints them; "+3died" is three seconds after the one before.
std::vector<ContainerEvent> events(std::initializer_list<std::pair<int, const char*>> list,
                                   const std::string& id = "abc") {
    std::string json;
    int second = 0;
    for (const auto& [after, what] : list) {
        second += after;
        json += fmt::format(
            R"({{"ID":"{}","Name":"web","Status":"{}","Time":"2026-11-21T23:{:02}:{:02}.602216596Z",)"
            R"("Type":"container","Attributes":{{}}}})"
            "\n",
            id, what, second / 60, second % 60);
    }
    return parse_events(json);
}

Record record_of(const char* restart = "") {
    Record record;
    record.deployment = 7;
    record.plan.project = "demo";
    record.plan.containers = {{"demo_web_1", "web", {}, "bb", {}}, {"demo_job_1", "job", {}, "bb", {}}};
    if (*restart != '\0')
        record.plan.containers[1].options = {{"--restart", restart}};
    record.containers = {{"demo_web_1", "web-id", false}, {"demo_job_1", "job-id", true}};
    return record;
}

Container container(const char* name, const char* id, const char* state, int exit_code = 0) {
    Container made;
    made.name = name;
    made.id = id;
    made.state = state;
    made.exit_code = exit_code;
    made.owner = "demo";
    made.deployment = "7";
    return made;
}

std::string faults(const Record& record, const std::vector<Container>& seen) {
    std::string text;
    for (const auto& fault : faults_of(record, seen))
        text += fmt::format("{}:{} ", fault.planned, static_cast<int>(fault.remedy));
    return text;
}

} // namespace

TEST_CASE("who ended a container that exited with 0") {
    const auto stopped = [](const std::vector<ContainerEvent>& seen) {
        return was_stopped(seen, "abc");
    };
    CHECK(!stopped(events({{0, "create"}, {0, "init"}, {0, "start"}, {5, "died"}, {0, "cleanup"}})));
    CHECK(stopped(events({{0, "start"}, {5, "died"}, {0, "cleanup"}, {1, "stop"}, {0, "cleanup"}})));
    CHECK(stopped(events({{0, "start"}, {5, "kill"}, {0, "died"}, {0, "cleanup"}})));
    // `podman stop` where podman's own clean-up was quicker
    CHECK(stopped(events({{0, "start"}, {5, "died"}, {0, "cleanup"}, {1, "cleanup"}})));
    // long after it had ended by itself
    CHECK(!stopped(events({{0, "start"}, {5, "died"}, {0, "cleanup"}, {600, "cleanup"}})));
    // an earlier life
    CHECK(!stopped(
        events({{0, "start"}, {5, "kill"}, {0, "died"}, {9, "start"}, {5, "died"}, {0, "cleanup"}})));
    CHECK(!was_stopped(events({{0, "kill"}}, "other"), "abc"));
    CHECK(!stopped({}));
    CHECK(parse_events("nonsense\n\n[]\n").size() == 2);
}

TEST_CASE("events of podman 5 have their time in seconds") {
    const auto seen = parse_events(
        R"({"ID":"abc","Name":"web","Status":"start","time":1796041021,"timeNano":1796041021025018029691})"
        "\n"
        R"({"ContainerExitCode":0,"ID":"abc","Status":"died","time":1796041025,"timeNano":1796041025039465294})"
        "\n"
        R"({"ID":"abc","Status":"cleanup","time":1796041025,"timeNano":1796041025140123010,"Attributes":{}})"
        "\n"
        R"({"ID":"abc","Status":"cleanup","time":1796041125,"timeNano":1796041125140123010,"Attributes":{}})"
        "\n"
        R"({"ID":"abc","Status":"remove","time":1796041126,"timeNano":1796041126140123010,"Attributes":{}})");
    REQUIRE(seen.size() == 5);
    CHECK(seen[0].at == 1796041021);
    CHECK(!was_stopped(seen, "abc")); // its second clean-up came long after
    CHECK(was_removed_after_its_end(seen, "abc"));
    const auto odd = parse_events("{\"time\":-5}\n{\"time\":9223372036854775807}\n{\"time\":\"7\"}");
    CHECK(odd[0].at == 0);
    CHECK(odd[1].at == 253'402'300'799); // of the year 9999
    CHECK(odd[2].at == 0);
}

TEST_CASE("podman 5 tells of a container that somebody stopped it") {
    using Stopped = std::map<std::string, bool>;
    CHECK(stopped_by_user(R"([{"Id":"a","State":{"Status":"exited","ExitCode":0,"StoppedByUser":true}},)"
                          R"({"Id":"b","State":{"Status":"exited","ExitCode":0}},)"
                          R"({"Id":"c","State":{"StoppedByUser":false}},{"Id":"d"}])") ==
          Stopped{{"a", true}, {"b", false}, {"c", false}, {"d", false}});
    // Odd forms say nothing; a container that is not there is not in the answer.
    CHECK(stopped_by_user(
              R"([{"Id":"a","State":{"StoppedByUser":"true"}},{"State":{"StoppedByUser":true}},7])") ==
          Stopped{{"a", false}});
    for (const char* text : {"", "[]", "{}", "nonsense"})
        CHECK(stopped_by_user(text).empty());
}

TEST_CASE("one that is gone and that nobody saw ended") {
    const auto done = [](const std::vector<ContainerEvent>& seen) {
        return was_removed_after_its_end(seen, "abc");
    };
    CHECK(done(events({{0, "start"}, {5, "died"}, {0, "cleanup"}, {11, "remove"}})));
    // `podman rm -f` of one that ran and ends with 0 when it is told to
    CHECK(!done(events({{0, "start"}, {5, "died"}, {0, "remove"}})));
    CHECK(!done(events({{0, "start"}, {5, "died"}, {0, "cleanup"}, {10, "remove"}})));
    CHECK(!done(events({{0, "start"}, {5, "remove"}})));
    // an earlier life
    CHECK(!done(events({{0, "start"}, {5, "died"}, {20, "start"}, {20, "remove"}})));
    CHECK(!was_removed_after_its_end(events({{0, "died"}, {11, "remove"}}, "other"), "abc"));
    CHECK(!done({}));
    auto failed = events({{0, "start"}, {5, "died"}, {11, "remove"}});
    failed[1].exit_code = 3;
    CHECK(!done(failed));
    CHECK(parse_events(R"({"ID":"a","Status":"died","ContainerExitCode":3})").front().exit_code == 3);
}

TEST_CASE("one that ended with 0 has done so before podman's clean-up as well") {
    CHECK(has_ended_well(container("demo_job_1", "job-id", "exited")));
    CHECK(has_ended_well(container("demo_job_1", "job-id", "stopped")));
    CHECK(!has_ended_well(container("demo_job_1", "job-id", "stopping")));
    CHECK(!has_ended_well(container("demo_job_1", "job-id", "running")));
    CHECK(!has_ended_well(container("demo_job_1", "job-id", "stopped", 1)));
}

TEST_CASE("who ended it cannot be told at once") {
    CHECK(is_too_early(100, 100));
    CHECK(is_too_early(100, 109));
    CHECK(!is_too_early(100, 111));
    CHECK(!is_too_early(1000, 100)); // the clock was set back
    Record record = record_of();
    record.containers[0].just_ended = true;
    CHECK(faults(record,
                 {container("demo_web_1", "web-id", "exited"), container("demo_job_1", "job-id", "exited")})
              .empty());
    CHECK(faults(record, {container("demo_job_1", "job-id", "exited")}).empty()); // and was removed at once
    CHECK(faults(record, {container("demo_web_1", "web-id", "exited", 1)}) == "0:1 ");
}

TEST_CASE("what is mended, and how") {
    const Record record = record_of();
    const auto web = container("demo_web_1", "web-id", "running");
    const auto job = container("demo_job_1", "job-id", "exited");
    CHECK(faults(record, {web, job}).empty());
    CHECK(faults(record, {web}).empty()); // it ended well and was removed since
    CHECK(faults(record, {container("demo_web_1", "web-id", "exited", 137), job}) == "0:1 ");
    CHECK(faults(record, {container("demo_web_1", "web-id", "exited", 0), job}) == "0:1 ");
    CHECK(faults(record, {container("demo_web_1", "web-id", "created"), job}) == "0:1 ");
    CHECK(faults(record, {container("demo_web_1", "web-id", "paused"), job}) == "0:2 ");
    CHECK(faults(record, {container("demo_web_1", "web-id", "stopping"), job}).empty());
    CHECK(faults(record, {job}) == "0:3 ");
    CHECK(faults(record, {web, container("demo_job_1", "job-id", "exited", 1)}) == "1:1 ");
    auto unhealthy = web;
    unhealthy.health = ContainerHealth::unhealthy;
    CHECK(faults(record, {unhealthy, job}).empty());
    // Made by a healing that a crash cut off before it was written down, and by somebody else.
    CHECK(faults(record, {container("demo_web_1", "new-id", "running"), job}) == "0:0 ");
    CHECK(faults(record, {container("demo_web_1", "new-id", "exited"), job}) == "0:3 ");
    auto foreign = container("demo_web_1", "new-id", "running");
    foreign.deployment = "6";
    CHECK(faults(record, {foreign, job}) == "0:3 ");
    // A restart policy under which an exit with 0 is no end.
    CHECK(faults(record_of("always"), {web, job}) == "1:1 ");
}

TEST_CASE("a container whose network another one shares takes it along") {
    auto record = record_of();
    record.containers[1].ended = false;
    record.plan.containers[1].options = {{"--network", "container:demo_web_1"}};
    auto web = container("demo_web_1", "web-id", "running");
    auto job = container("demo_job_1", "job-id", "running");
    web.started = job.started = 5;
    CHECK(faults(record, {web, job}) == "");
    web.started = 6; // podman or somebody else restarted it
    CHECK(faults(record, {web, job}) == fmt::format("1:{} ", static_cast<int>(Remedy::make)));
    web = container("demo_web_1", "web-id", "exited", 1);
    CHECK(faults(record, {web, job}) ==
          fmt::format("0:{} 1:{} ", static_cast<int>(Remedy::start), static_cast<int>(Remedy::make)));
    CHECK(faults(record, {job}) ==
          fmt::format("0:{} 1:{} ", static_cast<int>(Remedy::make), static_cast<int>(Remedy::make)));
}
