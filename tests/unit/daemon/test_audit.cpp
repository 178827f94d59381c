#include "daemon/audit_entry.hpp"
#include "daemon/audit_log.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace pgod;
using namespace pgod::daemon;
using namespace std::chrono_literals;

namespace {

struct Directory {
    Directory() {
        std::string name = "/tmp/pgod-audit-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Directory() { std::filesystem::remove_all(path); }
    std::string file(const std::string& name) const {
        std::ifstream in(path + "/" + name);
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }
    std::string path;
};

std::vector<std::string> newest(const AuditLog& log, std::size_t count, std::string_view mark = {},
                                std::size_t bytes = 10'000) {
    auto lines = log.newest(count, mark, bytes);
    REQUIRE(lines);
    return *lines;
}

} // namespace

TEST_CASE("a line of the audit log: who, from where, what, how it ended; secrets and control characters do "
          "not stand "
          "in it") {
    AuditEntry entry;
    entry.at = reconcile::Time{1'795'219'200s};
    entry.peer = "192.0.2.1:4711";
    entry.fingerprint = "SHA256:abc";
    entry.name = "ann.pub";
    entry.service = "web";
    entry.operation = "exec";
    entry.args = {"-t", "db", "psql", "--password", "hunter2"};
    entry.exit_status = 3;
    entry.took = 1500ms;
    CHECK(audit_line(entry) ==
          R"({"time":"2026-11-21T00:00:00Z","key":"SHA256:abc","name":"ann.pub","from":"192.0.2.1:4711",)"
          R"("service":"web","operation":"exec","args":["-t","db","psql","[2 more]"],"outcome":"failed",)"
          R"("status":3,"milliseconds":1500})"
          "\n");
    entry.operation = "suspend";
    entry.args = {"\x1b[2J\"\n\xff", std::string(1000, 'x')};
    entry.exit_status = 77;
    const auto line = audit_line(entry);
    CHECK(line.find('\x1b') == std::string::npos);
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(line.size() < 500);
    CHECK(line.find(R"("outcome":"refused","status":77)") != std::string::npos);
    entry.left = true;
    CHECK(audit_line(entry).find(R"("outcome":"left","status":null)") != std::string::npos);
    entry.service = "other";
    entry.args = {R"("service":"web")"};
    CHECK(audit_line(entry).find(audit_mark_of("web")) == std::string::npos); // nobody forges another's
}

TEST_CASE("the audit log is rotated, bounded, and read from its newest line") {
    const Directory directory;
    {
        AuditLog log(directory.path, 100);
        for (int i = 0; i < 100; ++i)
            log.write(fmt::format("line {:03} of {}\n", i, i % 2 == 0 ? "web" : "db")); // 12 to 13 bytes
        CHECK(newest(log, 3) ==
              std::vector<std::string>{"line 097 of db", "line 098 of web", "line 099 of db"});
    }
    std::size_t files = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory.path)) {
        ++files;
        CHECK(file.file_size() <= 100);
    }
    CHECK(files == AuditLog::kept_files);
    AuditLog again(directory.path, 100); // a pgod that was started anew goes on
    again.write("line 100 of web\n");
    CHECK(newest(again, 2, "web") == std::vector<std::string>{"line 098 of web", "line 100 of web"});
    CHECK(newest(again, 1000).size() > 20); // older files, too
    CHECK(newest(again, 1000, {}, 40).size() == 2);
    struct stat status {};
    REQUIRE(::stat((directory.path + "/audit.log").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("an audit log that cannot be written stops nothing, and goes on when it can") {
    const Directory directory;
    const std::string state = directory.path + "/state";
    AuditLog log(state);
    log.write("lost\n");
    log.write("lost\n");
    CHECK(newest(log, 10).empty());
    std::filesystem::create_directory(state);
    log.write("kept\n");
    CHECK(newest(log, 10) == std::vector<std::string>{"kept"});
    std::filesystem::remove(state + "/audit.log");
    std::filesystem::create_symlink("/etc/passwd", state + "/audit.log");
    AuditLog linked(state);
    linked.write("not into another file\n");
    CHECK(std::filesystem::is_symlink(state + "/audit.log"));
}
