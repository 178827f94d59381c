#include "compose/deployment_log.hpp"

#include "base/text.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace pgod::compose {

namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

void remove_old_logs(int directory) {
    const std::unique_ptr<DIR, CloseDirectory> list(::fdopendir(::fcntl(directory, F_DUPFD_CLOEXEC, 0)));
    if (!list)
        return;
    std::vector<std::uint64_t> numbers;
    while (const dirent* entry = ::readdir(list.get()))
        if (const auto number = parse_decimal(entry->d_name))
            numbers.push_back(*number);
    std::sort(numbers.begin(), numbers.end(), std::greater<>());
    for (std::size_t i = kept_logs; i < numbers.size(); ++i)
        (void)::unlinkat(directory, std::to_string(numbers[i]).c_str(), 0);
}

} // namespace

void start_deployment_log(const Work& work) {
    const auto directory = work.directory.make_directory("log");
    if (!directory)
        return;
    auto file = os::open_beneath(directory->get(), std::to_string(work.job.deployment),
                                 O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (!file)
        return;
    work.output.log_to(std::move(*file));
    remove_old_logs(directory->get());
    work.output.note(fmt::format("{:%Y-%m-%dT%H:%M:%SZ} deployment {} of {} at {}",
                                 std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
                                 work.job.deployment, work.job.service, work.job.commit));
}

} // namespace pgod::compose
