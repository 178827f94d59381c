#include "os/safe_path.hpp"
#include "os/secret_file.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

using namespace pgod;
using namespace pgod::os;

namespace {

std::string problem_of(const std::string& path) {
    const auto read = read_secret_file(path);
    return read ? "" : read.error().message;
}

} // namespace

TEST_CASE("a secret file is one that only we may read") {
    const TemporaryDirectory directory;
    const std::string path = directory.path + "/token";
    std::ofstream(path) << "ci:hunter2\n";
    for (const mode_t mode : {0600U, 0400U, 0700U}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        const auto read = read_secret_file(path);
        REQUIRE(read);
        CHECK(read->reveal() == "ci:hunter2\n");
    }
    for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        CHECK(problem_of(path) ==
              fmt::format("{0} holds secrets, but its mode {1:o} lets others at them: chown {2} "
                          "{0} && chmod 600 {0}",
                          path, mode, ::geteuid()));
    }
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    if (::geteuid() == 0) {
        REQUIRE(::chown(path.c_str(), 65534, 0) == 0);
        CHECK(problem_of(path).find("but it belongs to uid 65534: chown 0 ") != std::string::npos);
    }
}

TEST_CASE("a secret file is neither a link, nor a pipe, nor large") {
    const TemporaryDirectory directory;
    const std::string path = directory.path + "/token";
    std::ofstream(path) << std::string(max_secret_file + 1, 'x');
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    CHECK(problem_of(path) == path + ": larger than 65536 bytes");
    const std::string link = directory.path + "/link";
    REQUIRE(::symlink(path.c_str(), link.c_str()) == 0);
    CHECK(problem_of(link) == link + " is reached through a symbolic link: write where it really is");
    const std::string pipe = directory.path + "/pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(problem_of(pipe) == pipe + " is not a regular file");
    CHECK(problem_of(directory.path + "/none").find("No such file") != std::string::npos);
}

TEST_CASE("a name without a slash is systemd's") {
    const TemporaryDirectory directory;
    std::ofstream(directory.path + "/shop") << "x";
    REQUIRE(::chmod((directory.path + "/shop").c_str(), 0400) == 0);
    ::unsetenv("CREDENTIALS_DIRECTORY");
    CHECK(problem_of("shop").find("put LoadCredential=shop:FILE into its unit") != std::string::npos);
    ::setenv("CREDENTIALS_DIRECTORY", directory.path.c_str(), 1);
    CHECK(problem_of("shop").empty());
    ::unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_CASE("an anonymous file cannot be changed, and is read from its beginning") {
    const auto fd = sealed_file("text");
    REQUIRE(fd);
    CHECK(read_file(fd->get(), 100).value() == "text");
    CHECK(::pwrite(fd->get(), "x", 1, 0) < 0);
    CHECK(::ftruncate(fd->get(), 0) < 0);
    CHECK(read_file(fmt::format("/proc/self/fd/{}", fd->get()), 100).value() == "text");
}
