#include "git/stream.hpp"

#include "base/fd.hpp"
#include "base/handle.hpp"
#include "git/failure.hpp"
#include "git/network_deadline.hpp"

#include <fmt/format.h>
#include <git2.h>
#include <git2/sys/stream.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <string>

namespace pgod::git {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

Handle<SSL_CTX, SSL_CTX_free> tls_context;

int fail(git_error_t klass, const std::string& message, int rc = -1) {
    set_git_error(klass, message);
    return rc;
}

// 1 when `fd` is ready before the earlier of the step's and the network deadline, otherwise 0.
int wait_for(int fd, short events, Clock::time_point step_deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(
            std::min(step_deadline, NetworkDeadline::current()) - Clock::now());
        if (left <= milliseconds::zero())
            return 0;
        pollfd waiting{fd, events, 0};
        const int ready =
            ::poll(&waiting, 1, static_cast<int>(std::min<milliseconds::rep>(left.count(), INT_MAX)));
        if (ready > 0)
            return 1;
        if (ready < 0 && errno != EINTR)
            return 0;
    }
}

// One connection; its base is what libgit2 sees.
class Connection : public git_stream {
  public:
    Connection(const char* host, const char* port, bool encrypted_stream)
        : git_stream{}
        , host_(host)
        , port_(port) {
        version = GIT_STREAM_VERSION;
        encrypted = encrypted_stream ? 1 : 0;
        connect = [](git_stream* self) noexcept {
            return of(self).open();
        };
        read = [](git_stream* self, void* data, size_t size) noexcept {
            return of(self).receive(data, size);
        };
        write = [](git_stream* self, const char* data, size_t size, int) noexcept {
            return of(self).send_all(data, size);
        };
        close = [](git_stream* self) noexcept {
            return of(self).shut();
        };
        free = [](git_stream* self) noexcept {
            delete &of(self);
        };
        // Never asked for: the certificate is judged by OpenSSL in connect(), and no callback may overrule
        // it.
        certificate = [](git_cert**, git_stream*) noexcept {
            return int{GIT_ECERTIFICATE};
        };
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() = default;

  private:
    static Connection& of(git_stream* stream) { return *static_cast<Connection*>(stream); }

    int open();
    int open_tcp(const addrinfo& address, Clock::time_point deadline);
    int start_tls(Clock::time_point deadline);
    int tls_failure(int result, std::string_view doing);
    // Waits for what the TLS call asks for: 1 try again, 0 it is over.
    int tls_again(int result, Clock::time_point deadline);
    ssize_t receive(void* data, size_t size);
    ssize_t send_all(const char* data, size_t size);
    int shut();

    std::string host_;
    std::string port_;
    Fd socket_;
    Handle<SSL, SSL_free> tls_;
};

int Connection::open_tcp(const addrinfo& address, Clock::time_point deadline) {
    socket_.reset(
        ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
    if (!socket_)
        return errno;
    int error = 0;
    if (::connect(socket_.get(), address.ai_addr, address.ai_addrlen) != 0) {
        if (errno != EINPROGRESS)
            return errno;
        if (wait_for(socket_.get(), POLLOUT, deadline) == 0)
            return ETIMEDOUT;
        socklen_t size = sizeof error;
        if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            return errno;
    }
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return error;
}

int Connection::open() {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    Handle<addrinfo, ::freeaddrinfo> addresses;
    // Bounded by RES_OPTIONS, which the job sets, and by the end of the job.
    if (const int rc = ::getaddrinfo(host_.c_str(), port_.c_str(), &hints, Out(addresses)); rc != 0)
        return fail(GIT_ERROR_NET, fmt::format("cannot resolve {}: {}", host_, ::gai_strerror(rc)));
    const auto deadline = Clock::now() + io_timeout;
    int error = EHOSTUNREACH;
    for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
        error = open_tcp(*address, deadline);
        if (error == 0)
            return encrypted != 0 ? start_tls(Clock::now() + io_timeout) : 0;
    }
    socket_.reset();
    return fail(GIT_ERROR_NET,
                fmt::format("cannot connect to {} port {}: {}", host_, port_, ::strerror(error)));
}

int Connection::tls_again(int result, Clock::time_point deadline) {
    const int wanted = SSL_get_error(tls_.get(), result);
    if (wanted == SSL_ERROR_WANT_READ)
        return wait_for(socket_.get(), POLLIN, deadline);
    if (wanted == SSL_ERROR_WANT_WRITE)
        return wait_for(socket_.get(), POLLOUT, deadline);
    return 0;
}

int Connection::tls_failure(int result, std::string_view doing) {
    if (const long verdict = SSL_get_verify_result(tls_.get()); verdict != X509_V_OK)
        return fail(GIT_ERROR_SSL,
                    fmt::format("the certificate of {} is not trusted: {}", host_,
                                X509_verify_cert_error_string(verdict)),
                    GIT_ECERTIFICATE);
    const int wanted = SSL_get_error(tls_.get(), result);
    if (wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE)
        return fail(GIT_ERROR_NET, fmt::format("{} does not answer ({})", host_, doing));
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    return fail(GIT_ERROR_SSL, fmt::format("{} with {} failed: {}", doing, host_,
                                           reason != nullptr ? reason : "the connection was closed"));
}

int Connection::start_tls(Clock::time_point deadline) {
    ERR_clear_error();
    tls_.reset(SSL_new(tls_context.get()));
    if (!tls_ || SSL_set_fd(tls_.get(), socket_.get()) != 1)
        return fail(GIT_ERROR_SSL, "cannot start TLS");
    // An address is looked for among the certificate's addresses, a name among its names.
    const std::string host =
        host_.starts_with('[') && host_.ends_with(']') ? host_.substr(1, host_.size() - 2) : host_;
    const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), host.c_str()) == 1;
    if (!is_address && (SSL_set1_host(tls_.get(), host.c_str()) != 1 ||
                        SSL_set_tlsext_host_name(tls_.get(), host.c_str()) != 1))
        return fail(GIT_ERROR_SSL, fmt::format("{} is no host name", host_));
    ERR_clear_error();
    int result = 0;
    do
        result = SSL_connect(tls_.get());
    while (result != 1 && tls_again(result, deadline) == 1);
    return result == 1 ? 0 : tls_failure(result, "TLS handshake");
}

