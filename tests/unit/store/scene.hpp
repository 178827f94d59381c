// A directory for state.db, a store in it with what it said, and a durable state with a value in every field.
#pragma once

#include "store/store.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace pgod::store {

struct Directory {
    Directory() {
        char pattern[] = "/tmp/pgod-test-XXXXXX";
        path = ::mkdtemp(pattern);
    }
    ~Directory() { std::filesystem::remove_all(path); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::string file() const { return path + "/state.db"; }
    std::string path;
};

struct Opened {
    explicit Opened(const std::string& directory)
        : store(directory, [this](bool problem, const std::string& sentence) {
            (problem ? problems : notes).push_back(sentence);
        }) {
        const auto opened = store.open();
        REQUIRE_MESSAGE(opened, opened.error().message);
    }
    Store* operator->() { return &store; }
    reconcile::Durable loaded(const std::string& service) {
        auto found = store.load(service);
        REQUIRE_MESSAGE(found, found.error().message);
        REQUIRE(found->has_value());
        return std::move(**found);
    }
    std::vector<std::string> problems, notes;
    Store store;
};

inline reconcile::Time at(long long milliseconds) {
    return reconcile::Time(std::chrono::milliseconds(milliseconds));
}

inline reconcile::Durable stopped() {
    reconcile::Durable durable;
    durable.intent.desired = Desired::stopped;
    durable.intent.by = "ann.pub (SHA256:x) from 192.0.2.1";
    durable.intent.since = at(1'700'000'000'123);
    durable.settled = std::string(40, 'a');
    durable.outcome = Outcome::rolled_back;
    durable.reason = "it's \"broken\"";
    durable.deployments = 42;
    return durable;
}

// Every field has a value that no other has.
inline reconcile::Durable suspended() {
    reconcile::Durable durable = stopped();
    durable.last_good = std::string(40, 'b');
    durable.waiting = std::string(40, 'c');
    durable.stopping = Op::down;
    durable.suspension =
        reconcile::Suspension{"bob.pub (SHA256:y) from 2001:db8::1", at(1), at(2), "disk is being replaced"};
    durable.quarantine = {{std::string(40, 'd'), "exited with 1", at(3)},
                          {std::string(40, 'e'), "", at(4), true}};
    durable.decision = {"dddddddd is left alone: exited with 1", at(5), DecisionKind::quarantined,
                        std::string(40, 'd')};
    return durable;
}

inline DeploymentRow deployment(std::uint64_t number) {
    DeploymentRow row;
    row.number = number;
    row.commit = std::string(40, 'f');
    row.trigger = Trigger::retry;
    row.who = "ann.pub (SHA256:x) from 192.0.2.1";
    row.started = at(static_cast<long long>(number) * 1000);
    return row;
}

// The file, opened by somebody else.
struct Stranger {
    explicit Stranger(const std::string& file) {
        REQUIRE(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
    }
    ~Stranger() { sqlite3_close(database); }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;
    void run(const char* sql) const {
        char* problem = nullptr;
        const int code = sqlite3_exec(database, sql, nullptr, nullptr, &problem);
        REQUIRE_MESSAGE(code == SQLITE_OK, (problem == nullptr ? "" : problem));
    }
    int number(const char* sql) const {
        int found = -1;
        const auto note = [](void* into, int, char** values, char**) {
            *static_cast<int*>(into) = std::atoi(values[0]);
            return 0;
        };
        REQUIRE(sqlite3_exec(database, sql, note, &found, nullptr) == SQLITE_OK);
        return found;
    }
    sqlite3* database = nullptr;
};

} // namespace pgod::store
