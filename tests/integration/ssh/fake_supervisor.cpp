#include "fake_supervisor.hpp"

#include "base/text.hpp"
#include "core/public_key.hpp"
#include "os/run.hpp"
#include "os/safe_path.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace pgod::test {

namespace {

using namespace std::chrono_literals;

// A broken arrangement ends the test case.
template<typename T>
T must(Result<T> result) {
    if (!result)
        throw std::runtime_error(result.error().message);
    return std::move(result).value();
}

std::string pattern_block() {
    std::string block(1'000'003, '\0');
    std::uint64_t state = 88172645463325252U;
    for (char& byte : block) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        byte = static_cast<char>(state);
    }
    return block;
}

} // namespace

TemporaryDirectory::TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "pgod-ssh-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("mkdtemp");
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

std::string pattern(std::size_t size) {
    static const std::string block = pattern_block();
    std::string text;
    text.reserve(size);
    while (text.size() < size)
        text.append(block, 0, std::min(block.size(), size - text.size()));
    return text;
}

FakeSupervisor::FakeSupervisor()
    : FakeSupervisor(Settings{}) {}

FakeSupervisor::FakeSupervisor(Settings settings)
    : mute_(settings.mute) {
    (void)::signal(SIGPIPE, SIG_IGN);
    (void)::chmod(empty_.path().c_str(), 0555);
    if (settings.start.host_key.empty()) {
        os::RunRequest make;
        make.spawn.program = PGOD_SSH;
        make.spawn.argv = {"pgod-ssh", "--make-host-key"};
        const auto made = must(os::run(make));
        if (!made.succeeded())
            throw std::runtime_error("--make-host-key: " + made.errors);
        settings.start.host_key = Secret(made.output);
    }
    listen();
    launch(settings);
    thread_ = std::jthread([this](const std::stop_token& token) { loop(token); });
}

FakeSupervisor::~FakeSupervisor() {
    stop();
    const auto lock = std::lock_guard(mutex_);
    held_.clear();
}

void FakeSupervisor::listen() {
    for (int i = 0; i < 2; ++i) {
        Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        if (!fd || ::bind(fd.get(), raw, size) != 0 || ::listen(fd.get(), 512) != 0 ||
            ::getsockname(fd.get(), raw, &size) != 0)
            throw std::runtime_error("listen");
        ports_.push_back(ntohs(address.sin_port));
        sockets_.push_back(std::move(fd));
    }
}

void FakeSupervisor::launch(const Settings& settings) {
    auto line = must(os::make_line());
    os::SpawnRequest request;
    request.program = PGOD_SSH;
    request.argv = {"pgod-ssh"};
    if (::geteuid() == 0)
        request.argv = {"pgod-ssh", "--user", "nobody", "--empty", empty_.path().string()};
    if (std::getenv("PGOD_TEST_DEBUG") != nullptr)
        request.argv.emplace_back("--debug");
    if (const char* options = std::getenv("ASAN_OPTIONS"))
        request.env.push_back(fmt::format("ASAN_OPTIONS={}", options));
    request.descriptors = {{line.lower.down.fd(), 3}, {line.lower.up.fd(), 4}, {2, 2}};
    request.die_with_parent = true;
    child_ = must(os::spawn(request));
    pid_ = child_.pid();
    line.lower.close();
    control_ = std::move(line.upper);
    std::vector<int> fds;
    for (const Fd& socket : sockets_)
        fds.push_back(socket.get());
    must(control_.send(ipc::encode(ipc::SshControl(settings.start)), fds));
    std::optional<os::Frame> frame;
    while (!(frame = must(control_.try_receive()))) {
        pollfd readable{control_.fd(), POLLIN, 0};
        (void)::poll(&readable, 1, -1);
    }
    if (frame->closed())
        throw std::runtime_error("pgod-ssh did not start");
    const auto notice = must(ipc::decode<ipc::SshNotice>(frame->bytes));
    fingerprint_ = std::get<ipc::Listening>(notice).fingerprint;
}

void FakeSupervisor::know(const std::string& public_key_file) {
    const auto text = must(os::read_file(public_key_file, max_key_line));
    const auto key = must(parse_key_line(trimmed(text)));
    const auto lock = std::lock_guard(mutex_);
    known_.insert(key.value().base64);
}

// The kernel lists them by age, and the youngest is the one that waits.
std::vector<pid_t> FakeSupervisor::children() const {
    auto pids = children_and_spare();
    if (!pids.empty())
        pids.pop_back();
    return pids;
}

