#include "client/several.hpp"

#include "base/fd.hpp"
#include "client/interrupt.hpp"
#include "client/line_prefix.hpp"
#include "client/say.hpp"
#include "core/exit_status.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <optional>

namespace pgod::client {

namespace {

constexpr std::array interrupting{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::size_t max_chunk = std::size_t{32} * 1024;
constexpr std::size_t max_json = std::size_t{16} << 20; // of one host, in bytes

using Json = nlohmann::ordered_json;

// What a host sent, or null. Bounded in depth, for printing it recurs.
Json parsed(const std::string& text) {
    constexpr int max_depth = 64;
    bool deep = false;
    const auto judge = [&deep](int depth, Json::parse_event_t, Json&) {
        deep = deep || depth > max_depth;
        return !deep;
    };
    if (text.size() > max_json)
        return nullptr;
    Json json = Json::parse(text, judge, false);
    return deep || json.is_discarded() ? Json(nullptr) : json;
}

// One host's process, and what it writes.
struct Run {
    std::string host;
    pid_t process = -1;
    std::array<Fd, 2> pipes; // standard output, standard error
    std::array<LinePrefix, 2> lines;
    std::string json;
    int status = exit_status::internal;
};

class Several {
  public:
    Several(const std::vector<Plan>& plans, const std::function<int(const Plan&)>& run)
        : plans_(plans)
        , run_(run)
        , json_(plans.front().json) {}

    int go() {
        sigset_t blocked;
        sigemptyset(&blocked);
        for (const int signal : interrupting)
            sigaddset(&blocked, signal);
        ::sigprocmask(SIG_BLOCK, &blocked, &before_);
        signals_ = Fd(::signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK));
        for (const Plan& plan : plans_)
            if (!begin(plan))
                return exit_status::internal; // those that were begun end with us
        while (std::any_of(runs_.begin(), runs_.end(), is_open))
            turn();
        int worst = exit_status::done;
        for (Run& run : runs_) {
            run.status = status_of(run.process);
            worst = worse_status(worst, run.status);
        }
        if (json_)
            print_json();
        summarise();
        return reader_left_ ? 128 + SIGPIPE : worst;
    }

  private:
    static bool is_open(const Run& run) { return run.pipes[0] || run.pipes[1]; }

    bool begin(const Plan& plan) {
        std::array<std::array<int, 2>, 2> ends{};
        std::array<Fd, 2> read_ends;
        std::array<Fd, 2> write_ends;
        for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
            if (::pipe2(ends[i].data(), O_CLOEXEC) != 0) {
                say(errno_error("make a pipe").message);
                return false;
            }
            read_ends[i] = Fd(ends[i][0]);
            write_ends[i] = Fd(ends[i][1]);
        }
        const pid_t parent = ::getpid();
        const pid_t process = ::fork();
        if (process < 0) {
            say(errno_error("start a process").message);
            return false;
        }
        if (process == 0)
            ::_exit(be_one(plan, parent, write_ends));
        const std::string prefix = plan.target.host + ": ";
        runs_.push_back(
            {plan.target.host, process, std::move(read_ends), {LinePrefix(prefix), LinePrefix(prefix)}, {}});
        return true;
    }

    // In the process of one host: it ends when pgoctl does, and has no input.
    int be_one(const Plan& plan, pid_t parent, const std::array<Fd, 2>& output) noexcept {
        (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);
        const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (::getppid() != parent || ::dup2(nothing.get(), STDIN_FILENO) < 0 ||
            ::dup2(output[0].get(), STDOUT_FILENO) < 0 || ::dup2(output[1].get(), STDERR_FILENO) < 0)
            return exit_status::internal;
        ::sigprocmask(SIG_SETMASK, &before_, nullptr);
        try {
            return run_(plan);
        } catch (const std::exception& bug) {
            say(bug.what());
            return exit_status::internal;
        }
    }

    void turn() {
        std::vector<pollfd> polled{{signals_.get(), POLLIN, 0}};
        for (const Run& run : runs_)
            for (const Fd& pipe : run.pipes)
                polled.push_back({pipe.get(), POLLIN, 0});
        if (::poll(polled.data(), polled.size(), -1) < 0)
            return;
        if (polled[0].revents != 0)
            pass_on_signal();
        for (std::size_t i = 0; i < runs_.size(); ++i)
            for (const std::size_t stream : {std::size_t{0}, std::size_t{1}})
                if (polled[1 + 2 * i + stream].revents != 0)
                    read(runs_[i], stream);
    }

    // Each says its own farewell, and what goes on at its server.
    void pass_on_signal() {
        signalfd_siginfo signal{};
        if (::read(signals_.get(), &signal, sizeof signal) == sizeof signal)
            end_all(interrupted_ ? SIGKILL : static_cast<int>(signal.ssi_signo));
        interrupted_ = true;
    }

    void end_all(int signal) const {
        for (const Run& run : runs_)
            if (is_open(run))
                (void)::kill(run.process, signal);
    }

    void read(Run& run, std::size_t stream) {
        std::array<char, max_chunk> chunk;
        const ssize_t got = ::read(run.pipes[stream].get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR)
            return;
        const std::string_view bytes(chunk.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
        if (bytes.empty())
            run.pipes[stream].reset();
        if (json_ && stream == 0) {
            run.json.append(bytes, 0, max_json + 1 - std::min(run.json.size(), max_json + 1));
            return;
        }
        LinePrefix& lines = run.lines[stream];
        write(stream, bytes.empty() ? lines.rest() : lines.take(bytes));
    }

    // With nobody reading, an operation that only reads ends; any other one goes on without output.
    void write(std::size_t stream, const std::string& text) {
        if (reader_left_ && stream == 0)
            return;
        if (write_all(stream == 0 ? STDOUT_FILENO : STDERR_FILENO, text) || stream != 0)
            return;
        reader_left_ = true;
        if (plans_.front().ends_with_client)
            end_all(SIGTERM);
    }

    static int status_of(pid_t process) {
        int status = 0;
        while (::waitpid(process, &status, 0) < 0)
            if (errno != EINTR)
                return exit_status::internal;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    void print_json() {
        Json all = Json::object();
        for (const Run& run : runs_) {
            all[run.host]["status"] = run.status;
            all[run.host]["output"] = parsed(run.json);
        }
        write(0, all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    }

    void summarise() const {
        std::string failed;
        std::size_t done = 0;
        for (const Run& run : runs_) {
            done += run.status == exit_status::done ? 1 : 0;
            if (run.status != exit_status::done)
                failed +=
                    fmt::format("{}{} {}", failed.empty() ? "; exit status: " : ", ", run.host, run.status);
        }
        say(fmt::format("done at {} of {} hosts{}", done, runs_.size(), failed));
    }

    const std::vector<Plan>& plans_;
    const std::function<int(const Plan&)>& run_;
    bool json_;
    sigset_t before_{};
    Fd signals_;
    std::vector<Run> runs_;
    bool interrupted_ = false;
    bool reader_left_ = false;
};

} // namespace

int worse_status(int one, int other) noexcept {
    const auto rank = [](int status) {
        return status == exit_status::done ? 0 : status == exit_status::busy ? 1 : 1 + status;
    };
    return rank(one) >= rank(other) ? one : other;
}

int run_at_several(const std::vector<Plan>& plans, const std::function<int(const Plan&)>& run) {
    return Several(plans, run).go();
}

} // namespace pgod::client
