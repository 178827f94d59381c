// WorkTreeUpdate: brings the tracked files of the work tree to a commit, in place, because containers have
// its directories mounted. In two steps: prepare() writes every new file beside its target while the old
// version runs, apply() renames them into place.
//
// Only tracked files are touched. What was tracked and is not any more is removed; what was changed by
// somebody else since we wrote it, or stands untracked where a tracked file must go, is kept aside as
// NAME.pgod-saved-N and said. Directories are never replaced, and one that containers have mounted is never
// removed. A directory that a container gave to another uid, and in which a file has to change, is refused by
// prepare(), before anything is touched; it is not taken back, because what is in it is the container's.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "compose/file_tree.hpp"

#include <set>
#include <string>
#include <vector>

namespace pgod::compose {

// A version whose files we wrote: the one that runs, or one that a crash interrupted.
struct KnownFiles {
    Fd directory;
    Tree tree;
};

// mkdir -p beneath `directory` without following links; what it makes is 0755 whatever the umask, because
// processes of a container are not all its root.
Result<Fd> make_public_directories(int directory, const std::string& path);

// Removes what a crash left beside the files of this version: written, and never renamed into place.
void remove_prepared(int work_tree, const Tree& tree);

class WorkTreeUpdate {
  public:
    // `mounted`: bind sources, relative; a file among them that is in `pinned` stays as it is, since a rename
    // would only hide the new content from the container that has the old one mounted.
    WorkTreeUpdate(int work_tree, int target, Tree target_tree, std::vector<KnownFiles> known)
        : work_tree_(work_tree)
        , target_(target)
        , target_tree_(std::move(target_tree))
        , known_(std::move(known)) {}
    WorkTreeUpdate(const WorkTreeUpdate&) = delete;
    WorkTreeUpdate& operator=(const WorkTreeUpdate&) = delete;
    ~WorkTreeUpdate(); // removes what was prepared and not applied

    void keep_directories(std::set<std::string> mounted) { mounted_ = std::move(mounted); }
    void leave_alone(std::set<std::string> pinned) { pinned_ = std::move(pinned); }

    // Code::transient when something vanishes in the work tree meanwhile: the commit is not at fault.
    Status prepare();
    // The sentences about files kept aside.
    Result<std::vector<std::string>> apply();

  private:
    Status write_all_beside();
    Status put_all_in_place();
    std::set<std::string> obsolete() const;
    Status check_owner(const std::string& path) const;
    Status write_beside(const TreeEntry& entry, int parent);
    Status place(const TreeEntry& entry);
    Status remove(const std::string& path);
    Status clear_way(const std::string& path);
    Status keep_aside(int directory, const std::string& name, const std::string& path, std::string_view why);
    void remove_empty_parents(const std::string& path);
    bool is_ours(const std::string& path) const;

    int work_tree_;
    int target_;
    Tree target_tree_;
    std::vector<KnownFiles> known_;
    std::set<std::string> mounted_;
    std::set<std::string> pinned_;
    std::vector<TreeEntry> pending_; // written beside, not in place yet
    std::vector<TreeEntry> blocked_; // not written yet
    std::vector<std::string> said_;
};

} // namespace pgod::compose
