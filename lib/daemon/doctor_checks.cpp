#include "daemon/doctor_checks.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "core/compose_version.hpp"
#include "daemon/secret_files.hpp"
#include "os/run.hpp"
#include "os/safe_path.hpp"
#include "os/users.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;
constexpr std::size_t max_file = std::size_t{1} << 20; // bytes of what the host says of itself

class Sheet {
  public:
    explicit Sheet(std::string about)
        : about_(std::move(about)) {}
    // Good without a problem.
    void add(std::string check, std::string problem, std::string remedy) {
        if (problem.empty())
            remedy.clear();
        findings_.push_back({about_, std::move(check), std::move(problem), std::move(remedy)});
    }
    std::vector<Finding> take() && { return std::move(findings_); }

  private:
    std::string about_;
    std::vector<Finding> findings_;
};

os::RunRequest host_call(std::string program, std::vector<std::string> argv) {
    os::RunRequest request;
    request.spawn.program = std::move(program);
    request.spawn.argv = std::move(argv);
    request.spawn.env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"};
    if (::geteuid() != 0) // whose podman wants a home even to tell its version
        request.spawn.env = os::user_environment(os::current_user());
    request.spawn.die_with_parent = true;
    request.deadline = patience;
    request.max_output = 4096;
    return request;
}

Result<std::string> answer_of(std::string program, std::vector<std::string> argv) {
    const auto done = TRY(os::run(host_call(program, std::move(argv))));
    if (!done.succeeded())
        return Error{Code::internal,
                     done.timed_out
                         ? fmt::format("{} did not answer within {} s", program, patience.count())
                         : fmt::format("{} {}", program, os::describe_wait_status(done.wait_status))};
    return done.output;
}

Result<std::string> version_of_podman() {
    return answer_of(TRY(os::find_program("podman")), {"podman", "--version"});
}

std::string problem_of_installed_compose() {
    const auto version =
        answer_of("/usr/bin/python3",
                  {"python3", "-I", "-B", "-c", "import podman_compose; print(podman_compose.__version__)"});
    return version ? problem_of_compose(*version) : "podman-compose is not installed on this host";
}

// Set-user-ID root, or with capabilities of its own.
std::string problem_of_id_mapper(const std::string& name) {
    const std::string path = "/usr/bin/" + name;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return fmt::format("{} is not installed on this host", name);
    const bool set_uid = S_ISREG(status.st_mode) && status.st_uid == 0 && (status.st_mode & S_ISUID) != 0;
    if ((status.st_mode & S_IXOTH) != 0 &&
        (set_uid || ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0))
        return {};
    return fmt::format("{} may not map the ids of a container: it is not set-user-ID root", path);
}

std::string problem_of_tun() {
    struct stat status {};
    if (::stat("/dev/net/tun", &status) != 0)
        return "/dev/net/tun is missing, which the network of rootless containers needs";
    if (S_ISCHR(status.st_mode) && (status.st_mode & 0006) == 0006)
        return {};
    return fmt::format("/dev/net/tun has mode {:o}: users cannot open it for the network of their containers",
                       status.st_mode & 07777U);
}

// A sysctl gives its text to one read(2) only.
std::uint64_t number_in(const char* path, std::uint64_t otherwise) {
    const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
    std::array<char, 64> text{};
    const ssize_t size = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
    if (size <= 0)
        return otherwise;
    return parse_decimal(trimmed({text.data(), static_cast<std::size_t>(size)})).value_or(otherwise);
}

