#include "git/host_keys.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <libssh2.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

namespace pgod::git {

namespace {

constexpr std::size_t max_file = std::size_t{8} << 20;
constexpr std::uint16_t standard_port = 22;

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

Error unreadable(const std::string& path, std::string_view why) {
    return Error{Code::denied,
                 fmt::format("cannot read {}, which may name upstream's host key: {}", escaped(path), why)};
}

// nullopt: there is no such file. The user may have put anything there, also a FIFO.
Result<std::optional<std::string>> read_known_hosts(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd)
        return errno == ENOENT || errno == ENOTDIR ? Result(std::optional<std::string>())
                                                   : unreadable(path, errno_error("open").message);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return unreadable(path, "it is not a regular file");
    std::string text;
    std::array<char, 16 << 10> block;
    for (;;) {
        const ssize_t got = ::read(fd.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return unreadable(path, errno_error("read").message);
        if (got == 0)
            return std::optional(std::move(text));
        text.append(block.data(), static_cast<std::size_t>(got));
        if (text.size() > max_file)
            return unreadable(path, fmt::format("it is larger than {} MiB", max_file >> 20));
    }
}

std::string offered; // to the next server; empty: libssh2's own list

} // namespace

Result<HostKeys> HostKeys::load(const std::string& home, std::string_view host, std::uint16_t port) {
    std::vector<KnownHostsFile> files;
    for (auto& path : {home + "/.ssh/known_hosts", home + "/.ssh/known_hosts2",
                       std::string("/etc/ssh/ssh_known_hosts"), std::string("/etc/ssh/ssh_known_hosts2")})
        if (auto text = TRY(read_known_hosts(path)))
            files.push_back({path, std::move(*text)});
    HostKeys keys;
    keys.keys_ = known_keys_of(files, known_host_name(host, port), hmac_sha1);
    if (port != standard_port)
        keys.without_port_ = known_keys_of(files, known_host_name(host, standard_port), hmac_sha1);
    return keys;
}

HostKeyCheck HostKeys::check(std::string_view blob) const {
    auto found = check_host_key(keys_, blob);
    const auto portless = check_host_key(without_port_, blob);
    if (portless.standing == HostKeyStanding::revoked && found.standing != HostKeyStanding::revoked)
        return portless;
    const bool open =
        found.standing == HostKeyStanding::unknown || found.standing == HostKeyStanding::other_type;
    return open && portless.standing == HostKeyStanding::known ? portless : found;
}

std::string fingerprint_of(std::string_view blob) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256(bytes_of(blob), blob.size(), digest.data());
    std::array<unsigned char, 48> text{}; // 44 characters and a NUL
    const int size = ::EVP_EncodeBlock(text.data(), digest.data(), digest.size());
    return fmt::format("SHA256:{}",
                       std::string_view(reinterpret_cast<const char*>(text.data()),
                                        static_cast<std::size_t>(size) - 1)); // one "=" at its end
}

void offer_host_key_algorithms(std::string algorithms) {
    offered = std::move(algorithms);
}

} // namespace pgod::git

// The dynamic linker finds these two before libssh2's own, so that libgit2 calls them. Without them (a
// libgit2 that binds its symbols itself) the check above still decides; only the offer would be libgit2's.
extern "C" [[gnu::visibility("default"), gnu::used]] int libssh2_session_handshake(LIBSSH2_SESSION* session,
                                                                                   libssh2_socket_t socket) {
    using Handshake = int (*)(LIBSSH2_SESSION*, libssh2_socket_t);
    static const auto handshake =
        reinterpret_cast<Handshake>(::dlsym(RTLD_NEXT, "libssh2_session_handshake"));
    if (handshake == nullptr)
        return LIBSSH2_ERROR_METHOD_NOT_SUPPORTED;
    if (!pgod::git::offered.empty())
        (void)::libssh2_session_method_pref(session, LIBSSH2_METHOD_HOSTKEY, pgod::git::offered.c_str());
    return handshake(session, socket);
}

extern "C" [[gnu::visibility("default"), gnu::used]] int
libssh2_knownhost_readfile(LIBSSH2_KNOWNHOSTS* /*hosts*/, const char* /*file*/, int /*type*/) {
    return 0; // no lines
}
