#include "compose/release.hpp"

#include "compose/crash_point.hpp"
#include "compose/kept.hpp"
#include "os/log.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace pgod::compose {

namespace {

constexpr std::size_t max_record = 8 << 20;
constexpr int max_unfinished =
    8; // crashes in a row, each in the middle of a switch; the oldest ones go first

std::string unfinished(int number) {
    return fmt::format("unfinished-{}", number);
}

std::string files_of(const std::string& release) {
    return release + "/files";
}

Status link_entry(int from, const std::string& path, int to, const std::string& name) {
    const auto [parent_path, from_name] = split_path(path);
    const Fd parent =
        TRY(os::open_beneath(from, parent_path.empty() ? "." : parent_path, O_RDONLY | O_DIRECTORY));
    if (::linkat(parent.get(), from_name.c_str(), to, name.c_str(), 0) != 0)
        return errno_error("link " + path);
    return ok();
}

// Its containers are in its record, which is so once they were verified, and what runs is newer.
bool is_release_before(const ServiceDirectory& directory) {
    const auto left = read_record(directory, next_release);
    const auto running = read_record(directory, running_release);
    return left && running && !left->containers.empty() && left->deployment < running->deployment;
}

Result<KnownFiles> open_known(const ServiceDirectory& directory, const std::string& release) {
    Fd files = TRY(directory.open_directory(files_of(release)));
    Tree tree = TRY(list_tree(files.get()));
    return KnownFiles{std::move(files), std::move(tree)};
}

} // namespace

std::optional<Record> read_record(const ServiceDirectory& directory, const std::string& release) {
    const auto text = os::read_file_beneath(directory.fd(), release + "/record.json", max_record);
    if (!text)
        return std::nullopt;
    auto record = record_from_json(*text);
    if (!record) {
        os::log_warning("{}: {}", directory.path(), record.error().message);
        return std::nullopt;
    }
    return std::move(*record);
}

Status write_record(const ServiceDirectory& directory, const std::string& release, const Record& record) {
    const Fd fd = TRY(directory.open_directory(release));
    return os::write_file_atomically(fd.get(), "record.json", to_json(record), 0600)
        .context("write the record");
}

namespace {

// Nothing of it stands in the work tree, though its files may have been written beside their targets.
Status remove_untouched(const ServiceDirectory& directory) {
    const auto tree = directory.open_directory("tree");
    const auto leftover = open_known(directory, next_release);
    if (tree && leftover)
        remove_prepared(tree->get(), leftover->tree);
    return directory.remove(next_release);
}

} // namespace

bool was_cut_off(const ServiceDirectory& directory) {
    return directory.has(fmt::format("{}/record.json", next_release));
}

Status set_leftover_aside(const ServiceDirectory& directory) {
    if (!directory.has(next_release))
        return ok();
    if (!was_cut_off(directory))
        return remove_untouched(directory); // it ended before the point of no return
    if (is_release_before(directory))
        return keep_release(directory, next_release);
    for (int number = 1; number <= max_unfinished; ++number)
        if (!directory.has(unfinished(number)))
            return directory.rename(next_release, unfinished(number));
    TRY(directory.remove(unfinished(max_unfinished)));
    return directory.rename(next_release, unfinished(max_unfinished));
}

Result<FileChanges> file_changes(const ServiceDirectory& directory, const std::string& source_name) {
    const Fd source = TRY(directory.open_directory(source_name));
    const Tree tree = TRY_DOING(list_tree(source.get()), "the commit");
    const auto running = open_known(directory, running_release);
    const Tree none;
    const Tree& old = running ? running->tree : none;
    FileChanges changes;
    for (auto& path : changed_paths(running ? running->directory.get() : -1, old, source.get(), tree)) {
        auto& kind = find_entry(old, path) == nullptr    ? changes.added
                     : find_entry(tree, path) == nullptr ? changes.removed
                                                         : changes.changed;
        kind.push_back(std::move(path));
    }
    return changes;
}

Result<StageFiles> prepare_release(const ServiceDirectory& directory, const std::string& source_name,
                                   FilesOf kind) {
    TRY(set_leftover_aside(directory));
    crash_point("leftover-aside");
    const Fd source = TRY(directory.open_directory(source_name));
    StageFiles files{TRY_DOING(list_tree(source.get()), "the commit"), {}, {}};
    files.directory = TRY(directory.make_directory(files_of(next_release)));
    auto running = open_known(directory, running_release);
    const int old = running ? running->directory.get() : -1;
    if (running)
        files.changed = changed_paths(old, running->tree, source.get(), files.tree);
    const auto is_changed = [&files, &running](const std::string& path) {
        return !running || std::binary_search(files.changed.begin(), files.changed.end(), path);
    };
    Fd parent;
    std::string parent_path = "/"; // no relative path is this
    for (const auto& entry : files.tree) {
        const auto [wanted_parent, name] = split_path(entry.path);
        if (wanted_parent != parent_path) {
            parent = wanted_parent.empty()
                         ? TRY(os::open_beneath(files.directory.get(), ".", O_RDONLY | O_DIRECTORY))
                         : TRY(os::make_directories(files.directory.get(), wanted_parent, 0700));
            parent_path = wanted_parent;
        }
        if (!is_changed(entry.path) && link_entry(old, entry.path, parent.get(), name))
            continue;
        if (kind == FilesOf::release && link_entry(source.get(), entry.path, parent.get(), name))
            continue;
        TRY(copy_entry(source.get(), entry, parent.get(), name));
        crash_point("file-copied");
    }
    return files;
}

Result<std::vector<KnownFiles>> known_files(const ServiceDirectory& directory) {
    std::vector<KnownFiles> known;
    std::vector<std::string> releases{running_release};
    for (int number = 1; number <= max_unfinished; ++number)
        releases.push_back(unfinished(number));
    for (const auto& release : releases)
        if (directory.has(files_of(release)))
            known.push_back(TRY(open_known(directory, release)));
    return known;
}

bool has_unfinished(const ServiceDirectory& directory) {
    bool found = false;
    for (int number = 1; number <= max_unfinished; ++number)
        found |= directory.has(unfinished(number));
    return found;
}

Status forget_unfinished(const ServiceDirectory& directory) {
    for (int number = 1; number <= max_unfinished; ++number)
        TRY(directory.remove(unfinished(number)));
    crash_point("leftover-forgotten");
    return ok();
}

Status publish_release(const ServiceDirectory& directory, const Record& record) {
    TRY(write_record(directory, next_release, record));
    crash_point("publish-recorded");
    if (directory.has(running_release))
        TRY(directory.exchange(next_release, running_release));
    else
        TRY(directory.rename(next_release, running_release));
    crash_point("publish-exchanged");
    return keep_release(directory, next_release); // now the release before
}

Status discard_release(const ServiceDirectory& directory) {
    return directory.remove(next_release);
}

} // namespace pgod::compose
