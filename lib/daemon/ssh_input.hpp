// What the client sends, on its way into the operation's standard input or terminal. Runs in the SSH child.
// It takes more only when what it holds is written: a command that reads slowly slows its client, and nothing
// piles up beyond two windows of the channel (2.6 MB).
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace pgod::ssh {
class ServerSession;
}

namespace pgod::daemon {

class SshInput {
  public:
    // The end of the client's input closes a pipe; a terminal has no end.
    enum class Kind { pipe, terminal };

    void open(Fd to, Kind kind); // non-blocking
    void begin_with(std::string bytes) {
        bytes_ = std::move(bytes);
    } // before anything else; once, after open()
    void close() noexcept { to_.reset(); }

    // Everything that can be moved without waiting. What nobody reads any more stays with the client.
    Status move_from(ssh::ServerSession& session);
    int waits_for() const noexcept { return written_ < bytes_.size() ? to_.get() : -1; } // to be written

  private:
    Fd to_;
    Kind kind_ = Kind::pipe;
    std::string bytes_;
    std::size_t written_ = 0;
};

} // namespace pgod::daemon
