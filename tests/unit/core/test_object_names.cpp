#include "core/object_names.hpp"

#include <doctest/doctest.h>

using namespace pgod;

namespace {

Service service_of(std::string name, std::string user) {
    Service service;
    service.name = std::move(name);
    service.user = std::move(user);
    return service;
}

} // namespace

TEST_CASE("the text before the first underscore names the service that a podman object belongs to") {
    struct Row {
        const char* object;
        const char* owner;
    };
    for (const auto& row : {Row{"ab_web_1", "ab"}, Row{"ab-cd_web_1", "ab-cd"}, Row{"ab-web-1", ""},
                            Row{"ab", ""}, Row{"_web", ""}, Row{"", ""}, Row{"ab_", "ab"}}) {
        CAPTURE(row.object);
        CHECK(owner_by_name(row.object) == row.owner);
    }
}

TEST_CASE("only the other services of the same user are neighbours") {
    const std::vector<Service> services{service_of("a", "ann"), service_of("b", "bob"),
                                        service_of("c", "ann"), service_of("d", "ann")};
    CHECK(neighbours_of(services[2], services) == std::vector<std::string>{"a", "d"});
    CHECK(neighbours_of(services[1], services).empty());
}

TEST_CASE("neighbours whose binds may lie in each other are those with the grant") {
    std::vector<Service> services{service_of("a", "ann"), service_of("b", "bob"), service_of("c", "ann"),
                                  service_of("d", "ann")};
    for (auto& service : services)
        service.allow = {"cap:NET_ADMIN", "nested-binds"};
    services[3].allow.pop_back();
    CHECK(nesting_neighbours_of(services[2], services) == std::vector<std::string>{"a"});
    CHECK(nesting_neighbours_of(services[3], services) == std::vector<std::string>{"a", "c"});
}

TEST_CASE("the names of neighbours fit into a message to the worker") {
    const auto many = [](std::size_t count) {
        std::vector<Service> services;
        for (std::size_t i = 0; i < count; ++i)
            services.push_back(service_of(std::string(60, 'x') + std::to_string(100 + i), "ann"));
        return services;
    };
    CHECK(neighbours_of(service_of("a", "ann"), many(400)).size() == 400);
    CHECK(neighbours_of(service_of("a", "ann"), many(600)).size() == max_neighbour_bytes / 67);
}
