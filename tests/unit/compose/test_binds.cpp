#include "compose/binds.hpp"

#include "scratch.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace pgod;
using namespace pgod::compose;

TEST_CASE("where bind sources lead") {
    const Scratch scratch;
    scratch.commit("tree", {{"html/index.html", "1"}, {"page", "1"}});
    scratch.commit("granted", {{"sub/f", "1"}});
    std::filesystem::create_directory_symlink("/etc", scratch.path("tree/out"));
    std::filesystem::create_directory_symlink("html", scratch.path("tree/in"));
    std::filesystem::create_directory_symlink("/etc", scratch.path("granted/out"));
    ::mkfifo(scratch.path("tree/pipe").c_str(), 0600);
    const Fd tree = scratch.open("tree");
    const std::string root = scratch.path("tree").string();
    const std::string granted = scratch.path("granted").string();
    const BindRoots roots{"/s/stage", root, {granted}};

    struct Row {
        std::string source;
        std::string path; // "": refused
        const char* words;
    };
    const Row rows[] = {
        {"/s/stage", root, ""},
        {"/s/stage/html", root + "/html", ""},
        {"/s/stage/page", root + "/page", ""},
        {"/s/stage/not/there", root + "/not/there", ""},
        {"/s/stage/out", "", "leads through a link that is in the work tree"},
        {"/s/stage/out/passwd", "", "link"},
        {"/s/stage/in", "", "link"},
        {"/s/stage/pipe", "", "neither a file nor a directory"},
        {"/s/stage/../x", "", ""},
        {"/s/stagex", "", "neither in the repository nor in a directory of `volumes`"},
        {"/etc", "", "`volumes`"},
        {granted, granted, ""},
        {granted + "/sub", granted + "/sub", ""},
        {granted + "/out", "", "link"},
        {granted + "/missing", "", "missing"},
        {granted + "x", "", "`volumes`"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.source);
        const auto path = resolve_bind(row.source, roots, tree.get(), IfMissing::accept);
        REQUIRE(path.has_value() == !row.path.empty());
        if (path) {
            CHECK(*path == row.path);
        } else {
            CHECK(path.error().code == Code::permanent);
            CHECK_MESSAGE(path.error().message.find(row.words) != std::string::npos, path.error().message);
        }
    }
    CHECK_FALSE(std::filesystem::exists(root + "/not"));
    REQUIRE(resolve_bind("/s/stage/not/there", roots, tree.get(), IfMissing::make));
    CHECK(std::filesystem::is_directory(root + "/not/there"));
    CHECK_FALSE(resolve_bind("/s/stage/out/there", roots, tree.get(), IfMissing::make));
    CHECK_FALSE(std::filesystem::exists("/etc/there"));
}

TEST_CASE("files of the host's time are followed, and left out where they are missing") {
    const Scratch scratch;
    scratch.commit("tree", {{"f", "1"}});
    const Fd tree = scratch.open("tree");
    const BindRoots roots{"/s/stage", scratch.path("tree").string(), {}};
    for (const std::string& source : std::vector<std::string>{"/etc/localtime", "/etc/timezone"})
        CHECK(resolve_bind(source, roots, tree.get(), IfMissing::accept).value() == source);
    CHECK_FALSE(resolve_bind("/usr/share/zoneinfo/Nowhere", roots, tree.get(), IfMissing::accept));
    const PlannedContainer container{
        "c", "c", {{"--volume", "/etc/timezone:/etc/timezone:ro"}, {"--volume", "/s/stage:/s"}}, "i", {}};
    const auto made = without_missing(container);
    CHECK(made.options.size() == (std::filesystem::exists("/etc/timezone") ? 2 : 1));
    CHECK(made.options.back() == container.options.back());
}

TEST_CASE("a grant leads where links of root do, and never to pgod's own directory") {
    CHECK(with_targets({"/srv/x", "data"}, "/var/lib/pgod") == std::vector<std::string>{"/srv/x", "data"});
    if (!std::filesystem::is_symlink("/var/run"))
        return;
    CHECK(with_targets({"/var/run/x"}, "/var/lib/pgod") == std::vector<std::string>{"/var/run/x", "/run/x"});
    for (const std::string& state : std::vector<std::string>{"/run", "/run/x", "/run/x/pgod"})
        CHECK(with_targets({"/var/run/x"}, state) == std::vector<std::string>{"/var/run/x"});
}

TEST_CASE("no link lies on the way to a granted directory") {
    const Scratch scratch;
    scratch.commit("tree", {{"f", "1"}});
    scratch.commit("other", {{"sub/f", "1"}});
    const Fd tree = scratch.open("tree");
    std::filesystem::create_directory_symlink("other", scratch.path("link"));
    const std::string granted = scratch.path("link").string();
    const BindRoots roots{"/s/stage", scratch.path("tree").string(), {granted}};
    for (const auto& source : {granted, granted + "/sub"}) {
        const auto path = resolve_bind(source, roots, tree.get(), IfMissing::accept);
        REQUIRE_FALSE(path);
        CHECK(path.error().message.find("leads through a link") != std::string::npos);
    }
}
