// export_tree(): a commit's files into a fresh directory, which then takes the place of `into`. Written by
// our own code and not by git_checkout_tree(), which follows a symbolic link that stands where a directory
// should (libgit2 1.5.1): every directory is made by us and entered without following links, every file is
// made exclusively, a link is written and never read.
//
// Files are 0644 or 0755, directories 0755: containers run under other (sub)uids and read what is
// bind-mounted; the service's own directory, 0700, keeps everybody else out.
//
// Code::permanent: the commit holds what cannot be exported (a name, a size). Code::gone: no such commit,
// none on the branch, or several that begin like it.
#pragma once

#include "core/sync.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::git {

struct ExportLimits {
    std::size_t entries = 50'000;
    std::uint64_t total_bytes = std::uint64_t{1} << 30;
    std::uint64_t file_bytes = std::uint64_t{256} << 20;
    std::size_t path_bytes = 1024; // of one path beneath `into`
    int depth = 64;
};

struct ExportRequest {
    std::string directory;   // the service's, absolute
    std::string commit;      // 40 hex digits; with a branch the first of them do
    std::string branch = {}; // not empty: the commit has to be on it
    std::string into;        // a single name beneath the directory
    std::vector<std::string> named =
        {};                   // commits, or their first digits: does what is exported contain them?
    std::string serving = {}; // …and does this one? May be empty
    ExportLimits limits;
};

ExportResult export_tree(const ExportRequest& request);

// Why no file of this name is written; empty: it is an ordinary name. Names that some file system or git
// itself takes for ".git" are refused, so that an export can never plant a repository.
std::string_view objection_to_name(std::string_view name);

} // namespace pgod::git
