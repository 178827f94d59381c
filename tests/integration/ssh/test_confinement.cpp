// What pgod-ssh is after it was started as root. Needs root.
#include "clients.hpp"

#include "base/text.hpp"

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>

using namespace pgod;
using namespace pgod::test;

namespace {

std::map<std::string, std::string> status_of(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/status", pid));
    std::map<std::string, std::string> fields;
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(':');
        fields[line.substr(0, colon)] = trimmed(line.substr(colon + 1));
    }
    return fields;
}

void check_confined(pid_t pid, const FakeSupervisor& supervisor) {
    const auto nobody = *::getpwnam("nobody");
    auto status = status_of(pid);
    CHECK(status["Uid"] == fmt::format("{0}\t{0}\t{0}\t{0}", nobody.pw_uid));
    CHECK(status["Gid"] == fmt::format("{0}\t{0}\t{0}\t{0}", nobody.pw_gid));
    CHECK(status["Groups"] == "");
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
        CHECK(status[set] == "0000000000000000");
    CHECK(status["NoNewPrivs"] == "1");
    CHECK(status["Threads"] == "1");
    CHECK(std::filesystem::read_symlink(fmt::format("/proc/{}/root", pid)) == supervisor.root_directory());
    struct stat owner {};
    REQUIRE(::stat(fmt::format("/proc/{}/mem", pid).c_str(), &owner) == 0);
    CHECK(owner.st_uid == 0); // not dumpable
}

std::vector<std::string> open_files(pid_t pid) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid))) {
        std::error_code closed; // meanwhile
        const auto name = std::filesystem::read_symlink(entry.path(), closed).string();
        if (!closed)
            names.push_back(name);
    }
    return names;
}

std::string limit_of(pid_t pid, const std::string& name) {
    std::ifstream file(fmt::format("/proc/{}/limits", pid));
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name))
            return std::string(words(line.substr(name.size()))[1]); // the hard one
    }
    return "missing";
}

} // namespace

TEST_CASE("the listener and its children hold nothing that they could use") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    const auto one = clients.start_ssh(supervisor.port(), key, "hang");
    const auto two = clients.start_ssh(supervisor.port(), key, "hang");
    REQUIRE(eventually([&] { return supervisor.runs().size() == 2; }));
    check_confined(supervisor.pid(), supervisor);
    CHECK(limit_of(supervisor.pid(), "Max core file size") == "0");
    REQUIRE(eventually([&] { return supervisor.children().size() == 2; }));
    const auto children = supervisor.children();
    for (const pid_t child : children) {
        check_confined(child, supervisor);
        CHECK(limit_of(child, "Max processes") == "0");
        CHECK(limit_of(child, "Max open files") == "16");
#if !defined(__SANITIZE_ADDRESS__)
        CHECK(limit_of(child, "Max address space") == std::to_string(96 << 20));
#endif
        // stdin, stdout, stderr, the client, both ways of the line, the notice; not the listener's own line
        CHECK(open_files(child).size() == 7);
    }
    check_confined(supervisor.spare(), supervisor);
    CHECK(eventually([&] { return limit_of(supervisor.spare(), "Max processes") == "0"; }));
    // instead of the client and the supervisor, where both will come from
    CHECK(eventually([&] { return open_files(supervisor.spare()).size() == 5; }));
}

TEST_CASE("a root directory that is not fit is refused") {
    const TemporaryDirectory directory;
    const auto refusal = [&](const std::vector<std::string>& arguments) {
        std::vector<std::string> argv{PGOD_SSH};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        // Descriptors 3 and 4 are not open in it, which is looked at first; a shell opens them.
        std::string line;
        for (const auto& word : argv)
            line += word + " ";
        const auto result = run_program({"/bin/sh", "-c", line + "3</dev/null 4</dev/null"});
        CHECK(os::exit_code_of(result.wait_status) == 70);
        return result.errors;
    };
    const std::string path = directory.path();
    REQUIRE(::chmod(path.c_str(), 0777) == 0);
    CHECK(refusal({"--user", "nobody", "--empty", path}).find("may be written by others") !=
          std::string::npos);
    REQUIRE(::chmod(path.c_str(), 0555) == 0);
    std::ofstream(directory.path() / "file") << "x";
    CHECK(refusal({"--user", "nobody", "--empty", path}).find("is not empty") != std::string::npos);
    CHECK(refusal({"--user", "root", "--empty", path}).find("root") != std::string::npos);
    CHECK(refusal({"--user", "no-such-user", "--empty", path}).find("does not exist") != std::string::npos);
    CHECK(refusal({}).find("does not serve as root") != std::string::npos);
}

int main(int argc, char** argv) {
    if (::geteuid() != 0) {
        std::puts("skipped: needs root");
        return 77;
    }
    return doctest::Context(argc, argv).run();
}
