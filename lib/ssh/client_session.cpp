#include "ssh/client_session.hpp"

#include "base/handle.hpp"
#include "ssh/ssh_error.hpp"

#include <fmt/format.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>

namespace pgod::ssh {

namespace {

struct Setting {
    ssh_options_e option;
    const char* value;
};

// One choice each, the one that pgod's server has. AES-GCM stands before ChaCha20-Poly1305, which makes
// libcrypto look up two algorithms.
constexpr Setting settings[] = {
    {SSH_OPTIONS_KEY_EXCHANGE, "curve25519-sha256,curve25519-sha256@libssh.org"},
    {SSH_OPTIONS_CIPHERS_C_S, "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com"},
    {SSH_OPTIONS_CIPHERS_S_C, "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com"},
    {SSH_OPTIONS_HMAC_C_S, "hmac-sha2-256-etm@openssh.com"},
    {SSH_OPTIONS_HMAC_S_C, "hmac-sha2-256-etm@openssh.com"},
    {SSH_OPTIONS_COMPRESSION_C_S, "none"},
    {SSH_OPTIONS_COMPRESSION_S_C, "none"},
    {SSH_OPTIONS_HOST, "pgod"}, // demanded, and used in libssh's messages only: the connection exists
    {SSH_OPTIONS_KNOWNHOSTS, "/dev/null"}, // client_known_hosts judges
    {SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null"},
    {SSH_OPTIONS_SSH_DIR, "/"}, // else libssh looks the home directory up
};

Error network(Error error) {
    error.code = Code::transient;
    return error;
}

Status apply(ssh_session session, const SessionOptions& options, int socket) {
    bool good = true;
    const auto set = [&](ssh_options_e option, const void* value) {
        good = good && ::ssh_options_set(session, option, value) == SSH_OK;
    };
    const bool process_config = false;
    const int nodelay = 1;
    const long seconds = std::max<long>(1, static_cast<long>(options.timeout.count() / 1000));
    set(SSH_OPTIONS_PROCESS_CONFIG, &process_config);
    set(SSH_OPTIONS_NODELAY, &nodelay);
    set(SSH_OPTIONS_TIMEOUT, &seconds);
    set(SSH_OPTIONS_USER, options.user.c_str()); // refused for shell metacharacters
    for (const Setting& setting : settings)
        set(setting.option, setting.value);
    set(SSH_OPTIONS_HOSTKEYS, options.host_key_types.c_str());
    set(SSH_OPTIONS_FD, &socket);
    if (!good) {
        Error error = ssh_error(session, "prepare the connection");
        error.code = Code::internal;
        return error;
    }
    return ok();
}

Result<ServerKey> server_key(ssh_session session) {
    Key key;
    if (::ssh_get_server_publickey(session, Out(key)) != SSH_OK)
        return network(ssh_error(session, "read the server's host key"));
    return ServerKey{TRY(public_key_of(key.get())), TRY(fingerprint_of(key.get()))};
}

} // namespace

void initialise_client() {
    ::ssh_init();
}

void ClientSession::Closer::operator()(ssh_session_struct* session) const noexcept {
    ::ssh_disconnect(session);
    ::ssh_free(session);
}

Result<ClientSession> ClientSession::handshake(Fd socket, const SessionOptions& options,
                                               const JudgeHostKey& judge) {
    Session session(::ssh_new());
    if (!session)
        return Error{Code::internal, "out of memory"};
    TRY(apply(session.get(), options, socket.get()));
    (void)socket.release(); // libssh closes it from here on
    if (::ssh_connect(session.get()) != SSH_OK)
        return network(ssh_error(session.get(), fmt::format("handshake with {}", options.host)));
    const ServerKey server = TRY(server_key(session.get()));
    TRY(judge(server));
    return ClientSession(std::move(session));
}

Result<Authentication> ClientSession::authentication_of(int answer) {
    switch (answer) {
    case SSH_AUTH_SUCCESS:
        return Authentication::accepted;
    case SSH_AUTH_DENIED:
    case SSH_AUTH_PARTIAL: // pgod asks for one key; a server that wants more is not pgod
        return Authentication::refused;
    default:
        if (::ssh_is_connected(session_.get()) == 1)
            return Authentication::refused; // a key that cannot sign, or an agent that will not
        return network(ssh_error(session_.get(), "authenticate"));
    }
}

// Which hashes it takes in RSA signatures pgod says before it answers this, and libssh chooses one before it
// asks anything by itself: none would be left. Later calls send nothing, and libssh's own are spared.
Status ClientSession::ask_for_login() {
    if (::ssh_service_request(session_.get(), "ssh-userauth") == SSH_OK)
        return ok();
    return network(ssh_error(session_.get(), "authenticate"));
}

Result<Authentication> ClientSession::authenticate(ssh_key_struct* private_key) {
    TRY(ask_for_login());
    return authentication_of(::ssh_userauth_publickey(session_.get(), nullptr, private_key));
}

Result<bool> ClientSession::would_accept(ssh_key_struct* public_key) {
    TRY(ask_for_login());
    const auto answer =
        TRY(authentication_of(::ssh_userauth_try_publickey(session_.get(), nullptr, public_key)));
    return answer == Authentication::accepted;
}

Result<Authentication> ClientSession::authenticate(const std::string& agent_socket, const AgentKey& key) {
    TRY(ask_for_login());
    auto agent = SingleKeyAgent::start(agent_socket, key);
    if (!agent)
        return Authentication::refused; // it was there when it listed its keys
    const int end = agent->release_client_end().release();
    if (::ssh_set_agent_socket(session_.get(), end) != SSH_OK) {
        ::close(end);
        return Authentication::refused;
    }
    if (agent_end_ >= 0)
        ::close(agent_end_);
    agent_end_ = end;
    return authentication_of(::ssh_userauth_agent(session_.get(), nullptr));
}

Result<CommandEnd> ClientSession::run(const CommandRequest& request, const TakeOutput& take) {
    return run_command(session_.get(), request, take);
}

} // namespace pgod::ssh
