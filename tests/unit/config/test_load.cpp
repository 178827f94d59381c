#include "base/fd.hpp"
#include "config/config.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace pgod;

namespace {

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = std::filesystem::temp_directory_path() / "pgod-config-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

    std::string file(const std::string& text, mode_t mode) const {
        const std::string path = path_ / "config.toml";
        std::ofstream(path) << text;
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        return path;
    }
    std::string operator/(const char* name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

const std::string with_password =
    "[[services]]\nname='a'\nuser='b'\nrepository='https://u:hunter2@h.example/r'\n";

} // namespace

TEST_CASE("the example is a good file and shows every setting") {
    const auto report = load_config(PGOD_EXAMPLE);
    for (const auto& error : report.errors)
        FAIL_CHECK(error);
    CHECK(report.warnings.empty());
    REQUIRE(report.config.has_value());
    REQUIRE(report.config->services.size() == 2);
    const auto& service = report.config->services[0];
    CHECK(service.name == "pgo");
    CHECK(service.ports->size() == 2);
    CHECK(service.volumes.size() == 1);
    CHECK(service.urls.size() == 1);
    CHECK(service.env.size() == 1);
    CHECK(service.after.size() == 1);
    CHECK(service.compose == std::vector<std::string>{"compose.yaml"});
    CHECK(service.interval == std::chrono::minutes(1));
    CHECK(report.config->services[1].interval == std::chrono::minutes(5));
    // What the example shows as defaults are the defaults.
    const Config defaults;
    CHECK(report.config->listen == defaults.listen);
    CHECK(report.config->interval == defaults.interval);
    CHECK(report.config->state == defaults.state);
    CHECK(report.config->host_key == defaults.host_key);
    CHECK(report.config->admin_keys == defaults.admin_keys);
    CHECK(report.config->revoked_keys == defaults.revoked_keys);
}

TEST_CASE("a password in a file that everyone can read is warned about") {
    const TemporaryDirectory directory;
    const auto path = directory.file(with_password, 0644);
    const auto report = load_config(path);
    CHECK(report.config.has_value());
    REQUIRE(report.warnings.size() == 1);
    CHECK(report.warnings[0] ==
          path + ": can be read by everyone on this host but holds a password: chmod 640 it");
    CHECK(load_config(directory.file(with_password, 0640)).warnings.empty());
    CHECK(load_config(directory.file("", 0644)).warnings.empty());
}

TEST_CASE("a file that everyone can write is refused") {
    const TemporaryDirectory directory;
    const auto path = directory.file("", 0666);
    const auto report = load_config(path);
    CHECK_FALSE(report.config.has_value());
    CHECK(report.errors ==
          std::vector<std::string>{path + ": can be written by everyone on this host: chmod o-w it"});
}

TEST_CASE("what is no readable regular file of a sane size") {
    const TemporaryDirectory directory;
    const auto fifo = directory / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const auto large = directory.file(std::string(max_config_bytes + 1, '\n'), 0600);
    struct Row {
        std::string path;
        std::string says;
    };
    for (const auto& row :
         {Row{directory / "missing", "cannot be opened: No such file or directory"},
          Row{directory / "", "is not a regular file"}, Row{fifo, "is not a regular file"},
          Row{"/dev/zero", "is not a regular file"}, Row{large, "is larger than 1048576 bytes"}}) {
        const auto report = load_config(row.path);
        CHECK_FALSE(report.config.has_value());
        CHECK(report.errors == std::vector<std::string>{row.path + ": " + row.says});
    }
}

TEST_CASE("errors name the file as it was given") {
    const TemporaryDirectory directory;
    const auto path = directory.file("\nlisten = 1\n", 0600);
    CHECK(load_config(path).errors ==
          std::vector<std::string>{path + ":2:10: listen must be a string in quotes, not an integer"});
}
