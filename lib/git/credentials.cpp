#include "git/credentials.hpp"

#include "base/text.hpp"
#include "git/failure.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace pgod::git {

namespace {

// scheme://[user[:password]@]host[:port]/path
struct UrlParts {
    std::string_view scheme;
    std::string_view user_part;
    std::string_view host; // without the port
    std::string_view rest; // host, port and path
};

UrlParts parts_of(std::string_view url) {
    UrlParts parts;
    const auto scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos)
        return parts;
    parts.scheme = url.substr(0, scheme_end);
    parts.rest = url.substr(scheme_end + 3);
    const auto authority = parts.rest.substr(0, parts.rest.find('/'));
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        parts.user_part = parts.rest.substr(0, at);
        parts.rest.remove_prefix(at + 1);
    }
    parts.host = parts.rest.substr(0, parts.rest.find_first_of(parts.rest.starts_with('[') ? "]/" : ":/"));
    return parts;
}

int hex_value(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

bool is_http(RepositoryUrl::Scheme scheme) {
    return scheme == RepositoryUrl::Scheme::https || scheme == RepositoryUrl::Scheme::http;
}

bool is_file(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// The user of ssh://user@host/path and of user@host:path; git when none is given, as on every forge.
std::string ssh_user_of(std::string_view url) {
    const auto parts = parts_of(url);
    std::string_view user = parts.user_part;
    if (parts.scheme.empty()) {
        const auto at = url.substr(0, url.find(':')).rfind('@');
        user = at == std::string_view::npos ? std::string_view{} : url.substr(0, at);
    }
    return user.empty() ? "git" : std::string(user);
}

// ssh://host[:port]/path and [user@]host:path.
SshPlace ssh_place_of(std::string_view url) {
    const auto parts = parts_of(url);
    auto authority = parts.rest.substr(0, parts.rest.find('/'));
    if (parts.scheme.empty()) {
        const auto bracket = url.find(']');
        authority = url.substr(0, url.find(':', bracket == std::string_view::npos ? 0 : bracket));
        if (const auto at = authority.rfind('@'); at != std::string_view::npos)
            authority.remove_prefix(at + 1);
    }
    SshPlace place;
    const bool bracketed = authority.starts_with('[');
    const auto end = bracketed ? authority.find(']') : authority.find(':');
    place.host = authority.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
    const auto colon = authority.find(':', bracketed && end != std::string_view::npos ? end : 0);
    if (colon != std::string_view::npos)
        if (const auto port = parse_decimal(authority.substr(colon + 1)); port && *port <= UINT16_MAX)
            place.port = static_cast<std::uint16_t>(*port);
    return place;
}

} // namespace

Credentials::Credentials(const Source& source)
    : source_(source)
    , url_(source.url.whole().reveal()) {
    const auto parts = parts_of(source.url.whole().reveal());
    if (source.url.scheme() == RepositoryUrl::Scheme::ssh) {
        ssh_user_ = ssh_user_of(source.url.whole().reveal());
        if (source.given) {
            if (source.given->text.reveal().starts_with("-----BEGIN "))
                keys_.push_back(source.given->path);
            return;
        }
        for (const char* name : {"id_ecdsa", "id_ed25519"})
            if (const auto path = fmt::format("{}/.ssh/{}", source.home, name); is_file(path))
                keys_.push_back(path);
        return;
    }
    if (source.given) {
        const auto line = trimmed(source.given->text.reveal());
        if (const auto colon = line.find(':');
            colon != std::string_view::npos && line.find('\n') == std::string_view::npos) {
            user_ = Secret(std::string(line.substr(0, colon)));
            password_ = Secret(std::string(line.substr(colon + 1)));
        }
        return;
    }
    if (parts.user_part.empty())
        return;
    const auto colon = parts.user_part.find(':');
    user_ = Secret(percent_decoded(parts.user_part.substr(0, colon)));
    if (colon != std::string_view::npos)
        password_ = Secret(percent_decoded(parts.user_part.substr(colon + 1)));
    url_ = fmt::format("{}://{}", parts.scheme, parts.rest);
}

int Credentials::refuse(std::string sentence, int rc) {
    set_git_error(GIT_ERROR_CALLBACK, sentence);
    refusal_ = Error{Code::denied, std::move(sentence)};
    return rc;
}

int Credentials::answer(git_credential** out, const char* asking_url, unsigned allowed) {
    if (is_http(source_.url.scheme()) && (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0)
        return answer_password(out, asking_url);
    if (source_.url.scheme() == RepositoryUrl::Scheme::ssh) {
        if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0)
            return answer_key(out);
        if ((allowed & GIT_CREDENTIAL_USERNAME) != 0)
            return git_credential_username_new(out, ssh_user_.c_str());
    }
    return refuse(fmt::format("{} asks for a kind of credential that pgod does not use", source_.url),
                  GIT_EAUTH);
}

int Credentials::answer_password(git_credential** out, const char* asking_url) {
    const auto asking = parts_of(asking_url == nullptr ? "" : asking_url);
    const auto configured = parts_of(url_);
    const bool downgraded = configured.scheme == "https" && asking.scheme != "https";
    if (asking.host != configured.host || downgraded)
        return refuse(fmt::format("{} leads to another server, which gets no credentials", source_.url),
                      GIT_EAUTH);
    if (user_.empty() && source_.given)
        return refuse(
            fmt::format("{} asks for a user and a token, and the file of `credentials` does not hold "
                        "them: one line, USER:TOKEN",
                        source_.url),
            GIT_EAUTH);
    if (user_.empty())
        return refuse(fmt::format("{} asks for credentials: the repository is private or does not exist; "
                                  "write USER:TOKEN into a file of root's and name it with `credentials`",
                                  source_.url),
                      GIT_EAUTH);
    if (std::exchange(password_given_, true))
        return refuse(fmt::format("{} refuses the user and password of `{}`", source_.url,
                                  source_.given ? "credentials" : "repository"),
                      GIT_EAUTH);
    return git_credential_userpass_plaintext_new(out, user_.reveal().c_str(), password_.reveal().c_str());
}

int Credentials::answer_key(git_credential** out) {
    if (keys_.empty() && source_.given)
        return refuse(tried_.empty()
                          ? fmt::format("{} asks for a key, and the file of `credentials` holds no private "
                                        "key as ssh-keygen writes it",
                                        source_.url)
                          : fmt::format("{} refuses the key of `credentials`: add its public half to the "
                                        "repository's deploy keys (ed25519 or ecdsa, no passphrase)",
                                        source_.url),
                      GIT_EAUTH);
    if (keys_.empty())
        return refuse(tried_.empty()
                          ? missing_key_sentence()
                          : fmt::format("{} refuses the deploy key {}: add {}.pub to the repository's "
                                        "deploy keys (a key with a passphrase cannot be used)",
                                        source_.url, tried_, tried_),
                      GIT_EAUTH);
    tried_ = keys_.back();
    keys_.pop_back();
    return git_credential_ssh_key_new(out, ssh_user_.c_str(), nullptr, tried_.c_str(), nullptr);
}

std::string Credentials::missing_key_sentence() const {
    const auto make =
        fmt::format("make one with: runuser -u {} -- ssh-keygen -t ed25519 -N '' -f {}/.ssh/id_ed25519",
                    source_.user, source_.home);
    // libssh2 1.10 signs with RSA keys by SHA-1 only, which no current server takes (rsa-sha2 came
    // with 1.11).
    if (const auto rsa = fmt::format("{}/.ssh/id_rsa", source_.home); is_file(rsa))
        return fmt::format("{} needs an ed25519 or ecdsa deploy key, the RSA key {} cannot be used; {}",
                           source_.url, rsa, make);
    return fmt::format("{} needs a deploy key and user {} has none; {}", source_.url, source_.user, make);
}

Status Credentials::prepare_host_keys() {
    if (source_.url.scheme() != RepositoryUrl::Scheme::ssh)
        return ok();
    place_ = ssh_place_of(url_);
    host_keys_ = TRY(HostKeys::load(source_.home, place_.host, place_.port));
    offer_host_key_algorithms(host_keys_.algorithms());
    return ok();
}

int Credentials::check_host_key(const git_cert& certificate) {
    const auto& key = reinterpret_cast<const git_cert_hostkey&>(certificate); // as libgit2 documents it
    if (certificate.cert_type != GIT_CERT_HOSTKEY_LIBSSH2 || (key.type & GIT_CERT_SSH_RAW) == 0)
        return refuse(fmt::format("{} showed no host key that pgod can check", source_.url),
                      GIT_ECERTIFICATE);
    const std::string_view blob(key.hostkey, key.hostkey_len);
    const auto check = host_keys_.check(blob);
    const auto shown =
        fmt::format("{} {}", escaped(shortened(type_of_key_blob(blob), 40)), fingerprint_of(blob));
    switch (check.standing) {
    case HostKeyStanding::known:
        return 0; // never 1: libgit2 1.5 takes that as "accept what is invalid" (libgit2 issue 5496)
    case HostKeyStanding::revoked:
        return refuse(
            fmt::format("the ssh host key of {} ({}) is revoked by {}: ask the administrator of that "
                        "server for its new key",
                        source_.url, shown, escaped(check.where)),
            GIT_ECERTIFICATE);
    case HostKeyStanding::changed:
        return refuse(fmt::format("the ssh host key of {} has changed: it is {}, and {} names another one. "
                                  "Somebody may be in between: ask the administrator of that server for the "
                                  "fingerprint, and do not connect before it is the same",
                                  source_.url, shown, escaped(check.where)),
                      GIT_ECERTIFICATE);
    case HostKeyStanding::other_type:
        return refuse(fmt::format("the ssh host key of {} ({}) is of another type than the one in {}; {}",
                                  source_.url, shown, escaped(check.where), how_to_add(blob)),
                      GIT_ECERTIFICATE);
    case HostKeyStanding::unknown:
        break;
    }
    return refuse(fmt::format("the ssh host key of {} ({}) is not in {}/.ssh/known_hosts; {}", source_.url,
                              shown, source_.home, how_to_add(blob)),
                  GIT_ECERTIFICATE);
}

std::string Credentials::how_to_add(std::string_view blob) const {
    const auto type = type_of_key_blob(blob);
    const auto kind = type == "ssh-ed25519" ? "ed25519" : type.starts_with("ecdsa-") ? "ecdsa" : "rsa";
    const auto port = place_.port == 22 ? std::string() : fmt::format("-p {} ", place_.port);
    return fmt::format(
        "compare the fingerprint with the administrator's, then add the key with: runuser -u {0} -- "
        "sh -c 'mkdir -p -m 700 {1}/.ssh && ssh-keyscan -t {2} {3}{4} >> {1}/.ssh/known_hosts'",
        source_.user, source_.home, kind, port, place_.host);
}

} // namespace pgod::git
