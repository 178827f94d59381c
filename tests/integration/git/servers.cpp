#include "servers.hpp"

#include "pgod_git.hpp"

#include "os/run.hpp"
#include "os/users.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

namespace pgod::test {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> plain_env{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"};

Fd loopback_socket(int port, sockaddr_in& address) {
    Fd made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(made);
    address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return made;
}

bool answers(int port) {
    sockaddr_in address{};
    const Fd probe = loopback_socket(port, address);
    return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

os::Child start(std::vector<std::string> argv, std::vector<std::string> env) {
    os::SpawnRequest request;
    request.program = argv.front();
    request.argv = std::move(argv);
    request.env = std::move(env);
    request.descriptors = {{2, 2}};
    request.die_with_parent = true;
    request.umask = 022;
    auto child = os::spawn(request);
    REQUIRE(child);
    return std::move(*child);
}

os::Child start_backend(const fs::path& directory, const fs::path& repositories) {
    const auto socket = directory / "fcgi.sock";
    auto env = plain_env;
    env.push_back("GIT_PROJECT_ROOT=" + repositories.string());
    auto child = start({"/usr/sbin/fcgiwrap", "-s", "unix:" + socket.string()}, env);
    REQUIRE(becomes_true([&socket] { return fs::exists(socket); }));
    return child;
}

std::string location(std::string_view prefix, const fs::path& directory, const fs::path& repositories,
                     std::string_view more) {
    return fmt::format(R"(
    location ~ ^{}(/.*)$ {{
      {}
      fastcgi_pass unix:{}/fcgi.sock;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
      fastcgi_param GIT_PROJECT_ROOT {};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param PATH_INFO $1;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_USER $remote_user;
    }})",
                       prefix, more, directory.string(), repositories.string());
}

Server start_nginx(const fs::path& directory, const fs::path& repositories, const std::string& certificate,
                   const std::string& tls) {
    const int port = free_port();
    const auto run = [&directory](std::string_view name) {
        return (directory / name).string();
    };
    std::ofstream(run("htpasswd")) << "demo:"
                                   << run_tool({"/usr/bin/openssl", "passwd", "-apr1", "s3cret/pass"});
    std::string conf = ::geteuid() == 0 ? "user root;\n" : "";
    conf += fmt::format(
        "daemon off; worker_processes 1; pid {}; error_log {};\nevents {{}}\nhttp {{\n"
        "  access_log {};\n  client_body_temp_path {}; proxy_temp_path {}; fastcgi_temp_path {};\n"
        "  uwsgi_temp_path {}; scgi_temp_path {};\n",
        run("nginx.pid"), run("nginx.log"), run("access.log"), run("t1"), run("t2"), run("t3"), run("t4"),
        run("t5"));
    conf += fmt::format("  server {{\n    listen 127.0.0.1:{}{};\n", port, certificate.empty() ? "" : " ssl");
    if (!certificate.empty())
        conf += fmt::format("    ssl_certificate {0}.pem; ssl_certificate_key {0}.key; ssl_protocols {1};\n",
                            certificate, tls);
    conf +=
        fmt::format("    location ^~ /moved/ {{ return 301 http://localhost:{}/upstream/$uri; }}\n", port);
    conf += location("/private", directory, repositories,
                     fmt::format("auth_basic private; auth_basic_user_file {};", run("htpasswd")));
    conf += location("", directory, repositories, "") + "\n  }\n}\n";
    std::ofstream(run("nginx.conf")) << conf;
    return {{"/usr/sbin/nginx", "-e", run("nginx.log"), "-p", directory.string(), "-c", run("nginx.conf")},
            plain_env,
            port};
}

} // namespace

int free_port() {
    sockaddr_in address{};
    const Fd probe = loopback_socket(0, address);
    REQUIRE(::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
}

std::string run_tool(std::vector<std::string> argv, std::string_view input) {
    os::RunRequest request;
    request.spawn.program = argv.front();
    request.spawn.argv = std::move(argv);
    request.spawn.env = plain_env;
    request.input = input;
    const auto result = os::run(request);
    REQUIRE(result);
    INFO(result->errors);
    REQUIRE(result->succeeded());
    return result->output;
}

Authority::Authority(fs::path directory)
    : directory_(std::move(directory)) {
    fs::create_directories(directory_);
    run_tool({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
              "-nodes", "-days", "30", "-subj", "/CN=test authority", "-keyout", directory_ / "ca.key",
              "-out", directory_ / "ca.pem"});
}

void Authority::issue(const std::string& name, const std::string& subject_alternative_names) const {
    const auto path = [&](std::string_view ending) {
        return (directory_ / (name + std::string(ending))).string();
    };
    std::ofstream(path(".ext")) << "subjectAltName=" << subject_alternative_names << '\n';
    run_tool({"/usr/bin/openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
              "-subj", "/CN=server", "-keyout", path(".key"), "-out", path(".csr")});
    run_tool({"/usr/bin/openssl", "x509", "-req", "-in", path(".csr"), "-CA", directory_ / "ca.pem", "-CAkey",
              directory_ / "ca.key", "-CAcreateserial", "-days", "30", "-extfile", path(".ext"), "-out",
              path(".pem")});
}

Server::Server(std::vector<std::string> argv, std::vector<std::string> env, int port)
    : child_(start(std::move(argv), std::move(env)))
    , port_(port) {
    REQUIRE(becomes_true([this] {
        REQUIRE_FALSE(child_.try_reap());
        return answers(port_);
    }));
}

Server git_daemon(const fs::path& base) {
    const int port = free_port();
    // Not `git daemon`, which would be a second process to stop.
    return {{"/usr/lib/git-core/git-daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1",
             fmt::format("--port={}", port), "--base-path=" + base.string(), base.string()},
            plain_env,
            port};
}

Server ssh_server(const fs::path& directory) {
    fs::create_directories(directory);
    if (::geteuid() == 0)
        fs::create_directories("/run/sshd"); // sshd's own, made by its unit elsewhere
    const int port = free_port();
    run_tool({"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "host_key"});
    run_tool({"/usr/bin/ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", directory / "host_key_ecdsa"});
    std::ofstream(directory / "sshd_config")
        << fmt::format("ListenAddress 127.0.0.1\nPort {0}\nHostKey {1}/host_key\nHostKey "
                       "{1}/host_key_ecdsa\nPidFile none\nUsePAM no\n"
                       "StrictModes no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
                       "KbdInteractiveAuthentication no\nAuthorizedKeysFile {1}/authorized_keys\n",
                       port, directory.string());
    return {{"/usr/sbin/sshd", "-D", "-E", directory / "sshd.log", "-f", directory / "sshd_config"},
            plain_env,
            port};
}

HttpServer::HttpServer(const fs::path& directory, const fs::path& repositories,
                       const std::string& certificate, const std::string& tls)
    : backend_((fs::create_directories(directory), start_backend(directory, repositories)))
    , nginx_(start_nginx(directory, repositories, certificate, tls)) {}

BlackHole::BlackHole() {
    sockaddr_in address{};
    socket_ = loopback_socket(0, address);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    REQUIRE(::listen(socket_.get(), 64) == 0);
    port_ = ntohs(address.sin_port);
}

} // namespace pgod::test
