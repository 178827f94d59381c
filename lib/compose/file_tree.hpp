// File trees: listing, comparing and copying what a commit holds (regular files, executable ones, links).
// Every path is opened beneath its directory without following a link; a link is compared and copied as its
// text. Bounds: 200,000 entries, 64 levels; anything that git cannot hold is left out of a listing.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace pgod::compose {

enum class FileKind { file, executable, link };

struct TreeEntry {
    std::string path; // relative
    FileKind kind = FileKind::file;
    bool operator==(const TreeEntry&) const = default;
};

using Tree = std::vector<TreeEntry>; // sorted by path

Result<Tree> list_tree(int directory);
const TreeEntry* find_entry(const Tree& tree, const std::string& path) noexcept;

// Do both directories hold the same thing there? Missing, unreadable or of another kind: no.
bool same_content(int one, int other, const std::string& path);

// Writes a copy of `from`/`entry` as `name` in `to`, which must not exist: 0755 or 0644, whatever the umask,
// so that containers whose processes are not root can read it; the service's directory keeps others out.
Status copy_entry(int from, const TreeEntry& entry, int to, const std::string& name);

// Paths that differ between two listings, sorted: added, removed, or of other content.
std::vector<std::string> changed_paths(int one, const Tree& one_tree, int other, const Tree& other_tree);

// "a/b/c" → {"a/b", "c"}; the first is "" at the top.
struct SplitPath {
    std::string parent;
    std::string name;
};
SplitPath split_path(const std::string& path);

} // namespace pgod::compose
