// FakeSupervisor: starts the real pgod-ssh as pgod would, on loopback ports of its own, knows the keys it is
// told, and answers a handful of commands. As root it has pgod-ssh drop to `nobody` behind an empty root
// directory. Its loop runs in a thread, so that a test can run a client meanwhile.
//
// Commands: "ping" · "fail N" (text on standard error, exit N) · "stream N" and "both N" (N bytes of
// pattern() on standard output, or on both) · "endless" (until the reader is gone) · "texts N" (N full Text
// frames) · "grandchild" (exit 0 at once, the pipes stay open) · "cat" (standard input to standard output; at
// its end exit 5) · "terminal" (the same on a terminal without echo, until a line "end", each line after its
// size) · "hang" (no answer) · "leave" (closes the line) · "babble" (a frame that is none).
#pragma once

#include "ipc/ssh_messages.hpp"
#include "os/line.hpp"
#include "os/spawn.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace pgod::test {

// Of a directory of its own under the temporary one; removed with its content.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

// True as soon as `condition` is; false after a minute.
bool eventually(const std::function<bool()>& condition);

// The first `size` bytes of a stream in which no two neighbouring megabytes are alike.
std::string pattern(std::size_t size);

class FakeSupervisor {
  public:
    struct Settings {
        ipc::SshStart start; // the host key is made when empty
        bool mute = false;   // no key query is answered
    };

    FakeSupervisor();
    explicit FakeSupervisor(Settings settings);
    ~FakeSupervisor();
    FakeSupervisor(const FakeSupervisor&) = delete;
    FakeSupervisor& operator=(const FakeSupervisor&) = delete;

    void know(const std::string& public_key_file);
    std::uint16_t port(std::size_t index = 0) const { return ports_.at(index); }
    const std::string& fingerprint() const noexcept { return fingerprint_; }
    pid_t pid() const noexcept { return pid_; }
    const std::filesystem::path& root_directory() const noexcept { return empty_.path(); }
    std::vector<pid_t> children() const;  // of pgod-ssh, but for the one that waits for a connection
    pid_t spare() const;                  // that one
    std::size_t open_connections() const; // lines that are not closed
    std::size_t seen_connections() const;
    std::vector<ipc::Run> runs() const;
    std::vector<std::string> peers() const;
    unsigned turned_away() const;                                     // for want of a place
    std::uint64_t bytes_written() const noexcept { return written_; } // into pipes, by all commands

    void stop(); // closes everything, as pgod does when it ends
    bool ended();
    std::optional<int> wait_status() const noexcept {
        return wait_status_;
    } // once it has ended // pgod-ssh ended on its own

  private:
    struct Connection {
        os::Channel channel;      // of its line, the way down
        os::FrameReader requests; // …and the way up
        std::uint64_t id = 0;     // in pgod-ssh
        bool open = true;
    };

    std::vector<pid_t> children_and_spare() const;
    void listen();
    void launch(const Settings& settings);
    void loop(const std::stop_token& token);
    void receive_notice();
    void receive_request(Connection& connection);
    void carry_out(Connection& connection, const std::string& command);
    void stream(Connection& connection, std::size_t size, bool both);
    void texts(Connection& connection, std::uint64_t count);
    void grandchild(Connection& connection);
    void cat(Connection& connection);
    void terminal(Connection& connection);

    bool mute_;
    TemporaryDirectory empty_;
    std::vector<Fd> sockets_;
    std::vector<std::uint16_t> ports_;
    os::Child child_;
    std::optional<int> wait_status_;
    pid_t pid_ = -1;
    os::UpperEnd control_;
    std::string fingerprint_;
    mutable std::mutex mutex_; // guards what follows
    std::set<std::string> known_;
    std::list<Connection> connections_;
    std::vector<ipc::Run> runs_;
    std::vector<std::string> peers_;
    unsigned turned_away_ = 0;
    std::vector<Fd> held_; // the pipes of "grandchild"
    std::atomic<std::uint64_t> written_ = 0;
    std::vector<std::jthread> writers_;
    std::jthread thread_;
};

} // namespace pgod::test
