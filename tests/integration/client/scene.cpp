#include "scene.hpp"

#include "os/users.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace pgod::test {

namespace {

using namespace std::chrono_literals;

constexpr int most_turns = 6000; // of 10 ms

os::SpawnRequest request_of(const Words& argv, const Words& env) {
    os::SpawnRequest request;
    request.program = argv.at(0);
    request.argv = argv;
    request.env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                   "LSAN_OPTIONS=print_suppressions=0:suppressions=" LSAN_SUPP,
                   "ASAN_OPTIONS=fast_unwind_on_malloc=0"}; // else the stack ends in libssh's first function
    request.env.insert(request.env.end(), env.begin(), env.end());
    request.umask = 022; // as most people have it: what must be private is made so
    request.die_with_parent = true;
    return request;
}

os::Child started(const os::SpawnRequest& request) {
    auto child = os::spawn(request);
    if (!child)
        throw std::runtime_error(child.error().message);
    return std::move(*child);
}

void must(const os::RunResult& result) {
    if (!result.succeeded())
        throw std::runtime_error(result.errors + result.output);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

bool answers(std::uint16_t port) {
    const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = loopback(port);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

} // namespace

void wait_a_moment(int& turns) {
    if (++turns > most_turns)
        throw std::runtime_error("waited in vain");
    std::this_thread::sleep_for(10ms);
}

Fd listening(std::uint16_t& port) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::listen(fd.get(), SOMAXCONN) != 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no free port");
    port = ntohs(address.sin_port);
    return fd;
}

std::uint16_t free_port() {
    std::uint16_t port = 0;
    (void)listening(port);
    return port;
}

os::RunResult run_program(const Words& argv, const Words& env) {
    os::RunRequest request;
    request.spawn = request_of(argv, env);
    request.deadline = 120s;
    request.max_output = 64 << 20;
    auto result = os::run(request);
    if (!result)
        throw std::runtime_error(result.error().message);
    if (result->timed_out)
        throw std::runtime_error(argv[0] + " did not end");
    return std::move(*result);
}

int status_of(const os::RunResult& result) {
    return os::exit_code_of(result.wait_status);
}

Scene::Scene() {
    std::string name = std::filesystem::temp_directory_path() / "pgoctl-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("cannot make a directory");
    directory_ = name;
    std::filesystem::create_directories(directory_ / "home/.ssh");
    if (::geteuid() == 0)
        std::filesystem::create_directories("/run/sshd"); // sshd's empty directory, made by systemd elsewhere
    for (const char* key : {"host", "good", "stranger", "wrong"})
        make_key(key);
    make_key("locked", {"-t", "ed25519", "-N", "sesame"});
    write(
        "refuse.sh",
        "#!/bin/sh\necho 'Unauthorized: Key for user \"x\" does not match any for name demo' >&2\nexit 77\n");
    write("authorized_keys", "");
    admit("good");
    admit("locked");
    write("authorized_keys", text_of("authorized_keys") + "command=\"/bin/sh " + path("refuse.sh") + "\" " +
                                 text_of("stranger.pub"));
    start_server();
}

Scene::~Scene() {
    server_ = {};
    agent_ = {};
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::string Scene::text_of(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name), std::ios::binary).rdbuf();
    return text.str();
}

void Scene::write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
}

std::string Scene::make_key(const std::string& name, const Words& keygen) const {
    Words argv{"/usr/bin/ssh-keygen", "-q", "-C", name, "-f", path(name)};
    argv.insert(argv.end(), keygen.begin(), keygen.end());
    must(run_program(argv));
    return path(name);
}

void Scene::admit(const std::string& key) const {
    write("authorized_keys", fmt::format("{}command=\"/bin/sh {}\" {}", text_of("authorized_keys"),
                                         OPERATION_SH, text_of(key + ".pub")));
}

void Scene::start_server() {
    server_ = {};
    port_ = free_port();
    write("sshd_config",
          fmt::format("ListenAddress 127.0.0.1:{}\nHostKey {}\nPidFile none\nUsePAM no\nStrictModes no\n"
                      "AuthorizedKeysFile {}\nPasswordAuthentication no\nPermitRootLogin yes\n"
                      "MaxAuthTries 4\nMaxStartups 100\n",
                      port_, path("host"), path("authorized_keys")));
    Words sshd{"/usr/sbin/sshd", "-f", path("sshd_config"), "-o", "PerSourcePenalties=no"};
    // From 9.8 on it refuses an address whose clients leave before their login, as pgoctl does here. Older
    // ones do not know the setting.
    if (!run_program({sshd[0], sshd[1], sshd[2], sshd[3], sshd[4], "-t"}).succeeded())
        sshd.resize(3);
    sshd.insert(sshd.end(), {"-D", "-q"});
    server_ = started(request_of(sshd, {}));
    wait_until([this] { return answers(port_); });
}

void Scene::restart_with_new_host_key() {
    std::filesystem::remove(path("host"));
    std::filesystem::remove(path("host.pub"));
    make_key("host");
    const auto before = port_;
    start_server();
    // known_hosts goes by port: the old line is to be about this server.
    auto known = text_of("home/.ssh/known_hosts");
    const auto old = fmt::format("]:{} ", before);
    if (const auto at = known.find(old); at != std::string::npos)
        known.replace(at, old.size(), fmt::format("]:{} ", port_));
    write("home/.ssh/known_hosts", known);
}

std::string Scene::fingerprint() const {
    const auto shown = run_program({"/usr/bin/ssh-keygen", "-l", "-f", path("host.pub")});
    const auto begin = shown.output.find("SHA256:");
    return shown.output.substr(begin, shown.output.find(' ', begin) - begin);
}

void Scene::know_host() const {
    write("home/.ssh/known_hosts", fmt::format("[127.0.0.1]:{} {}", port_, text_of("host.pub")));
}

Words Scene::pgoctl_argv(const Words& args) const {
    Words argv{PGOCTL, "-p", std::to_string(port_)};
    argv.insert(argv.end(), args.begin(), args.end());
    return argv;
}

Words Scene::environment(const Words& env) const {
    Words all = env; // first: of two of a name the first counts
    all.push_back("HOME=" + home());
    all.push_back("LOGNAME=" + os::current_user().name);
    return all;
}

os::RunResult Scene::pgoctl(const Words& args, const Words& env) const {
    return run_program(pgoctl_argv(args), environment(env));
}

os::Child Scene::start_pgoctl(const Words& args, int in, int out, int err, const Words& env) const {
    auto request = request_of(pgoctl_argv(args), environment(env));
    for (const auto& [from, to] : {std::pair{in, 0}, {out, 1}, {err, 2}})
        if (from >= 0)
            request.descriptors.push_back({from, to});
    return started(request);
}

std::string Scene::start_agent(const Words& keys) {
    const std::string socket = path("agent");
    agent_ = started(request_of({"/usr/bin/ssh-agent", "-D", "-a", socket}, {}));
    wait_until([&] { // ssh-add says 2 as long as nobody answers, and 1 when there are no keys
        return status_of(run_program({"/usr/bin/ssh-add", "-l"}, {"SSH_AUTH_SOCK=" + socket})) == 1;
    });
    for (const std::string& key : keys)
        must(run_program({"/usr/bin/ssh-add", "-q", key}, {"SSH_AUTH_SOCK=" + socket}));
    return socket;
}

} // namespace pgod::test
