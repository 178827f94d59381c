#include "compose/examine.hpp"

#include "base/text.hpp"
#include "compose/image_store.hpp"
#include "compose/json.hpp"
#include "compose/name_lookup.hpp"
#include "compose/self_test.hpp"
#include "compose/space.hpp"
#include "core/compose_version.hpp"
#include "core/diagnosis.hpp"
#include "os/safe_path.hpp"
#include "os/users.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>

namespace pgod::compose {

namespace {

constexpr std::size_t max_problem = 4096; // bytes

Podman::Call info_call() {
    Podman::Call call;
    call.arguments = {"info", "--format", "json"};
    call.ends_with_us = true;
    return call;
}

// crun 1.8 refuses anything but the unified hierarchy; runc takes every layout.
Examined judge_cgroups(const Json& host, const std::string& user) {
    const std::string version = text_of(host, "cgroupVersion");
    const std::string runtime = text_of(member_of(host, "ociRuntime"), "name");
    if (version == "v2" || runtime != "crun")
        return {"cgroups", "", ""};
    return {"cgroups",
            fmt::format("the host has cgroups {}, which podman's runtime crun refuses", escaped(version)),
            "apt-get install runc && " + as_user(user, "mkdir -p ~/.config/containers/containers.conf.d && "
                                                       R"(printf "[engine]\nruntime = \"runc\"\n" > )"
                                                       "~/.config/containers/containers.conf.d/runc.conf")};
}

Examined judge_storage(const std::string& root, const std::string& user) {
    const std::string remedy = as_user(user, "podman image prune --all");
    struct statvfs found {};
    if (::statvfs(root.c_str(), &found) != 0)
        return {"storage", errno_error("look at podman's storage " + escaped(root)).message, remedy};
    const FreeSpace space{static_cast<std::uint64_t>(found.f_blocks) * found.f_frsize,
                          static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize, found.f_files,
                          found.f_favail};
    if (auto judged = judge_space(space, root); !judged)
        return {"storage", judged.error().message, remedy};
    return {"storage", "", ""};
}

Status try_jail(const Podman& podman, const std::string& builder, const Identity& user) {
    const auto store = TRY(find_image_store(podman));
    std::string place = fmt::format("/run/user/{}/pgod-doctor-XXXXXX", user.uid);
    if (::mkdtemp(place.data()) == nullptr)
        return errno_error("make a directory in " + place.substr(0, place.rfind('/')));
    const std::string problem = place + "/problem";
    const std::string root = place + "/root";
    Podman::Call call;
    call.arguments = {"/usr/bin/true"};
    call.ends_with_us = true;
    call.jail = {builder, "--uids",    store.uids, "--gids",      store.gids, "--root",
                 root,    "--problem", problem,    "--processes", "64"};
    const bool made = ::mkdir(root.c_str(), 0700) == 0;
    const auto answer = podman.call(call);
    const auto why = os::read_file(problem, max_problem);
    (void)::unlink(problem.c_str());
    (void)::rmdir(root.c_str());
    (void)::rmdir(place.c_str());
    if (!answer)
        return answer.error();
    if (made && answer->exit_code == 0)
        return ok();
    return Error{Code::internal,
                 why ? escaped(*why) : fmt::format("pgod-build exited with status {}", answer->exit_code)};
}

// Networks of services that were made when this host had no DNS for them.
void judge_networks(const std::map<std::string, FoundNetwork>& networks,
                    const std::function<void(Examined)>& tell) {
    for (const auto& [name, network] : networks)
        if (!network.owner.empty() && !network.dns_enabled)
            tell({"network " + name,
                  fmt::format("it was made without DNS: containers of service \"{}\" do not find each other "
                              "by name",
                              network.owner),
                  fmt::format("pgoctl :{0}//down && pgoctl :{0}//up # makes it anew", network.owner)});
}

void judge_names(const Podman& podman, const Identity& user, const std::string& backend,
                 const std::function<void(Examined)>& tell) {
    constexpr const char* check = "name resolution";
    const auto lookup = look_up_name(podman, user, backend);
    if (!lookup)
        return tell({check, lookup.error().message, as_user(user.name, "podman network ls")});
    auto advice = advice_on_names(*lookup, user.name);
    const bool good = advice.problem.empty();
    tell({check, std::move(advice.problem), std::move(advice.remedy)});
    if (const auto networks = podman.networks(); good && networks)
        judge_networks(*networks, tell);
}

// Where podman keeps its images unless it says otherwise; it cannot say so on a full disk.
std::string usual_storage(const std::string& home) {
    const std::string path = home + "/.local/share/containers";
    return ::access(path.c_str(), F_OK) == 0 ? path : home;
}

} // namespace

void examine(const Podman& podman, const std::string& builder, const Identity& user,
             const std::function<void(Examined)>& tell) {
    const auto answer = podman.must(info_call(), "podman info");
    const Json info = answer ? parse_json(*answer) : Json();
    const bool good = answer && info.is_object();
    const std::string problem =
        answer ? "podman info answered with something else than JSON" : answer.error().message;
    tell({"podman", good ? "" : problem, good ? "" : as_user(user.name, "podman system migrate")});
    if (good)
        tell(judge_cgroups(member_of(info, "host"), user.name));
    const auto translates = self_test(os::user_environment(user));
    tell({"podman-compose", translates ? "" : translates.error().message,
          translates ? "" : "apt-get install podman-compose # one of " + compared_composes()});
    const std::string root = text_of(member_of(info, "store"), "graphRoot");
    tell(judge_storage(root.empty() ? usual_storage(user.home) : root, user.name));
    if (!good)
        return;
    judge_names(podman, user, text_of(member_of(info, "host"), "networkBackend"), tell);
    auto jailed = try_jail(podman, builder, user);
    tell({"builds",
          jailed ? "" : "builds cannot be confined, so pgod refuses them: " + jailed.error().message,
          fmt::format("apt-get install --reinstall uidmap {} && modprobe tun && chmod 666 /dev/net/tun && "
                      "sysctl user.max_user_namespaces # must not be 0",
                      network_program(text_of(member_of(info, "version"), "Version")).package)});
}

} // namespace pgod::compose
