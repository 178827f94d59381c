#include "jail/jail.hpp"

#include "base/fd.hpp"
#include "jail/network.hpp"
#include "jail/pipe.hpp"
#include "jail/view.hpp"
#include "jail/watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

namespace pgod::jail {

namespace {

constexpr int failed = 125;                 // of keeper and init, when a sentence says why
constexpr int not_started = 127;            // exit status, as in a shell
constexpr std::size_t max_sentence = 1'000; // bytes

using Gate = Pipe; // one byte from one process to another: "go on"

bool pass(Gate& gate) {
    gate.write_end.reset();
    char byte = 0;
    return ::read(gate.read_end.get(), &byte, 1) == 1;
}

void open_gate(Gate& gate) {
    (void)!::write(gate.write_end.get(), "g", 1);
}

int status_of(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

int wait_for(pid_t pid) {
    int wait_status = 0;
    while (::waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    return status_of(wait_status);
}

[[noreturn]] void give_up(const Fd& problem, const Error& error) {
    const std::string text = error.message.substr(0, max_sentence);
    (void)!::write(problem.get(), text.data(), text.size());
    ::_exit(failed);
}

// Once the maps are written: until then ids of the new namespace do not exist.
Status become_root_inside() {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0)
        return errno_error("become root of the user namespace");
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) // the kernel clears it when ids change
        return errno_error("tie the build to pgod-build");
    return ok();
}

// When the host runs out of memory, the kernel ends a build before anything else (proc(5), oom_score_adj).
void go_first_for_want_of_memory() {
    const Fd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    (void)!::write(score.get(), "1000", 4);
}

int run_command(const std::vector<std::string>& command) {
    std::vector<char*> argv;
    for (const auto& word : command)
        argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::execv(argv[0], argv.data());
        ::_exit(not_started);
    }
    if (pid < 0)
        return 128;
    for (;;) { // init also inherits the processes that others leave
        int wait_status = 0;
        const pid_t ended = ::waitpid(-1, &wait_status, 0);
        if (ended == pid)
            return status_of(wait_status);
        if (ended < 0 && errno != EINTR)
            return 128;
    }
}

[[noreturn]] void be_init(const Jail& jail, Gate& mapped, Gate& connected, const Fd& problem) {
    if (!pass(mapped))
        ::_exit(failed);
    go_first_for_want_of_memory();
    if (auto root = become_root_inside(); !root)
        give_up(problem, root.error());
    if (auto kept = keep_from_the_hosts_loopback(); !kept)
        give_up(problem, kept.error());
    if (auto entered = enter_view(jail); !entered)
        give_up(problem, entered.error());
    if (!pass(connected))
        ::_exit(failed);
    int status = 0;
    for (const auto& command : jail.commands)
        if ((status = run_command(command)) != 0)
            break;
    ::_exit(status);
}

Status write_map(pid_t pid, const char* file, const IdMap& map) {
    std::string text;
    for (const auto& range : map) // the same ids as outside of it
        text += fmt::format("{} {} {}\n", range.inside, range.inside, range.count);
    const std::string path = fmt::format("/proc/{}/{}", pid, file);
    const Fd to(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!to || ::write(to.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return errno_error("write " + path);
    return ok();
}

Result<int> keep(const Jail& jail, const Fd& problem) {
    TRY(become_root_inside());
    const rlimit processes{jail.processes, jail.processes};
    if (::setrlimit(RLIMIT_NPROC, &processes) != 0)
        return errno_error("limit the processes of the build");
    Gate mapped = TRY(make_pipe());
    Gate connected = TRY(make_pipe());
    constexpr unsigned long namespaces =
        CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    const auto init =
        static_cast<pid_t>(::syscall(SYS_clone, namespaces | SIGCHLD, nullptr, nullptr, nullptr, 0UL));
    if (init == 0)
        be_init(jail, mapped, connected, problem);
    if (init < 0)
        return errno_error("make the namespaces of the build");
    TRY(write_map(init, "uid_map", jail.uids));
    TRY(write_map(init, "gid_map", jail.gids));
    open_gate(mapped);
    const pid_t network = TRY(start_network(init));
    open_gate(connected);
    const int status = wait_for(init);
    (void)::kill(network, SIGKILL);
    (void)wait_for(network);
    return status;
}

[[noreturn]] void be_keeper(const Jail& jail, Gate& made, Gate& mapped, const Fd& problem, pid_t parent) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || ::getppid() != parent)
        ::_exit(failed);
    if (::unshare(CLONE_NEWUSER) != 0)
        give_up(problem, errno_error("make a user namespace"));
    open_gate(made);
    if (!pass(mapped))
        ::_exit(failed);
    auto kept = keep(jail, problem);
    if (!kept)
        give_up(problem, kept.error());
    ::_exit(*kept);
}

// newuidmap(1) and newgidmap(1) may give what /etc/subuid and /etc/subgid grant, and nobody else may.
Status map_ids(const char* program, pid_t pid, const IdMap& map) {
    std::vector<std::string> words{program, std::to_string(pid)};
    for (const auto& range : map)
        for (const unsigned number : {range.inside, range.outside, range.count})
            words.push_back(std::to_string(number));
    if (const int status = run_command(words); status == not_started)
        return Error{Code::transient,
                     fmt::format("{} cannot be run; is the package uidmap installed?", program)};
    else if (status != 0)
        return Error{Code::transient,
                     fmt::format("{} refused the ids of this user ({}); see /etc/subuid and /etc/subgid",
                                 program, text_of(map))};
    return ok();
}

} // namespace

Result<int> run_in_jail(const Jail& jail) {
    Gate made = TRY(make_pipe());
    Gate mapped = TRY(make_pipe());
    Pipe problem = TRY(make_pipe()); // a sentence, of keeper or init
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        return errno_error("become the subreaper of the build");
    const pid_t self = ::getpid();
    const pid_t keeper = ::fork();
    if (keeper == 0) {
        problem.read_end.reset();
        be_keeper(jail, made, mapped, problem.write_end, self);
    }
    if (keeper < 0)
        return errno_error("fork");
    problem.write_end.reset();
    if (pass(made)) {
        TRY(map_ids("/usr/bin/newuidmap", keeper, jail.uids));
        TRY(map_ids("/usr/bin/newgidmap", keeper, jail.gids));
        open_gate(mapped);
    }
    mapped.write_end.reset();
    const int wait_status = TRY(watch(keeper, jail.reserve));
    std::array<char, max_sentence> sentence{};
    const ssize_t size = ::read(problem.read_end.get(), sentence.data(), sentence.size());
    if (size > 0)
        return Error{Code::transient, std::string(sentence.data(), static_cast<std::size_t>(size))};
    if (wait_status != 0 && jail.memory > 0)
        TRY(check_memory(jail.memory));
    return status_of(wait_status);
}

} // namespace pgod::jail
