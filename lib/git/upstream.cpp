#include "git/upstream.hpp"

#include "git/failure.hpp"
#include "git/library.hpp"
#include "git/network_deadline.hpp"
#include "git/stream.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace pgod::git {

namespace {

std::string refspec_of(const std::string& branch) {
    return fmt::format("+refs/heads/{}:{}", branch, local_ref_of(branch)); // forced: history may be rewritten
}

std::string path_of_file_url(const RepositoryUrl& url) {
    return url.whole().reveal().substr(std::string_view("file://").size());
}

} // namespace

std::string local_ref_of(const std::string& branch) {
    return "refs/remotes/origin/" + branch;
}

Upstream::Upstream(git_repository* repository, const Source& source)
    : repository_(repository)
    , source_(source)
    , credentials_(source) {}

git_remote_callbacks Upstream::callbacks() {
    git_remote_callbacks made = GIT_REMOTE_CALLBACKS_INIT;
    made.payload = this;
    made.credentials = [](git_credential** out, const char* url, const char*, unsigned allowed,
                          void* self) noexcept {
        return static_cast<Upstream*>(self)->credentials_.answer(out, url, allowed);
    };
    made.transfer_progress = [](const git_indexer_progress* progress, void* self) noexcept {
        return static_cast<Upstream*>(self)->on_progress(*progress);
    };
    // For ssh only. TLS certificates are judged in stream.cpp, and no callback can overrule that.
    if (source_.url.scheme() == RepositoryUrl::Scheme::ssh)
        made.certificate_check = [](git_cert* certificate, int, const char*, void* self) noexcept {
            return static_cast<Upstream*>(self)->credentials_.check_host_key(*certificate);
        };
    return made;
}

int Upstream::on_progress(const git_indexer_progress& progress) {
    too_large_ = progress.received_bytes > source_.max_bytes;
    return too_large_ || NetworkDeadline::passed() ? GIT_EUSER : 0;
}

Error Upstream::failure(int rc) const {
    if (credentials_.refusal())
        return *credentials_.refusal();
    if (too_large_)
        return Error{Code::permanent, fmt::format("{} sent more than the {} MiB that one fetch may have",
                                                  source_.url, source_.max_bytes >> 20)};
    if (NetworkDeadline::passed())
        return Error{Code::timeout, fmt::format("{} did not answer in time", source_.url)};
    // libgit2 says "could not find repository" for this as well.
    if (source_.url.scheme() == RepositoryUrl::Scheme::file &&
        ::access(path_of_file_url(source_.url).c_str(), R_OK | X_OK) != 0 && errno == EACCES)
        return Error{Code::denied,
                     fmt::format("user {} may not read {}: let the user's group read it, or make it "
                                 "readable for everybody",
                                 source_.user, source_.url)};
    return git_failure(rc, fmt::format("cannot sync from {}", source_.url));
}

Status Upstream::connect() {
    TRY(credentials_.prepare_host_keys());
    const char* url = credentials_.url().c_str();
    const int made = repository_ == nullptr ? git_remote_create_detached(Out(remote_), url)
                                            : git_remote_create_anonymous(Out(remote_), repository_, url);
    if (made < 0)
        return failure(made);
    git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
    options.callbacks = callbacks();
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE; // a redirect would take the credentials along
    use_own_plain_streams(source_.url.scheme() != RepositoryUrl::Scheme::ssh);
    const ForeignOwnerAllowed foreign(source_.url.scheme() == RepositoryUrl::Scheme::file);
    if (const int rc = git_remote_connect_ext(remote_.get(), GIT_DIRECTION_FETCH, &options); rc < 0) {
        Error error = failure(rc);
        if (error.code == Code::internal || error.code == Code::invalid) // upstream's store, not ours
            error.code = Code::transient;
        return error;
    }
    return ok();
}

Result<std::string> Upstream::tip() {
    TRY(connect());
    const git_remote_head** heads = nullptr;
    std::size_t count = 0;
    if (const int rc = git_remote_ls(&heads, &count, remote_.get()); rc < 0)
        return failure(rc);
    if (count == 0)
        return Error{Code::gone, fmt::format("{} is an empty repository: it has no branch \"{}\" yet",
                                             source_.url, source_.branch)};
    const std::string wanted = "refs/heads/" + source_.branch;
    const git_remote_head** const end = heads + count;
    const auto* const found =
        std::find_if(heads, end, [&](const auto* head) { return wanted == head->name; });
    if (found == end)
        return Error{Code::gone,
                     fmt::format("{} has no branch \"{}\": it was deleted, renamed or never pushed",
                                 source_.url, source_.branch)};
    return std::string(git_oid_tostr_s(&(*found)->oid));
}

Status Upstream::fetch() {
    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.callbacks = callbacks();
    options.prune = GIT_FETCH_NO_PRUNE;
    options.update_fetchhead = 0;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    std::string refspec = refspec_of(source_.branch);
    char* refspecs[] = {refspec.data()};
    const git_strarray list{refspecs, 1};
    const ForeignOwnerAllowed foreign(source_.url.scheme() == RepositoryUrl::Scheme::file);
    if (const int rc = git_remote_fetch(remote_.get(), &list, &options, nullptr); rc < 0)
        return failure(rc);
    return ok();
}

} // namespace pgod::git
