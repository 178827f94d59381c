#include "git/named_commit.hpp"

#include "git/failure.hpp"
#include "git/local.hpp"
#include "git/upstream.hpp"

#include <fmt/format.h>
#include <git2.h>

namespace pgod::git {

namespace {

// Code::gone: there is none, or several begin like it.
Result<Commit> find_named(git_repository* repository, const std::string& digits) {
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
    return commit;
}

Result<bool> contains(git_repository* repository, const git_oid& top, const Commit& wanted) {
    const git_oid* id = git_commit_id(wanted.get());
    if (git_oid_equal(&top, id) != 0)
        return true;
    const int descends = git_graph_descendant_of(repository, &top, id);
    if (descends < 0)
        return git_failure(descends, "compare two commits");
    return descends == 1;
}

} // namespace

Result<Commit> find_on_branch(git_repository* repository, const std::string& branch,
                              const std::string& digits) {
    auto commit = TRY(find_named(repository, digits));
    const auto tip_id = TRY(read_ref(repository, local_ref_of(branch)));
    const auto tip = TRY(find_commit(repository, tip_id));
    if (!TRY(contains(repository, *git_commit_id(tip.get()), commit)))
        return Error{Code::gone, fmt::format("commit {} is not on branch {}", digits, branch)};
    return commit;
}

Result<NamedCommit> judge_named(git_repository* repository, const Commit& top, const std::string& digits,
                                const std::string& serving) {
    NamedCommit judged{digits, {}, false, {}};
    auto commit = find_named(repository, digits);
    if (!commit && commit.error().code != Code::gone)
        return std::move(commit).error();
    if (!commit) {
        judged.refused = commit.error().message;
        return judged;
    }
    if (!TRY(contains(repository, *git_commit_id(top.get()), *commit))) {
        judged.refused = fmt::format("commit {} is not on the branch that is followed", digits);
        return judged;
    }
    judged.commit = git_oid_tostr_s(git_commit_id(commit->get()));
    // What runs may have gone from the repository with a force-push.
    const auto running =
        serving.empty() ? Result<Commit>(Error{Code::gone, {}}) : find_named(repository, serving);
    if (running)
        judged.serves = TRY(contains(repository, *git_commit_id(running->get()), *commit));
    return judged;
}

} // namespace pgod::git
