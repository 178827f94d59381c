#include "core/base_images.hpp"

#include <doctest/doctest.h>

using namespace pgod;

namespace {

std::string listed(std::string_view containerfile, const std::map<std::string, std::string>& args = {}) {
    std::string text;
    for (const auto& image : base_images(containerfile, args))
        text += (text.empty() ? "" : " ") + image;
    return text;
}

} // namespace

TEST_SUITE("base images") {
    TEST_CASE("each image that a build starts from is named once") {
        CHECK(listed("FROM alpine") == "alpine");
        CHECK(listed("# FROM no\nfrom --platform=linux/amd64 a:1 as b\nFROM b\nFROM a:1\n") == "a:1");
        CHECK(listed("FROM \\\n  registry.example:5000/a/b@sha256:"
                     "0000000000000000000000000000000000000000000000000000000000000000\n")
                  .starts_with("registry.example:5000/a/b@sha256:"));
        CHECK(listed("FROM scratch\nCOPY --from=other:2 /x /x\nCOPY --chown=1 --from=0 /x /y") == "other:2");
        CHECK(
            listed("FROM a\nRUN --mount=type=bind,from=tools,target=/t --mount=type=cache,target=/c make") ==
            "a tools");
        CHECK(listed("") == "");
        CHECK(listed("FROM") == "");
    }

    TEST_CASE("arguments are filled in") {
        const char* file = "ARG VERSION=12\nARG BASE=\"debian\"\nFROM ${BASE}:$VERSION\n";
        CHECK(listed(file) == "debian:12");
        CHECK(listed(file, {{"VERSION", "13"}}) == "debian:13");
        CHECK(listed("FROM a:${NONE:-latest}${NONE:+x}") == "a:latest");
        CHECK(listed("FROM ${UNCLOSED") == "");
        CHECK(listed("FROM $NONE") == "");
    }

    TEST_CASE("what is no image of a registry is left out") {
        CHECK(listed("FROM docker-archive:evil.tar") == "");
        CHECK(listed("FROM oci:/home/somebody/x") == "");
        CHECK(listed("FROM --privileged") == "");
        CHECK(listed("FROM ../x") == "");
    }
}
