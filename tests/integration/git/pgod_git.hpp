// A running pgod-git and the supervisor's end of its channels, for tests.
#pragma once

#include "ipc/git_messages.hpp"
#include "os/line.hpp"
#include "os/spawn.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace pgod::test {

inline constexpr std::chrono::seconds patience{60}; // of every wait; none is expected to need it

template<typename Condition>
bool becomes_true(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

// How a job ended, as the supervisor sees it.
struct Outcome {
    std::vector<PublicKey> keys;
    std::vector<std::string> warnings;
    std::optional<ipc::Synced> synced;
    std::optional<ipc::Exported> exported;
    ipc::JobEnded ended;

    std::string tip() const { return synced ? synced->tip : std::string("no report"); }
    // The error's code and sentence; "ok" when there is none.
    std::string error() const;
};

class PgodGit {
  public:
    // `become`: started as this user, who then is the only one it can serve.
    PgodGit(const std::string& log_file, std::vector<std::string> env, std::optional<Identity> become = {});

    os::FrameReader start(const ipc::GitJob& job); // the supervisor's end of the job's pipe
    Outcome finish(std::uint64_t id, os::FrameReader& reports);
    Outcome run(const ipc::GitJob& job);

    void send_raw(std::string_view bytes, std::span<const int> fds = {}) const;
    void close_control() { control_.close(); }
    int wait_for_end(); // its wait status
    pid_t pid() const { return child_.pid(); }
    std::vector<pid_t> job_processes() const;

  private:
    os::Child child_;
    os::UpperEnd control_;
    std::map<std::uint64_t, ipc::JobEnded> ended_;
};

} // namespace pgod::test
