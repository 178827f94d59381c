#include "daemon/git_job.hpp"

#include "base/text.hpp"
#include "git/compact.hpp"
#include "git/export.hpp"
#include "git/library.hpp"
#include "git/sync.hpp"
#include "os/channel_descriptors.hpp"
#include "os/drop.hpp"
#include "os/frame_pipe.hpp"
#include "os/safe_path.hpp"
#include "os/secret_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <new>

namespace pgod::daemon {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int report_fd = 3; // of the first job; a later one's comes as any number
constexpr int orders_fd = 4;
constexpr int credentials_fd = 5;
constexpr int notices_fd = 6;
constexpr int above_fixed = 10;
constexpr rlim_t max_descriptors = 256;
constexpr rlim_t address_space = rlim_t{512} << 20;
constexpr rlim_t least_file_bytes = rlim_t{320} << 20; // an export's largest file and some
constexpr rlim_t index_bytes = rlim_t{64} << 20;       // what a pack's index may have beside the pack
constexpr std::chrono::minutes longest_wait{5};        // for a supervisor that does not read
constexpr std::size_t max_sentence = 1000;             // bytes
constexpr std::chrono::seconds cpu_before_leaving{10}; // of one that stays for more jobs

// A sanitizer's shadow memory is above every limit, and what it has to say goes to standard error.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// What is left for reading keys and reporting when the network has had its time.
Clock::time_point network_deadline_of(Clock::time_point deadline) {
    const auto left = deadline - Clock::now();
    return deadline - std::min<Clock::duration>(left / 2, std::chrono::seconds(2));
}

Status set_limit(__rlimit_resource resource, rlim_t value) {
    const rlimit limit{value, value};
    if (::setrlimit(resource, &limit) != 0)
        return errno_error("set a limit of a git job");
    return ok();
}

Status set_limits(const ipc::GitJob& job) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(job.deadline).count();
    TRY(set_limit(RLIMIT_CORE, 0));
    TRY(set_limit(RLIMIT_NOFILE, max_descriptors));
    TRY(set_limit(RLIMIT_CPU, static_cast<rlim_t>(seconds) + 1));
    TRY(set_limit(RLIMIT_FSIZE, std::max<rlim_t>(job.max_bytes + index_bytes, least_file_bytes)));
    if (!sanitized)
        TRY(set_limit(RLIMIT_AS, address_space));
    return ok();
}

// Nothing of the parent stays but the job's own: not the control channel, not another job's.
Status keep_only(JobDescriptors given) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return errno_error("open /dev/null");
    for (int standard = 0; standard <= (sanitized ? 1 : 2); ++standard)
        if (::dup2(null, standard) < 0)
            return errno_error("set a standard descriptor");
    struct Place {
        Fd* from;
        int number;
        Fd high; // by way of numbers where none can be in another's place
    };
    std::array<Place, 4> places{{{&given.report, report_fd, {}},
                                 {&given.orders, orders_fd, {}},
                                 {&given.credentials, credentials_fd, {}},
                                 {&given.notices, notices_fd, {}}}};
    for (auto& place : places) {
        if (*place.from)
            place.high = Fd(::fcntl(place.from->get(), F_DUPFD_CLOEXEC, above_fixed));
        if (*place.from && !place.high)
            return errno_error("place a job's descriptor");
        (void)place.from->release(); // closed below
    }
    for (const auto& [from, number, high] : places) {
        if (!high)
            (void)::close(number);
        else if (::dup3(high.get(), number, O_CLOEXEC) < 0)
            return errno_error("place a job's descriptor");
    }
    if (::close_range(notices_fd + 1, ~0U, 0) != 0)
        return errno_error("close what is not the job's");
    for (auto& place : places)
        (void)place.high.release();
    return ok();
}

