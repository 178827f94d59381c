#include "core/image_name.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod;

TEST_CASE("a name without a registry is one of Docker Hub") {
    const std::string digest = "@sha256:" + std::string(64, 'a');
    struct Row {
        std::string written;
        std::string complete;
    };
    for (const auto& [written, complete] : std::vector<Row>{
             {"nginx", "docker.io/library/nginx"},
             {"nginx:1.25", "docker.io/library/nginx:1.25"},
             {"nginx" + digest, "docker.io/library/nginx" + digest},
             {"nginx:1.25" + digest, "docker.io/library/nginx:1.25" + digest},
             {"library/nginx", "docker.io/library/nginx"},
             {"bitnami/redis:7", "docker.io/bitnami/redis:7"},
             {"a/b/c", "docker.io/a/b/c"},
             {"docker.io/nginx:1", "docker.io/library/nginx:1"},
             {"docker.io/a/b", "docker.io/a/b"},
             {"docker.io/library/nginx", "docker.io/library/nginx"},
             {"index.docker.io/nginx", "docker.io/library/nginx"},
             {"index.docker.io/a/b:1", "docker.io/a/b:1"},
             {"index.docker.io.example/a", "index.docker.io.example/a"},
             {"docker.io", "docker.io/library/docker.io"},
             {"example.com", "docker.io/library/example.com"},
             {"localhost", "docker.io/library/localhost"},
             {"localhost:5000", "docker.io/library/localhost:5000"}, // 5000 is its tag
             {"localhost/a", "localhost/a"},
             {"localhost:5000/a:1", "localhost:5000/a:1"},
             {"registry:5000/a", "registry:5000/a"},
             {"registry/a", "docker.io/registry/a"},
             {"quay.io/a", "quay.io/a"},
             {"quay.io/a/b" + digest, "quay.io/a/b" + digest},
         }) {
        CAPTURE(written);
        CHECK(completed_image(written) == complete);
        CHECK(completed_image(complete) == complete);
    }
}

TEST_CASE("a tag ends a name, a port does not") {
    for (const char* tail : {"", ":1", "@sha256:a", ":1@sha256:a"})
        for (const char* name : {"a", "a/b", "localhost:5000/a", "r.example:5000/a/b"}) {
            CAPTURE(name);
            CHECK(without_tag(std::string(name) + tail) == name);
        }
    CHECK(with_default_tag("localhost:5000/a") == "localhost:5000/a:latest");
    CHECK(with_default_tag("a:1") == "a:1");
    CHECK(with_default_tag("a@sha256:a") == "a@sha256:a");
}

TEST_CASE("a build gets every name that podman takes") {
    const std::string always = "unqualified-search-registries = [\"docker.io\"]\n[aliases]\n";
    CHECK(registries_conf({}) == always);
    CHECK(registries_conf({{"a", "localhost/a"}, {"b.c__d/e--f", "docker.io/b.c__d/e--f"}}) ==
          always + "\"a\" = \"localhost/a\"\n\"b.c__d/e--f\" = \"docker.io/b.c__d/e--f\"\n");
    for (const char* bad : {"", "A", "a/", "/a", "a..b", "a._b", "a___b", "-a", "a-", "a_", "a/b.", "a\"b"}) {
        CAPTURE(bad);
        CHECK(registries_conf({{bad, "docker.io/x"}}) == always);
    }
}