pid_t FakeSupervisor::spare() const {
    const auto pids = children_and_spare();
    return pids.empty() ? -1 : pids.back();
}

std::vector<pid_t> FakeSupervisor::children_and_spare() const {
    std::ifstream list(fmt::format("/proc/{}/task/{}/children", pid_, pid_));
    std::vector<pid_t> pids;
    for (pid_t pid = 0; list >> pid;)
        pids.push_back(pid);
    return pids;
}

std::size_t FakeSupervisor::open_connections() const {
    const auto lock = std::lock_guard(mutex_);
    std::size_t count = 0;
    for (const Connection& connection : connections_)
        count += connection.open ? 1 : 0;
    return count;
}

std::size_t FakeSupervisor::seen_connections() const {
    const auto lock = std::lock_guard(mutex_);
    return connections_.size();
}

std::vector<ipc::Run> FakeSupervisor::runs() const {
    const auto lock = std::lock_guard(mutex_);
    return runs_;
}

unsigned FakeSupervisor::turned_away() const {
    const auto lock = std::lock_guard(mutex_);
    return turned_away_;
}

std::vector<std::string> FakeSupervisor::peers() const {
    const auto lock = std::lock_guard(mutex_);
    return peers_;
}

void FakeSupervisor::stop() {
    thread_ = {};
    {
        const auto lock = std::lock_guard(mutex_);
        control_.close();
        connections_.clear();
    }
    const bool gone = eventually([this] { return ended(); });
    writers_.clear(); // their pipes have lost their readers
    if (!gone)
        throw std::runtime_error("pgod-ssh outlives its supervisor");
}

bool FakeSupervisor::ended() {
    if (!wait_status_)
        wait_status_ = child_.try_reap();
    return wait_status_.has_value();
}

void FakeSupervisor::loop(const std::stop_token& token) {
    while (!token.stop_requested()) {
        std::vector<pollfd> polled{{control_.fd(), POLLIN, 0}};
        std::vector<Connection*> waiting;
        {
            const auto lock = std::lock_guard(mutex_);
            for (Connection& connection : connections_) {
                if (!connection.open)
                    continue;
                polled.push_back({connection.requests.fd(), POLLIN, 0});
                waiting.push_back(&connection);
            }
        }
        if (::poll(polled.data(), polled.size(), 20) <= 0)
            continue;
        if (polled[0].revents != 0)
            receive_notice();
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            if (polled[i + 1].revents != 0)
                receive_request(*waiting[i]);
        }
    }
}

void FakeSupervisor::receive_notice() {
    auto frame = must(control_.try_receive());
    if (!frame || frame->closed())
        return;
    const auto notice = must(ipc::decode<ipc::SshNotice>(frame->bytes));
    const auto lock = std::lock_guard(mutex_);
    if (std::holds_alternative<ipc::TurnedAway>(notice)) {
        ++turned_away_;
        return;
    }
    const auto& connected = std::get<ipc::Connected>(notice);
    auto pair = must(os::Channel::pair());
    auto pipe = must(os::make_frame_pipe());
    const std::array theirs{pair[1].fd(), pipe.writer.get()};
    must(control_.send(ipc::encode(ipc::SshControl(ipc::Line{connected.connection})), theirs));
    peers_.push_back(connected.peer);
    connections_.push_back({std::move(pair[0]), std::move(pipe.reader), connected.connection, true});
}

void FakeSupervisor::receive_request(Connection& connection) {
    auto frame = must(connection.requests.try_receive());
    const auto lock = std::lock_guard(mutex_);
    if (!frame)
        return;
    if (frame->closed()) {
        connection.open = false;
        connection.channel.close();
        return;
    }
    const auto request = must(ipc::decode<ipc::SshRequest>(frame->bytes));
    if (const auto* query = std::get_if<ipc::KeyQuery>(&request)) {
        if (mute_)
            return;
        const ipc::SshReply answer = ipc::KeyAnswer{known_.contains(query->key.base64)};
        (void)connection.channel.try_send(ipc::encode(answer));
        return;
    }
    (void)control_.try_send(ipc::encode(ipc::SshControl(ipc::Place{connection.id, true})));
    runs_.push_back(std::get<ipc::Run>(request));
    carry_out(connection, runs_.back().command);
}

} // namespace pgod::test
