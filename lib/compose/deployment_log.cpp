#include "compose/deployment_log.hpp"

#include "base/text.hpp"
#include "compose/json.hpp"
#include "core/exit_status.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

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

// A log that another process may still be writing.
class FollowedLog {
  public:
    FollowedLog(const Work& work, std::string path)
        : work_(work)
        , path_(std::move(path)) {}

    // False: there was none in good time, or the client left.
    bool follow() {
        const auto begun = std::chrono::steady_clock::now();
        while (!open()) {
            if (std::chrono::steady_clock::now() - begun > begin_patience)
                return false;
            std::this_thread::sleep_for(pause);
        }
        while (std::chrono::steady_clock::now() < work_.job.deadline) {
            // Asked before the last read: what is written until then is read.
            const bool ended = size() > 0 && ::flock(file_.get(), LOCK_SH | LOCK_NB) == 0;
            if (!show_new())
                return false;
            if (ended)
                return show(text_);
            if (at_end())
                std::this_thread::sleep_for(pause);
        }
        return true;
    }

  private:
    static constexpr std::chrono::milliseconds pause{150};
    static constexpr std::chrono::seconds begin_patience{30}; // its writer is being started
    static constexpr std::size_t piece = std::size_t{64} * 1024;

    bool open() {
        auto file = os::open_beneath(work_.directory.fd(), path_, O_RDONLY | O_NOFOLLOW, 0);
        if (file)
            file_ = std::move(*file);
        return static_cast<bool>(file_);
    }

    std::size_t size() const {
        struct stat status {};
        return ::fstat(file_.get(), &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
    }

    bool at_end() const { return read_ >= size(); }

    // By whole lines; what was cut from the middle of a long one is missed (LogFile).
    bool show_new() {
        if (read_ > size())
            read_ = size();
        std::string block(piece, '\0');
        for (;;) {
            const ssize_t got = ::pread(file_.get(), block.data(), block.size(), static_cast<off_t>(read_));
            if (got <= 0)
                return true;
            read_ += static_cast<std::size_t>(got);
            text_.append(block, 0, static_cast<std::size_t>(got));
            const auto end = text_.size() > piece ? text_.size() : text_.rfind('\n') + 1;
            if (!show(std::string_view(text_).substr(0, end)))
                return false;
            text_.erase(0, end);
        }
    }

    bool show(std::string_view text) const { return work_.output.show(escaped(text, true)); }

    const Work& work_;
    std::string path_;
    Fd file_;
    std::size_t read_ = 0; // bytes
    std::string text_;     // the beginning of a line
};

} // namespace

void start_deployment_log(const Work& work) {
    const auto directory = work.directory.make_directory("log");
    if (!directory)
        return;
    auto file = os::open_beneath(directory->get(), std::to_string(work.job.deployment),
                                 O_RDWR | O_CREAT | O_APPEND, 0600);
    if (!file)
        return;
    (void)::flock(file->get(), LOCK_EX | LOCK_NB); // until we end: those who follow it see that
    work.output.log_to(LogFile(std::move(*file)));
    remove_old_logs(directory->get(), work.job.deployment);
    work.output.note(fmt::format("{:%Y-%m-%dT%H:%M:%SZ} deployment {} of {} at {}",
                                 std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
                                 work.job.deployment, work.job.service, work.job.commit));
}

std::string_view sentence_of_step(std::string_view step) noexcept {
    if (step == "plan")
        return "planning";
    if (step == "switch")
        return "switching: the old containers are stopped, the new ones started";
    if (step == "verify")
        return "verifying: do the containers run, stay up and pass their healthchecks?";
    return {};
}

JobResult show_deployment_log(const Work& work) {
    JobResult result;
    const std::string path = fmt::format("log/{}", work.job.deployment);
    if (work.job.follow) {
        FollowedLog log(work, path);
        result.exit_status = log.follow() ? exit_status::done : exit_status::failed;
        return result;
    }
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
