#include "daemon/whoami_text.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::daemon;

TEST_CASE("whoami names the key, and what it may do where") {
    const WhoAmI found{"SHA256:abc",
                       false,
                       {{"demo", "miek", {.read = true, .deploy = true}},
                        {"a-longer-one", "miek\033", {.read = true, .deploy = true, .exec = true}}}};
    CHECK(whoami_text(found) == "key         SHA256:abc\n"
                                "SERVICE       NAME      MAY\n"
                                "demo          miek      read deploy\n"
                                "a-longer-one  miek\\x1b  read deploy exec\n");
    CHECK(whoami_json({"SHA256:abc", true, {{"demo", "id", {.read = true}}}}) == R"({
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
    CHECK(whoami_text({"SHA256:abc", true, {}}).find("admin       yes\n") != std::string::npos);
}