ssize_t Connection::receive(void* data, size_t size) {
    const auto deadline = Clock::now() + io_timeout;
    for (;;) {
        if (tls_) {
            ERR_clear_error();
            const int result = SSL_read(tls_.get(), data, static_cast<int>(std::min<size_t>(size, INT_MAX)));
            if (result > 0)
                return result;
            if (SSL_get_error(tls_.get(), result) == SSL_ERROR_ZERO_RETURN)
                return 0;
            if (tls_again(result, deadline) == 0)
                return tls_failure(result, "reading");
            continue;
        }
        const ssize_t result = ::recv(socket_.get(), data, size, 0);
        if (result >= 0)
            return result;
        if (errno != EAGAIN && errno != EINTR)
            return fail(GIT_ERROR_NET, fmt::format("reading from {} failed: {}", host_, ::strerror(errno)));
        if (wait_for(socket_.get(), POLLIN, deadline) == 0)
            return fail(GIT_ERROR_NET, fmt::format("{} does not answer", host_));
    }
}

ssize_t Connection::send_all(const char* data, size_t size) {
    size_t sent = 0;
    auto deadline = Clock::now() + io_timeout;
    while (sent < size) {
        ssize_t result = 0;
        if (tls_) {
            ERR_clear_error();
            const int step =
                SSL_write(tls_.get(), data + sent, static_cast<int>(std::min<size_t>(size - sent, INT_MAX)));
            if (step <= 0 && tls_again(step, deadline) == 0)
                return tls_failure(step, "writing");
            result = std::max(step, 0);
        } else {
            result = ::send(socket_.get(), data + sent, size - sent, MSG_NOSIGNAL);
            if (result < 0 && errno != EAGAIN && errno != EINTR)
                return fail(GIT_ERROR_NET, fmt::format("writing to {} failed: {}", host_, ::strerror(errno)));
            if (result < 0 && wait_for(socket_.get(), POLLOUT, deadline) == 0)
                return fail(GIT_ERROR_NET, fmt::format("{} does not take what is sent", host_));
            result = std::max<ssize_t>(result, 0);
        }
        if (result > 0)
            deadline = Clock::now() + io_timeout;
        sent += static_cast<size_t>(result);
    }
    return static_cast<ssize_t>(size);
}

int Connection::shut() {
    tls_.reset(); // no close_notify: HTTP knows its own end, and a peer that is gone must not hold us
    socket_.reset();
    return 0;
}

template<bool encrypted>
int make_connection(git_stream** out, const char* host, const char* port) noexcept {
    *out = new (std::nothrow) Connection(host, port, encrypted);
    return *out != nullptr ? 0 : fail(GIT_ERROR_NOMEMORY, "out of memory");
}

Status register_stream(git_stream_t kind, int (*make)(git_stream**, const char*, const char*) noexcept) {
    git_stream_registration registration{};
    registration.version = GIT_STREAM_VERSION;
    registration.init = make;
    if (const int rc = git_stream_register(kind, &registration); rc < 0)
        return git_failure(rc, "register a stream");
    return ok();
}

// Runs a handshake up to its first message, without a network. It fills OpenSSL's caches of algorithms, which
// every job would otherwise fill again after its fork.
void warm_up(SSL_CTX* context) {
    const Handle<SSL, SSL_free> tls(SSL_new(context));
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    if (tls && in != nullptr && out != nullptr) {
        SSL_set_bio(tls.get(), in, out); // takes both
        SSL_connect(tls.get());          // stops where the server would answer
    }
    ERR_clear_error();
}

} // namespace

Status start_streams() {
    tls_context.reset(SSL_CTX_new(TLS_client_method()));
    if (!tls_context || SSL_CTX_set_min_proto_version(tls_context.get(), TLS1_2_VERSION) != 1)
        return Error{Code::internal, "cannot set TLS up"};
    if (SSL_CTX_set_default_verify_paths(tls_context.get()) != 1)
        return Error{Code::internal, "cannot read the system's certificate authorities"};
    SSL_CTX_set_verify(tls_context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(tls_context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Servers that close without close_notify are common; HTTP's own length says whether something is
    // missing.
    SSL_CTX_set_options(tls_context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    warm_up(tls_context.get());
    if (auto registered = register_stream(GIT_STREAM_TLS, make_connection<true>); !registered)
        return registered;
    return register_stream(GIT_STREAM_STANDARD, make_connection<false>);
}

void use_own_plain_streams(bool own) {
    if (own)
        (void)register_stream(GIT_STREAM_STANDARD, make_connection<false>); // worked at the start
    else
        git_stream_register(GIT_STREAM_STANDARD, nullptr);
}

} // namespace pgod::git
