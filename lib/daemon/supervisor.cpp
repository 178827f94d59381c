#include "daemon/supervisor.hpp"

#include "core/object_names.hpp"
#include "os/log.hpp"
#include "os/safe_path.hpp"
#include "os/spawn.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto store_interval = 5s;
constexpr std::size_t most_ssh_connections = 160; // twice what pgod-ssh keeps; some have ended there already
constexpr std::size_t max_key_file = std::size_t{1024} * 1024;

// The admin's key files. One that is not there holds no keys; one that others may write is not believed.
Result<KeyFile> read_keys(const std::string& path) {
    auto text = os::read_file(path, max_key_file);
    if (!text && text.error().code == Code::gone)
        return KeyFile{};
    if (!text)
        return std::move(text).error();
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || (status.st_mode & 022) != 0)
        return Error{Code::denied, path + " may be written by others than its owner; chmod go-w " + path};
    return parse_key_file(*text, "");
}

// A revocation that is not understood must not be lost.
Result<KeyFile> read_revoked_keys(const std::string& path) {
    auto file = TRY(read_keys(path));
    if (!file.warnings.empty())
        return Error{Code::invalid, fmt::format("{}: {}; every line there must be a public key", path,
                                                file.warnings.front())};
    return file;
}

} // namespace

std::size_t Supervisor::users_with_services(const Config& config) {
    std::set<std::string> users;
    for (const auto& service : config.services)
        users.insert(service.user);
    return users.size();
}

Supervisor::Supervisor(std::string config_path, Config config)
    : config_path_(std::move(config_path))
    , config_(std::move(config))
    , files_seen_(look_of_files())
    , store_(config_.state,
             [](bool problem, const std::string& sentence) {
                 os::log_line(problem ? os::Level::error : os::Level::info, sentence);
             })
    , git_(loop_)
    , sessions_(loop_)
    , places_(config_.parallel, users_with_services(config_))
    , surveys_(loop_)
    , order_(loop_, actors_, places_)
    , urls_(loop_, config_.state)
    , audit_(config_.state)
    , refused_(config_.state, AuditLog::usual_max_file, "refused.log")
    , operations_(loop_, keys_, actors_, store_, urls_, audit_, refused_, tally_,
                  [this](std::uint64_t ssh_id, bool kept) { endpoint_.place(ssh_id, kept); })
    , endpoint_(
          loop_,
          [this](os::UpperEnd line, std::string peer, std::uint64_t id) {
              if (operations_.open_ssh() >= most_ssh_connections)
                  return false;
              operations_.accept(std::move(line), {std::move(peer), {}, id});
              return true;
          },
          [this] { serves(); }, [this] { tally_.refused(Refusal::full); })
    , control_(loop_,
               [this](os::Channel channel, uid_t uid) {
                   const auto refusal = operations_.turned_away(uid);
                   if (!refusal)
                       return operations_.accept(os::UpperEnd::to_equal(std::move(channel)), {"local", uid});
                   (void)channel.try_receive(); // left unread it would take the answer with it
                   (void)channel.try_send(ipc::encode(ipc::SshReply(*refusal)));
               })
    , users_(
          loop_, [this](uid_t uid) { return operations_.turned_away(uid); },
          [this](os::UpperEnd line, uid_t uid) {
              operations_.accept(std::move(line), {"local", uid});
          })
    , metrics_(loop_, [this] { return snapshot(); }) {}

// What goes now gives its slot back, and nobody is to begin with it.
Supervisor::~Supervisor() {
    places_.close();
}

Status Supervisor::prepare_state() {
    TRY_DOING(os::make_own_directory(config_.state, 0711), "state");
    TRY_DOING(os::make_own_directory(config_.state + "/services", 0711), "state");
    TRY_DOING(os::make_own_directory(config_.state + "/empty", 0555), "state");
    TRY(store_.open());
    return ok();
}

// What cannot be read leaves the keys that were read before.
Status Supervisor::load_keys() {
    auto revoked = TRY(read_revoked_keys(config_.revoked_keys));
    auto admins = TRY(read_keys(config_.admin_keys));
    for (const auto& warning : admins.warnings)
        os::log_warning("{}: {}", config_.admin_keys, warning);
    keys_.set_revoked(std::move(revoked.keys));
    keys_.set_admins(std::move(admins.keys));
    return ok();
}

void Supervisor::reload_keys() {
    if (auto loaded = load_keys(); !loaded)
        os::log_error("{}; the admin and revoked keys read before stay", loaded.error().message);
}

