#include "store/store.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <string_view>

namespace pgod::store {

namespace {

constexpr int schema_version = 1;

constexpr const char* schema = R"(
CREATE TABLE IF NOT EXISTS services (
    name          TEXT PRIMARY KEY,
    desired       TEXT NOT NULL,
    desired_by    TEXT NOT NULL,
    desired_since INTEGER,           -- milliseconds since the epoch
    settled       TEXT NOT NULL,     -- commit
    outcome       TEXT,
    reason        TEXT NOT NULL,
    deployments   INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS known (
    name TEXT PRIMARY KEY,
    user TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS keys (
    service TEXT NOT NULL,
    type    TEXT NOT NULL,
    base64  TEXT NOT NULL,
    name    TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS keys_of_service ON keys (service);
)";

// The one place where SQLite's codes become ours.
Error failure(sqlite3* database, int code, std::string_view doing) {
    const char* detail = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    const int primary = code & 0xff;
    Code ours = Code::internal;
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_FULL ||
        primary == SQLITE_IOERR || primary == SQLITE_READONLY || primary == SQLITE_CANTOPEN)
        ours = Code::transient;
    else if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
        ours = Code::invalid;
    return Error{ours, fmt::format("state.db: {}: {}", doing, detail)};
}

Status execute(sqlite3* database, const char* sql, std::string_view doing) {
    const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK)
        return failure(database, code, doing);
    return ok();
}

Result<int> user_version(sqlite3* database) {
    Handle<sqlite3_stmt, sqlite3_finalize> statement;
    int code = sqlite3_prepare_v2(database, "PRAGMA user_version", -1, Out(statement), nullptr);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement.get());
    if (code != SQLITE_ROW)
        return failure(database, code, "read the version");
    return sqlite3_column_int(statement.get(), 0);
}

std::string text_column(sqlite3_stmt* statement, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    return text == nullptr
               ? std::string()
               : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
}

void bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
    (void)sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

} // namespace

Result<Store::Database> Store::open_database(const std::string& path) {
    Database database;
    const int code =
        sqlite3_open_v2(path.c_str(), Out(database),
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, nullptr);
    if (code != SQLITE_OK)
        return failure(database.get(), code, "open");
    (void)sqlite3_busy_timeout(database.get(), 5000);
    TRY(execute(database.get(), "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", "open"));
    const int version = TRY(user_version(database.get()));
    if (version > schema_version)
        return Error{
            Code::permanent,
            fmt::format("state.db was written by a newer pgod (format {}, this one knows {}): install that "
                        "version again, or move the file away",
                        version, schema_version)};
    TRY(execute(database.get(), schema, "make the tables"));
    TRY(execute(database.get(), fmt::format("PRAGMA user_version = {}", schema_version).c_str(),
                "set the version"));
    return database;
}

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

Result<Store::Statement> Store::prepare(const char* sql) {
    Statement statement;
    const int code = sqlite3_prepare_v2(database_.get(), sql, -1, Out(statement), nullptr);
    if (code != SQLITE_OK)
        return failure(database_.get(), code, "prepare a statement");
    return statement;
}

Result<std::optional<reconcile::Durable>> Store::load(const std::string& service) {
    const Statement statement =
        TRY(prepare("SELECT desired, desired_by, desired_since, settled, outcome, reason, "
                    "deployments FROM services WHERE name = ?"));
    bind_text(statement.get(), 1, service);
    const int code = sqlite3_step(statement.get());
    if (code == SQLITE_DONE)
        return std::optional<reconcile::Durable>{};
    if (code != SQLITE_ROW)
        return failure(database_.get(), code, "read service " + service);
    reconcile::Durable durable;
    durable.intent.desired = desired_named(text_column(statement.get(), 0)).value_or(Desired::running);
    durable.intent.by = text_column(statement.get(), 1);
    if (sqlite3_column_type(statement.get(), 2) != SQLITE_NULL)
        durable.intent.since =
            reconcile::Time(std::chrono::milliseconds(sqlite3_column_int64(statement.get(), 2)));
    durable.settled = text_column(statement.get(), 3);
    durable.outcome = outcome_named(text_column(statement.get(), 4));
    durable.reason = text_column(statement.get(), 5);
    durable.deployments = static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 6));
    return std::optional(std::move(durable));
}

