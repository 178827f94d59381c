#include "ssh/server_bind.hpp"

#include "ssh/key.hpp"
#include "ssh/ssh_error.hpp"

#include <libssh/server.h>

#include <array>

namespace pgod::ssh {

namespace {

// Only what is modern. Group exchange would read /etc/ssh/moduli; certificates are verified by nobody here.
// aes256-ctr with an encrypt-then-MAC comes last: Python's paramiko of Debian 12 has nothing better.
constexpr const char* key_exchanges = "curve25519-sha256,curve25519-sha256@libssh.org";
constexpr const char* ciphers =
    "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr";
constexpr const char* macs = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com";
constexpr const char* host_key_types = "ssh-ed25519,ecdsa-sha2-nistp256";
constexpr const char* login_key_types =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256,"
    "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com";
constexpr const char* version = "pgod"; // the client sees SSH-2.0-pgod

struct TextOption {
    ssh_bind_options_e option;
    const char* value;
};
constexpr std::array<TextOption, 9> text_options{{
    {SSH_BIND_OPTIONS_KEY_EXCHANGE, key_exchanges},
    {SSH_BIND_OPTIONS_CIPHERS_C_S, ciphers},
    {SSH_BIND_OPTIONS_CIPHERS_S_C, ciphers},
    {SSH_BIND_OPTIONS_HMAC_C_S, macs},
    {SSH_BIND_OPTIONS_HMAC_S_C, macs},
    {SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, host_key_types},
    {SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, login_key_types},
    {SSH_BIND_OPTIONS_BANNER, version},
    {SSH_BIND_OPTIONS_LOG_VERBOSITY_STR, "0"},
}};

} // namespace

void ServerBind::BindDeleter::operator()(ssh_bind_struct* bind) const noexcept {
    ::ssh_bind_free(bind);
}

void SessionDeleter::operator()(ssh_session_struct* session) const noexcept {
    ::ssh_free(session);
}

void ServerBind::seed() noexcept {
    unsigned char waste = 0;
    (void)::ssh_get_random(&waste, sizeof waste, 0);
    (void)::ssh_get_random(&waste, sizeof waste, 1);
}

Result<SessionHandle> ServerBind::take_session() {
    if (prepared_)
        return std::move(prepared_);
    SessionHandle session(::ssh_new());
    if (!session)
        return Error{Code::transient, "out of memory"};
    ::ssh_set_blocking(session.get(), 0);
    ::ssh_set_auth_methods(session.get(), SSH_AUTH_METHOD_PUBLICKEY);
    // SSH_OPTIONS_COMPRESSION alone would leave zlib@openssh.com on offer.
    for (const auto option : {SSH_OPTIONS_COMPRESSION_C_S, SSH_OPTIONS_COMPRESSION_S_C}) {
        if (::ssh_options_set(session.get(), option, "none") != SSH_OK)
            return ssh_error(session.get(), "set up the session");
    }
    return session;
}

Result<ServerBind> ServerBind::create(const Secret& host_key, const Secret& second) {
    ServerBind server;
    server.bind_.reset(::ssh_bind_new());
    ssh_bind bind = server.bind_.get();
    if (bind == nullptr)
        return Error{Code::internal, "out of memory"};
    // First of all: without it the first session reads libssh's server configuration of the host.
    const bool process_config = false;
    if (::ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &process_config) != SSH_OK)
        return ssh_error(bind, "set up the SSH server");
    for (const auto& [option, value] : text_options) {
        if (::ssh_bind_options_set(bind, option, value) != SSH_OK)
            return ssh_error(bind, "set up the SSH server");
    }
    if (::ssh_bind_options_set(bind, SSH_BIND_OPTIONS_RSA_MIN_SIZE, &rsa_min_bits) != SSH_OK)
        return ssh_error(bind, "set up the SSH server");
    TRY_DOING(server.add_key(host_key), "read the host key");
    if (!second.empty())
        TRY_DOING(server.add_key(second), "read the second host key");
    return server;
}

Status ServerBind::add_key(const Secret& text) {
    auto key = TRY(import_private_key(text));
    const auto type = TRY(host_key_type_of(key.get()));
    if (type_ == type)
        return Error{Code::invalid,
                     "both host keys are of the same type: one must be ed25519, the other ECDSA"};
    type_ = type;
    fingerprint_ += (fingerprint_.empty() ? "" : " and ") + TRY(fingerprint_of(key.get()));
    if (::ssh_bind_options_set(bind_.get(), SSH_BIND_OPTIONS_IMPORT_KEY, key.get()) != SSH_OK)
        return ssh_error(bind_.get(), "give the host key to the SSH server");
    (void)key.release(); // the bind owns it now
    return ok();
}

} // namespace pgod::ssh