ActorPorts Supervisor::ports() {
    return ActorPorts{
        loop_,
        git_,
        surveys_,
        store_,
        keys_,
        sessions_,
        places_,
        tally_,
        config_.state + "/services",
        [this](reconcile::CommandId command, std::string_view sentence) {
            operations_.say(command, sentence);
        },
        [this](reconcile::CommandId command) { return operations_.streams(command); },
        [this](const reconcile::Finish& end) { operations_.finish(end.command, end.exit_status, end.last); },
        [this](const reconcile::Attach& wish, ServiceActor& actor) {
            operations_.attach(wish.command, actor, wish.deployment);
        },
        [this](const Service& service, reconcile::Settings& settings) {
            order_.look_at_others(service, settings);
        },
        [this](const Service& service) { return urls_.taken_from(service); },
        [this] { urls_changed(); },
        [this](const Service& service) { return neighbours_of(service, config_.services); },
        [this](const Service& service) { return nesting_neighbours_of(service, config_.services); },
        [this](const std::string& service) { order_.stirred(service); },
        [this](const std::string& service) { loop_.post([this, service] { forget(service); }); },
    };
}

void Supervisor::add_service(Service service) {
    const std::string name = service.name;
    auto actor = std::make_unique<ServiceActor>(ports(), std::move(service));
    actors_.emplace(name, std::move(actor)).first->second->start();
}

Status Supervisor::run() {
    (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); // credentials of repositories are in our memory
    (void)::signal(SIGPIPE, SIG_IGN);
    auto passed = os::passed_listeners();
    const std::string where =
        passed.empty() ? fmt::format(" on {}:{}", config_.listen.host, config_.listen.port) : "";
    os::raise_descriptor_limit();
    sessions_.set_lingering(config_.linger);
    TRY(prepare_state());
    TRY(load_keys());
    TRY(git_.start());
    TRY(endpoint_.start(config_, config_.state + "/empty", std::move(passed)));
    order_.follow(config_.services);
    control_.start(config_);
    users_.start(config_, config_.state + "/empty");
    metrics_.follow(config_.metrics, config_.state + "/empty");
    for (const auto& service : config_.services)
        add_service(service);
    urls_changed();
    store_.on_new_file([this] {
        for (const auto& [name, actor] : actors_)
            actor->write_down();
    });
    remove_vanished();
    for (const int number : std::array{SIGTERM, SIGINT})
        loop_.on_signal(number, [this] { loop_.stop(); });
    loop_.on_signal(SIGHUP, [this] { reload(true); });
    watch_files();
    watch_store();
    say_alive();
    os::log_info("pgod {} serves {} service{}{}", PGOD_VERSION, actors_.size(),
                 actors_.size() == 1 ? "" : "s", where);
    loop_.run();
    manager_.stopping();
    os::log_info("pgod stops; containers and deployments go on");
    return ok();
}

void Supervisor::urls_changed() {
    urls_due_ = loop_.after(0ms, [this] { follow_urls(); });
}

// Not before all that services were served with is known again: a start takes nobody's name away.
void Supervisor::follow_urls() {
    UrlClaims claims;
    for (const auto& [name, actor] : actors_) {
        if (!actor->claims())
            return; // it will say so
        claims.emplace(name, *actor->claims());
    }
    urls_.follow(config_, claims);
}

void Supervisor::serves() {
    metrics_.tell_now();
    manager_.ready(fmt::format("serves {} service{}", actors_.size(), actors_.size() == 1 ? "" : "s"));
}

// From the loop itself: one that is stuck says nothing.
void Supervisor::say_alive() {
    const auto interval = manager_.watchdog();
    if (!interval)
        return;
    manager_.alive();
    alive_ = loop_.after(*interval / 2, [this] { say_alive(); });
}

void Supervisor::forget(const std::string& service) {
    const auto actor = actors_.find(service);
    if (actor == actors_.end())
        return;
    const bool left_alone = actor->second->state().removal == reconcile::Removal::leave_alone;
    actors_.erase(actor);
    keys_.forget_service(service);
    tally_.deployments.erase(service);
    if (!left_alone)
        bury(service);
    os::log_info("{}: it {}", service, left_alone ? "is served no more" : "was removed");
    // It may have come back into the configuration while it was taken down.
    for (const auto& configured : config_.services)
        if (configured.name == service)
            add_service(configured);
    urls_changed();
}

// What was done for it stays in the history, and that it was removed.
void Supervisor::bury(const std::string& service) {
    store::DeploymentRow last;
    if (const auto rows = store_.deployments(service); rows && !rows->empty())
        last.number = rows->front().number;
    ++last.number;
    last.trigger = Trigger::config;
    last.started = wall_clock();
    last.ended = last.started;
    last.reason = "it was removed from the configuration, or its user changed, and was taken down";
    last.removed = true;
    store_.save_deployment(service, last);
    store_.forget(service);
}

void Supervisor::watch_store() {
    store_.try_again();
    if (vanished_wait_)
        remove_vanished();
    store_watch_ = loop_.after(store_interval, [this] { watch_store(); });
}

} // namespace pgod::daemon
