#include "core/nested_binds.hpp"

#include "core/paths.hpp"
#include "recorded_plan.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::test;

namespace {

PlannedContainer with_volumes(const std::string& service, const std::vector<std::string>& volumes) {
    PlannedContainer container{"demo_" + service + "_1", service, {}, "x", {}};
    for (const auto& value : volumes) {
        auto mount = parse_volume(value).value();
        if (mount.kind == MountKind::bind)
            mount.source = *lexical_path(stage, mount.source);
        container.options.push_back(volume_option(mount));
    }
    return container;
}

} // namespace

TEST_CASE("a bind beneath another one that can be written to") {
    struct Row {
        std::vector<std::string> web; // volumes
        std::vector<std::string> db;
        const char* inner; // that is refused; "": none
        const char* outer;
    };
    auto grants = no_grants();
    grants.files = {stage + "/s/file", stage + "/file"};
    for (const auto& row : std::vector<Row>{
             {{"./s:/s", "./s/sub:/x"}, {}, "./s/sub", "./s"},
             {{"./s/sub:/x", "./s:/s:rw"}, {}, "./s/sub", "./s"},
             {{"./s/a/b:/x:ro"}, {"./s:/s"}, "./s/a/b", "./s"},
             {{".:/all", "./s:/s"}, {}, "./s", "."},
             {{"/data:/d", "/data/x:/x"}, {}, "/data/x", "/data"},
             {{"./s/sub:/x", "./s:/s:ro"}, {"./s:/s"}, "./s/sub", "./s"},
             {{"./s:/s:ro", "./s/sub:/x"}, {"./s:/s:z,ro"}, "", ""},
             {{".:/all:ro", "./s:/s"}, {}, "", ""},
             {{"./s:/s", "./s:/x"}, {"./s/:/s"}, "", ""},
             {{"./s:/s", "./s2:/x", "/data/s:/y"}, {}, "", ""},
             // it repeats what is there anyway
             {{"./s:/s", "./s/sub:/s/sub"}, {}, "", ""},
             {{"./s/a/b:/x/a/b", "./s:/x/"}, {}, "", ""},
             {{"./s:/s", "./s/a:/s/a", "./s/a/b:/s/a/b"}, {}, "", ""},
             {{"./s:/s", "./s/sub:/s/sub:ro"}, {}, "./s/sub", "./s"},
             {{"./s:/s", "./s/sub:/s/other"}, {}, "./s/sub", "./s"},
             {{"./s:/s"}, {"./s/sub:/s/sub"}, "./s/sub", "./s"},
             {{"./s:/s", "v:/s/a", "./s/a/b:/s/a/b"}, {}, "./s/a/b", "./s"},
             // a copy of a file
             {{".:/all", "./file:/etc/file:ro"}, {}, "", ""},
             {{"./s:/s"}, {"./s/file:/f:ro"}, "", ""},
             {{".:/all", "./dir:/etc/dir:ro"}, {}, "./dir", "."},
         }) {
        Plan plan;
        plan.project = "demo";
        plan.containers = {with_volumes("web", row.web), with_volumes("db", row.db)};
        CAPTURE(row.web.back());
        const std::string expected =
            *row.inner == '\0'
                ? std::string()
                : std::string("web: volumes: \"") + row.inner + "\" lies in \"" + row.outer +
                      "\", which is mounted as well and could be changed under it; mount the outer one "
                      "read-only, or mount only the outer one; the admin can grant it with allow = "
                      "[\"nested-binds\"]\n";
        Findings findings;
        judge_nested_binds(plan, grants, findings);
        auto said = sentences(std::move(findings).take());
        if (said.starts_with("db: "))
            said.replace(0, 2, "web");
        CHECK(said == expected);
        auto granted = grants;
        granted.allow = {"nested-binds"};
        Findings none;
        judge_nested_binds(plan, granted, none);
        CHECK(std::move(none).take().empty());
    }
}

TEST_CASE("a file that is mounted writable within a directory is told of its copy") {
    auto grants = no_grants();
    grants.files = {stage + "/file"};
    Plan plan;
    plan.containers = {with_volumes("web", {".:/all", "./file:/etc/file"})};
    Findings findings;
    judge_nested_binds(plan, grants, findings);
    CHECK(sentences(std::move(findings).take()).find("mount the file read-only (:ro)") != std::string::npos);
}
