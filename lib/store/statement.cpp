#include "store/statement.hpp"

#include <fmt/format.h>

namespace pgod::store {

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

Result<Statement> Statement::prepare(sqlite3* database, const char* sql, std::string_view doing) {
    Statement statement(database, doing);
    const int code = sqlite3_prepare_v2(database, sql, -1, Out(statement.handle_), nullptr);
    if (code != SQLITE_OK)
        return failure(database, code, doing);
    return statement;
}

Statement& Statement::bind(std::string_view text) {
    (void)sqlite3_bind_text(handle_.get(), ++bound_, text.data() == nullptr ? "" : text.data(),
                            static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
}

Statement& Statement::bind(std::uint64_t number) {
    (void)sqlite3_bind_int64(handle_.get(), ++bound_, static_cast<sqlite3_int64>(number));
    return *this;
}

Statement& Statement::bind(std::optional<reconcile::Time> time) {
    if (!time)
        return bind_null();
    (void)sqlite3_bind_int64(handle_.get(), ++bound_, time->time_since_epoch().count());
    return *this;
}

Statement& Statement::bind_null() {
    (void)sqlite3_bind_null(handle_.get(), ++bound_);
    return *this;
}

Result<bool> Statement::next() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW)
        return true;
    if (code == SQLITE_DONE)
        return false;
    return failure(database_, code, doing_);
}

Status Statement::run() {
    TRY(next());
    return ok();
}

std::string Statement::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    return text == nullptr
               ? std::string()
               : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column)));
}

std::uint64_t Statement::number(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(handle_.get(), column));
}

std::optional<reconcile::Time> Statement::time(int column) const {
    if (is_null(column))
        return std::nullopt;
    return reconcile::Time(std::chrono::milliseconds(sqlite3_column_int64(handle_.get(), column)));
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

Result<Transaction> Transaction::begin(sqlite3* database, std::string_view doing) {
    TRY(execute(database, "BEGIN IMMEDIATE", doing));
    return Transaction(database, doing);
}

Status Transaction::commit() {
    TRY(execute(open_.get(), "COMMIT", doing_));
    (void)open_.release();
    return ok();
}

void Transaction::Rollback::operator()(sqlite3* database) const noexcept {
    (void)sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
}

} // namespace pgod::store
