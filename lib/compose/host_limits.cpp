#include "compose/host_limits.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "compose/containers_conf.hpp"
#include "core/memory_file.hpp"
#include "core/plan_images.hpp"
#include "core/published_port.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace pgod::compose {

namespace {

constexpr std::uint64_t no_id = UINT32_MAX;

struct Resource {
    std::string_view name; // podman's
    int number;
    std::string_view of_systemd; // the setting of a unit
};

constexpr std::array<Resource, 15> resources{{
    {"core", RLIMIT_CORE, "LimitCORE"},
    {"cpu", RLIMIT_CPU, "LimitCPU"},
    {"data", RLIMIT_DATA, "LimitDATA"},
    {"fsize", RLIMIT_FSIZE, "LimitFSIZE"},
    {"locks", RLIMIT_LOCKS, "LimitLOCKS"},
    {"memlock", RLIMIT_MEMLOCK, "LimitMEMLOCK"},
    {"msgqueue", RLIMIT_MSGQUEUE, "LimitMSGQUEUE"},
    {"nice", RLIMIT_NICE, "LimitNICE"},
    {"nofile", RLIMIT_NOFILE, "LimitNOFILE"},
    {"nproc", RLIMIT_NPROC, "LimitNPROC"},
    {"rss", RLIMIT_RSS, "LimitRSS"},
    {"rtprio", RLIMIT_RTPRIO, "LimitRTPRIO"},
    {"rttime", RLIMIT_RTTIME, "LimitRTTIME"},
    {"sigpending", RLIMIT_SIGPENDING, "LimitSIGPENDING"},
    {"stack", RLIMIT_STACK, "LimitSTACK"},
}};

const Resource* find_resource(std::string_view name) {
    const auto* const found = std::find_if(resources.begin(), resources.end(),
                                           [name](const Resource& one) { return one.name == name; });
    return found == resources.end() ? nullptr : found;
}

std::optional<std::uint64_t> hard_limit(std::string_view name) {
    const Resource* resource = find_resource(name);
    rlimit limit{};
    if (resource == nullptr)
        return std::nullopt;
    if (::getrlimit(static_cast<__rlimit_resource>(resource->number), &limit) != 0 ||
        limit.rlim_max == RLIM_INFINITY)
        return no_limit;
    return limit.rlim_max;
}

unsigned first_port_of_users() {
    constexpr unsigned usual = 1024;
    const Fd fd(::open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY | O_CLOEXEC));
    std::array<char, 16> text{};
    // A sysctl has no second part: one call reads it whole.
    const ssize_t size = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
    const auto number =
        size > 0 ? parse_decimal(trimmed({text.data(), static_cast<std::size_t>(size)})) : std::nullopt;
    return number ? static_cast<unsigned>(std::min<std::uint64_t>(*number, 65536)) : usual;
}

// Where podman 4 and 5 look, and where a containers.conf can say otherwise.
bool has_program_for_init(const std::string& home) {
    for (const char* const path :
         {"/usr/libexec/podman/catatonit", "/usr/local/libexec/podman/catatonit", "/usr/lib/podman/catatonit",
          "/usr/local/lib/podman/catatonit", "/usr/bin/catatonit", "/usr/local/bin/catatonit"})
        if (::access(path, X_OK) == 0)
            return true;
    for (const std::string& text : containers_conf(home))
        for (const auto line : split(text, '\n'))
            if (trimmed(line).starts_with("init_path") || trimmed(line).starts_with("helper_binaries_dir"))
                return true;
    return false;
}

// 0 in a container is the user, and 1 the first of the subordinate ids.
std::optional<std::uint64_t> last_id_of(const std::string& path, const Identity& user) {
    constexpr std::size_t longest = 1 << 20;
    if (const auto sources = os::read_file("/etc/nsswitch.conf", longest))
        for (const auto line : split(*sources, '\n'))
            if (trimmed(line).starts_with("subid:"))
                return std::nullopt;
    const auto text = os::read_file(path, longest);
    return text ? subordinate_ids(*text, user) : std::nullopt;
}

struct Ulimit {
    std::string_view name;
    std::optional<std::uint64_t> soft; // nullopt: -1, as much as there is
    std::optional<std::uint64_t> hard;
};

std::optional<std::uint64_t> number_or_all(std::string_view text) {
    // What does not fit into 64 bits is above every limit.
    return text == "-1" ? std::nullopt : std::optional(parse_decimal(text).value_or(no_limit - 1));
}

// "nofile=65536", "nofile=1024:65536"; nullopt for "host".
std::optional<Ulimit> ulimit_of(std::string_view value) {
    const auto equals = value.find('=');
    if (equals == std::string_view::npos)
        return std::nullopt;
    const auto rest = value.substr(equals + 1);
    const auto colon = std::min(rest.find(':'), rest.size());
    const auto hard = colon == rest.size() ? rest : rest.substr(colon + 1);
    return Ulimit{value.substr(0, equals), number_or_all(rest.substr(0, colon)), number_or_all(hard)};
}

void refuse(const PlannedContainer& container, std::string setting, std::string problem, std::string advice,
            Findings& findings) {
    Violation violation{container.service, std::move(setting), std::move(problem), {}};
    violation.advice = std::move(advice);
    findings.keep(std::move(violation));
}

