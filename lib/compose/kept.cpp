#include "compose/kept.hpp"

#include "base/text.hpp"
#include "compose/crash_point.hpp"
#include "compose/release.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

namespace pgod::compose {

namespace {

constexpr std::string_view prefix = "kept-";
constexpr std::size_t shortest_prefix = 4; // digits of a commit id
constexpr std::size_t shown_digits = 12;

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

std::vector<std::uint64_t> kept_numbers(const ServiceDirectory& directory) {
    std::vector<std::uint64_t> numbers;
    const std::unique_ptr<DIR, CloseDirectory> list(
        ::fdopendir(::openat(directory.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    while (const dirent* entry = list ? ::readdir(list.get()) : nullptr) {
        const std::string_view name = entry->d_name;
        const auto number =
            name.starts_with(prefix) ? parse_decimal(name.substr(prefix.size())) : std::nullopt;
        if (number)
            numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end(), std::greater<>());
    return numbers;
}

Status remove_superfluous(const ServiceDirectory& directory) {
    std::set<std::string> commits;
    if (const auto running = read_record(directory, running_release))
        commits.insert(running->commit);
    std::size_t count = 0;
    for (const auto number : kept_numbers(directory)) {
        const auto record = read_record(directory, kept_name(number));
        const bool wanted = record && count < max_kept && commits.insert(record->commit).second;
        count += wanted ? 1 : 0;
        if (!wanted)
            TRY(directory.remove(kept_name(number)));
    }
    return ok();
}

std::string list_of(const std::vector<Record>& kept) {
    if (kept.empty())
        return "no release before the one that runs is kept";
    std::string text;
    for (const auto& record : kept)
        text += fmt::format("{}{} (deployment {})", text.empty() ? "" : ", ",
                            record.commit.substr(0, shown_digits), record.deployment);
    return "kept are: " + text;
}

Error not_kept(const std::vector<Record>& kept, const std::string& problem) {
    return Error{Code::permanent, fmt::format("{}; {}", problem, list_of(kept))};
}

} // namespace

std::string kept_name(std::uint64_t deployment) {
    return fmt::format("{}{}", prefix, deployment);
}

std::vector<Record> kept_releases(const ServiceDirectory& directory) {
    std::vector<Record> kept;
    for (const auto number : kept_numbers(directory))
        if (auto record = read_record(directory, kept_name(number)); record && record->deployment == number)
            kept.push_back(std::move(*record));
    return kept;
}

Status keep_release(const ServiceDirectory& directory, const std::string& release) {
    const auto record = read_record(directory, release);
    if (!record)
        return directory.remove(release);
    TRY(directory.remove(kept_name(record->deployment)));
    TRY(directory.rename(release, kept_name(record->deployment)));
    crash_point("release-kept");
    return remove_superfluous(directory);
}

Result<Record> choose_kept(const std::vector<Record>& kept, const Record* running,
                           const std::optional<std::string>& wanted) {
    if (!wanted && kept.empty())
        return not_kept(kept, "there is nothing to roll back to");
    if (!wanted)
        return kept.front();
    const std::string shown = shortened(escaped(*wanted), 64);
    const auto is_wanted = [&wanted, number = parse_decimal(*wanted)](const Record& record) {
        return (number && record.deployment == *number) ||
               (wanted->size() >= shortest_prefix && record.commit.starts_with(*wanted));
    };
    std::vector<const Record*> found;
    for (const auto& record : kept)
        if (is_wanted(record))
            found.push_back(&record);
    if (found.size() > 1)
        return not_kept(kept, shown + " is more than one of them");
    if (found.size() == 1)
        return *found.front();
    if (running != nullptr && is_wanted(*running))
        return not_kept(kept, shown + " is what runs");
    return not_kept(kept, shown + " is not kept");
}

} // namespace pgod::compose
