// The supervisor's configuration while it runs: taken anew on SIGHUP, and when a file has changed and come to
// rest. A file that does not load, or holds no service any more, changes nothing.
#include "daemon/supervisor.hpp"

#include "config/config.hpp"
#include "daemon/file_look.hpp"
#include "os/log.hpp"

#include <set>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto file_interval = 2s; // a file that did not change for as long is no longer being written

} // namespace

std::string Supervisor::look_of_files() const {
    return look_of(config_path_) + look_of(config_.admin_keys) + look_of(config_.revoked_keys);
}

void Supervisor::watch_files() {
    std::string looks = look_of_files();
    if (looks != files_seen_ && looks == files_settling_)
        reload(false);
    files_settling_ = std::move(looks);
    file_watch_ = loop_.after(file_interval, [this] { watch_files(); });
}

// Services that appear begin, changed ones are judged again. Ones that vanished are removed, and ones whose
// secrets changed judged again, on SIGHUP only, which somebody sends who has finished writing.
void Supervisor::reload(bool remove_vanished_services) {
    files_seen_ = look_of_files();
    auto report = load_config(config_path_);
    for (const auto& error : report.errors)
        os::log_error("{}", error);
    reads_configuration_ = report.config && (!report.config->services.empty() || config_.services.empty());
    if (!report.config) {
        os::log_error("the configuration was not reloaded; the one read before stays");
        return reload_keys();
    }
    for (const auto& warning : report.warnings)
        os::log_warning("{}", warning);
    Config& next = *report.config;
    if (next.services.empty() && !config_.services.empty()) {
        os::log_error("{} holds no service any more: it was not reloaded, and every service is left as it is",
                      config_path_);
        return reload_keys();
    }
    if (next.listen != config_.listen || next.state != config_.state || next.host_key != config_.host_key ||
        next.second_host_key != config_.second_host_key || next.control != config_.control ||
        next.control_users != config_.control_users)
        os::log_warning(
            "listen, state, host_key, control and control_users take effect when pgod is started again");
    next.listen = config_.listen;
    next.state = config_.state;
    next.host_key = config_.host_key;
    next.second_host_key = config_.second_host_key;
    next.control = config_.control;
    next.control_users = config_.control_users;
    config_ = std::move(next);
    configured_ = wall_clock();
    metrics_.follow(config_.metrics, config_.state + "/empty");
    sessions_.set_lingering(config_.linger);
    places_.set_parallel(config_.parallel, users_with_services(config_));
    reload_keys();
    order_.follow(config_.services);
    for (const auto& service : config_.services) {
        const auto actor = actors_.find(service.name);
        if (actor == actors_.end())
            add_service(service);
        else if (actor->second->service().user != service.user)
            actor->second->remove(true); // forget() adds it again, as the new user
        else if (actor->second->service() != service || actor->second->state().removal ||
                 (remove_vanished_services && actor->second->secrets_changed()))
            actor->second->reconfigure(service);
    }
    if (remove_vanished_services)
        remove_vanished();
    else if (actors_.size() > config_.services.size())
        os::log_warning("services that are no longer configured are served until SIGHUP or the next start");
    urls_changed();
    places_.look_again(); // who waited for another service may not come after it any more
    os::log_info("the configuration was reloaded: {} service{}", config_.services.size(),
                 config_.services.size() == 1 ? "" : "s");
}

// What was served once and is not in the configuration: taken down by the plan that it ran from, its files
// and volumes kept. An empty configuration is more likely a mistake than a wish, and removes nothing.
void Supervisor::remove_vanished() {
    const auto known = store_.known();
    vanished_wait_ = !known;
    if (!known)
        return; // the store has said why, and watch_store() comes back to it
    std::set<std::string> configured;
    for (const auto& service : config_.services)
        configured.insert(service.name);
    for (const auto& [name, user] : *known) {
        if (configured.contains(name))
            continue;
        if (configured.empty()) {
            os::log_warning(
                "{}: it is no longer configured, but neither is any other service: it is left as it is",
                name);
            continue;
        }
        const auto actor = actors_.find(name);
        if (!config_.prune) {
            os::log_warning(
                "{}: it is no longer configured; with prune = false its containers are left as they are",
                name);
            if (actor != actors_.end())
                actor->second->remove(false);
            continue;
        }
        if (actor == actors_.end()) {
            Service gone;
            gone.name = name;
            gone.user = user;
            add_service(std::move(gone));
        }
        actors_.at(name)->remove(true);
    }
}

} // namespace pgod::daemon