std::string problem_of_namespaces() {
    if (number_in("/proc/sys/user/max_user_namespaces", 1) == 0 ||
        number_in("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
        return "users may not make user namespaces, without which there are no rootless containers";
    return {};
}

std::string problem_of_clock() {
    timex now{};
    if (::adjtimex(&now) < 0 || (now.status & STA_UNSYNC) == 0)
        return {};
    return "the clock is not synchronised: times of deployments, and of keys that expire, may be wrong";
}

std::string next_range(const SubordinateIds& ids) {
    return fmt::format("{}-{}", ids.free_from, ids.free_from + wanted_ids - 1);
}

void examine_ids(Sheet& sheet, const Identity& user) {
    for (const auto& [file, option] :
         {std::pair<const char*, const char*>{"subuid", "--add-subuids"}, {"subgid", "--add-subgids"}}) {
        const auto text = os::read_file(fmt::format("/etc/{}", file), max_file);
        const auto ids = subordinate_ids(text ? *text : "", user.name, user.uid);
        sheet.add(file,
                  ids.count >= wanted_ids
                      ? ""
                      : fmt::format("the user has {} subordinate ids in /etc/{}, and containers need "
                                    "{}",
                                    ids.count, file, wanted_ids),
                  fmt::format("usermod {} {} {}", option, next_range(ids), user.name));
    }
}

void examine_runtime_directory(Sheet& sheet, const Identity& user) {
    const std::string path = fmt::format("/run/user/{}", user.uid);
    struct stat status {};
    const bool there = ::lstat(path.c_str(), &status) == 0;
    const bool good = there && S_ISDIR(status.st_mode) && status.st_uid == user.uid;
    if (!there && !os::systemd_runs() && ::geteuid() == 0)
        return sheet.add("runtime directory", "", ""); // pgod makes it
    sheet.add("runtime directory",
              good    ? ""
              : there ? fmt::format("{} does not belong to the user", path)
                      : path + " is missing",
              there || !os::systemd_runs()
                  ? fmt::format("rm -rf {0} && install -d -m 700 -o {1} -g {2} {0}", path, user.uid, user.gid)
                  : fmt::format("loginctl enable-linger {}", user.name));
}

} // namespace

std::vector<Finding> examine_host(const Config& config) {
    Sheet sheet("host");
    const auto podman = version_of_podman();
    sheet.add("podman", podman ? problem_of_podman(*podman) : podman.error().message,
              "apt-get install podman");
    sheet.add("podman-compose", problem_of_installed_compose(),
              "apt-get install podman-compose # one of " + compared_composes());
    for (const char* name : {"newuidmap", "newgidmap"})
        sheet.add(name, problem_of_id_mapper(name), "apt-get install --reinstall uidmap");
    if (podman) {
        const auto [program, package] = network_program(*podman);
        const auto network = os::find_program(program);
        sheet.add(program, network ? "" : network.error().message,
                  fmt::format("apt-get install {}", package));
    }
    sheet.add("/dev/net/tun", problem_of_tun(), "modprobe tun && chmod 666 /dev/net/tun");
    sheet.add("user namespaces", problem_of_namespaces(),
              "sysctl -w user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1");
    sheet.add("clock", problem_of_clock(), "apt-get install systemd-timesyncd && timedatectl set-ntp true");
    if (::geteuid() == 0) {
        const auto user = os::find_user("pgod");
        sheet.add("user pgod", user ? "" : user.error().message + ", and the SSH endpoint runs as that user",
                  "useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin pgod");
    }
    struct stat status {};
    const bool missing = ::stat(config.state.c_str(), &status) != 0;
    const bool ours =
        !missing && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 022) == 0;
    sheet.add("state", missing || ours ? "" : config.state + " is not a directory of pgod's own",
              fmt::format("chown {0} {1} && chmod 711 {1}", ::geteuid(), config.state));
    return std::move(sheet).take();
}

std::vector<Finding> examine_user(const Identity& user, bool linger) {
    Sheet sheet(fmt::format("user \"{}\"", user.name));
    examine_ids(sheet, user);
    if (os::systemd_runs()) {
        struct stat status {};
        const bool lingers = ::lstat(("/var/lib/systemd/linger/" + user.name).c_str(), &status) == 0;
        sheet.add("linger",
                  lingers || linger ? "" : "nothing of the user runs while nobody is logged in as him",
                  fmt::format("loginctl enable-linger {}", user.name));
    }
    examine_runtime_directory(sheet, user);
    return std::move(sheet).take();
}

namespace {

// The file that a problem of secret_files.hpp is about, which begins with its setting.
const std::string& file_of_secrets(const Service& service, std::string_view problem) {
    for (const auto& [name, file] : service.secrets)
        if (problem.starts_with("secrets: " + name + ": "))
            return file;
    return problem.starts_with("credentials:")     ? service.credentials
           : problem.starts_with("registry_auth:") ? service.registry_auth
                                                   : service.env_file;
}

} // namespace

std::vector<Finding> examine_service(const Service& service, const Identity& user) {
    Sheet sheet(fmt::format("service \"{}\"", service.name));
    const auto from = static_cast<unsigned>(number_in("/proc/sys/net/ipv4/ip_unprivileged_port_start", 1024));
    if (const auto port = privileged_port(service, from))
        sheet.add("ports",
                  fmt::format("ports allows {}, but users may bind ports from {} on only", *port, from),
                  fmt::format("echo net.ipv4.ip_unprivileged_port_start={} > /etc/sysctl.d/50-pgod.conf && "
                              "sysctl --system",
                              *port));
    else
        sheet.add("ports", "", "");
    for (auto& problem : problems_of_secret_files(service)) {
        const std::string setting = problem.substr(0, problem.find(':'));
        const std::string& file = file_of_secrets(service, problem);
        sheet.add(setting, std::move(problem),
                  fmt::format("chown {0} {1} && chmod 600 {1}", ::geteuid(), file));
    }
    for (const auto& [name, forward] : service.urls) {
        os::RunRequest request = host_call("/usr/bin/getent", {"getent", "ahosts", name});
        if (user.uid != ::geteuid())
            request.spawn.become = user;
        const auto done = os::run(request); // its status alone: what a name server says is not read here
        sheet.add("urls", done && done->succeeded() ? "" : fmt::format("{} cannot be resolved here", name),
                  fmt::format("getent ahosts {}    # and add it to the DNS", name));
    }
    return std::move(sheet).take();
}

} // namespace pgod::daemon
