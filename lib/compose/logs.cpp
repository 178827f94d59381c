#include "compose/logs.hpp"

#include "base/text.hpp"
#include "compose/observe.hpp"
#include "compose/operations.hpp"
#include "compose/output.hpp"
#include "core/exit_status.hpp"
#include "os/run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds as_long_as_it_takes = std::chrono::hours(24 * 365);
constexpr std::size_t max_line = 64 << 10; // bytes; a longer one is prefixed in parts

// "--tail 5" and "--tail=5": the value, or nullopt when `args[i]` is not this option.
std::optional<std::string> value_of(std::string_view option, std::span<const std::string> args,
                                    std::size_t& i) {
    if (args[i] == option && i + 1 < args.size())
        return args[++i];
    if (args[i].starts_with(option) && args[i].size() > option.size() && args[i][option.size()] == '=')
        return args[i].substr(option.size() + 1);
    return std::nullopt;
}

bool is_time(std::string_view text) {
    return !text.empty() && text.front() != '-' && text.size() <= 64 &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:.+- ") ==
               std::string_view::npos;
}

// Readable-or-error tells that the reader of our stdout is gone; only pipes tell it that way.
int leaving_client() {
    struct stat status {};
    return ::fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode) ? STDOUT_FILENO : -1;
}

os::SpawnRequest podman_logs(const Work& work, const LogOptions& options, const Container& container) {
    os::SpawnRequest request;
    request.program = work.podman.program();
    request.argv = {"podman", "logs"};
    if (options.follow)
        request.argv.push_back("--follow");
    if (options.timestamps)
        request.argv.push_back("--timestamps");
    if (!options.tail.empty())
        request.argv.push_back("--tail=" + options.tail);
    if (!options.since.empty())
        request.argv.push_back("--since=" + options.since);
    request.argv.push_back(container.id);
    request.env = work.podman.environment();
    request.die_with_parent = true;
    return request;
}

// One container's log, line by line, under its compose service's name.
class Stream {
  public:
    static Result<Stream> start(os::SpawnRequest request, const std::string& prefix) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            return errno_error("make a pipe");
        Fd read_end(ends[0]);
        const Fd write_end(ends[1]);
        request.descriptors = {{write_end.get(), STDOUT_FILENO}, {write_end.get(), STDERR_FILENO}};
        os::Child child = TRY(os::spawn(request));
        return Stream(std::move(child), std::move(read_end), prefix);
    }

    int fd() const noexcept { return pipe_.get(); }
    int reap() noexcept { return child_.reap(); }

    // false: the client is gone
    bool relay() {
        std::array<char, 16 << 10> buffer;
        const ssize_t size = ::read(pipe_.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR)
            return true;
        if (size > 0)
            pending_.append(buffer.data(), static_cast<std::size_t>(size));
        else if (!pending_.empty())
            pending_ += '\n';
        if (size <= 0)
            pipe_.reset();
        std::string text;
        for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
            text += prefix_ + pending_.substr(0, end + 1);
            pending_.erase(0, end + 1);
        }
        if (pending_.size() > max_line)
            text += prefix_ + std::exchange(pending_, {}) + "\n";
        return write_patiently(STDOUT_FILENO, text);
    }

  private:
    Stream(os::Child child, Fd pipe, std::string prefix)
        : child_(std::move(child))
        , pipe_(std::move(pipe))
        , prefix_(std::move(prefix)) {}

    os::Child child_;
    Fd pipe_;
    std::string prefix_;
    std::string pending_;
};

Status relay_all(std::vector<Stream> streams) {
    bool failed = false;
    while (!streams.empty()) {
        std::vector<pollfd> fds{{leaving_client(), 0, 0}};
        for (const auto& stream : streams)
            fds.push_back({stream.fd(), POLLIN, 0});
        if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
            return errno_error("poll");
        if (fds[0].revents != 0)
            return ok(); // the children die with their owners
        for (std::size_t i = streams.size(); i-- > 0;) {
            if (fds[i + 1].revents != 0 && !streams[i].relay())
                return ok();
            if (streams[i].fd() >= 0)
                continue;
            failed |= streams[i].reap() != 0;
            streams.erase(streams.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    if (failed)
        return Error{Code::transient, "podman could not read every log"};
    return ok();
}

Status show_one(const Work& work, const LogOptions& options, const Container& container) {
    os::RunRequest request;
    request.spawn = podman_logs(work, options, container);
    request.spawn.descriptors = {{STDOUT_FILENO, STDOUT_FILENO}, {STDERR_FILENO, STDERR_FILENO}};
    request.deadline = as_long_as_it_takes;
    request.grace = 1s;
    request.cancel_fd = leaving_client();
    const auto result = TRY(os::run(request));
    if (!result.cancelled && result.wait_status != 0)
        return Error{Code::transient, "podman logs " + os::describe_wait_status(result.wait_status)};
    return ok();
}

Status show_several(const Work& work, const LogOptions& options, const std::vector<Container>& containers) {
    std::size_t width = 0;
    for (const auto& container : containers)
        width = std::max(width, container.service.size());
    std::vector<Stream> streams;
    for (const auto& container : containers) {
        const std::string prefix = fmt::format("{:<{}} | ", escaped(container.service), width);
        streams.push_back(TRY(Stream::start(podman_logs(work, options, container), prefix)));
        if (!options.follow) // one after the other, so that each log stays together
            TRY(relay_all(std::exchange(streams, {})));
    }
    return relay_all(std::move(streams));
}

Status show(const Work& work, const LogOptions& options) {
    const auto containers = TRY(select_containers(work, options.services));
    if (containers.empty())
        return Error{Code::gone, "there are no containers"};
    return containers.size() == 1 ? show_one(work, options, containers.front())
                                  : show_several(work, options, containers);
}

} // namespace

Result<LogOptions> parse_log_options(std::span<const std::string> args) {
    LogOptions options;
    for (std::size_t i = 0; i < args.size(); ++i) {
        if (args[i] == "-f" || args[i] == "--follow") {
            options.follow = true;
        } else if (args[i] == "-t" || args[i] == "--timestamps") {
            options.timestamps = true;
        } else if (args[i] == "-n" || args[i] == "--tail" || args[i].starts_with("--tail=")) {
            const auto tail = value_of(args[i] == "-n" ? "-n" : "--tail", args, i);
            if (!tail)
                return Error{Code::invalid, "--tail takes a number: how many lines of each log"};
            if (!parse_decimal(*tail) || tail->size() > 9)
                return Error{Code::invalid, fmt::format("--tail takes a number, not \"{}\"", escaped(*tail))};
            options.tail = *tail;
        } else if (const auto since = value_of("--since", args, i)) {
            if (!is_time(*since))
                return Error{Code::invalid,
                             fmt::format("--since takes a time or a duration such as 10m, not \"{}\"",
                                         escaped(*since))};
            options.since = *since;
        } else if (args[i].starts_with('-')) {
            return Error{Code::invalid,
                         fmt::format("logs takes -f, -t, --tail N, --since T and compose services, not {}",
                                     escaped(args[i]))};
        } else {
            options.services.push_back(args[i]);
        }
    }
    return options;
}

JobResult show_logs(const Work& work) {
    const auto options = parse_log_options(work.job.args);
    const Status status = options ? show(work, *options) : Status(options.error());
    JobResult result = observe(work);
    result.exit_status = exit_status::done;
    if (status)
        return result;
    work.output.say(status.error().message);
    result.exit_status = status.error().code == Code::invalid ? exit_status::usage : exit_status::failed;
    result.error = status.error();
    return result;
}

} // namespace pgod::compose
