#include "ssh/client_known_hosts.hpp"

#include "base/fd.hpp"
#include "base/handle.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libssh/libssh.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

namespace pgod::ssh {

namespace {

using Text = Handle<char, ::ssh_string_free_char>;

constexpr const char* global_file = "/etc/ssh/ssh_known_hosts";

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

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac_sha1(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (::HMAC(::EVP_sha1(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
               digest.data(), &size) == nullptr)
        return {};
    return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string fingerprint_of_blob(std::string_view blob) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (::EVP_Digest(blob.data(), blob.size(), digest.data(), &size, ::EVP_sha256(), nullptr) != 1)
        return {};
    const Text text(::ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, digest.data(), size));
    return text ? text.get() : "";
}

} // namespace

Result<HostKeyVerdict> look_up_host_key(const std::string& file, const std::string& host, std::uint16_t port,
                                        const PublicKey& key) {
    std::vector<KnownHostsFile> files;
    if (!file.empty())
        if (auto text = TRY(read_known_hosts(file)))
            files.push_back({file, std::move(*text)});
    if (::access(global_file, R_OK) == 0) // ssh(1) goes on without one that it may not read
        if (auto text = TRY(read_known_hosts(global_file)))
            files.push_back({global_file, std::move(*text)});
    const auto blob = base64_decoded(key.base64);
    if (!blob)
        return Error{Code::invalid, "the server's key is not base64"};
    const auto known = known_keys_of(files, known_host_name(host, port), hmac_sha1);
    auto check = check_host_key(known, *blob);
    HostKeyVerdict verdict{check.standing, std::move(check.where), {}};
    for (const auto& one : known)
        if (one.where == verdict.where)
            verdict.fingerprint = fingerprint_of_blob(one.blob);
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
    std::string line = fmt::format("{} {} {}\n", known_host_name(host, port), key.type, key.base64);
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
