#include "compose/shared_binds.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::compose;

TEST_CASE("what a plan mounts from outside of its repository") {
    Plan plan;
    plan.containers = {{"s_web_1",
                        "web",
                        {{"--volume", "/st/stage/html:/h"},
                         {"--volume", "/srv/a:/a"},
                         {"--volume", "/srv/b:/b:ro,z"},
                         {"--volume", "s_data:/d"}},
                        "image",
                        {}}};
    CHECK(host_binds(plan, "/st/stage") ==
          std::vector<HostBind>{{"web", "/srv/a", true}, {"web", "/srv/b", false}});
}

TEST_CASE("what podman says of other containers") {
    const auto found = host_binds_of_inspect(R"([
        {"Config": {"Labels": {"pgod.service": "wiki"}},
         "Mounts": [{"Type": "bind", "Source": "/srv/a", "Destination": "/a", "RW": true},
                    {"Type": "volume", "Source": "/x", "RW": true},
                    {"Type": "bind", "Source": "/srv/b", "RW": false}]},
        {"Mounts": null}, 7])");
    CHECK(found == std::vector<HostBind>{{"wiki", "/srv/a", true}, {"wiki", "/srv/b", false}});
    for (const auto* text : {"", "{}", "[", "7"})
        CHECK(host_binds_of_inspect(text).empty());
}

TEST_CASE("a directory that another service can change from above is not mounted") {
    struct Row {
        HostBind mine;
        HostBind other;
        const char* said; // "": allowed
    };
    for (const auto& row : std::vector<Row>{
             {{"web", "/srv/a/b", true},
              {"wiki", "/srv/a", true},
              "web: volumes: /srv/a/b lies in /srv/a, which service wiki mounts and could change "
              "under "
              "it; mount the same directory there, or separate ones"},
             {{"web", "/srv/a/b", false},
              {"wiki", "/srv", true},
              "web: volumes: /srv/a/b lies in /srv, "
              "which service wiki mounts and could change under it; mount the same directory there, or "
              "separate ones"},
             {{"web", "/srv/a", true},
              {"wiki", "/srv/a/b", false},
              "web: volumes: /srv/a holds /srv/a/b, which service wiki mounts and which could be "
              "changed "
              "under it; mount it read-only, or separate directories"},
             {{"web", "/srv/a", false}, {"wiki", "/srv/a/b", true}, ""},
             {{"web", "/srv/a/b", true}, {"wiki", "/srv/a", false}, ""},
             {{"web", "/srv/a", true}, {"wiki", "/srv/a", true}, ""},
             {{"web", "/srv/a", true}, {"wiki", "/srv/ab", true}, ""},
             {{"web", "/etc/localtime", false}, {"wiki", "/etc", true}, ""}, // root alone changes it
         }) {
        CAPTURE(row.mine.source);
        const std::vector<HostBind> ours{row.mine};
        const std::vector<HostBind> others{row.other};
        const auto judged = judge_shared_binds(ours, others);
        const std::string grant = "; the admin can grant it with allow = [\"nested-binds\"]";
        const bool is_fine = *row.said == '\0';
        CHECK(summary_of(judged) == (is_fine ? "" : row.said + grant + " of both services"));
        const std::vector<std::string> with_grant{"shop", "wiki"};
        CHECK(summary_of(judge_shared_binds(ours, others, true)) ==
              (is_fine ? "" : row.said + grant + " of service wiki too"));
        CHECK(summary_of(judge_shared_binds(ours, others, false, with_grant)) ==
              (is_fine ? "" : row.said + grant + ", as for service wiki"));
        CHECK(judge_shared_binds(ours, others, true, with_grant).empty());
    }
}
