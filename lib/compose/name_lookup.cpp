#include "compose/name_lookup.hpp"

#include "base/text.hpp"
#include "os/users.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view prefix = "pgod-doctor-"; // of the network and the directory; our pid follows
constexpr const char* alias = "pgod-doctor-name";
constexpr auto longest_call = 15s;

// The name server can be a moment later than the container; timeout(1) ends the loop where there is none. By
// default the resolver waits 5 s, twice, for each server that drops the question.
constexpr const char* question = "echo started; until getent ahosts \"$0\"; do sleep 0.2; done";
constexpr const char* resolver = "RES_OPTIONS=timeout:1 attempts:1";

Podman::Call call_of(Argv arguments) {
    Podman::Call call;
    call.arguments = std::move(arguments);
    call.deadline = longest_call;
    call.ends_with_us = true;
    return call;
}

// True for what a look-up left that was killed.
bool is_abandoned(std::string_view name) {
    const auto pid = name.starts_with(prefix) ? parse_decimal(name.substr(prefix.size())) : std::nullopt;
    return pid && *pid <= INT32_MAX && ::kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH;
}

void remove_network(const Podman& podman, const std::string& name) {
    (void)podman.call(call_of({"network", "rm", "--force", name}));
}

// The container's file system: the host's /usr is mounted over an empty directory, and the resolver reads no
// file.
class Root {
  public:
    Root(std::string runtime, const std::string& name)
        : path_(runtime + '/' + name) {
        std::error_code ignored;
        for (std::filesystem::directory_iterator one(runtime, ignored), end; !ignored && one != end;
             one.increment(ignored))
            if (is_abandoned(one->path().filename().string()))
                std::filesystem::remove_all(one->path(), ignored); // follows no link
    }
    Root(const Root&) = delete;
    Root& operator=(const Root&) = delete;
    ~Root() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const noexcept { return path_; }

    Status fill() const {
        for (const char* directory : {"", "/usr", "/etc", "/tmp"})
            if (::mkdir((path_ + directory).c_str(), 0755) != 0)
                return errno_error("make " + path_ + directory);
        for (const std::string name : {"bin", "sbin", "lib", "lib64"})
            if (::symlink(("usr/" + name).c_str(), (path_ + '/' + name).c_str()) != 0)
                return errno_error("make a link in " + path_);
        if (!(std::ofstream(path_ + "/etc/nsswitch.conf") << "hosts: dns\n").flush())
            return Error{Code::transient, "write " + path_ + "/etc/nsswitch.conf"};
        return ok();
    }

  private:
    std::string path_;
};

bool is_there(std::initializer_list<const char*> paths) {
    return std::any_of(paths.begin(), paths.end(),
                       [](const char* path) { return ::access(path, X_OK) == 0; });
}

NameLookup what_the_host_has(const Identity& user, const std::string& backend) {
    NameLookup lookup;
    lookup.backend = backend;
    // The user's manager listens there (user_sessions.cpp waits for it as well).
    const std::string manager = fmt::format("/run/user/{}/systemd/private", user.uid);
    lookup.session = !os::systemd_runs() || ::access(manager.c_str(), F_OK) == 0;
    lookup.has_iptables = is_there({"/usr/sbin/iptables", "/usr/local/sbin/iptables"});
    lookup.has_aardvark =
        is_there({"/usr/lib/podman/aardvark-dns", "/usr/libexec/podman/aardvark-dns",
                  "/usr/local/lib/podman/aardvark-dns", "/usr/local/libexec/podman/aardvark-dns"});
    return lookup;
}

// podman's own words, or those of what it started, where the container did not run.
Status ask(const Podman& podman, const std::string& network, const Root& root, NameLookup& lookup) {
    const auto answer =
        TRY(podman.call(call_of({"run",     "--rm",       "--network",    network,    "--network-alias",
                                 alias,     "--no-hosts", "--log-driver", "none",     "--env",
                                 resolver,  "--volume",   "/usr:/usr:ro", "--rootfs", root.path(),
                                 "timeout", "5",          "sh",           "-c",       question,
                                 alias})));
    lookup.started = answer.output.starts_with("started");
    lookup.found = answer.exit_code == 0;
    if (!lookup.started)
        lookup.failure = answer.problem;
    return ok();
}

} // namespace

Result<NameLookup> look_up_name(const Podman& podman, const Identity& user, const std::string& backend) {
    NameLookup lookup = what_the_host_has(user, backend);
    const std::string name = fmt::format("{}{}", prefix, ::getpid());
    const Root root(fmt::format("/run/user/{}", user.uid), name);
    TRY(root.fill());
    TRY(podman.must(call_of({"network", "create", name}), "make a network"));
    const auto networks = podman.networks();
    if (networks) {
        for (const auto& [other, network] : *networks)
            if (is_abandoned(other))
                remove_network(podman, other);
        const auto ours = networks->find(name);
        lookup.dns_enabled = ours != networks->end() && ours->second.dns_enabled;
    }
    const auto asked = ask(podman, name, root, lookup);
    remove_network(podman, name);
    TRY(networks);
    TRY(asked);
    return lookup;
}

} // namespace pgod::compose
