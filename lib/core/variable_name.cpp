#include "core/variable_name.hpp"

#include <algorithm>
#include <array>

namespace pgod {

namespace {

struct Reserved {
    std::string_view name; // a trailing "*": everything that begins so
    std::string_view because;
};

constexpr std::string_view by_pgod = "pgod sets it itself";
constexpr std::string_view loader = "it changes how programs are loaded";
constexpr std::string_view python = "it changes what Python runs";
constexpr std::string_view compose = "it changes what podman-compose reads";
constexpr std::string_view podman = "it changes which containers podman works on";
constexpr std::string_view session = "it belongs to the user's session";

constexpr std::array<Reserved, 40> reserved{{
    {"PGOD_*", by_pgod},
    {"PATH", by_pgod},
    {"HOME", by_pgod},
    {"USER", by_pgod},
    {"LOGNAME", by_pgod},
    {"SHELL", by_pgod},
    {"PWD", by_pgod},
    {"LANG", by_pgod},
    {"LC_*", by_pgod},
    {"LD_*", loader},
    {"GCONV_PATH", loader},
    {"GLIBC_TUNABLES", loader},
    {"LOCPATH", loader},
    {"MALLOC_*", loader},
    {"GODEBUG", loader},
    {"PYTHON*", python},
    {"COMPOSE_*", compose},
    {"PODMAN_*", podman},
    {"CONTAINERS_*", podman},
    {"_CONTAINERS_*", podman},
    {"CONTAINER_HOST", podman},
    {"CONTAINER_CONNECTION", podman},
    {"CONTAINER_SSHKEY", podman},
    {"DOCKER_HOST", podman},
    {"DOCKER_CONFIG", podman},
    {"DOCKER_CONTEXT", podman},
    {"DOCKER_CERT_PATH", podman},
    {"DOCKER_TLS_VERIFY", podman},
    {"STORAGE_DRIVER", podman},
    {"STORAGE_OPTS", podman},
    {"BUILDAH_*", podman},
    {"REGISTRY_AUTH_FILE", podman},
    {"REGISTRIES_CONFIG_PATH", podman},
    {"TMPDIR", podman},
    {"SSL_CERT_*", podman},
    {"XDG_*", session},
    {"DBUS_*", session},
    {"NOTIFY_SOCKET", session},
    {"LISTEN_*", session},
    {"BASH_ENV", session},
}};

bool matches(const Reserved& row, std::string_view name) noexcept {
    if (row.name.ends_with('*'))
        return name.starts_with(row.name.substr(0, row.name.size() - 1));
    return name == row.name;
}

} // namespace

bool is_variable_name(std::string_view name) noexcept {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return !name.empty() && name.size() <= 128 && name.find_first_not_of(allowed) == std::string_view::npos &&
           (name.front() < '0' || name.front() > '9');
}

std::optional<std::string_view> reserved_because(std::string_view name) noexcept {
    const auto* row = std::find_if(reserved.begin(), reserved.end(),
                                   [name](const Reserved& each) { return matches(each, name); });
    return row == reserved.end() ? std::nullopt : std::optional(row->because);
}

} // namespace pgod
