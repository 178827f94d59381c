#include "git/keys.hpp"

#include "base/text.hpp"
#include "core/sync.hpp"
#include "git/failure.hpp"
#include "git/local.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace pgod::git {

namespace {

constexpr std::size_t max_key_file = std::size_t{16} * 1024; // bytes
constexpr std::size_t max_files = 1000;                      // named *.pub that are looked at
constexpr std::size_t max_name = 100;                        // bytes of a file name in a message

void warn(RepositoryKeys& found, std::string sentence) {
    if (found.warnings.size() < max_warnings)
        found.warnings.push_back(std::move(sentence));
}

std::string shown(std::string_view name) {
    return escaped(shortened(name, max_name));
}

// Why this entry holds no keys; empty: it is a regular file.
std::string_view objection_to(const git_tree_entry* entry) {
    switch (git_tree_entry_filemode(entry)) {
    case GIT_FILEMODE_BLOB:
    case GIT_FILEMODE_BLOB_EXECUTABLE:
        return {};
    case GIT_FILEMODE_LINK:
        return "is a symbolic link";
    case GIT_FILEMODE_TREE:
        return "is a directory";
    case GIT_FILEMODE_COMMIT:
        return "is a submodule";
    case GIT_FILEMODE_UNREADABLE:
        break;
    }
    return "has an unknown file mode";
}

Status read_key_file(git_repository* repository, const git_tree_entry* entry, RepositoryKeys& found) {
    const std::string_view name = git_tree_entry_name(entry);
    if (const auto objection = objection_to(entry); !objection.empty()) {
        warn(found, fmt::format("ssh/{} {}; only regular files hold keys", shown(name), objection));
        return ok();
    }
    Odb odb;
    if (const int rc = git_repository_odb(Out(odb), repository); rc < 0)
        return git_failure(rc, "open the object store");
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    if (const int rc = git_odb_read_header(&size, &type, odb.get(), git_tree_entry_id(entry)); rc < 0)
        return git_failure(rc, "read ssh/" + shown(name));
    if (size > max_key_file) {
        warn(found,
             fmt::format("ssh/{} is larger than {} KiB and was not read", shown(name), max_key_file >> 10));
        return ok();
    }
    Blob blob;
    if (const int rc = git_blob_lookup(Out(blob), repository, git_tree_entry_id(entry)); rc < 0)
        return git_failure(rc, "read ssh/" + shown(name));
    const std::string_view text(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                                static_cast<std::size_t>(git_blob_rawsize(blob.get())));
    auto file = parse_key_file(text, shown(name));
    for (auto& warning : file.warnings)
        warn(found, fmt::format("ssh/{} {}", shown(name), warning));
    for (auto& key : file.keys) {
        if (found.keys.size() == max_repository_keys) {
            warn(found, fmt::format("ssh/ holds more than {} keys; those from ssh/{} on were left out",
                                    max_repository_keys, shown(name)));
            break;
        }
        found.keys.push_back(std::move(key));
    }
    return ok();
}

} // namespace

Result<RepositoryKeys> read_keys(git_repository* repository, const std::string& commit_id) {
    RepositoryKeys found;
    const auto commit = TRY(find_commit(repository, commit_id));
    Tree root;
    if (const int rc = git_commit_tree(Out(root), commit.get()); rc < 0)
        return git_failure(rc, "read the tree of " + commit_id);
    const git_tree_entry* directory = git_tree_entry_byname(root.get(), "ssh");
    if (directory == nullptr)
        return found;
    if (git_tree_entry_filemode(directory) != GIT_FILEMODE_TREE) {
        warn(found, "ssh is not a directory in the repository; no keys were read");
        return found;
    }
    Tree tree;
    if (const int rc = git_tree_lookup(Out(tree), repository, git_tree_entry_id(directory)); rc < 0)
        return git_failure(rc, "read ssh/");
    std::size_t files = 0;
    for (std::size_t i = 0; i < git_tree_entrycount(tree.get()); ++i) {
        const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
        if (!std::string_view(git_tree_entry_name(entry)).ends_with(".pub"))
            continue;
        if (++files > max_files || found.keys.size() == max_repository_keys) {
            warn(found, fmt::format("ssh/ holds too many key files; ssh/{} and those after it were not read",
                                    shown(git_tree_entry_name(entry))));
            break;
        }
        TRY(read_key_file(repository, entry, found));
    }
    return found;
}

} // namespace pgod::git
