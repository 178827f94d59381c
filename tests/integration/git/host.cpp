#include "host.hpp"

#include "os/users.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

namespace pgod::test {

namespace fs = std::filesystem;

Host::Host()
    : home(files.root / "home")
    , log(files.root / "pgod-git.log") {
    user = ::geteuid() == 0
               ? Identity{.name = "nobody", .uid = 65534, .gid = 65534, .groups = {65534}, .home = {}}
               : os::current_user();
    user.home = home;
    fs::create_directories(home / ".ssh");
    fs::permissions(files.root, fs::perms::others_exec | fs::perms::group_exec, fs::perm_options::add);
    fs::permissions(files.service, fs::perms::owner_all);
    give_to_user(files.service);
    give_to_user(home);
}

void Host::give_to_user(const fs::path& path) const {
    REQUIRE(::lchown(path.c_str(), user.uid, user.gid) == 0);
    if (fs::is_directory(path) && !fs::is_symlink(path))
        for (const auto& entry : fs::recursive_directory_iterator(path))
            REQUIRE(::lchown(entry.path().c_str(), user.uid, user.gid) == 0);
}

std::string Host::another_service() const {
    static int last = 0;
    const auto path = files.root / fmt::format("service-{}", ++last);
    fs::create_directories(path);
    give_to_user(path);
    return path;
}

PgodGit& Host::pgod_git() {
    if (!pgod_git_)
        pgod_git_ = std::make_unique<PgodGit>(log, env_);
    return *pgod_git_;
}

void Host::trust(const fs::path& certificates) {
    REQUIRE_FALSE(pgod_git_);
    env_.push_back("SSL_CERT_FILE=" + certificates.string());
}

ipc::GitJob Host::sync_job(const std::string& url) const {
    static std::uint64_t last_id = 0;
    ipc::GitJob job;
    job.id = ++last_id;
    job.user = user;
    job.directory = files.service;
    job.url = Secret(url);
    job.branch = "main";
    job.deadline = deadline;
    job.max_bytes = 100 << 20;
    return job;
}

ipc::GitJob Host::export_job(const std::string& commit) const {
    auto job = sync_job("file:///nowhere/at/all");
    job.sync = false;
    job.export_job.commit = commit;
    job.export_job.into = "stage";
    return job;
}

std::string Host::all_that_was_written() const {
    std::string text = slurp(log);
    for (const auto& entry : fs::recursive_directory_iterator(files.service))
        if (entry.is_regular_file())
            text += slurp(entry.path());
    return text;
}

} // namespace pgod::test
