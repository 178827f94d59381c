#include "compose/need.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::compose;

namespace {

const std::string stage = "/srv/demo/stage";

Plan plan_of(std::string command = "sleep") {
    Plan plan;
    plan.project = "demo";
    plan.containers = {{"demo_web_1",
                        "web",
                        {{"--volume", stage + "/html:/www"},
                         {"--volume", stage + "/page:/www/page"},
                         {"--env-file", stage + "/vars"}},
                        "bb",
                        {std::move(command)}}};
    plan.files = {"compose.yaml"};
    return plan;
}

Record running_record() {
    Record record;
    record.plan = plan_of();
    record.images = {{"bb", "image1"}};
    record.containers = {{"demo_web_1", "id1"}};
    return record;
}

std::vector<Container> running_containers() {
    Container web;
    web.id = "id1";
    web.name = "demo_web_1";
    web.state = "running";
    web.owner = "demo";
    return {web};
}

} // namespace

TEST_CASE("the reasons for which containers are made anew") {
    using Changed = std::vector<std::string>;
    using Images = std::map<std::string, std::string>;
    struct Row {
        const char* what;
        Plan plan;
        Images images;
        Changed changed;
        const char* reason; // "": none
    };
    const Images same{{"bb", "image1"}};
    const Row rows[] = {
        {"nothing", plan_of(), same, {}, ""},
        {"another file", plan_of(), same, {"README.md"}, ""},
        {"a file in a bound directory", plan_of(), same, {"html/index.html"}, ""},
        {"the compose file", plan_of(), same, {"compose.yaml"}, "compose.yaml changed"},
        {"an env file", plan_of(), same, {"vars"}, "vars changed"},
        {"a file bound by itself", plan_of(), same, {"page"}, "page changed"},
        {"the plan", plan_of("httpd"), same, {}, "what the service asks of podman changed"},
        {"the image", plan_of(), {{"bb", "image2"}}, {}, "the image of web changed"},
        {"an image that was not there", plan_of(), {}, {}, "the image of web changed"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        const Record running = running_record();
        const auto reason = reason_to_deploy(&running, NewVersion{stage, row.plan, row.images, row.changed},
                                             running_containers());
        CHECK(reason.value_or("") == row.reason);
    }
}

TEST_CASE("what the containers show is a reason as well") {
    const Record running = running_record();
    const Plan plan = plan_of();
    const std::map<std::string, std::string> images{{"bb", "image1"}};
    const std::vector<std::string> changed;
    const NewVersion same{stage, plan, images, changed};
    CHECK(*reason_to_deploy(nullptr, same, {}) == "nothing was deployed yet");
    CHECK(*reason_to_deploy(&running, same, {}) == "web has no container");

    auto seen = running_containers();
    seen[0].health = ContainerHealth::starting;
    CHECK_FALSE(reason_to_deploy(&running, same, seen));
    seen[0].state = "exited";
    seen[0].exit_code = 1;
    CHECK(*reason_to_deploy(&running, same, seen) == "web exited with status 1");
    seen = running_containers();
    seen[0].id = "id2";
    CHECK(*reason_to_deploy(&running, same, seen) == "web was replaced by another container");
    seen = running_containers();
    seen.push_back(seen[0]);
    seen[1].name = "demo_old_1";
    CHECK(*reason_to_deploy(&running, same, seen) == "there are containers of another version");
    seen[1].owner = "other";
    CHECK_FALSE(reason_to_deploy(&running, same, seen));
}

TEST_CASE("paths beneath a directory") {
    CHECK(*path_beneath("/a/b", "/a") == "b");
    CHECK(*path_beneath("/a", "/a") == "");
    CHECK_FALSE(path_beneath("/ab", "/a"));
    CHECK_FALSE(path_beneath("/", "/a"));
}
