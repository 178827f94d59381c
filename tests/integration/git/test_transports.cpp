// Jobs against real servers: git, http, https, ssh.
#include "host.hpp"

#include "os/users.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

using namespace pgod;
using test::Host;
namespace fs = std::filesystem;

namespace {

void check_syncs(Host& host, const std::string& url) {
    CAPTURE(url);
    host.files.write("compose.yaml", "services: {}\n");
    host.files.write("ssh/a.pub", test::key_line("a"));
    const auto first = host.files.commit("first");
    const auto synced = host.sync(url);
    CHECK(synced.error() == "ok");
    CHECK(synced.tip() == first);
    CHECK(synced.keys.size() == 1);
    const auto second = host.files.commit("second");
    CHECK(host.sync(url).tip() == second);
    const auto exported = host.pgod_git().run(host.export_job(second));
    CHECK(exported.error() == "ok");
    CHECK(test::slurp(host.files.stage / "compose.yaml") == "services: {}\n");
}

void check_says(const std::string& text, std::string_view part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
}

void check_lacks(const std::string& text, std::string_view part) {
    CHECK(text.find(part) == std::string::npos);
}

} // namespace

TEST_CASE("git://") {
    Host host;
    const auto server = test::git_daemon(host.files.root);
    check_syncs(host, fmt::format("git://127.0.0.1:{}/upstream/.git", server.port()));
    const auto missing = host.sync(fmt::format("git://127.0.0.1:{}/nothing", server.port()));
    check_says(missing.error(), "cannot sync from git://127.0.0.1");
    CHECK(missing.keys.empty()); // what was fetched is another repository's
    const auto nobody = host.sync(fmt::format("git://127.0.0.1:{}/x", test::free_port()));
    check_says(nobody.error(), "transient: ");
    check_says(nobody.error(), "Connection refused");
}

TEST_CASE("http, with and without credentials, which show nowhere") {
    Host host;
    const test::HttpServer server(host.files.root / "http", host.files.root);
    const auto at = [&](std::string_view user, std::string_view path) {
        return fmt::format("http://{}127.0.0.1:{}{}/upstream/.git", user, server.port(), path);
    };
    check_syncs(host, at("", ""));
    const std::string_view secrets[] = {"s3cret", "wr0ng", "t0ken"};
    const auto lacks_secrets = [&secrets](const std::string& text) {
        for (const auto secret : secrets)
            check_lacks(text, secret);
    };

    const auto third = host.files.commit("third");
    const auto private_sync = host.sync(at("demo:s3cret%2Fpass@", "/private"));
    CHECK(private_sync.error() == "ok");
    CHECK(private_sync.tip() == third);

    host.files.commit("not reached");
    const auto wrong = host.sync(at("demo:wr0ng@", "/private"));
    check_says(wrong.error(), "denied: http://");
    check_says(wrong.error(), "refuses the user and password of `repository`");
    CHECK(wrong.tip() == third);
    CHECK(wrong.keys.size() == 1);
    const auto token = host.sync(at("t0ken@", "/private"));
    check_says(token.error(), "refuses the user and password");
    const auto none = host.sync(at("", "/private"));
    check_says(none.error(), "denied: ");
    check_says(none.error(), "asks for credentials");
    for (const auto* outcome : {&wrong, &token, &none, &private_sync})
        lacks_secrets(outcome->error());

    const auto unknown =
        host.sync(fmt::format("http://demo:s3cret%2Fpass@127.0.0.1:{}/nothing", server.port()));
    check_says(unknown.error(), "gone: cannot sync from http://");
    lacks_secrets(unknown.error());
    const auto moved =
        host.sync(fmt::format("http://demo:s3cret%2Fpass@127.0.0.1:{}/moved/x", server.port()));
    check_says(moved.error(), "redirect");
    lacks_secrets(moved.error());
    const auto refused =
        host.sync(fmt::format("http://demo:s3cret%2Fpass@127.0.0.1:{}/nothing", test::free_port()));
    check_says(refused.error(), "Connection refused");
    lacks_secrets(refused.error());
    lacks_secrets(host.all_that_was_written());
}

