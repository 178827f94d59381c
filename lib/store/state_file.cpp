#include "store/state_file.hpp"

#include "store/schema.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pgod::store {

namespace {

constexpr int patience = 250; // ms, for somebody else's lock

Result<Database> open_database(const std::string& path, int flags) {
    Database database;
    const mode_t before = ::umask(077);
    const int code = sqlite3_open_v2(path.c_str(), Out(database), flags | SQLITE_OPEN_NOFOLLOW, nullptr);
    ::umask(before);
    if (code != SQLITE_OK)
        return failure(database.get(), code, "open");
    (void)sqlite3_busy_timeout(database.get(), patience);
    return database;
}

// Damage is found now, and not by the one who asks for what was damaged.
Status check(sqlite3* database) {
    auto row = TRY(Statement::prepare(database, "PRAGMA quick_check(1)", "check"));
    if (!TRY(row.next()) || row.text(0) != "ok")
        return Error{Code::invalid, "state.db: check: " + row.text(0)};
    return ok();
}

std::uint64_t inode_of(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

// A path as it stands in a file: URI.
std::string uri_of(const std::string& path) {
    std::string uri = "file:";
    for (const char c : path)
        uri += c == '%' || c == '?' || c == '#' ? fmt::format("%{:02x}", c) : std::string(1, c);
    return uri;
}

} // namespace

Result<StateFile> StateFile::open(const std::string& path) {
    auto database = TRY(open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    if (sqlite3_db_readonly(database.get(), "main") == 1)
        return Error{Code::transient, "state.db: open: it cannot be written"};
    const mode_t before = ::umask(077); // for the files that WAL makes beside it
    auto prepared = execute(database.get(), "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", "open");
    if (prepared)
        prepared = check(database.get());
    if (prepared)
        prepared = bring_forward(database.get());
    ::umask(before);
    if (!prepared)
        return std::move(prepared).error();
    return StateFile(std::move(database), path);
}

Result<StateFile> StateFile::open_to_read(const std::string& path) {
    auto file = StateFile(TRY(open_database(path, SQLITE_OPEN_READONLY)), path);
    auto seen = file.known();
    if (seen)
        return file;
    // Where no file can be made beside it, SQLite reads it only when told that nobody writes; a write-ahead
    // log would be left out then.
    if (::access((path + "-wal").c_str(), F_OK) == 0)
        return std::move(seen).error();
    auto alone = StateFile(
        TRY(open_database(uri_of(path) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)), path);
    TRY(alone.known());
    return alone;
}

StateFile::StateFile(Database database, std::string path)
    : database_(std::move(database))
    , path_(std::move(path))
    , inode_(inode_of(path_)) {}

// SQLite would go on writing into a file that has no name any more.
Status StateFile::in_place() const {
    if (inode_of(path_) != inode_)
        return Error{Code::transient, "state.db: it was removed or replaced by another file"};
    return ok();
}

Status StateFile::write(const std::string& service, const Changes& changes) {
    TRY(in_place());
    auto transaction = TRY(Transaction::begin(database_.get(), "write service " + service));
    if (changes.forgotten)
        TRY(forget(service));
    if (changes.user)
        TRY(write_user(service, *changes.user));
    if (changes.durable)
        TRY(write_durable(service, *changes.durable));
    if (changes.keys)
        TRY(write_keys(service, *changes.keys));
    if (changes.claims)
        TRY(write_claims(service, *changes.claims));
    for (const auto& [number, row] : changes.deployments)
        TRY(write_deployment(service, row));
    if (!changes.deployments.empty())
        TRY(drop_old_deployments(service));
    return transaction.commit();
}

Result<Statement> StateFile::prepare(const char* sql, const std::string& service) {
    return Statement::prepare(database_.get(), sql, "service " + service);
}

Status StateFile::remove(const char* sql, const std::string& service) {
    auto statement = TRY(prepare(sql, service));
    return statement.bind(service).run();
}

} // namespace pgod::store
