#include "git/sync.hpp"

#include "base/text.hpp"
#include "git/compact.hpp"
#include "git/failure.hpp"
#include "git/keys.hpp"
#include "git/local.hpp"
#include "git/network_deadline.hpp"
#include "git/replace.hpp"
#include "git/upstream.hpp"
#include "os/safe_path.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace pgod::git {

namespace {

// Beside the repository: where it came from, without credentials.
const std::string source_name = "repo.source";
constexpr std::size_t max_source = std::size_t{16} * 1024;

// The steps of one sync; its state is what they hand on.
class Sync {
  public:
    explicit Sync(const SyncRequest& request)
        : request_(request) {}
    SyncResult run();

  private:
    Status prepare();
    Status update();
    Status fetch_anew(std::string_view reason);
    bool is_of_another_upstream() const;
    Status adopt(Result<Local> opened);
    Status load_keys();
    Status bring_up_to_date();
    void compare();

    const SyncRequest& request_;
    Fd directory_;
    Fd lock_;
    Local local_;
    std::string before_;  // the local tip when the sync began
    RepositoryKeys keys_; // of the local tip
    SyncResult result_;
};

Status Sync::prepare() {
    directory_ = TRY(os::open_directory(request_.directory));
    lock_ = TRY(lock_repository(directory_.get()));
    TRY(clear_leftovers(directory_.get(), repository_name));
    clear_repository_leftovers(directory_.get(), repository_name);
    int valid = 0;
    git_reference_name_is_valid(&valid, local_ref_of(request_.source.branch).c_str());
    if (valid == 0)
        return Error{Code::invalid, fmt::format("\"{}\" is no branch name", escaped(request_.source.branch))};
    TRY(adopt(open_local(request_.directory, request_.source.branch)));
    if (is_of_another_upstream())
        local_ = {};
    before_ = local_.tip;
    return ok();
}

// What was fetched from another URL gives this service neither a tip nor keys.
bool Sync::is_of_another_upstream() const {
    const auto noted = os::read_file_beneath(directory_.get(), source_name, max_source);
    return noted && *noted != request_.source.url.redacted();
}

Status Sync::adopt(Result<Local> opened) {
    local_ = TRY(std::move(opened));
    return ok();
}

// The whole branch into a new repository, which then takes the old one's place. Until then nothing is lost.
Status Sync::fetch_anew(std::string_view reason) {
    const std::string name = repository_name;
    TRY(clear_leftovers(directory_.get(), name));
    {
        const auto fresh = TRY(create_bare(request_.directory, fresh_name_of(name)));
        Upstream upstream(fresh.get(), request_.source);
        auto tip = upstream.tip();
        auto fetched = tip ? upstream.fetch() : Status(std::move(tip).error());
        if (!fetched) {
            (void)os::remove_tree(directory_.get(), fresh_name_of(name));
            return fetched;
        }
    }
    record_size(fmt::format("{}/{}", request_.directory, fresh_name_of(name)));
    local_ = {};
    TRY(replace_directory(directory_.get(), name));
    // Noted last: interrupted in between, the repository is at worst fetched again.
    TRY(os::write_file_atomically(directory_.get(), source_name, request_.source.url.redacted(), 0600));
    if (!reason.empty())
        result_.warnings.push_back(
            fmt::format("the local repository was damaged and was fetched anew ({})", reason));
    return adopt(open_local(request_.directory, request_.source.branch));
}

Status Sync::update() {
    if (!local_.repository || !local_.damage.empty())
        return fetch_anew(local_.damage);
    Upstream upstream(local_.repository.get(), request_.source);
    const auto tip = TRY(upstream.tip());
    if (tip == local_.tip)
        return ok();
    if (auto fetched = upstream.fetch(); !fetched) {
        // The network has classes of its own: this is our store, which the fetch has to read as well.
        if (fetched.error().code != Code::internal)
            return fetched;
        return fetch_anew(fetched.error().message);
    }
    return adopt(open_local(request_.directory, request_.source.branch));
}

void Sync::compare() {
    result_.tip = local_.tip;
    result_.moved = !local_.tip.empty() && local_.tip != request_.known;
    const auto& base = request_.known.empty() ? before_ : request_.known;
    if (!result_.moved || base.empty() || base == local_.tip)
        return;
    const auto old = find_commit(local_.repository.get(), base);
    const auto now = find_commit(local_.repository.get(), local_.tip);
    if (!old || !now) { // the whole history is here: a commit that is not, is no ancestor
        result_.rewritten = !old && old.error().code == Code::gone;
        return;
    }
    result_.rewritten = git_graph_descendant_of(local_.repository.get(), git_commit_id(now->get()),
                                                git_commit_id(old->get())) == 0;
}

Status Sync::load_keys() {
    keys_ = {};
    if (!local_.tip.empty())
        keys_ = TRY(read_keys(local_.repository.get(), local_.tip));
    return ok();
}

// A tip is only reported together with its keys: what could not be read must not look like a commit that has
// none, which would lock everybody out.
Status Sync::bring_up_to_date() {
    const NetworkDeadline deadline(request_.network_deadline);
    auto updated = update();
    auto loaded = load_keys();
    if (updated && !loaded) {
        updated = fetch_anew(loaded.error().message);
        loaded = load_keys();
    }
    if (!loaded) {
        mark_damaged(request_.directory);
        local_.damage = loaded.error().message;
        local_.tip.clear();
    }
    return updated ? std::move(loaded) : std::move(updated);
}

SyncResult Sync::run() {
    auto done = prepare();
    if (done)
        done = bring_up_to_date();
    if (!done)
        result_.error = std::move(done).error();
    if (!local_.damage.empty())
        result_.warnings.push_back(fmt::format(
            "the local repository is damaged and is fetched anew once upstream answers ({})", local_.damage));
    compare();
    result_.keys = std::move(keys_.keys);
    for (auto& warning : keys_.warnings)
        if (result_.warnings.size() < max_warnings)
            result_.warnings.push_back(std::move(warning));
    return std::move(result_);
}

// The usual poll: upstream is where it was, and nothing of the local repository is looked at. nullopt: it
// moved.
std::optional<SyncResult> look_at_upstream(const SyncRequest& request) {
    const NetworkDeadline deadline(request.network_deadline);
    auto tip = Upstream(nullptr, request.source).tip();
    if (tip && *tip != request.known && !request.only_look)
        return std::nullopt;
    SyncResult result;
    result.only_looked = true;
    result.tip = tip ? *tip : request.known;
    if (!tip)
        result.error = std::move(tip).error();
    return result;
}

} // namespace

SyncResult sync(const SyncRequest& request) {
    if (!request.known.empty() || request.only_look)
        if (auto unmoved = look_at_upstream(request))
            return std::move(*unmoved);
    return Sync(request).run();
}

} // namespace pgod::git
