#include "compose/need.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>

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

TEST_CASE("another way to write the same deploys nothing") {
    Record running = running_record();
    running.plan.model.keys = {"services", "version"};
    running.plan.model.services["web"].keys = {"extends", "image"};
    Plan next = plan_of();
    next.model.keys = {"services"};
    next.model.services["web"].keys = {"image"};
    next.files = {"base.yaml", "compose.yaml"};
    const std::map<std::string, std::string> images{{"bb", "image1"}};
    const std::vector<std::string> unchanged;
    const auto reason = [&] {
        return reason_to_deploy(&running, NewVersion{stage, next, images, unchanged}, running_containers());
    };
    CHECK(!reason());
    next.model.services["web"].restart = "always";
    CHECK(reason() == "what the service asks of podman changed");
}

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

TEST_CASE("strategy changed: which containers are made anew, and why") {
    Plan before = plan_of();
    before.networks = {{"demo_front", {}, false}};
    before.containers[0].options.push_back({"--network", "demo_front"});
    before.containers.push_back({"demo_db_1", "db", {{"--volume", "demo_data:/d"}}, "pg", {}});
    before.containers.push_back({"demo_side_1", "side", {{"--network", "container:demo_web_1"}}, "bb", {}});
    before.containers.push_back({"demo_last_1", "last", {{"--network", "container:demo_side_1"}}, "pg", {}});
    Record running;
    running.plan = before;
    running.images = {{"bb", "image1"}, {"pg", "image2"}};
    std::vector<Container> all;
    for (const auto& planned : before.containers) {
        running.containers.push_back({planned.name, "id of " + planned.name, false, 3});
        Container container = running_containers()[0];
        container.name = planned.name;
        container.id = "id of " + planned.name;
        all.push_back(container);
    }
    using Names = std::vector<std::string>;
    const Names web_and_what_hangs_on_it{"demo_web_1", "demo_side_1", "demo_last_1"};
    struct Row {
        const char* what;
        std::function<void(Plan&, std::map<std::string, std::string>&, Names&, std::vector<Container>&)>
            change;
        Names names;
        const char* reason; // of the first
    };
    const Row rows[] = {
        {"nothing", [](auto&, auto&, auto&, auto&) {}, {}, ""},
        {"only the compose file's text",
         [](auto&, auto&, auto& changed, auto&) { changed = {"compose.yaml"}; },
         {},
         ""},
        {"a volume more",
         [](auto& plan, auto&, auto&, auto&) {
             plan.volumes = {{"demo_new", {}}};
         },
         {},
         ""},
        {"a file in a bound directory",
         [](auto&, auto&, auto& changed, auto&) { changed = {"html/x"}; },
         {},
         ""},
        {"argv",
         [](auto& plan, auto&, auto&, auto&) { plan.containers[1].command = {"x"}; },
         {"demo_db_1"},
         "what db asks of podman changed"},
        {"argv, with what shares its network",
         [](auto& plan, auto&, auto&, auto&) { plan.containers[0].command = {"x"}; },
         web_and_what_hangs_on_it, "what web asks of podman changed"},
        {"an image",
         [](auto&, auto& images, auto&, auto&) { images["pg"] = "image3"; },
         {"demo_db_1", "demo_last_1"},
         "the image of db changed"},
        {"a file bound by itself", [](auto&, auto&, auto& changed, auto&) { changed = {"page"}; },
         web_and_what_hangs_on_it, "page changed, which web has"},
        {"an env file", [](auto&, auto&, auto& changed, auto&) { changed = {"vars"}; },
         web_and_what_hangs_on_it, "vars changed, which web has"},
        {"a network", [](auto& plan, auto&, auto&, auto&) { plan.networks[0].internal = true; },
         web_and_what_hangs_on_it, "network demo_front changed, which web uses"},
        {"one more",
         [](auto& plan, auto&, auto&, auto&) {
             plan.containers.push_back({"demo_x_1", "x", {}, "bb", {}});
         },
         {"demo_x_1"},
         "x is new"},
        {"one that is gone",
         [](auto&, auto&, auto&, auto& seen) { seen.erase(seen.begin() + 1); },
         {"demo_db_1"},
         "db has no container"},
        {"one that was replaced",
         [](auto&, auto&, auto&, auto& seen) { seen[1].id = "other"; },
         {"demo_db_1"},
         "db was replaced by another container"},
        {"one that died",
         [](auto&, auto&, auto&, auto& seen) { seen[1].state = "exited"; },
         {"demo_db_1"},
         "db exited with status 0"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        Plan plan = before;
        auto images = running.images;
        Names changed;
        auto seen = all;
        row.change(plan, images, changed, seen);
        const auto found = renewals(running, NewVersion{stage, plan, images, changed}, seen);
        Names names;
        for (const auto& one : found)
            names.push_back(one.container);
        CHECK(names == row.names);
        CHECK((found.empty() ? "" : found[0].reason) == row.reason);
    }
    all[1].state = "exited";
    CHECK(names_of_good(running, all) == std::set<std::string>{"demo_web_1", "demo_side_1", "demo_last_1"});
}

TEST_CASE("how a service is deployed is no change of what is deployed") {
    const Record running = running_record();
    Plan plan = plan_of();
    plan.model.settings["strategy"] = "all";
    const std::map<std::string, std::string> images{{"bb", "image1"}};
    const std::vector<std::string> changed;
    CHECK_FALSE(reason_to_deploy(&running, NewVersion{stage, plan, images, changed}, running_containers()));
}

TEST_CASE("a name that an older pgod recorded without its registry is the same image") {
    Record running = running_record();
    running.plan.containers[0].image = "nginx";
    running.images = {{"nginx", "image1"}};
    const std::vector<std::string> changed;
    for (const char* strategy : {"all", "changed"})
        for (const char* image : {"docker.io/library/nginx", "localhost/nginx"}) {
            CAPTURE(strategy);
            CAPTURE(image);
            Plan plan = plan_of();
            plan.model.settings["strategy"] = strategy;
            plan.containers[0].image = image;
            const std::map<std::string, std::string> same{{image, "image1"}};
            CHECK_FALSE(need_of(&running, NewVersion{stage, plan, same, changed}, running_containers()));
            const std::map<std::string, std::string> other{{image, "image2"}};
            const auto need =
                need_of(&running, NewVersion{stage, plan, other, changed}, running_containers());
            REQUIRE(need);
            CHECK(need->reason == "the image of web changed");
        }
}

TEST_CASE("a secret that changed is a change of the container that has it") {
    const Record running = running_record();
    Plan plan = plan_of();
    const std::map<std::string, std::string> images{{"bb", "image1"}};
    const std::vector<std::string> changed;
    const NewVersion next{stage, plan, images, changed, {{plan.containers[0].name, "DATABASE"}}};
    const std::string reason =
        fmt::format("the secret in DATABASE of {} changed", plan.containers[0].service);
    CHECK(reason_to_deploy(&running, next, running_containers()) == reason);
    const auto some = renewals(running, next, running_containers());
    REQUIRE(some.size() == 1);
    CHECK(some[0] == Renewal{plan.containers[0].name, reason});
}
