#include "fixture.hpp"

#include "base/text.hpp"
#include "git/library.hpp"
#include "os/run.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#if defined(__SANITIZE_ADDRESS__)
// libgit2 1.5.1 does not free PCRE2's match data when an expression does not match. In pgod a job's process
// ends with its job; here they add up in one.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libpcre2-8";
}
#endif

namespace pgod::test {

namespace fs = std::filesystem;

namespace {

bool start_once() {
    static const bool started = static_cast<bool>(git::start_library());
    return started;
}

} // namespace

std::string key_line(std::string_view comment) {
    return fmt::format("ssh-ed25519 {} {}\n", key_blob, comment);
}

Fixture::Fixture() {
    REQUIRE(start_once());
    std::string name = fs::temp_directory_path() / "pgod-git-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root = name;
    upstream = root / "upstream";
    service = root / "service";
    local = service / "repo.git";
    stage = service / "stage";
    fs::create_directories(upstream);
    fs::create_directories(service);
    git({"init", "-q", "-b", "main"});
    git({"config", "uploadpack.allowAnySHA1InWant", "true"});
    git({"config", "gc.auto", "0"});
}

Fixture::~Fixture() {
    std::error_code ignored; // a file left in /tmp is no failure of the test
    fs::remove_all(root, ignored);
}

std::string Fixture::git(std::vector<std::string> args, std::string_view input) const {
    os::RunRequest request;
    request.spawn.program = "/usr/bin/git";
    request.spawn.argv = {"git", "-c", "core.protectHFS=false", "-c", "core.protectNTFS=false"};
    for (auto& arg : args)
        request.spawn.argv.push_back(std::move(arg));
    request.spawn.env = {"PATH=/usr/bin:/bin",
                         "GIT_CONFIG_NOSYSTEM=1",
                         "HOME=" + root.string(),
                         "GIT_AUTHOR_NAME=a",
                         "GIT_AUTHOR_EMAIL=a@example.org",
                         "GIT_COMMITTER_NAME=a",
                         "GIT_COMMITTER_EMAIL=a@example.org"};
    request.spawn.directory = upstream;
    request.spawn.umask = 022; // as a repository that others may read
    request.input = input;
    const auto result = os::run(request);
    REQUIRE(result);
    INFO(result->errors);
    REQUIRE(result->succeeded());
    return std::string(trimmed(result->output));
}

void Fixture::write(const std::string& path, std::string_view text) const {
    fs::create_directories((upstream / path).parent_path());
    std::ofstream(upstream / path, std::ios::binary) << text;
}

std::string Fixture::commit(const std::string& message) const {
    git({"add", "-A"});
    git({"commit", "-q", "--allow-empty", "-m", message});
    return git({"rev-parse", "HEAD"});
}

std::string Fixture::blob(std::string_view text) const {
    return git({"hash-object", "-w", "--stdin"}, text);
}

std::string Fixture::tree(std::string_view lines) const {
    return git({"mktree", "--missing"}, lines);
}

std::string Fixture::commit_tree(const std::string& tree) const {
    const auto id = git({"commit-tree", tree, "-m", "made by hand"});
    git({"update-ref", "refs/heads/main", id});
    return id;
}

git::SyncRequest Fixture::request() const {
    auto url = RepositoryUrl::parse("file://" + upstream.string());
    REQUIRE(url);
    return {.directory = service,
            .source = {.url = *url, .branch = "main", .user = "demo", .home = root, .max_bytes = 100 << 20},
            .known = {}};
}

SyncResult Fixture::sync(const std::string& known) const {
    auto made = request();
    made.known = known;
    return git::sync(made);
}

ExportResult Fixture::export_commit(const std::string& commit, const git::ExportLimits& limits) const {
    return git::export_tree({.directory = service, .commit = commit, .into = "stage", .limits = limits});
}

std::string slurp(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool any_contains(const std::vector<std::string>& sentences, std::string_view part) {
    return std::any_of(sentences.begin(), sentences.end(), [part](const std::string& sentence) {
        return sentence.find(part) != std::string::npos;
    });
}

} // namespace pgod::test
