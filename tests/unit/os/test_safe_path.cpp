#include "os/safe_path.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace pgod;
using namespace pgod::os;
namespace fs = std::filesystem;

TEST_CASE("plain relative paths") {
    for (const char* good : {"a", "a/b", ".a", "a..b/c"})
        CHECK(is_plain_relative_path(good));
    for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/."})
        CHECK_FALSE(is_plain_relative_path(bad));
    CHECK_FALSE(is_plain_relative_path(std::string_view("a\0b", 3)));
}

TEST_CASE("no link is followed, neither last nor on the way") {
    TemporaryDirectory directory;
    fs::create_directories(directory.path + "/inside");
    std::ofstream(directory.path + "/inside/file") << "text";
    fs::create_symlink("/etc", directory.path + "/etc");
    fs::create_symlink("inside", directory.path + "/link");
    fs::create_symlink("file", directory.path + "/inside/other");

    CHECK(*read_file_beneath(directory.fd, "inside/file", 100) == "text");
    for (const char* path : {"etc/passwd", "link/file", "inside/other", "../x", "/etc/passwd"}) {
        CAPTURE(path);
        CHECK_FALSE(read_file_beneath(directory.fd, path, 10'000));
    }
    CHECK_FALSE(make_directories(directory.fd, "link/new", 0700));
    CHECK_FALSE(fs::exists(directory.path + "/inside/new"));
    CHECK(make_directories(directory.fd, "x/y/z", 0750));
    CHECK(fs::is_directory(directory.path + "/x/y/z"));
}

TEST_CASE("only regular files are read, up to the bound") {
    TemporaryDirectory directory;
    std::ofstream(directory.path + "/ten") << "0123456789";
    CHECK(read_file_beneath(directory.fd, "ten", 10)->size() == 10);
    const auto large = read_file_beneath(directory.fd, "ten", 9);
    REQUIRE_FALSE(large);
    CHECK(large.error().message == "ten: larger than 9 bytes");
    REQUIRE(::mkfifo((directory.path + "/fifo").c_str(), 0600) == 0);
    CHECK_FALSE(read_file_beneath(directory.fd, "fifo", 10)); // and does not hang
    CHECK_FALSE(read_file_beneath(directory.fd, ".", 10));
    const auto missing = read_file_beneath(directory.fd, "missing", 10);
    CHECK(missing.error().code == Code::gone);
}

TEST_CASE("a file is replaced as a whole, a link in its place is replaced, not followed") {
    TemporaryDirectory directory;
    std::ofstream(directory.path + "/victim") << "untouched";
    fs::create_symlink("victim", directory.path + "/target");
    fs::create_symlink("victim", directory.path + "/target.new");
    CHECK(write_file_atomically(directory.fd, "target", "new", 0640));
    CHECK(*read_file(directory.path + "/target", 10) == "new");
    CHECK(*read_file(directory.path + "/victim", 10) == "untouched");
    CHECK_FALSE(fs::is_symlink(directory.path + "/target"));
    CHECK_FALSE(write_file_atomically(directory.fd, "a/b", "x", 0600));
}

TEST_CASE("a tree is removed without leaving it") {
    TemporaryDirectory directory;
    TemporaryDirectory outside;
    std::ofstream(outside.path + "/precious") << "x";
    fs::create_directories(directory.path + "/tree/a/b");
    std::ofstream(directory.path + "/tree/a/file") << "x";
    fs::create_directory_symlink(outside.path, directory.path + "/tree/a/b/link");
    CHECK(remove_tree(directory.fd, "tree"));
    CHECK_FALSE(fs::exists(directory.path + "/tree"));
    CHECK(fs::exists(outside.path + "/precious"));
    CHECK(remove_tree(directory.fd, "missing"));
    CHECK_FALSE(remove_tree(directory.fd, ".."));
}

TEST_CASE("links that root alone can change are followed, and no others") {
    CHECK(follow_links_of_root("/") == "/");
    CHECK(follow_links_of_root("/usr//bin/../lib/./x") == "/usr/lib/x");
    CHECK(follow_links_of_root("/missing/x") == "/missing/x");
    if (fs::is_symlink("/var/run"))
        CHECK(follow_links_of_root("/var/run/missing/x") == "/run/missing/x");
    const TemporaryDirectory directory; // in /tmp, where everybody may write
    const std::string link = directory.path + "/link";
    fs::create_directory_symlink("/etc", link);
    CHECK(follow_links_of_root(link + "/x") == link + "/x");
}
