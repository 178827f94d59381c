// What the worker reads of podman, and of the record that an earlier worker left where the service's user can
// change it.
#include "target.hpp"

#include "compose/container.hpp"
#include "compose/ending.hpp"
#include "compose/record.hpp"
#include "compose/shared_binds.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pgod;
    const auto text = fuzz::text_of(data, size);
    const auto containers = compose::parse_containers(text);
    for (const auto& container : containers) {
        const compose::ExpectedContainer expected{
            .name = container.name, .service = "web", .id = {}, .deployment = {}};
        const auto judgement = compose::judge_container(expected, containers);
        fuzz::require(judgement.problem.empty() == (judgement.verdict == compose::Verdict::good));
        (void)compose::health_of({&expected, 1}, containers);
    }
    (void)compose::parse_events(text);
    (void)compose::host_binds_of_inspect(text);
    if (const auto record = compose::record_from_json(text)) {
        const auto again = compose::record_from_json(compose::to_json(*record));
        fuzz::require(again && compose::to_json(*again) == compose::to_json(*record));
    }
    return 0;
}
