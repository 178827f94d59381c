#include "store/store.hpp"

#include "store/schema.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <ctime>

namespace pgod::store {

namespace {

Result<Database> open_database(const std::string& path) {
    Database database;
    const int code =
        sqlite3_open_v2(path.c_str(), Out(database),
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, nullptr);
    if (code != SQLITE_OK)
        return failure(database.get(), code, "open");
    (void)sqlite3_busy_timeout(database.get(), 5000);
    TRY(execute(database.get(), "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", "open"));
    TRY(bring_forward(database.get()));
    return database;
}

} // namespace

Result<Store> Store::open(const std::string& directory) {
    const std::string path = directory + "/state.db";
    const mode_t before = ::umask(077);
    auto database = open_database(path);
    std::string aside;
    if (!database && database.error().code == Code::invalid) {
        aside = fmt::format("{}.corrupt-{}", path, std::time(nullptr));
        for (const auto* suffix : std::array{"", "-wal", "-shm"})
            (void)std::rename((path + suffix).c_str(), (aside + suffix).c_str());
        database = open_database(path);
    }
    ::umask(before);
    if (!database)
        return std::move(database).error();
    Store store(std::move(*database));
    store.set_aside_ = std::move(aside);
    return store;
}

Result<Statement> Store::prepare(const char* sql, const std::string& service) {
    return Statement::prepare(database_.get(), sql, "service " + service);
}

Status Store::remove(const char* sql, const std::string& service) {
    auto statement = TRY(prepare(sql, service));
    return statement.bind(service).run();
}

} // namespace pgod::store
