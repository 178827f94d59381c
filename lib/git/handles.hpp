// Owners of libgit2's handles. Used inside lib/git only: raw libgit2 types do not leave this folder.
#pragma once

#include "base/handle.hpp"

#include <git2.h>

namespace pgod::git {

using Repository = Handle<git_repository, git_repository_free>;
using Remote = Handle<git_remote, git_remote_free>;
using Reference = Handle<git_reference, git_reference_free>;
using Commit = Handle<git_commit, git_commit_free>;
using Tree = Handle<git_tree, git_tree_free>;
using Blob = Handle<git_blob, git_blob_free>;
using Odb = Handle<git_odb, git_odb_free>;
using Configuration = Handle<git_config, git_config_free>;

} // namespace pgod::git