TEST_CASE("https") {
    Host host;
    const test::Authority authority(host.files.root / "ca");
    authority.issue("by_name", "DNS:localhost");
    authority.issue("by_address", "IP:127.0.0.1");
    const test::Authority stranger(host.files.root / "other");
    stranger.issue("foreign", "DNS:localhost,IP:127.0.0.1");
    host.trust(authority.certificates());
    const auto serve = [&](const char* name, const fs::path& certificate, const char* tls) {
        return test::HttpServer(host.files.root / name, host.files.root, certificate, tls);
    };
    const auto url = [](std::string_view name, const test::HttpServer& server) {
        return fmt::format("https://{}:{}/upstream/.git", name, server.port());
    };

    SUBCASE("TLS 1.3 only, by name") {
        const auto server = serve("s", host.files.root / "ca/by_name", "TLSv1.3");
        check_syncs(host, url("localhost", server));
    }
    SUBCASE("TLS 1.2 only, by address") {
        const auto server = serve("s", host.files.root / "ca/by_address", "TLSv1.2");
        check_syncs(host, url("127.0.0.1", server));
    }
    SUBCASE("TLS 1.1 is refused") {
        const auto server = serve("s", host.files.root / "ca/by_name", "TLSv1.1");
        check_says(host.sync(url("localhost", server)).error(),
                   "transient: cannot sync from https://localhost");
    }
    SUBCASE("another name than the certificate's") {
        const auto server = serve("s", host.files.root / "ca/by_name", "TLSv1.3");
        const auto by_address = host.sync(url("127.0.0.1", server));
        check_says(by_address.error(), "denied: ");
        check_says(by_address.error(), "the certificate of 127.0.0.1 is not trusted: IP address mismatch");
        const auto named = serve("t", host.files.root / "ca/by_address", "TLSv1.3");
        check_says(host.sync(url("localhost", named)).error(), "not trusted: hostname mismatch");
    }
    SUBCASE("signed by nobody we trust") {
        const auto server = serve("s", host.files.root / "other/foreign", "TLSv1.3");
        const auto foreign = host.sync(url("localhost", server));
        check_says(foreign.error(), "denied: ");
        check_says(foreign.error(),
                   "the certificate of localhost is not trusted: unable to get local issuer");
    }
    SUBCASE("no TLS at all") {
        const test::HttpServer server(host.files.root / "s", host.files.root);
        check_says(host.sync(url("localhost", server)).error(), "transient: ");
    }
}

TEST_CASE("ssh") {
    Host host;
    const auto directory = host.files.root / "sshd";
    const auto server = test::ssh_server(directory);
    const auto login = os::current_user().name;
    const auto url =
        fmt::format("ssh://{}@127.0.0.1:{}{}", login, server.port(), host.files.upstream.string());
    const auto ssh = host.home / ".ssh";
    const auto make_key = [&](std::vector<std::string> kind, const fs::path& path) {
        std::vector<std::string> argv{"/usr/bin/ssh-keygen", "-q", "-N", "", "-f", path, "-t"};
        argv.insert(argv.end(), kind.begin(), kind.end());
        test::run_tool(argv);
        host.give_to_user(ssh);
    };
    const auto authorize = [&](const fs::path& key) {
        fs::copy_file(key.string() + ".pub", directory / "authorized_keys",
                      fs::copy_options::overwrite_existing);
    };
    const auto know_host = [&] {
        const auto key = test::slurp(directory / "host_key.pub");
        std::ofstream(ssh / "known_hosts") << fmt::format("[127.0.0.1]:{} {}", server.port(), key);
        host.give_to_user(ssh);
    };

    SUBCASE("ed25519") {
        know_host();
        make_key({"ed25519"}, ssh / "id_ed25519");
        authorize(ssh / "id_ed25519");
        check_syncs(host, url);
    }
    SUBCASE("ecdsa, after an ed25519 key that is refused") {
        know_host();
        make_key({"ed25519"}, ssh / "id_ed25519");
        make_key({"ecdsa"}, ssh / "id_ecdsa");
        authorize(ssh / "id_ecdsa");
        check_syncs(host, url);
    }
    SUBCASE("no key, an RSA key, a key that is refused") {
        know_host();
        check_says(host.sync(url).error(), fmt::format("denied: ssh://{}@127.0.0.1", login));
        check_says(host.sync(url).error(), fmt::format("user {} has none; make one with: ", host.user.name));
        make_key({"rsa"}, ssh / "id_rsa");
        authorize(ssh / "id_rsa");
        check_says(host.sync(url).error(), "the RSA key");
        make_key({"ed25519"}, ssh / "id_ed25519");
        check_says(host.sync(url).error(), "refuses the deploy key");
        check_says(host.sync(url).error(), ".ssh/id_ed25519.pub");
    }
}

TEST_CASE("file://, a central repository that belongs to somebody else") {
    Host host;
    check_syncs(host, "file://" + host.files.upstream.string());
}
