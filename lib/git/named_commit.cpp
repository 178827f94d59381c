#include "git/named_commit.hpp"

#include "git/failure.hpp"
#include "git/local.hpp"
#include "git/upstream.hpp"

#include <fmt/format.h>
#include <git2.h>

namespace pgod::git {

Result<Commit> find_on_branch(git_repository* repository, const std::string& branch,
                              const std::string& digits) {
    git_oid prefix;
    if (const int rc = git_oid_fromstrn(&prefix, digits.c_str(), digits.size()); rc < 0)
        return Error{Code::invalid, "a commit is named by hexadecimal digits"};
    Commit commit;
    const int rc = git_commit_lookup_prefix(Out(commit), repository, &prefix, digits.size());
    if (rc == GIT_EAMBIGUOUS)
        return Error{Code::gone, fmt::format("several commits begin with {}: write more digits", digits)};
    if (rc == GIT_ENOTFOUND)
        return Error{Code::gone, fmt::format("commit {} is not in the repository as it was fetched", digits)};
    if (rc < 0)
        return git_failure(rc, "read commit " + digits);
    const auto tip_id = TRY(read_ref(repository, local_ref_of(branch)));
    const auto tip = TRY(find_commit(repository, tip_id));
    const git_oid* wanted = git_commit_id(commit.get());
    if (git_oid_equal(git_commit_id(tip.get()), wanted) != 0)
        return commit;
    const int on_branch = git_graph_descendant_of(repository, git_commit_id(tip.get()), wanted);
    if (on_branch < 0)
        return git_failure(on_branch, "look for commit " + digits + " on branch " + branch);
    if (on_branch == 0)
        return Error{Code::gone, fmt::format("commit {} is not on branch {}", digits, branch)};
    return commit;
}

} // namespace pgod::git
