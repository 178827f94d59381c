#include "git/export.hpp"

#include "base/text.hpp"
#include "git/failure.hpp"
#include "git/local.hpp"
#include "git/named_commit.hpp"
#include "git/replace.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace pgod::git {

namespace {

constexpr std::size_t max_shown = 200;          // bytes of a path in a sentence
constexpr std::uint64_t max_link_bytes = 4095;  // PATH_MAX without its NUL
constexpr std::uint64_t max_lfs_pointer = 1024; // git-lfs' own bound
constexpr std::string_view lfs_pointer = "version https://git-lfs.github.com/spec/";

std::string shown(std::string_view path) {
    return escaped(shortened(path, max_shown));
}

Error refused(std::string_view path, std::string_view why) {
    return Error{Code::permanent,
                 fmt::format("{} {}; nothing of this commit was taken over", shown(path), why)};
}

Status write_all(int fd, std::string_view bytes, std::string_view path) {
    while (!bytes.empty()) {
        const ssize_t size = ::write(fd, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return errno_error("write " + shown(path));
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return ok();
}

// Writes one commit's tree beneath a directory that it made itself.
class Exporter {
  public:
    Exporter(git_repository* repository, const ExportLimits& limits)
        : repository_(repository)
        , limits_(limits) {}

    Status write_tree(const git_oid* id, int directory, const std::string& prefix, int depth);
    std::vector<std::string> take_warnings();

  private:
    Status write_entry(const git_tree_entry* entry, int directory, const std::string& path, int depth);
    Status write_file(const git_tree_entry* entry, int directory, const std::string& path, mode_t mode);
    Status write_link(const git_tree_entry* entry, int directory, const std::string& path);
    Result<Fd> make_directory(const char* name, int directory, const std::string& path);
    Result<Blob> read_blob(const git_tree_entry* entry, const std::string& path, std::uint64_t limit);
    void warn(std::string sentence);

    git_repository* repository_;
    const ExportLimits& limits_;
    std::size_t entries_ = 0;
    std::uint64_t bytes_ = 0;
    std::vector<std::string> warnings_;
    std::size_t unsaid_ = 0; // warnings beyond max_warnings
};

void Exporter::warn(std::string sentence) {
    if (warnings_.size() + 1 < max_warnings)
        warnings_.push_back(std::move(sentence));
    else
        ++unsaid_;
}

std::vector<std::string> Exporter::take_warnings() {
    if (unsaid_ > 0)
        warnings_.push_back(fmt::format("and {} more like these", unsaid_));
    return std::move(warnings_);
}

Status Exporter::write_tree(const git_oid* id, int directory, const std::string& prefix, int depth) {
    if (depth > limits_.depth)
        return refused(prefix, fmt::format("is nested deeper than {} directories", limits_.depth));
    Tree tree;
    if (const int rc = git_tree_lookup(Out(tree), repository_, id); rc < 0)
        return git_failure(rc, "read the directory /" + shown(prefix));
    for (std::size_t i = 0; i < git_tree_entrycount(tree.get()); ++i) {
        const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
        const std::string_view name = git_tree_entry_name(entry);
        const auto path = prefix.empty() ? std::string(name) : fmt::format("{}/{}", prefix, name);
        if (const auto objection = objection_to_name(name); !objection.empty())
            return refused(fmt::format("the name \"{}\"", path), objection);
        if (path.size() > limits_.path_bytes)
            return refused(path, fmt::format("is a path of more than {} bytes", limits_.path_bytes));
        if (++entries_ > limits_.entries)
            return refused(path,
                           fmt::format("is beyond the limit of {} files and directories", limits_.entries));
        TRY(write_entry(entry, directory, path, depth));
    }
    return ok();
}

Status Exporter::write_entry(const git_tree_entry* entry, int directory, const std::string& path, int depth) {
    switch (git_tree_entry_filemode(entry)) {
    case GIT_FILEMODE_BLOB:
        return write_file(entry, directory, path, 0644);
    case GIT_FILEMODE_BLOB_EXECUTABLE:
        return write_file(entry, directory, path, 0755);
    case GIT_FILEMODE_LINK:
        return write_link(entry, directory, path);
    case GIT_FILEMODE_TREE: {
        const Fd below = TRY(make_directory(git_tree_entry_name(entry), directory, path));
        return write_tree(git_tree_entry_id(entry), below.get(), path, depth + 1);
    }
    case GIT_FILEMODE_COMMIT:
        TRY(make_directory(git_tree_entry_name(entry), directory, path));
        warn(fmt::format("submodule {} is not fetched; its directory is empty", shown(path)));
        return ok();
    case GIT_FILEMODE_UNREADABLE:
        break;
    }
    return refused(path, "has an unknown file mode");
}

Result<Fd> Exporter::make_directory(const char* name, int directory, const std::string& path) {
    if (::mkdirat(directory, name, 0700) != 0)
        return errno == EEXIST ? refused(path, "appears twice")
                               : errno_error("make directory " + shown(path));
    Fd made(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made || ::fchmod(made.get(), 0755) != 0) // whatever the umask
        return errno_error("make directory " + shown(path));
    return made;
}

Result<Blob> Exporter::read_blob(const git_tree_entry* entry, const std::string& path, std::uint64_t limit) {
    Odb odb;
    if (const int rc = git_repository_odb(Out(odb), repository_); rc < 0)
        return git_failure(rc, "open the object store");
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    if (const int rc = git_odb_read_header(&size, &type, odb.get(), git_tree_entry_id(entry)); rc < 0)
        return git_failure(rc, "read " + shown(path));
    if (size > limit)
        return refused(path, fmt::format("is larger than {} bytes", limit));
    bytes_ += size;
    if (bytes_ > limits_.total_bytes)
        return refused(path, fmt::format("is beyond the limit of {} bytes in all", limits_.total_bytes));
    Blob blob;
    if (const int rc = git_blob_lookup(Out(blob), repository_, git_tree_entry_id(entry)); rc < 0)
        return git_failure(rc, "read " + shown(path));
    return blob;
}

std::string_view content_of(const Blob& blob) {
    return {static_cast<const char*>(git_blob_rawcontent(blob.get())),
            static_cast<std::size_t>(git_blob_rawsize(blob.get()))};
}

Status Exporter::write_file(const git_tree_entry* entry, int directory, const std::string& path,
                            mode_t mode) {
    const auto blob = TRY(read_blob(entry, path, limits_.file_bytes));
    const auto content = content_of(blob);
    const Fd file(::openat(directory, git_tree_entry_name(entry),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file)
        return errno == EEXIST ? refused(path, "appears twice") : errno_error("write " + shown(path));
    TRY(write_all(file.get(), content, path));
    if (::fchmod(file.get(), mode) != 0)
        return errno_error("write " + shown(path));
    if (content.size() <= max_lfs_pointer && content.starts_with(lfs_pointer))
        warn(fmt::format("{} is a Git LFS pointer, its content is not fetched", shown(path)));
    return ok();
}

Status Exporter::write_link(const git_tree_entry* entry, int directory, const std::string& path) {
    const auto blob = TRY(read_blob(entry, path, max_link_bytes));
    const std::string target(content_of(blob));
    if (target.empty() || target.find('\0') != std::string::npos)
        return refused(path, "is a symbolic link without a valid target");
    if (::symlinkat(target.c_str(), directory, git_tree_entry_name(entry)) != 0)
        return errno == EEXIST ? refused(path, "appears twice")
                               : errno_error("write the link " + shown(path));
    return ok();
}

// The whole id of what was written.
Result<std::string> write_commit(const ExportRequest& request, ExportResult& result) {
    if (const auto objection = objection_to_name(request.into);
        !objection.empty() || request.into.starts_with(repository_name))
        return Error{Code::invalid, fmt::format("\"{}\" cannot be exported into", shown(request.into))};
    const Fd service = TRY(os::open_directory(request.directory));
    const Fd lock = TRY(lock_repository(service.get()));
    TRY(clear_leftovers(service.get(), request.into));
    Repository repository;
    const auto path = fmt::format("{}/{}", request.directory, repository_name);
    if (const int rc = git_repository_open_ext(
            Out(repository), path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE, nullptr);
        rc < 0)
        return git_failure(rc, "open " + path);
    const auto commit =
        TRY(request.branch.empty() ? find_commit(repository.get(), request.commit)
                                   : find_on_branch(repository.get(), request.branch, request.commit));

    for (const auto& digits : request.named)
        result.named.push_back(TRY(judge_named(repository.get(), commit, digits, request.serving)));

    const auto fresh = fresh_name_of(request.into);
    if (::mkdirat(service.get(), fresh.c_str(), 0700) != 0)
        return errno_error("make directory " + fresh);
    const Fd root(::openat(service.get(), fresh.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!root || ::fchmod(root.get(), 0755) != 0)
        return errno_error("make directory " + fresh);
    Exporter exporter(repository.get(), request.limits);
    auto written = exporter.write_tree(git_commit_tree_id(commit.get()), root.get(), "", 0);
    result.warnings = exporter.take_warnings();
    if (!written) {
        (void)os::remove_tree(service.get(), fresh);
        return std::move(written).error();
    }
    TRY(replace_directory(service.get(), request.into));
    return std::string(git_oid_tostr_s(git_commit_id(commit.get())));
}

} // namespace

ExportResult export_tree(const ExportRequest& request) {
    ExportResult result;
    auto written = write_commit(request, result);
    if (written) {
        result.commit = std::move(*written);
    } else {
        result.error = std::move(written).error();
        if (result.error->code == Code::internal) // the next sync fetches the repository anew
            mark_damaged(request.directory);
    }
    return result;
}

} // namespace pgod::git
