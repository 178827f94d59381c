// Statement and Transaction: the little of SQLite's C interface that the store uses, with its codes made ours
// in one place. Values are bound in order; columns are read by number, from 0.
#pragma once

#include "base/handle.hpp"
#include "base/result.hpp"
#include "core/durable.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgod::store {

using Database = Handle<sqlite3, sqlite3_close_v2>;

// transient: it may go well later (locked, full, read-only, an I/O error). invalid: the file is no database.
Error failure(sqlite3* database, int code, std::string_view doing);

Status execute(sqlite3* database, const char* sql, std::string_view doing);

class Statement {
  public:
    static Result<Statement> prepare(sqlite3* database, const char* sql, std::string_view doing);

    Statement& bind(std::string_view text);
    Statement& bind(std::uint64_t number);
    Statement& bind(std::optional<reconcile::Time> time); // none: NULL
    Statement& bind_null();

    Result<bool> next(); // true: a row can be read
    Status run();        // a statement that yields no rows

    std::string text(int column) const; // empty for NULL
    std::uint64_t number(int column) const;
    std::optional<reconcile::Time> time(int column) const;
    bool is_null(int column) const;

  private:
    Statement(sqlite3* database, std::string_view doing)
        : database_(database)
        , doing_(doing) {}
    sqlite3* database_;
    std::string doing_;
    Handle<sqlite3_stmt, sqlite3_finalize> handle_;
    int bound_ = 0;
};

// What is not committed when it ends is undone.
class Transaction {
  public:
    static Result<Transaction> begin(sqlite3* database, std::string_view doing);
    Status commit();

  private:
    struct Rollback {
        void operator()(sqlite3* database) const noexcept;
    };
    Transaction(sqlite3* database, std::string_view doing)
        : open_(database)
        , doing_(doing) {}
    std::unique_ptr<sqlite3, Rollback> open_; // not owned: what is done when it is let go
    std::string doing_;
};

} // namespace pgod::store