void check_ulimit(const PlannedContainer& container, const std::string& value, const HostLimits& limits,
                  Findings& findings) {
    const auto given = ulimit_of(value);
    if (!given)
        return;
    const auto hard = limits.hard(given->name);
    if (!hard)
        return refuse(container, "ulimits", fmt::format("{} is no limit that podman knows", given->name),
                      "remove it", findings);
    const std::uint64_t most = given->hard.value_or(*hard);
    if (given->soft.value_or(*hard) > most)
        refuse(container, "ulimits", fmt::format("{}: soft is above hard ({})", value, most), "lower it",
               findings);
    else if (most > *hard)
        refuse(container, "ulimits",
               fmt::format("{} is above {}, the most that processes of pgod get on this host", value, *hard),
               fmt::format("lower it, or let the admin raise {} with `systemctl edit pgod` and restart pgod",
                           find_resource(given->name)->of_systemd),
               findings);
}

void check_ports(const PlannedContainer& container, unsigned first_port, Findings& findings) {
    for (const auto& published : published_ports(container))
        if (!published.is_random() && published.host_first < first_port)
            return refuse(container, "ports",
                          fmt::format("host port {}: users of this host may bind ports from {} on",
                                      published.host_first, first_port),
                          fmt::format("take one of these, or let the admin write "
                                      "net.ipv4.ip_unprivileged_port_start={} into "
                                      "/etc/sysctl.d/50-pgod.conf and run sysctl --system",
                                      published.host_first),
                          findings);
}

// "UID", "UID:GID"; a name is one of the image.
void check_ids(const PlannedContainer& container, const std::string& setting, std::string_view ids,
               const std::string& where, const HostLimits& limits, Findings& findings) {
    const auto check = [&](char kind, std::string_view text, std::optional<std::uint64_t> last) {
        const auto id = last ? parse_decimal(text) : std::nullopt;
        if (id && *id > *last)
            refuse(container, setting,
                   fmt::format("{}{}id {} is above {}, the highest one in containers of this user", where,
                               kind, text, *last),
                   fmt::format("take a lower one, or let the admin give the user more in /etc/sub{}id", kind),
                   findings);
    };
    const auto colon = std::min(ids.find(':'), ids.size());
    check('u', ids.substr(0, colon), limits.last_uid);
    check('g', ids.substr(std::min(colon + 1, ids.size())), limits.last_gid);
}

} // namespace

HostLimits limits_of_this_host(const Identity& user) {
    return {first_port_of_users(), has_program_for_init(user.home), hard_limit,
            last_id_of("/etc/subuid", user), last_id_of("/etc/subgid", user)};
}

std::optional<std::uint64_t> subordinate_ids(std::string_view text, const Identity& user) {
    std::optional<std::uint64_t> ids;
    for (const auto line : split(text, '\n')) {
        const auto fields = split(trimmed(line), ':'); // "NAME:FIRST:COUNT", where NAME can be a uid
        if (fields.size() == 3 && (fields[0] == user.name || parse_decimal(fields[0]) == user.uid))
            ids = std::min(ids.value_or(0) + std::min(parse_decimal(fields[2]).value_or(0), no_id), no_id);
    }
    return ids;
}

void check_limits(const Plan& plan, const HostLimits& limits, Findings& findings) {
    for (const auto& container : plan.containers) {
        check_ports(container, limits.first_port, findings);
        for (const auto& option : container.options) {
            if (option.flag == "--ulimit")
                check_ulimit(container, option.value, limits, findings);
            if (option.flag == "--user")
                check_ids(container, "user", option.value, "", limits, findings);
            if (const auto file = memory_file_of(option))
                check_ids(container, "secrets", file->owner, file->target + ": ", limits, findings);
            if (option.flag == "--init" && !limits.has_init)
                refuse(container, "init", "podman finds no catatonit on this host",
                       "the admin can install it with apt install catatonit", findings);
        }
    }
}

void check_image_user(const PlannedContainer& container, const std::string& user, const HostLimits& limits,
                      Findings& findings) {
    check_ids(container, "image", user, "USER: ", limits, findings);
}

Status check_local_images(const Plan& plan, const std::set<std::string>& here) {
    for (const auto& [name, service, options, image, command] : plan.containers)
        if (image.starts_with("localhost/") && !here.contains(image) && build_of(plan, image) == nullptr)
            return Error{
                Code::transient,
                fmt::format("{0}: image: podman of this user has no {1}, and no registry can have it; "
                            "run podman build -t {1}, or build it in this file",
                            escaped(service), escaped(image))};
    return ok();
}

std::string within_limits(const std::string& ulimit, const HostLimits& limits) {
    const auto given = ulimit_of(ulimit);
    const auto hard = given && limits.hard ? limits.hard(given->name) : std::nullopt;
    if (!hard || *hard == no_limit || (given->soft && given->hard))
        return ulimit;
    return fmt::format("{}={}:{}", given->name, given->soft.value_or(*hard), given->hard.value_or(*hard));
}

} // namespace pgod::compose
