// Paths under somebody else's control are opened beneath a directory descriptor without following links:
// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <string_view>

namespace pgod::os {

// A relative path that names something strictly beneath: no empty, "." or ".." component, no NUL, not
// absolute.
bool is_plain_relative_path(std::string_view path) noexcept;

// flags as open(2); O_CLOEXEC is added. A link anywhere on the way is Code::invalid (ELOOP).
Result<Fd> open_beneath(int directory, const std::string& path, int flags, mode_t mode = 0);
Result<Fd> open_directory(const std::string& absolute_path); // O_PATH-less, O_NOFOLLOW on the last component

// Where an absolute path leads by links that root alone can change: those in directories that belong to root,
// as do all above them, and that nobody else may write to. Any other link stays as it is.
std::string follow_links_of_root(const std::string& absolute_path);

Result<std::string> path_of(int fd); // as it is now, absolute and without links

// mkdir -p beneath `directory`, each level opened without following links; the last one's descriptor.
Result<Fd> make_directories(int directory, const std::string& path, mode_t mode);

// Made when it is missing, and else a directory that belongs to this process's user and that nobody else may
// write to. Its parent is trusted.
Status make_own_directory(const std::string& path, mode_t mode);

// A regular file's whole text, refused when larger than `limit` bytes. O_NONBLOCK, so a FIFO cannot hang us.
Result<std::string> read_file(int fd, std::size_t limit);
Result<std::string> read_file_beneath(int directory, const std::string& path, std::size_t limit);
Result<std::string> read_file(const std::string& path,
                              std::size_t limit); // a path of root's own; follows links

// Written beside the target, fsync'ed, renamed over it.
Status write_file_atomically(int directory, const std::string& name, std::string_view bytes, mode_t mode);

// Removes what is beneath `name` and itself, never following a link, never leaving the file system. Missing:
// ok.
Status remove_tree(int directory, const std::string& name);

} // namespace pgod::os
