#include "store/schema.hpp"

#include <fmt/format.h>

#include <array>

namespace pgod::store {

namespace {

// steps[N] makes a file of version N one of version N + 1; none is ever changed once it was released. Times
// are milliseconds since the epoch.
constexpr std::array<const char*, 5> steps{
    R"(
CREATE TABLE IF NOT EXISTS services (
    name          TEXT PRIMARY KEY,
    desired       TEXT NOT NULL,
    desired_by    TEXT NOT NULL,
    desired_since INTEGER,
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
)",
    R"(
ALTER TABLE services ADD COLUMN last_good TEXT NOT NULL DEFAULT '';  -- commit
ALTER TABLE services ADD COLUMN waiting TEXT NOT NULL DEFAULT '';    -- commit
ALTER TABLE services ADD COLUMN stopping TEXT NOT NULL DEFAULT '';   -- operation under way
ALTER TABLE services ADD COLUMN suspended_by TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN suspended_since INTEGER;             -- NULL: not suspended
ALTER TABLE services ADD COLUMN suspended_until INTEGER;
ALTER TABLE services ADD COLUMN suspended_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN decision TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN decided INTEGER;
UPDATE services SET last_good = settled WHERE outcome = 'ok';
CREATE TABLE quarantine (
    service  TEXT NOT NULL,
    position INTEGER NOT NULL,       -- 0: the oldest
    hash     TEXT NOT NULL,          -- of the commit
    reason   TEXT NOT NULL,
    since    INTEGER NOT NULL,
    held     INTEGER NOT NULL,       -- 1: by an operator, for no fault of its own
    PRIMARY KEY (service, position)
) STRICT;
CREATE TABLE deployments (
    service TEXT NOT NULL,
    number  INTEGER NOT NULL,
    hash    TEXT NOT NULL,           -- of the commit
    began   TEXT NOT NULL,           -- the trigger
    who     TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended   INTEGER,
    outcome TEXT,
    cause   TEXT NOT NULL,
    reason  TEXT NOT NULL,
    removed INTEGER NOT NULL,        -- 1: no deployment; the service was removed
    PRIMARY KEY (service, number)
) STRICT, WITHOUT ROWID;
)",
    R"(
ALTER TABLE keys ADD COLUMN options TEXT NOT NULL DEFAULT '';        -- as core/key_grant.hpp writes them
)",
    R"(
CREATE TABLE claims (
    service TEXT NOT NULL,
    name    TEXT NOT NULL,           -- DNS name that what runs asks for
    port    INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    PRIMARY KEY (service, name)
) STRICT, WITHOUT ROWID;
)",
    R"(
ALTER TABLE services ADD COLUMN decision_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN decision_commit TEXT NOT NULL DEFAULT '';
)",
};

Result<std::uint64_t> version_of(sqlite3* database) {
    auto row = TRY(Statement::prepare(database, "PRAGMA user_version", "read the version"));
    if (!TRY(row.next()))
        return Error{Code::internal, "state.db: it has no version"};
    return row.number(0);
}

} // namespace

Status bring_forward(sqlite3* database) {
    constexpr auto newest = steps.size();
    const auto version = TRY(version_of(database));
    if (version == newest)
        return ok();
    if (version > newest)
        return Error{
            Code::permanent,
            fmt::format("state.db was written by a newer pgod (format {}, this one knows {}): install that "
                        "version again, or move the file away",
                        version, newest)};
    auto transaction = TRY(Transaction::begin(database, "make the tables"));
    for (auto step = version; step < newest; ++step)
        TRY(execute(database, steps[step],
                    fmt::format("bring the tables from format {} to {}", step, step + 1)));
    TRY(execute(database, fmt::format("PRAGMA user_version = {}", newest).c_str(), "set the version"));
    return transaction.commit();
}

} // namespace pgod::store
