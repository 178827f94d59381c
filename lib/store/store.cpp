#include "store/store.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>

namespace pgod::store {

namespace {

constexpr std::size_t max_corrupt_files = 8;

std::vector<std::string> corrupt_files(const std::string& path) {
    std::vector<std::string> found;
    std::error_code error;
    const std::filesystem::path file(path);
    const std::string prefix = file.filename().string() + ".corrupt-";
    for (auto entry = std::filesystem::directory_iterator(file.parent_path(), error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        if (const auto name = entry->path().filename().string();
            name.starts_with(prefix) && !name.ends_with("-wal") && !name.ends_with("-shm"))
            found.push_back(entry->path().string());
    std::sort(found.begin(), found.end());
    return found;
}

// A name that nothing has.
std::string aside_name(const std::string& path) {
    const std::string base = fmt::format("{}.corrupt-{}", path, std::time(nullptr));
    std::string name = base;
    struct stat status {};
    for (int i = 2; ::lstat(name.c_str(), &status) == 0; ++i)
        name = fmt::format("{}.{}", base, i);
    return name;
}

} // namespace

Store::Store(const std::string& directory, Say say)
    : path_(directory + "/state.db")
    , say_(std::move(say)) {}

Status Store::open() {
    auto opened = open_file();
    if (opened)
        opened = write_waiting();
    aside_ = corrupt_files(path_);
    if (opened)
        return ok();
    if (opened.error().code == Code::permanent)
        return std::move(opened).error();
    in_trouble(opened.error());
    return ok();
}

Status Store::open_file() {
    file_.reset();
    auto opened = StateFile::open(path_);
    if (!opened && opened.error().code == Code::invalid) {
        const std::string aside = TRY(move_aside(opened.error()));
        opened = StateFile::open(path_);
        take_over(aside);
    }
    if (opened)
        file_ = std::move(*opened);
    else if (auto readable = StateFile::open_to_read(path_))
        file_ = std::move(*readable);
    if (!opened)
        return std::move(opened).error();
    return ok();
}

Result<std::string> Store::move_aside(const Error& damage) {
    if (corrupt_files(path_).size() >= max_corrupt_files)
        return Error{Code::transient,
                     fmt::format("{}: there are {} corrupt files of earlier beside it, so the disk is "
                                 "not to be trusted; remove them to have a new one begun",
                                 damage.message, max_corrupt_files)};
    std::string aside = aside_name(path_);
    if (std::rename(path_.c_str(), aside.c_str()) != 0)
        return Error{Code::transient, errno_error(damage.message + ": move it aside").message};
    for (const auto* suffix : std::array{"-wal", "-shm"})
        (void)std::rename((path_ + suffix).c_str(), (aside + suffix).c_str());
    aside_ = corrupt_files(path_);
    return aside;
}

// What is still legible; any part of the file may be damaged, so each is read by itself.
void Store::take_over(const std::string& aside) {
    std::size_t read = 0;
    if (auto old = StateFile::open_to_read(aside)) {
        const auto known = old->known();
        for (const auto& [name, user] : known ? *known : std::vector<Known>{})
            read += take_over(*old, name, user) ? 1 : 0;
    }
    say_(true,
         fmt::format(
             "state.db was corrupt; it is kept as {} and a new one is begun, with {} service{} that could "
             "be read from it",
             aside, read, read == 1 ? "" : "s"));
    if (!rewrite_)
        say_(true,
             "what operators had asked for (down, stop, suspend) must be asked again for all other services");
}

bool Store::take_over(StateFile& old, const std::string& service, const std::string& user) {
    Changes& changes = waiting_[service];
    if (changes.forgotten)
        return false;
    if (!changes.user)
        changes.user = user;
    if (auto keys = old.load_keys(service); keys && !changes.keys)
        changes.keys = std::move(*keys);
    if (auto claims = old.load_claims(service); claims && !changes.claims)
        changes.claims = std::move(*claims);
    if (auto rows = old.deployments(service))
        for (auto& row : *rows)
            changes.deployments.emplace(row.number, std::move(row));
    auto durable = old.load(service);
    if (!durable || !*durable)
        return false;
    if (!changes.durable)
        changes.durable = std::move(**durable);
    return true;
}

void Store::try_again() {
    if (trouble_.empty())
        return;
    auto opened = open_file();
    if (opened && rewrite_ && file_->known() && file_->known()->empty()) // a new one
        rewrite_();
    if (opened)
        opened = write_waiting();
    if (!opened)
        return in_trouble(opened.error());
    trouble_.clear();
    say_(false, "state.db can be written again, and is up to date");
}

Status Store::write_waiting() {
    while (!waiting_.empty()) {
        const auto next = waiting_.begin();
        auto written = TRY(file())->write(next->first, next->second);
        if (!written && written.error().code != Code::internal)
            return written;
        if (!written) // it would fail for ever
            say_(true, written.error().message);
        waiting_.erase(next);
    }
    return ok();
}

void Store::in_trouble(const Error& error) {
    if (trouble_.empty())
        say_(true, fmt::format("{}; {}", error.message,
                               file_ ? "pgod goes on and writes down what it did when that is possible again"
                                     : "services wait until it can be read, because what operators asked for "
                                       "is in it"));
    trouble_ = error.message;
}

std::vector<std::string> Store::problems() const {
    std::vector<std::string> found;
    if (!trouble_.empty())
        found.push_back(
            fmt::format("{}; what is asked and done now is remembered only until pgod ends", trouble_));
    for (const auto& aside : aside_)
        found.push_back(
            fmt::format("state.db was corrupt and began anew; the old one is {}: remove it when nothing in "
                        "it is missed",
                        aside));
    return found;
}

Result<StateFile*> Store::file() {
    if (!file_)
        return Error{Code::transient, trouble_};
    return &*file_;
}

void Store::write() {
    if (!trouble_.empty())
        return;
    if (auto written = write_waiting(); !written)
        in_trouble(written.error());
}

} // namespace pgod::store
