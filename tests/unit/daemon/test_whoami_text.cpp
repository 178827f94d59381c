#include "daemon/whoami_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace pgod;
using namespace pgod::daemon;

namespace {

std::vector<Op> operations_of(std::vector<OpGroup> groups) {
    std::vector<Op> found;
    for (const Operation& operation : all_operations())
        if (std::find(groups.begin(), groups.end(), operation.group) != groups.end())
            found.push_back(operation.op);
    return found;
}

} // namespace

TEST_CASE("whoami names the key, and what it may do where") {
    const WhoAmI found{
        "SHA256:abc",
        false,
        false,
        {{"demo", "miek", operations_of({OpGroup::read, OpGroup::deploy})},
         {"a-longer-one", "miek\033", operations_of({OpGroup::read, OpGroup::deploy, OpGroup::exec})},
         {"narrow", "ci", {Op::ping, Op::ps, Op::up}}}};
    CHECK(whoami_text(found) == "key         SHA256:abc\n"
                                "SERVICE       NAME      MAY\n"
                                "demo          miek      read deploy\n"
                                "a-longer-one  miek\\x1b  read deploy exec\n"
                                "narrow        ci        ping ps up\n");
    CHECK(whoami_text({"uid 1001 (miek)", true, true, {}}) == "user        uid 1001 (miek)\n"
                                                              "admin       yes\n"
                                                              "SERVICE  NAME  MAY\n");
    CHECK(whoami_json({"SHA256:abc", false, true, {{"demo", "id", operations_of({OpGroup::read})}}}) == R"({
  "fingerprint": "SHA256:abc",
  "admin": true,
  "services": [
    {
      "name": "demo",
      "key_name": "id",
      "may": [
        "read"
      ]
    }
  ]
}
)");
    CHECK(whoami_text({"SHA256:abc", false, true, {}}).find("admin       yes\n") != std::string::npos);
}
