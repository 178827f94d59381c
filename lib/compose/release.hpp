// A release is a version on disk: its record and a private copy of its tracked files, which no container can
// reach (`record` and `incoming` of the service's directory). The copy is what a rollback puts back, what
// local changes are told by, and where env files are read from.
//
// Crash rule: `incoming` gets its files, then its record.json, and only then anything goes down. An
// `incoming` that is found later is kept as unfinished-N until a work tree was brought to a commit
// completely, because files of it may stand in the tree. One exception: the release before, of which a crash
// kept publish_release() from putting it among the kept ones (kept.hpp).
#pragma once

#include "compose/file_tree.hpp"
#include "compose/record.hpp"
#include "compose/service_directory.hpp"
#include "compose/work_tree.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pgod::compose {

inline constexpr const char* running_release = "record";
inline constexpr const char* next_release = "incoming";

// nullopt: nothing was ever deployed, or what is there cannot be read (then the service is deployed anew).
std::optional<Record> read_record(const ServiceDirectory& directory, const std::string& release);
Status write_record(const ServiceDirectory& directory, const std::string& release, const Record& record);

// Brings the files of the stage, or of a kept release, to incoming/files; what the running release has as
// well is linked, not copied, and so is all of a kept release.
struct StageFiles {
    Tree tree;
    std::vector<std::string> changed; // paths in which it differs from the running release
    Fd directory;                     // incoming/files
};
// What prepare_release() would find, without preparing anything.
struct FileChanges {
    std::vector<std::string> added, changed, removed; // against the running release; sorted
};
Result<FileChanges> file_changes(const ServiceDirectory& directory, const std::string& source = "stage");

enum class FilesOf { stage, release };
Result<StageFiles> prepare_release(const ServiceDirectory& directory, const std::string& source = "stage",
                                   FilesOf kind = FilesOf::stage);

// A changeover began and nobody brought it to its end: whoever asks holds the lock, or sees that nobody does.
bool was_cut_off(const ServiceDirectory& directory);

// What a crash left in `incoming`, and may have reached the work tree, goes where known_files() finds it.
Status set_leftover_aside(const ServiceDirectory& directory);

// The files of every release that may have left something in the work tree.
Result<std::vector<KnownFiles>> known_files(const ServiceDirectory& directory);
bool has_unfinished(const ServiceDirectory& directory);
Status forget_unfinished(const ServiceDirectory& directory); // after the work tree was brought to a commit

// incoming becomes record, and the release before one of the kept.
Status publish_release(const ServiceDirectory& directory, const Record& record);
Status discard_release(const ServiceDirectory& directory); // incoming was never applied

} // namespace pgod::compose
