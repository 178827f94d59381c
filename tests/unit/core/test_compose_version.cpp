#include "core/compose_version.hpp"

#include "base/text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod;

TEST_CASE("a podman-compose is compared by our tests, has to pass the self-test, or is too old") {
    struct Row {
        const char* version;
        ComposeStanding standing;
    };
    using enum ComposeStanding;
    for (const auto& [version, standing] : std::vector<Row>{{"1.0.3", compared},
                                                            {"1.0.6\n", compared},
                                                            {"1.3.0", compared},
                                                            {"1.6.0", compared},
                                                            {"1.0.4", untried},
                                                            {"1.5.0", untried},
                                                            {"1.7.0", untried},
                                                            {"1.7", untried},
                                                            {"2.0.0", untried},
                                                            {"1.6.0.dev1", untried},
                                                            {"1.6.0-rc1", untried},
                                                            {"1.06.0", untried},
                                                            {"1.0.2", too_old},
                                                            {"1.0", too_old},
                                                            {"0.99.9", too_old},
                                                            {"", too_old},
                                                            {"v2", too_old},
                                                            {"main", too_old},
                                                            {"99999999999999999999.0", too_old}}) {
        CAPTURE(version);
        CHECK(standing_of_compose(version) == standing);
        CHECK(problem_of_compose(version).empty() == (standing != too_old));
    }
    const std::string all = compared_composes();
    for (const auto one : words(all))
        CHECK(standing_of_compose(one.substr(0, one.find(','))) == compared);
    CHECK(compared_composes().starts_with("1.0.3, "));
    CHECK(problem_of_compose("1.0.2\n") == "podman-compose 1.0.3 or newer is needed, and this is \"1.0.2\"");
}