Status Store::save(const std::string& service, const reconcile::Durable& durable) {
    const Statement statement = TRY(prepare(
        "INSERT OR REPLACE INTO services (name, desired, desired_by, desired_since, settled, outcome, "
        "reason, deployments) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
    bind_text(statement.get(), 1, service);
    bind_text(statement.get(), 2, name_of(durable.intent.desired));
    bind_text(statement.get(), 3, durable.intent.by);
    if (durable.intent.since)
        (void)sqlite3_bind_int64(statement.get(), 4, durable.intent.since->time_since_epoch().count());
    bind_text(statement.get(), 5, durable.settled);
    if (durable.outcome)
        bind_text(statement.get(), 6, name_of(*durable.outcome));
    bind_text(statement.get(), 7, durable.reason);
    (void)sqlite3_bind_int64(statement.get(), 8, static_cast<sqlite3_int64>(durable.deployments));
    return finish(statement.get(), service);
}

Status Store::remember(const std::string& service, const std::string& user) {
    const Statement statement = TRY(prepare("INSERT OR REPLACE INTO known (name, user) VALUES (?, ?)"));
    bind_text(statement.get(), 1, service);
    bind_text(statement.get(), 2, user);
    return finish(statement.get(), service);
}

Result<std::vector<Store::Known>> Store::known() {
    const Statement statement = TRY(prepare("SELECT name, user FROM known"));
    std::vector<Known> found;
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement.get())) == SQLITE_ROW)
        found.push_back({text_column(statement.get(), 0), text_column(statement.get(), 1)});
    if (code != SQLITE_DONE)
        return failure(database_.get(), code, "read the known services");
    return found;
}

Status Store::forget(const std::string& service) {
    for (const char* sql : {"DELETE FROM keys WHERE service = ?", "DELETE FROM services WHERE name = ?",
                            "DELETE FROM known WHERE name = ?"}) {
        const Statement statement = TRY(prepare(sql));
        bind_text(statement.get(), 1, service);
        TRY(finish(statement.get(), service));
    }
    return ok();
}

Result<std::vector<PublicKey>> Store::load_keys(const std::string& service) {
    const Statement statement = TRY(prepare("SELECT type, base64, name FROM keys WHERE service = ?"));
    bind_text(statement.get(), 1, service);
    std::vector<PublicKey> keys;
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement.get())) == SQLITE_ROW)
        keys.push_back({text_column(statement.get(), 0), text_column(statement.get(), 1),
                        text_column(statement.get(), 2)});
    if (code != SQLITE_DONE)
        return failure(database_.get(), code, "read the keys of " + service);
    return keys;
}

Status Store::save_keys(const std::string& service, const std::vector<PublicKey>& keys) {
    TRY(execute(database_.get(), "BEGIN IMMEDIATE", "write keys"));
    const auto written = write_keys(service, keys);
    TRY(execute(database_.get(), written ? "COMMIT" : "ROLLBACK", "write keys"));
    return written;
}

Status Store::write_keys(const std::string& service, const std::vector<PublicKey>& keys) {
    const Statement remove = TRY(prepare("DELETE FROM keys WHERE service = ?"));
    bind_text(remove.get(), 1, service);
    TRY(finish(remove.get(), service));
    for (const auto& key : keys) {
        const Statement insert =
            TRY(prepare("INSERT INTO keys (service, type, base64, name) VALUES (?, ?, ?, ?)"));
        bind_text(insert.get(), 1, service);
        bind_text(insert.get(), 2, key.type);
        bind_text(insert.get(), 3, key.base64);
        bind_text(insert.get(), 4, key.name);
        TRY(finish(insert.get(), service));
    }
    return ok();
}

// Runs a statement that yields no rows.
Status Store::finish(sqlite3_stmt* statement, const std::string& service) {
    const int code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        return failure(database_.get(), code, "write service " + service);
    return ok();
}

} // namespace pgod::store
