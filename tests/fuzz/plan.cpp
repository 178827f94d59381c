// A plan as the worker decodes it: the translator's answer. What can be represented is judged, and what is
// judged is written as arguments again, none of which podman would take for another option or a second
// argument.
#include "target.hpp"

#include "compose/arguments.hpp"
#include "compose/translation.hpp"
#include "core/plan_images.hpp"
#include "core/policy.hpp"

#include <algorithm>

namespace {

using namespace pgod;

const PolicyGrants grants{.stage = "/srv/stage/1",
                          .ports = std::vector<PortRange>{{5005, 5010}},
                          .volumes = {"/srv/miek"},
                          .networks = {"shared"},
                          .allow = {"cap:NET_ADMIN"}};

const compose::Secrets secrets{{"DB", Secret("value")}};

void write_again(const PlannedContainer& container) {
    const auto call = compose::run_call(container, {.service = "demo",
                                                    .deployment = "7",
                                                    .commit = "c0ffee",
                                                    .image_id = "sha256:1",
                                                    .env_file = "/e",
                                                    .paths = {},
                                                    .secrets = secrets});
    const auto image = std::find(call.arguments.begin(), call.arguments.end(), "sha256:1");
    fuzz::require(image != call.arguments.end());
    // "run", its options, each one argument, then the image.
    fuzz::require(call.arguments.front() == "run");
    fuzz::require(std::all_of(call.arguments.begin() + 1, image,
                              [](const std::string& argument) { return argument.starts_with("--"); }));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    auto answer = compose::parse_answer(text);
    if (!answer.translation)
        return 0;
    for (const auto& line : lines_of(answer.translation->reasons))
        fuzz::require(!line.empty());
    const auto [written, violations] =
        parse_plan(answer.translation->calls, "demo", std::move(answer.translation->model));
    Plan plan = written;
    complete_images(plan, {});
    fuzz::require(images_to_look_for(plan).empty());
    const Plan complete = plan;
    complete_images(plan, {});
    fuzz::require(plan == complete);
    const auto judged = judge(plan, grants);
    for (const auto* list : {&violations, &judged})
        for (const auto& violation : *list)
            fuzz::require(!describe(violation).empty());
    fuzz::require(plan.containers.size() <= max_containers);
    if (!violations.empty() || !judged.empty())
        return 0;
    std::for_each(plan.containers.begin(), plan.containers.end(), write_again);
    for (const auto& build : plan.builds)
        fuzz::require(compose::build_call(build, "localhost/demo:1").front() == "build");
    return 0;
}
