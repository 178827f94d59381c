// Supervisor: the pgod process itself, root, one thread. Wires configuration, store, keys, git jobs, the SSH
// endpoint and one actor per service together, and runs the loop until SIGTERM or SIGINT. Handles no byte
// that came from the network or a repository, only small frames that lib/ipc has judged.
#pragma once

#include "core/key_book.hpp"
#include "core/service.hpp"
#include "daemon/control_endpoint.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/git_jobs.hpp"
#include "daemon/metrics_endpoint.hpp"
#include "daemon/operations.hpp"
#include "daemon/service_order.hpp"
#include "daemon/ssh_endpoint.hpp"
#include "daemon/survey.hpp"
#include "daemon/urls.hpp"
#include "daemon/users_endpoint.hpp"
#include "os/service_manager.hpp"
#include "store/store.hpp"

#include <string>

namespace pgod::daemon {

class Supervisor {
  public:
    Supervisor(std::string config_path, Config config);
    ~Supervisor();

    // Returns when asked to stop, or with what made starting impossible.
    Status run();

  private:
    static std::size_t users_with_services(const Config& config);
    Status prepare_state();
    Status load_keys();
    void reload_keys();
    void add_service(Service service);
    // remove_vanished_services: those that are no longer in the file are taken down.
    void reload(bool remove_vanished_services);
    void remove_vanished();
    void forget(const std::string& service);
    void bury(const std::string& service);
    std::string look_of_files() const;
    void watch_files();
    void watch_store();
    void serves();                             // the endpoint listens
    void say_alive();                          // to a service manager that watches
    std::vector<std::string> snapshot() const; // ipc/metrics_messages.hpp
    void urls_changed();                       // soon: once, however many services have changed theirs
    void follow_urls();
    ActorPorts ports();

    os::ServiceManager manager_ = os::ServiceManager::from_environment();
    std::string config_path_;
    Config config_;
    std::string files_seen_;     // what the watched files looked like when they were read
    std::string files_settling_; // …and when they were looked at last
    reconcile::Time started_ = wall_clock();
    reconcile::Time configured_ = started_; // config_ was read
    bool reads_configuration_ = true;       // the file was good the last time that it was read
    Tally tally_;
    EventLoop loop_;
    KeyBook keys_;
    store::Store store_;
    GitJobs git_;
    UserSessions sessions_;
    Places places_;
    Surveys surveys_;
    Actors actors_;
    ServiceOrder order_;
    Urls urls_;
    AuditLog audit_;
    AuditLog refused_; // strangers.hpp
    Operations operations_;
    SshEndpoint endpoint_;
    ControlEndpoint control_;
    UsersEndpoint users_;
    MetricsEndpoint metrics_;
    EventLoop::Timer file_watch_;
    EventLoop::Timer urls_due_;
    EventLoop::Timer store_watch_;
    bool vanished_wait_ = false; // those that vanished could not be read
    EventLoop::Timer alive_;
};

} // namespace pgod::daemon
