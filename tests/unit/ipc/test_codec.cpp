#include "ipc/git_messages.hpp"
#include "ipc/metrics_messages.hpp"
#include "ipc/ssh_messages.hpp"
#include "ipc/work_messages.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <type_traits>
#include <vector>

using namespace pgod;
using namespace pgod::ipc;

namespace {

const PublicKey some_key{.type = "ssh-ed25519", .base64 = "AAAAC3NzaC1lZDI1NTE5", .name = "miek@laptop"};
const Error some_error{Code::timeout, "the server did not answer"};

GitJob some_git_job() {
    GitJob job;
    job.id = 0xfedcba9876543210;
    job.user = Identity{
        .name = "miek", .uid = 1000, .gid = 1001, .groups = {1001, 27, 4'000'000'000}, .home = "/home/miek"};
    job.directory = "/var/lib/pgod/services/pgo";
    job.url = Secret("https://miek:hunter2@git.example.org/pgo");
    job.branch = "main";
    job.deadline = std::chrono::seconds(90);
    job.max_bytes = 1ULL << 40;
    job.sync = false;
    job.sync_job.known = std::string(40, 'a');
    job.export_job = {.commit = std::string(40, 'b'), .into = "stage"};
    return job;
}

WorkJob some_work_job() {
    WorkJob job;
    job.kind = WorkKind::observe;
    job.service = "pgo";
    job.directory = "/var/lib/pgod/services/pgo";
    job.commit = std::string(40, 'c');
    job.deployment = 17;
    job.force = true;
    job.json = true;
    job.compose = {"deploy/compose.yaml", "prod.yaml"};
    job.profiles = {"debug"};
    job.env = {"A=1", "", "B=\n"};
    job.ports = std::vector<PortRange>{{.first = 5005, .last = 5010}, {.first = 1, .last = 65535}};
    job.volumes = {"/srv/miek"};
    job.networks = {"shared"};
    job.allow = {"cap:NET_ADMIN"};
    job.domains = {"*.apps.example.org"};
    job.taken = {"a.apps.example.org"};
    job.neighbours = {"ab"};
    job.nesting = {"cd"};
    job.start_timeout = std::chrono::minutes(2);
    job.args = {"web", std::string("a\0b", 3)};
    job.deadline = std::chrono::milliseconds(-1);
    return job;
}

WorkDone some_work_done() {
    WorkDone done;
    done.exit_status = -81;
    done.changed = true;
    done.outcome = Outcome::rolled_back;
    done.error = some_error;
    done.running_commit = std::string(40, 'd');
    done.deployment = 7;
    done.health = Health::degraded;
    done.containers = {"web running", "db exited"};
    done.urls = {{"b.apps.example.org", 5007, {}}};
    done.notes = {"compose.yaml:3: debug: runs only with the profile debug"};
    return done;
}

// Every message that crosses a process boundary, with every member set to something.
template<typename Variant>
std::vector<Variant> samples();
template<>
std::vector<GitRequest> samples() {
    return {some_git_job()};
}
template<>
std::vector<GitNotice> samples() {
    return {JobEnded{.id = 7, .deadline_passed = true, .wait_status = -9}};
}
template<>
std::vector<GitReport> samples() {
    return {FoundKey{some_key},
            Warned{"ssh/id.pub is a link"},
            Synced{.tip = std::string(40, 'e'), .moved = true, .rewritten = true, .error = some_error},
            Synced{},
            Exported{{}, some_error},
            Exported{std::string(40, 'e'), {}},
            Exported{}};
}
template<>
std::vector<SshControl> samples() {
    return {SshStart{.host_key = Secret("-----BEGIN"), .max_connections = 64}, Line{7}, Place{70000, true}};
}
template<>
std::vector<SshNotice> samples() {
    return {Listening{"SHA256:abc"}, Connected{7, "[::1]:40000"}, TurnedAway{}};
}
template<>
std::vector<MetricsFrame> samples() {
    HostNumbers host;
    host.version = "1.2.3";
    host.tally.refusals = {1, 2, 3, 4, 5};
    host.tally.deployments[1].add(std::chrono::seconds(9));
    ServiceNumbers service;
    service.name = "web";
    service.outcome = Outcome::cancelled;
    service.deployments = {1, 2, 3, 4, 5, 6};
    return {MetricsStart{}, host, ServicePage{std::vector(services_in_page, service), true}};
}
template<>
std::vector<SshRequest> samples() {
    return {KeyQuery{some_key},
            Run{.key = some_key,
                .fingerprint = "SHA256:abc",
                .ssh_user = "miek",
                .command = "pgo//ps",
                .terminal = {}},
            Run{.key = some_key,
                .fingerprint = "SHA256:abc",
                .ssh_user = "miek",
                .command = "pgo//exec -t web sh",
                .terminal = Terminal{"xterm-256color", 211, 65535}}};
}
template<>
std::vector<SshReply> samples() {
    return {KeyAnswer{true}, Text{.to_stderr = true, .bytes = std::string(max_text_bytes, '\xff')}, Streams{},
            Exit{77, "Unauthorized\n", true}};
}
template<>
std::vector<WorkRequest> samples() {
    return {some_work_job(), WorkJob{}};
}
template<>
std::vector<WorkReport> samples() {
    return {
        Progress{"verify"},
        some_work_done(),
        WorkDone{},
        Surveyed{"shop", false, false, "c0ffee", Health::degraded, true, true, "web exited with status 137"},
        Examined{"storage", "the disk is full", "podman image prune"},
        AtGate{}};
}

// Random bytes are the same in every run: a failure can be looked at again.
std::mt19937 seeded() {
    return std::mt19937(20230601); // NOLINT(bugprone-random-generator-seed)
}

// A frame that still decodes after damage must decode to something that encodes to the very same bytes:
// there is one frame per message and no byte is ignored.
template<typename Variant>
void check_damaged(const std::string& frame) {
    const auto decoded = decode<Variant>(frame);
    if (decoded)
        CHECK(encode(*decoded) == frame);
    else
        CHECK(decoded.error().code == Code::invalid);
}

} // namespace

TEST_CASE_TEMPLATE("every message survives the way there, and no damaged frame gets through", Variant,
                   GitRequest, GitNotice, GitReport, SshControl, SshNotice, SshRequest, SshReply, WorkRequest,
                   WorkReport, MetricsFrame) {
    std::vector<bool> seen(std::variant_size_v<Variant>);
    for (const Variant& message : samples<Variant>()) {
        CAPTURE(message.index());
        seen[message.index()] = true;
        const std::string frame = encode(message);
        CHECK(frame.size() <= max_frame);
        const auto decoded = decode<Variant>(frame);
        REQUIRE(decoded.has_value());
        CHECK(decoded->index() == message.index());
        CHECK(encode(*decoded) == frame);

        const std::size_t stride = frame.size() > 4096 ? 997 : 1;
        for (std::size_t size = 0; size < frame.size(); size += stride)
            CHECK_FALSE(decode<Variant>(std::string_view(frame).substr(0, size)).has_value());
        CHECK_FALSE(decode<Variant>(frame + '\0').has_value());
        for (std::size_t bit = 0; bit < frame.size() * 8; bit += stride) {
            auto flipped = frame;
            flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
            check_damaged<Variant>(flipped);
        }
    }
    for (std::size_t index = 0; index < seen.size(); ++index)
        CHECK_MESSAGE(seen[index], "no sample of message ", index);
    CHECK_FALSE(decode<Variant>("").has_value());
    CHECK_FALSE(decode<Variant>(std::string(1, static_cast<char>(std::variant_size_v<Variant>))).has_value());
    CHECK_FALSE(decode<Variant>("\xff").has_value());
}

TEST_CASE_TEMPLATE("random bytes are refused or mean what they say", Variant, GitRequest, GitNotice,
                   GitReport, SshControl, SshNotice, SshRequest, SshReply, WorkRequest, WorkReport,
                   MetricsFrame) {
    auto random = seeded();
    for (int round = 0; round < 4000; ++round) {
        std::string frame(random() % 200, '\0');
        for (auto& byte : frame) // many zero bytes, so that some counts and flags are plausible
            byte = random() % 3 == 0 ? static_cast<char>(random()) : '\0';
        if (!frame.empty())
            frame[0] = static_cast<char>(random() % std::variant_size_v<Variant>);
        check_damaged<Variant>(frame);
    }
}

TEST_CASE("the members arrive as they were sent") {
    const auto frame = encode(GitRequest(some_git_job()));
    const auto job = std::get<GitJob>(*decode<GitRequest>(frame));
    CHECK(job.id == 0xfedcba9876543210);
    CHECK(job.user.uid == 1000);
    CHECK(job.user.groups == std::vector<gid_t>{1001, 27, 4'000'000'000});
    CHECK(job.url.reveal() == "https://miek:hunter2@git.example.org/pgo");
    CHECK(job.deadline == std::chrono::seconds(90));
    CHECK(job.max_bytes == 1ULL << 40);
    CHECK_FALSE(job.sync);
    CHECK(job.export_job.into == "stage");

    const auto work = std::get<WorkJob>(*decode<WorkRequest>(encode(WorkRequest(some_work_job()))));
    CHECK(work.kind == WorkKind::observe);
    CHECK(work.env == std::vector<std::string>{"A=1", "", "B=\n"});
    CHECK(work.ports->at(1).last == 65535);
    CHECK(work.networks == std::vector<std::string>{"shared"});
    CHECK(work.allow == std::vector<std::string>{"cap:NET_ADMIN"});
    CHECK(work.domains == std::vector<std::string>{"*.apps.example.org"});
    CHECK(work.taken == std::vector<std::string>{"a.apps.example.org"});
    CHECK(work.neighbours == std::vector<std::string>{"ab"});
    CHECK(work.nesting == std::vector<std::string>{"cd"});
    CHECK(work.start_timeout == std::chrono::minutes(2));
    CHECK(work.args.at(1) == std::string("a\0b", 3));
    CHECK(work.deadline == std::chrono::milliseconds(-1));

    const auto done = std::get<WorkDone>(*decode<WorkReport>(encode(WorkReport(some_work_done()))));
    CHECK(done.exit_status == -81);
    CHECK(done.outcome == Outcome::rolled_back);
    CHECK(done.error->code == Code::timeout);
    CHECK(done.health == Health::degraded);
    CHECK(done.urls == std::vector<UrlClaim>{{"b.apps.example.org", 5007, {}}});
    CHECK(done.notes == std::vector<std::string>{"compose.yaml:3: debug: runs only with the profile debug"});
    CHECK(work.compose == std::vector<std::string>{"deploy/compose.yaml", "prod.yaml"});
    CHECK(work.profiles == std::vector<std::string>{"debug"});
}

TEST_CASE("a frame above the limit is refused although it is well formed") {
    const SshReply fits = Text{.to_stderr = false, .bytes = std::string(max_frame - 6, 'x')};
    CHECK(encode(fits).size() == max_frame);
    CHECK(decode<SshReply>(encode(fits)).has_value());
    const SshReply large = Text{.to_stderr = false, .bytes = std::string(max_frame - 5, 'x')};
    CHECK_FALSE(decode<SshReply>(encode(large)).has_value());
}

TEST_CASE("a count that promises more than the frame holds allocates nothing") {
    WorkJob job;
    const auto empty = encode(WorkRequest(job));
    job.args = {"x"};
    const auto one = encode(WorkRequest(job));
    std::size_t at = 0; // the two frames differ first in the count of args
    while (empty[at] == one[at])
        ++at;
    for (const auto* count : {"\xff\xff\xff\xff", "\xff\xff\xff\x7f", "\x10\x00\x00\x00"}) {
        auto frame = one;
        frame.replace(at, 4, std::string(count, 4));
        CHECK_FALSE(decode<WorkRequest>(frame).has_value());
    }
}

TEST_CASE("flags and enumerations take no value but their own") {
    std::string answer = encode(SshReply(KeyAnswer{true}));
    answer.back() = '\2';
    CHECK_FALSE(decode<SshReply>(answer).has_value());

    std::string job = encode(WorkRequest(WorkJob{}));
    for (const char kind : {static_cast<char>(static_cast<int>(last_of(WorkKind{})) + 1), '\xff'}) {
        job[1] = kind;
        CHECK_FALSE(decode<WorkRequest>(job).has_value());
    }
}

TEST_CASE("no block of addresses has more bits than its addresses") {
    const auto arrives = [](bool v6, std::uint8_t bits) {
        PublicKey key = some_key;
        key.grant.from = {{.negated = false, .address = {.v6 = v6, .bytes = {}}, .bits = bits}};
        return decode<SshRequest>(encode(SshRequest(KeyQuery{key}))).has_value();
    };
    CHECK(arrives(false, 32));
    CHECK_FALSE(arrives(false, 33));
    CHECK(arrives(true, 128));
    CHECK_FALSE(arrives(true, 129));
}
