#include "compose/deployment_log.hpp"

#include "base/text.hpp"
#include "compose/json.hpp"
#include "core/exit_status.hpp"
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

// Numbers may begin again when pgod's records are lost, so the one being written is kept whatever it is
// called.
void remove_old_logs(int directory, std::uint64_t current) {
    const std::unique_ptr<DIR, CloseDirectory> list(::fdopendir(::fcntl(directory, F_DUPFD_CLOEXEC, 0)));
    if (!list)
        return;
    std::vector<std::uint64_t> numbers;
    while (const dirent* entry = ::readdir(list.get()))
        if (const auto number = parse_decimal(entry->d_name); number && *number != current)
            numbers.push_back(*number);
    std::sort(numbers.begin(), numbers.end(), std::greater<>());
    for (std::size_t i = kept_logs - 1; i < numbers.size(); ++i)
        (void)::unlinkat(directory, std::to_string(numbers[i]).c_str(), 0);
}

} // namespace

void start_deployment_log(const Work& work) {
    const auto directory = work.directory.make_directory("log");
    if (!directory)
        return;
    auto file = os::open_beneath(directory->get(), std::to_string(work.job.deployment),
                                 O_RDWR | O_CREAT | O_APPEND, 0600);
    if (!file)
        return;
    work.output.log_to(LogFile(std::move(*file)));
    remove_old_logs(directory->get(), work.job.deployment);
    work.output.note(fmt::format("{:%Y-%m-%dT%H:%M:%SZ} deployment {} of {} at {}",
                                 std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
                                 work.job.deployment, work.job.service, work.job.commit));
}

JobResult show_deployment_log(const Work& work) {
    JobResult result;
    const std::string path = fmt::format("log/{}", work.job.deployment);
    const auto text = os::read_file_beneath(work.directory.fd(), path, 2 * LogFile::max_size);
    if (!text) {
        result.exit_status = exit_status::failed;
        result.error = text.error();
        if (text.error().code == Code::gone)
            result.error->message =
                fmt::format("there is no log of deployment {}; those of the newest {} are kept",
                            work.job.deployment, kept_logs);
        work.output.say(result.error->message);
        return result;
    }
    const std::string shown = escaped(*text, true);
    (void)work.output.show(
        work.job.json ? written(Json{{"deployment", work.job.deployment}, {"log", shown}}) + "\n" : shown);
    result.exit_status = exit_status::done;
    return result;
}

} // namespace pgod::compose
