// What a job shows to a server: to an http server the user and password of the URL or of the admin's file, to
// an ssh server the admin's key, or without one the deploy key of the service's user. The URL that libgit2
// gets, and may store or print, never holds a password.
#pragma once

#include "base/secret.hpp"
#include "git/handles.hpp"
#include "git/host_keys.hpp"
#include "git/source.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pgod::git {

// Where an ssh server listens.
struct SshPlace {
    std::string host;
    std::uint16_t port = 22;
};

class Credentials {
  public:
    explicit Credentials(const Source& source);

    const std::string& url() const noexcept { return url_; } // without what it must not hold

    // Answers libgit2's question, which it asks again after each refusal: every secret is given once.
    int answer(git_credential** out, const char* asking_url, unsigned allowed);
    // For an ssh server, before connecting: reads what is known of its host key, and offers those types
    // first.
    Status prepare_host_keys();
    int check_host_key(const git_cert& certificate);

    // Why the server could not be served with what we have, once that is known.
    const std::optional<Error>& refusal() const noexcept { return refusal_; }

  private:
    int refuse(std::string sentence, int rc);
    int answer_password(git_credential** out, const char* asking_url);
    int answer_key(git_credential** out);
    std::string missing_key_sentence() const;
    std::string how_to_add(std::string_view blob) const;

    const Source& source_;
    std::string url_;
    std::string ssh_user_;
    SshPlace place_;
    HostKeys host_keys_;
    Secret user_;
    Secret password_;
    std::vector<std::string> keys_; // private key files, the next to be tried last
    std::string tried_;             // the key file that was offered last
    bool password_given_ = false;
    std::optional<Error> refusal_;
};

} // namespace pgod::git