// pgod-git itself was started with every signal at its default and handles none.
void set_signals() {
    (void)::signal(SIGPIPE, SIG_IGN); // OpenSSL writes to sockets that may be gone
    (void)::signal(SIGXFSZ, SIG_IGN); // a file over its limit is an error of write(2)
    sigset_t none;
    sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

Status become(const Identity& user) {
    if (user.uid == 0 || user.gid == 0)
        return Error{Code::denied, "a repository job never runs as root"};
    if (user.uid == ::geteuid() && ::geteuid() != 0)
        return ok();
    if (const char* step = os::drop_privileges(user.uid, user.gid, user.groups.data(), user.groups.size()))
        return errno_error(fmt::format("become user {}: {}", user.name, step));
    return ok();
}

Status confine(const ipc::GitJob& job, pid_t parent) {
    TRY(set_limits(job));
    TRY(become(job.user));
    ::umask(077);
    // After the drop: the kernel clears the parent's death signal when the ids change (prctl(2)). Not
    // dumpable: the user's other processes must not read the credentials of the URL out of this one.
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return errno_error("confine a git job");
    if (::getppid() != parent)
        return Error{Code::internal, "pgod-git ended"};
    if (::chdir("/") != 0)
        return errno_error("enter /");
    ::clearenv();
    // libgit2 wants a HOME; the resolver has no deadline but this.
    if (::setenv("HOME", job.user.home.c_str(), 1) != 0 ||
        ::setenv("RES_OPTIONS", "timeout:2 attempts:2", 1) != 0)
        return errno_error("set the environment");
    return git::enter_home(job.user.home);
}

class Reporter {
  public:
    explicit Reporter(Fd pipe)
        : pipe_(std::move(pipe)) {}

    void report(const ipc::GitReport& report) {
        if (!pipe_.send(ipc::encode(report), longest_wait))
            ::_exit(0); // nobody is interested any more
    }
    void warn(const std::vector<std::string>& warnings) {
        for (const auto& warning : warnings)
            report(ipc::Warned{shortened(warning, max_sentence)});
    }
    void close() { pipe_.close(); } // the supervisor has all that it waits for

  private:
    os::FrameWriter pipe_;
};

std::optional<Error> shortened_error(std::optional<Error> error) {
    if (error)
        error->message = shortened(error->message, max_sentence);
    return error;
}

ipc::GitReport failed(const ipc::GitJob& job, Error error) {
    auto shown = shortened_error(std::move(error));
    if (job.sync)
        return ipc::Synced{.tip = {}, .moved = false, .rewritten = false, .error = std::move(shown)};
    return ipc::Exported{{}, std::move(shown), {}};
}

// Read by its path as well: libssh2 opens a key itself.
Result<std::optional<git::GivenCredentials>> given_credentials(bool given) {
    if (!given)
        return std::optional<git::GivenCredentials>();
    return std::optional(git::GivenCredentials{
        Secret(TRY_DOING(os::read_file(credentials_fd, os::max_secret_file), "credentials")),
        fmt::format("/proc/self/fd/{}", credentials_fd)});
}

// True: it only asked upstream.
bool run_sync(const ipc::GitJob& job, RepositoryUrl url, Clock::time_point deadline, Reporter& reporter,
              bool given) {
    auto credentials = given_credentials(given);
    if (!credentials) {
        reporter.report(failed(job, std::move(credentials).error()));
        return false;
    }
    const git::SyncRequest request{.directory = job.directory,
                                   .source = {.url = std::move(url),
                                              .branch = job.branch,
                                              .user = job.user.name,
                                              .home = job.user.home,
                                              .max_bytes = job.max_bytes,
                                              .given = std::move(*credentials)},
                                   .known = job.sync_job.known,
                                   .only_look = job.sync_job.look,
                                   .network_deadline = network_deadline_of(deadline)};
    auto result = git::sync(request);
    for (auto& key : result.keys)
        reporter.report(ipc::FoundKey{std::move(key)});
    reporter.warn(result.warnings);
    reporter.report(ipc::Synced{.tip = std::move(result.tip),
                                .moved = result.moved,
                                .rewritten = result.rewritten,
                                .error = shortened_error(std::move(result.error))});
    if (!result.moved)
        return result.only_looked;
    reporter.close();
    (void)git::keep_small(job.directory, job.branch); // not done: tried again after the next commit
    return false;
}

void run_export(const ipc::GitJob& job, Reporter& reporter) {
    auto result = git::export_tree({.directory = job.directory,
                                    .commit = job.export_job.commit,
                                    .branch = job.export_job.on_branch ? job.branch : std::string(),
                                    .into = job.export_job.into,
                                    .named = job.export_job.named,
                                    .serving = job.export_job.serving,
                                    .limits = {}});
    reporter.warn(result.warnings);
    ipc::Exported exported{std::move(result.commit), shortened_error(std::move(result.error)), {}};
    if (!exported.error)
        for (auto& named : result.named)
            exported.named.push_back(
                {std::move(named.commit), named.serves, shortened(named.refused, max_sentence)});
    reporter.report(std::move(exported));
}

// True: the process is as it was before.
bool run_confined(const ipc::GitJob& job, Clock::time_point deadline, Reporter& reporter, bool given) {
    if (!job.sync) {
        run_export(job, reporter);
        return false;
    }
    auto url = RepositoryUrl::parse(job.url.reveal());
    if (url)
        return run_sync(job, std::move(*url), deadline, reporter, given);
    reporter.report(failed(job, std::move(url).error()));
    return false;
}

// `given`: credentials came along, and are at their number. A number is no sign of them: what a resolver
// keeps open may have it in a process that stays.
bool run(const ipc::GitJob& job, Clock::time_point deadline, Reporter reporter, bool given) {
    try {
        return run_confined(job, deadline, reporter, given);
    } catch (const std::bad_alloc&) { // the limit was met; by now much of it is free again
        reporter.report(
            failed(job, Error{Code::permanent, "the repository needs more memory than a job may have"}));
        return false;
    }
}

// RLIMIT_CPU counts the whole process: a job that comes later is not to meet it for those before.
bool has_time_left() noexcept {
    return std::chrono::seconds(std::clock() / CLOCKS_PER_SEC) < cpu_before_leaving;
}

// One job after the other, until the parent closes.
Status stay(const os::Channel& orders) {
    while (has_time_left()) {
        if (::write(notices_fd, ipc::done_notice.data(), ipc::done_notice.size()) != 1)
            return errno_error("give notice");
        auto frame = TRY(os::receive_with_descriptors(orders));
        if (frame.closed() || frame.fds.size() != 1)
            return ok();
        const auto request = TRY(ipc::decode<ipc::GitRequest>(frame.bytes));
        const auto& job = std::get<ipc::GitJob>(request);
        if (!run(job, Clock::now() + job.deadline, Reporter(std::move(frame.fds.front())), false))
            break;
    }
    return ok();
}

} // namespace

bool may_share_process(const ipc::GitJob& job) {
    if (!job.sync || job.sync_job.known.empty())
        return false;
    const auto url = RepositoryUrl::parse(job.url.reveal());
    return url && !url->has_credentials() && url->scheme() != RepositoryUrl::Scheme::ssh;
}

void run_git_job(const ipc::GitJob& job, JobDescriptors descriptors, Clock::time_point deadline,
                 pid_t parent) noexcept {
    const bool may_stay = static_cast<bool>(descriptors.orders);
    const bool given = static_cast<bool>(descriptors.credentials);
    (void)::setsid();
    set_signals();
    if (!keep_only(std::move(descriptors)))
        ::_exit(70);
    Reporter reporter{Fd(report_fd)};
    if (auto confined = confine(job, parent); !confined)
        reporter.report(failed(job, std::move(confined).error()));
    else if (run(job, deadline, std::move(reporter), given) && may_stay)
        (void)stay(os::Channel(Fd(orders_fd)));
    ::_exit(0);
}

} // namespace pgod::daemon
