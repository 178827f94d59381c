#include "base/result.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <memory>

using namespace pgod;

namespace {

Result<std::unique_ptr<int>> half_of(int number) {
    if (number % 2 != 0)
        return Error{Code::invalid, "7 is odd"};
    return std::make_unique<int>(number / 2);
}

Result<int> quarter_of(int number) {
    const auto half = TRY_DOING(half_of(number), "halve");
    const auto quarter = TRY(half_of(*half));
    return *quarter;
}

} // namespace

TEST_CASE("TRY yields the value, or leaves the function with the error and what was being done") {
    CHECK(*quarter_of(12) == 3);
    const auto first = quarter_of(7);
    REQUIRE_FALSE(first.has_value());
    CHECK(first.error().code == Code::invalid);
    CHECK(first.error().message == "halve: 7 is odd");
    CHECK(quarter_of(6).error().message == "7 is odd");
    CHECK(quarter_of(7).context("compute").error().message == "compute: halve: 7 is odd");
    CHECK(*quarter_of(12).context("compute") == 3);
    CHECK(ok().has_value());
}

TEST_CASE("errno becomes the class of failure that decides what happens next") {
    struct Row {
        int number;
        Code code;
    };
    for (const auto& row :
         {Row{ENOENT, Code::gone}, Row{EACCES, Code::denied}, Row{ENOSPC, Code::transient},
          Row{ETIMEDOUT, Code::timeout}, Row{ELOOP, Code::invalid}, Row{EBADF, Code::internal}})
        CHECK(errno_error("open", row.number).code == row.code);
    CHECK(errno_error("open /x", ENOENT).message == "open /x: No such file or directory");
    errno = ENOSPC;
    CHECK(errno_error("write").code == Code::transient);
}

TEST_CASE("every code has a name of its own") {
    CHECK(name_of(Code::transient) == "transient");
    CHECK(name_of(Code::permanent) == "permanent");
    CHECK(name_of(Code::denied) == "denied");
    CHECK(name_of(Code::invalid) == "invalid");
    CHECK(name_of(Code::timeout) == "timeout");
    CHECK(name_of(Code::gone) == "gone");
    CHECK(name_of(Code::internal) == "internal");
}
