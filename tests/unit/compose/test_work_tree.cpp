#include "compose/work_tree.hpp"

#include "scratch.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace pgod;
using namespace pgod::compose;

namespace {

using Files = std::map<std::string, std::string>;

// One step from the commit in `old` to the one in `new`, with the work tree in `tree`.
struct Step {
    Scratch scratch;
    std::set<std::string> mounted;
    std::set<std::string> pinned;

    Result<std::vector<std::string>> run(bool known_old = true) {
        const Fd tree = scratch.open("tree");
        const Fd target = scratch.open("new");
        std::vector<KnownFiles> known;
        if (known_old) {
            Fd old = scratch.open("old");
            Tree listing = *list_tree(old.get());
            known.push_back({std::move(old), std::move(listing)});
        }
        WorkTreeUpdate update(tree.get(), target.get(), *list_tree(target.get()), std::move(known));
        update.keep_directories(mounted);
        update.leave_alone(pinned);
        TRY(update.prepare());
        return update.apply();
    }
};

} // namespace

TEST_CASE("tracked files follow a commit, untracked ones are never touched") {
    struct Row {
        const char* what;
        Files old;
        Files tree;
        Files next;
        Files expected;
        std::vector<std::string> said;
    };
    const Row rows[] = {
        {"first", {}, {}, {{"a", "1"}, {"d/e/f", "2"}}, {{"a", "1"}, {"d/e/f", "2"}}, {}},
        {"changed", {{"a", "1"}}, {{"a", "1"}, {"data", "x"}}, {{"a", "2"}}, {{"a", "2"}, {"data", "x"}}, {}},
        {"removed", {{"d/a", "1"}, {"b", "1"}}, {{"d/a", "1"}, {"b", "1"}}, {{"b", "1"}}, {{"b", "1"}}, {}},
        {"removed beside data", {{"d/a", "1"}}, {{"d/a", "1"}, {"d/data", "x"}}, {}, {{"d/data", "x"}}, {}},
        {"changed locally and by the commit",
         {{"a", "1"}},
         {{"a", "mine"}, {"a.pgod-saved-1", "before"}},
         {{"a", "2"}},
         {{"a", "2"}, {"a.pgod-saved-1", "before"}, {"a.pgod-saved-2", "mine"}},
         {"a was changed in the work tree; it is kept as a.pgod-saved-2"}},
        {"changed locally only",
         {{"a", "1"}},
         {{"a", "mine"}},
         {{"a", "1"}},
         {{"a", "1"}, {"a.pgod-saved-1", "mine"}},
         {"a was changed in the work tree; it is kept as a.pgod-saved-1"}},
        {"changed locally, removed by the commit",
         {{"d/a", "1"}},
         {{"d/a", "mine"}},
         {},
         {{"d/a.pgod-saved-1", "mine"}},
         {"d/a was changed in the work tree and the commit removes it; it is kept as d/a.pgod-saved-1"}},
        {"removed locally", {{"a", "1"}}, {}, {{"a", "1"}}, {{"a", "1"}}, {}},
        {"untracked in the way",
         {},
         {{"a", "data"}},
         {{"a", "1"}},
         {{"a", "1"}, {"a.pgod-saved-1", "data"}},
         {"a was in the way of a file of the commit; it is kept as a.pgod-saved-1"}},
        {"untracked and the same", {}, {{"a", "1"}}, {{"a", "1"}}, {{"a", "1"}}, {}},
        {"directory becomes file", {{"a/b", "1"}}, {{"a/b", "1"}}, {{"a", "2"}}, {{"a", "2"}}, {}},
        {"directory with data becomes file",
         {{"a/b", "1"}},
         {{"a/b", "1"}, {"a/data", "x"}},
         {{"a", "2"}},
         {{"a", "2"}, {"a.pgod-saved-1/data", "x"}},
         {"a was in the way of a file of the commit; it is kept as a.pgod-saved-1"}},
        {"file becomes directory", {{"a", "1"}}, {{"a", "1"}}, {{"a/b", "2"}}, {{"a/b", "2"}}, {}},
        {"untracked file where a directory goes",
         {},
         {{"a", "data"}},
         {{"a/b/c", "2"}},
         {{"a/b/c", "2"}, {"a.pgod-saved-1", "data"}},
         {"a stands where the commit has a directory; it is kept as a.pgod-saved-1"}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        Step step;
        step.scratch.commit("old", row.old);
        step.scratch.commit("tree", row.tree);
        step.scratch.commit("new", row.next);
        const auto said = step.run();
        REQUIRE_MESSAGE(said, said.error().message);
        CHECK(*said == row.said);
        CHECK(step.scratch.files("tree") == row.expected);
    }
}

TEST_CASE("links of a container are never followed") {
    Step step;
    step.scratch.commit("elsewhere", {{"secret", "s"}, {"f", "host"}});
    step.scratch.commit("old", {{"d/f", "1"}, {"g", "1"}});
    step.scratch.commit("tree", {});
    step.scratch.commit("new", {{"d/f", "2"}, {"d/n", "2"}, {"g", "2"}});
    std::filesystem::create_directory_symlink(step.scratch.path("elsewhere"), step.scratch.path("tree/d"));
    std::filesystem::create_symlink(step.scratch.path("elsewhere/secret"), step.scratch.path("tree/g"));
    const auto said = step.run();
    REQUIRE_MESSAGE(said, said.error().message);
    CHECK(said->size() == 2);
    CHECK(step.scratch.files("elsewhere") == Files{{"secret", "s"}, {"f", "host"}});
    CHECK(step.scratch.read("tree/d/f") == "2");
    CHECK(std::filesystem::is_symlink(step.scratch.path("tree/d.pgod-saved-1")));
    CHECK(std::filesystem::is_symlink(step.scratch.path("tree/g.pgod-saved-1")));
}

TEST_CASE("links of a commit are written as links") {
    Step step;
    step.scratch.commit("new", {{"real", "1"}});
    std::filesystem::create_symlink("real", step.scratch.path("new/link"));
    REQUIRE(step.run());
    CHECK(step.scratch.files("tree") == Files{{"real", "1"}, {"link", "-> real"}});
    step.scratch.commit("old", {{"real", "1"}});
    std::filesystem::create_symlink("real", step.scratch.path("old/link"));
    std::filesystem::remove(step.scratch.path("new/link"));
    std::filesystem::create_symlink("other", step.scratch.path("new/link"));
    REQUIRE(step.run());
    CHECK(step.scratch.files("tree") == Files{{"real", "1"}, {"link", "-> other"}});
}

TEST_CASE("what containers have mounted stays: a directory when it is empty, a file as it is") {
    Step step;
    step.mounted = {"html"};
    step.pinned = {"page"};
    step.scratch.commit("old", {{"html/a", "1"}, {"page", "1"}, {"sub/x", "1"}});
    step.scratch.commit("tree", {{"html/a", "1"}, {"page", "changed locally"}, {"sub/x", "1"}});
    step.scratch.commit("new", {{"page", "1"}});
    const auto said = step.run();
    REQUIRE(said);
    CHECK(said->empty());
    CHECK(std::filesystem::is_directory(step.scratch.path("tree/html")));
    CHECK_FALSE(std::filesystem::exists(step.scratch.path("tree/sub")));
    CHECK(step.scratch.files("tree") == Files{{"page", "changed locally"}});
}

TEST_CASE("files are readable for every process of a container, and executable ones stay so") {
    Step step;
    const mode_t before = ::umask(077);
    step.scratch.commit("new", {{"d/plain", "1"}, {"d/run", "1"}});
    ::chmod(step.scratch.path("new/d/run").c_str(), 0700);
    REQUIRE(step.run());
    ::umask(before);
    const auto mode = [&](const char* name) {
        struct stat status {};
        ::stat(step.scratch.path(name).c_str(), &status);
        return status.st_mode & 07777;
    };
    CHECK(mode("tree/d") == 0755);
    CHECK(mode("tree/d/plain") == 0644);
    CHECK(mode("tree/d/run") == 0755);

    step.scratch.commit("old", {{"d/plain", "1"}, {"d/run", "1"}});
    ::chmod(step.scratch.path("old/d/run").c_str(), 0700);
    ::chmod(step.scratch.path("new/d/run").c_str(), 0600); // the commit changes nothing but that
    REQUIRE(step.run());
    CHECK(mode("tree/d/run") == 0644);
    CHECK(step.scratch.files("tree").size() == 2);
}

TEST_CASE("what was prepared and not applied leaves nothing") {
    Step step;
    step.scratch.commit("tree", {{"a", "1"}});
    step.scratch.commit("new", {{"a", "2"}, {"b", "2"}});
    {
        const Fd tree = step.scratch.open("tree");
        const Fd target = step.scratch.open("new");
        WorkTreeUpdate update(tree.get(), target.get(), *list_tree(target.get()), {});
        REQUIRE(update.prepare());
        CHECK(step.scratch.files("tree").size() == 3);
    }
    CHECK(step.scratch.files("tree") == Files{{"a", "1"}});
}

TEST_CASE("long names that begin alike are written side by side") {
    const std::string start(240, 'n');
    const Files files{{"d/" + start + "one", "1"},
                      {"d/" + start + "two", "2"},
                      {"d/" + std::string(255, 'x'), "3"},
                      {"d/" + std::string(245, 'y'), "4"}};
    Step step;
    step.scratch.commit("new", files);
    const auto done = step.run(false);
    CHECK_MESSAGE(done.has_value(), (done ? "" : done.error().message));
    CHECK(step.scratch.files("tree") == files);
}

TEST_CASE("a file that vanishes during the update is not the commit's fault") {
    Scratch scratch;
    scratch.commit("new", {{"d/a", "1"}});
    const Fd tree = scratch.open("tree");
    const Fd target = scratch.open("new");
    WorkTreeUpdate update(tree.get(), target.get(), *list_tree(target.get()), {});
    REQUIRE(update.prepare());
    std::filesystem::remove_all(scratch.path("tree/d"));
    const auto applied = update.apply();
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code == Code::transient);
}
