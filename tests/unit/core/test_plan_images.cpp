#include "core/plan_images.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace pgod;

namespace {

// Containers c0, c1… of these images.
Plan plan_of(const std::vector<std::string>& images, const std::vector<std::string>& builds = {}) {
    Plan plan;
    for (const auto& image : images)
        plan.containers.push_back({"c" + std::to_string(plan.containers.size()), "web", {}, image, {}});
    for (const auto& image : builds)
        plan.builds.push_back({image, "/stage", "/stage/Containerfile", {}});
    return plan;
}

using Images = std::vector<std::string>;

std::string listed(const Images& images) {
    std::string text;
    for (const auto& image : images)
        text += "[" + image + "]";
    return text;
}

std::string images_of(const Plan& plan) {
    Images images;
    for (const auto& container : plan.containers)
        images.push_back(container.image);
    return listed(images);
}

} // namespace

TEST_CASE("each image of a plan gets its complete name") {
    struct Row {
        std::string what;
        Images written;
        Images builds;
        std::set<std::string> here;
        Images looked_for;
        Images complete;
    };
    for (const auto& row : std::vector<Row>{
             {"of a registry",
              {"nginx", "a/b:1", "quay.io/a", "docker.io/nginx"},
              {},
              {},
              {"localhost/a/b:1", "localhost/nginx"},
              {"docker.io/library/nginx", "docker.io/a/b:1", "quay.io/a", "docker.io/library/nginx"}},
             {"of this host",
              {"box", "box:1", "docker.io/library/box", "localhost/box"},
              {},
              {"localhost/box"},
              {"localhost/box", "localhost/box:1"},
              {"localhost/box", "docker.io/library/box:1", "docker.io/library/box", "localhost/box"}},
             {"of a build",
              {"own", "own", "demo_web"},
              {"own", "demo_web"},
              {"localhost/own"},
              {},
              {"own", "own", "demo_web"}},
             {"of another service's build",
              {"own", "own:latest", "localhost/own", "docker.io/library/own", "own:2"},
              {"own"},
              {},
              {"localhost/own:2"},
              {"own", "own", "own", "docker.io/library/own", "docker.io/library/own:2"}},
             {"of a build under a registry's name",
              {"a/own:1", "docker.io/a/own:1", "localhost/a/own:1"},
              {"docker.io/a/own:1"},
              {},
              {"localhost/a/own:1"},
              {"docker.io/a/own:1", "docker.io/a/own:1", "localhost/a/own:1"}},
             {"what is rejected, as it stands in the file",
              {"cafe", "sha256:cafe", "--privileged", "", "a b", "dir:/etc"},
              {},
              {},
              {},
              {"cafe", "sha256:cafe", "--privileged", "", "a b", "dir:/etc"}},
             {"an own image that could be an id", {"cafe"}, {"cafe"}, {}, {}, {"cafe"}},
             {"pgod's own",
              {"pgod/web:1"},
              {},
              {"localhost/pgod/web:1"},
              {"localhost/pgod/web:1"},
              {"localhost/pgod/web:1"}},
         }) {
        CAPTURE(row.what);
        Plan plan = plan_of(row.written, row.builds);
        CHECK(listed(images_to_look_for(plan)) == listed(row.looked_for));
        complete_images(plan, row.here);
        CHECK(images_of(plan) == listed(row.complete));
        complete_images(plan, row.here);
        CHECK(images_of(plan) == listed(row.complete));
    }
}

TEST_CASE("a record from before names were completed equals the plan that completes them") {
    const Plan next =
        plan_of({"docker.io/library/nginx", "localhost/box:1", "docker.io/a/b", "own", "quay.io/x"});
    Plan running = plan_of({"nginx", "box:1", "index.docker.io/a/b", "own", "quay.io/x"});
    std::map<std::string, std::string> images{
        {"nginx", "1"}, {"box:1", "2"}, {"own", "4"}, {"quay.io/x", "5"}};
    take_completed_images(running, images, next);
    CHECK(running == next);
    CHECK(images.at("docker.io/library/nginx") == "1");
    CHECK(images.at("localhost/box:1") == "2");
    CHECK_FALSE(images.contains("docker.io/a/b"));

    Plan other = plan_of({"nginx:1", "localhost/box:1", "docker.io/library/b", "quay.io/own", "x"});
    const Plan as_it_was = other;
    take_completed_images(other, images, next);
    CHECK(other == as_it_was);
}
