#include "git/local.hpp"

#include "git/failure.hpp"
#include "git/upstream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace pgod::git {

namespace {

constexpr const char* damage_mark = "pgod-damaged";

std::string path_of(const std::string& directory, const std::string& name) {
    return fmt::format("{}/{}", directory, name);
}

// The tip of the branch, with its tree in reach.
Result<std::string> find_tip(git_repository* repository, const std::string& branch) {
    const auto found = TRY(read_ref(repository, local_ref_of(branch)));
    if (found.empty()) // another branch was followed until now
        return found;
    const auto commit = TRY(find_commit(repository, found));
    Tree tree;
    if (const int rc = git_commit_tree(Out(tree), commit.get()); rc < 0)
        return git_failure(rc, "read the tree of " + found);
    return found;
}

// A damaged repository may well still know its tip.
void look_into(Local& local, const std::string& path, const std::string& branch) {
    auto tip = find_tip(local.repository.get(), branch);
    if (tip)
        local.tip = *tip;
    else
        local.damage = tip.error().message;
    if (git_repository_is_shallow(local.repository.get()) != 0)
        local.damage = "it is a shallow clone, which cannot be updated";
    if (::access(path_of(path, damage_mark).c_str(), F_OK) == 0)
        local.damage = "an object in it could not be read";
}

} // namespace

Result<Fd> lock_repository(int directory) {
    Fd lock(::openat(directory, "repo.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock)
        return errno_error("open the repository's lock");
    while (::flock(lock.get(), LOCK_EX) != 0)
        if (errno != EINTR)
            return errno_error("lock the repository");
    return lock;
}

Result<std::string> read_ref(git_repository* repository, const std::string& name) {
    git_oid id;
    const int rc = git_reference_name_to_id(&id, repository, name.c_str());
    if (rc == GIT_ENOTFOUND)
        return std::string();
    if (rc < 0)
        return git_failure(rc, "read " + name);
    return std::string(git_oid_tostr_s(&id));
}

Result<Commit> find_commit(git_repository* repository, const std::string& id) {
    git_oid oid;
    if (const int rc = git_oid_fromstr(&oid, id.c_str()); rc < 0)
        return Error{Code::invalid, "a commit id has 40 hexadecimal digits"};
    Commit commit;
    const int rc = git_commit_lookup(Out(commit), repository, &oid);
    if (rc == GIT_ENOTFOUND)
        return Error{Code::gone, fmt::format("commit {} is not in the local repository", id)};
    if (rc < 0)
        return git_failure(rc, "read commit " + id);
    return commit;
}

Result<Local> open_local(const std::string& directory, const std::string& branch) {
    Local local;
    const auto path = path_of(directory, repository_name);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT)
            return local;
        return errno_error("look at " + path);
    }
    // libgit2 checks this too, but its answer to a foreign repository is about a setting that nobody can
    // make.
    if (status.st_uid != ::geteuid())
        return Error{
            Code::denied,
            fmt::format(
                "{} belongs to uid {} and not to the service's user: give it to the user or remove it", path,
                status.st_uid)};
    const unsigned flags = GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE;
    const int rc = S_ISDIR(status.st_mode)
                       ? git_repository_open_ext(Out(local.repository), path.c_str(), flags, nullptr)
                       : int{GIT_ENOTFOUND};
    if (rc < 0) {
        local.damage = git_failure(rc, "open " + path).message;
        return local;
    }
    look_into(local, path, branch);
    return local;
}

Result<Repository> create_bare(const std::string& directory, const std::string& name) {
    const auto path = path_of(directory, name);
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKDIR;
    Repository repository;
    if (const int rc = git_repository_init_ext(Out(repository), path.c_str(), &options); rc < 0)
        return git_failure(rc, "create " + path);
    Configuration configuration;
    if (const int rc = git_repository_config(Out(configuration), repository.get()); rc < 0)
        return git_failure(rc, "configure " + path);
    // Nobody reads a reflog here, and it would keep every replaced commit alive.
    if (const int rc = git_config_set_bool(configuration.get(), "core.logAllRefUpdates", 0); rc < 0)
        return git_failure(rc, "configure " + path);
    return repository;
}

void mark_damaged(const std::string& directory) {
    const auto path = path_of(path_of(directory, repository_name), damage_mark);
    const Fd mark(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
}

} // namespace pgod::git
