#include "ssh/client_known_hosts.hpp"

#include "base/fd.hpp"
#include "base/handle.hpp"
#include "base/text.hpp"
#include "ssh/key.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libssh/libssh.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace pgod::ssh {

namespace {

using Entry = Handle<ssh_knownhosts_entry, ::ssh_knownhosts_entry_free>;

constexpr std::uint16_t standard_port = 22;

// The name under which OpenSSH keeps a host.
std::string known_name(std::string host, std::uint16_t port) {
    std::transform(host.begin(), host.end(), host.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return port == standard_port ? host : fmt::format("[{}]:{}", host, port);
}

Error file_error(std::string_view doing, const std::string& file) {
    Error error = errno_error(fmt::format("{} {}", doing, escaped(file)));
    error.code = Code::invalid;
    return error;
}

// nullopt: there is no such file.
Result<std::optional<std::string>> read_known_hosts(const std::string& file) {
    const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd)
        return errno == ENOENT ? Result(std::optional<std::string>{}) : file_error("open", file);
    std::string text;
    char block[16 * 1024];
    for (;;) {
        const ssize_t got = ::read(fd.get(), block, sizeof block);
        if (got < 0 && errno != EINTR)
            return file_error("read", file);
        if (got == 0)
            return std::optional(std::move(text));
        if (got > 0)
            text.append(block, static_cast<std::size_t>(got));
        if (text.size() > max_known_hosts_bytes)
            return Error{Code::invalid,
                         fmt::format("{} is larger than {} bytes", escaped(file), max_known_hosts_bytes)};
    }
}

// The key of a line that names this host; nullopt for any other line, and for one that libssh cannot read.
std::optional<ServerKey> key_for(const std::string& host, const std::string& line) {
    Entry entry;
    const int rc = ::ssh_known_hosts_parse_line(host.c_str(), line.c_str(), Out(entry));
    if (rc != SSH_OK || !entry)
        return std::nullopt;
    auto key = public_key_of(entry->publickey);
    auto fingerprint = fingerprint_of(entry->publickey);
    if (!key || !fingerprint)
        return std::nullopt;
    return ServerKey{std::move(*key), std::move(*fingerprint)};
}

} // namespace

Result<HostKeyVerdict> look_up_host_key(const std::string& file, const std::string& host, std::uint16_t port,
                                        const PublicKey& key) {
    const auto text = TRY(read_known_hosts(file));
    HostKeyVerdict verdict;
    if (!text)
        return verdict;
    const std::string name = known_name(host, port);
    std::size_t number = 0;
    for (std::string_view line : split(*text, '\n')) {
        ++number;
        line = trimmed(line);
        if (line.empty() || line.front() == '#')
            continue;
        bool revoked = false;
        if (line.front() == '@') {
            const auto end = std::min(line.find_first_of(" \t"), line.size());
            revoked = line.substr(0, end) == "@revoked";
            if (!revoked)
                continue; // @cert-authority: pgod's host key is never a certificate
            line = trimmed(line.substr(end));
        }
        std::string rest(line);
        std::replace(rest.begin(), rest.end(), '\t', ' '); // libssh splits at blanks only
        const auto found = key_for(name, rest);
        if (!found)
            continue;
        const bool same = found->key.base64 == key.base64;
        if (revoked && same)
            return HostKeyVerdict{HostKeyStanding::revoked, fmt::format("{}:{}", file, number), {}};
        if (revoked || verdict.standing == HostKeyStanding::known)
            continue; // a later @revoked line still counts
        if (same)
            verdict = {HostKeyStanding::known, fmt::format("{}:{}", file, number), {}};
        else if (verdict.standing == HostKeyStanding::unknown)
            verdict = {HostKeyStanding::changed, fmt::format("{}:{}", file, number), found->fingerprint};
    }
    return verdict;
}

Status remember_host_key(const std::string& file, const std::string& host, std::uint16_t port,
                         const PublicKey& key) {
    const auto slash = file.rfind('/');
    if (slash != std::string::npos && slash > 0 && ::mkdir(file.substr(0, slash).c_str(), 0700) != 0 &&
        errno != EEXIST)
        return file_error("make the directory of", file);
    const Fd fd(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
    if (!fd)
        return file_error("open", file);
    std::string line = fmt::format("{} {} {}\n", known_name(host, port), key.type, key.base64);
    struct stat now {};
    char last = '\n';
    if (::fstat(fd.get(), &now) == 0 && now.st_size > 0 &&
        ::pread(fd.get(), &last, 1, now.st_size - 1) == 1 && last != '\n')
        line.insert(0, 1, '\n'); // the file's last line had no end
    if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        return file_error("write", file);
    return ok();
}

} // namespace pgod::ssh
