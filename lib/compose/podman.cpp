#include "compose/podman.hpp"

#include "base/text.hpp"
#include "compose/json.hpp"
#include "compose/problem.hpp"
#include "os/run.hpp"
#include "os/users.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_answer = 16 << 20; // bytes; a user with thousands of containers
constexpr int registry_auth_fd = 3;          // in podman
constexpr int env_file_fd = 4;               // in podman; Podman::env_file_path
constexpr auto query_deadline = 60s;         // podman waits for its own locks

// podman in the jail is root of a user namespace that it need not make (its own variables, as `podman
// unshare` sets them).
std::vector<std::string> environment_inside() {
    return {"HOME=/root",
            "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            "XDG_RUNTIME_DIR=/run/user",
            bus_of_user(),
            "_CONTAINERS_USERNS_CONFIGURED=done",
            fmt::format("_CONTAINERS_ROOTLESS_UID={}", ::getuid()),
            fmt::format("_CONTAINERS_ROOTLESS_GID={}", ::getgid())};
}

Podman::Call query(Argv arguments) {
    Podman::Call call;
    call.arguments = std::move(arguments);
    call.deadline = query_deadline;
    call.ends_with_us = true;
    return call;
}

} // namespace

std::string bus_of_user() {
    return fmt::format("DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{}/bus", ::getuid());
}

std::string_view bare_id(std::string_view id) noexcept {
    return id.substr(id.find(':') + 1);
}

Result<Podman> Podman::find(std::vector<std::string> environment, std::string mark) {
    return Podman(TRY(os::find_program("podman")), std::move(environment), std::move(mark));
}

Result<PodmanAnswer> Podman::call(const Call& call) const {
    os::RunRequest request;
    if (call.jail.empty()) {
        request.spawn.program = program_;
        request.spawn.argv = {"podman"};
        request.spawn.env = environment_;
    } else {
        request.spawn.program = call.jail.front();
        request.spawn.argv = call.jail;
        request.spawn.argv.emplace_back("--");
        request.spawn.env = environment_inside();
    }
    request.spawn.argv.insert(request.spawn.argv.end(), call.arguments.begin(), call.arguments.end());
    if (!call.ends_with_us)
        request.spawn.env.push_back(mark_);
    if (call.registry_auth >= 0) {
        request.spawn.descriptors.push_back({call.registry_auth, registry_auth_fd});
        request.spawn.env.push_back(fmt::format("REGISTRY_AUTH_FILE=/proc/self/fd/{}", registry_auth_fd));
    }
    if (call.env_file >= 0)
        request.spawn.descriptors.push_back({call.env_file, env_file_fd});
    request.spawn.directory = call.directory;
    request.spawn.die_with_parent = call.ends_with_us;
    request.spawn.umask = 022; // what podman makes for containers is read by other ids than ours
    request.deadline = call.deadline;
    request.on_output = call.on_output;
    request.max_output = max_answer;
    os::RunResult result = TRY(os::run(request));
    const std::string verb = call.arguments.empty() ? ""
                             : call.jail.empty()    ? call.arguments.front()
                                                    : "build";
    if (result.timed_out)
        return Error{Code::timeout,
                     fmt::format("podman {} did not end within {}", verb,
                                 std::chrono::duration_cast<std::chrono::seconds>(call.deadline))};
    if (result.truncated)
        return Error{Code::internal, fmt::format("podman {} printed more than {} bytes", verb, max_answer)};
    if (WIFSIGNALED(
            result.wait_status)) // by somebody, or for want of memory: nothing is wrong with the commit
        return Error{Code::transient,
                     fmt::format("podman {} {}", verb, os::describe_wait_status(result.wait_status))};
    PodmanAnswer answer{os::exit_code_of(result.wait_status), std::move(result.output), {}};
    if (answer.exit_code != 0)
        answer.problem = problem_of(result.errors);
    return answer;
}

Result<std::string> Podman::must(const Call& the_call, std::string_view doing, Code code) const {
    PodmanAnswer answer = TRY_DOING(call(the_call), doing);
    if (answer.exit_code != 0)
        return Error{code, fmt::format("{}: {}", doing, answer.problem)};
    return std::move(answer.output);
}

Result<std::vector<Container>> Podman::containers() const {
    return parse_containers(
        TRY(must(query({"ps", "--all", "--format", "json"}), "list containers", Code::transient)));
}

Result<std::map<std::string, FoundImage>> Podman::images(std::span<const std::string> names) const {
    std::map<std::string, FoundImage> found;
    if (names.empty())
        return found;
    Argv arguments{"image", "inspect", "--format", "json", "--"};
    arguments.insert(arguments.end(), names.begin(), names.end());
    const PodmanAnswer answer = TRY(call(query(std::move(arguments))));
    const Json list = parse_json(answer.output);
    const auto image_of = [](const Json& json) {
        return FoundImage{text_of(json, "Id"), texts_of(json, "RepoTags")};
    };
    if (answer.exit_code == 0 && list.is_array() && list.size() == names.size()) {
        for (std::size_t i = 0; i < names.size(); ++i)
            found[names[i]] = image_of(list[i]);
    } else if (names.size() > 1) { // podman leaves the missing ones out, so each is asked for by itself
        for (std::size_t i = 0; i < names.size(); ++i)
            found.merge(TRY(images(names.subspan(i, 1))));
    }
    return found;
}

Result<std::map<std::string, FoundNetwork>> Podman::networks() const {
    const std::string text =
        TRY(must(query({"network", "ls", "--format", "json"}), "list networks", Code::transient));
    std::map<std::string, FoundNetwork> found;
    const Json list = parse_json(text);
    if (list.is_array())
        for (const auto& network : list) {
            const Json labels = member_of(network, "labels");
            std::vector<std::string> subnets;
            for (const auto& subnet : items_of(network, "subnets"))
                subnets.push_back(text_of(subnet, "subnet"));
            found[text_of(network, "name")] = {flag_of(network, "internal"),
                                               flag_of(network, "dns_enabled"),
                                               text_of(labels, "io.podman.compose.project"),
                                               text_of(labels, "pgod.service"),
                                               text_of(labels, "pgod.options"),
                                               std::move(subnets)};
        }
    return found;
}

Result<std::map<std::string, std::string>> Podman::volumes() const {
    const std::string text =
        TRY(must(query({"volume", "ls", "--format", "json"}), "list volumes", Code::transient));
    std::map<std::string, std::string> found;
    const Json list = parse_json(text);
    if (list.is_array())
        for (const auto& volume : list)
            found[text_of(volume, "Name")] = text_of(member_of(volume, "Labels"), "pgod.service");
    return found;
}

} // namespace pgod::compose
