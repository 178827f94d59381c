#include "daemon/client_streams.hpp"

#include "os/pipe.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>

namespace pgod::daemon {

namespace {

Result<Fd> duplicate(const Fd& fd) {
    Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy)
        return errno_error("duplicate a descriptor");
    return copy;
}

struct Terminal {
    Fd master;
    Fd slave;
};

// The slave comes from the master itself (ioctl_tty(2), TIOCGPTPEER): no name is looked up, and nobody else
// can open it, for it stays ours.
Result<Terminal> make_terminal(TerminalSize size) {
    Terminal terminal{Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), {}};
    if (!terminal.master || ::unlockpt(terminal.master.get()) != 0)
        return errno_error("make a terminal");
    terminal.slave = Fd(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    const winsize window{size.rows, size.columns, 0, 0};
    if (!terminal.slave || ::ioctl(terminal.master.get(), TIOCSWINSZ, &window) != 0)
        return errno_error("make a terminal");
    return terminal;
}

} // namespace

Result<Worker::Streams> join_by_pipes(Connection& connection, bool with_input) {
    auto output = TRY(os::make_pipe());
    auto errors = TRY(os::make_pipe());
    if (!with_input) {
        TRY(connection.hand_over(std::array{output.read_end.get(), errors.read_end.get()}));
        return Worker::Streams{std::move(output.write_end), std::move(errors.write_end), {}};
    }
    auto input = TRY(os::make_pipe());
    TRY(connection.hand_over(
        std::array{output.read_end.get(), errors.read_end.get(), input.write_end.get()}));
    return Worker::Streams{std::move(output.write_end), std::move(errors.write_end),
                           std::move(input.read_end)};
}

Result<Worker::Streams> join_by_terminal(Connection& connection, TerminalSize size) {
    auto terminal = TRY(make_terminal(size));
    Worker::Streams streams{TRY(duplicate(terminal.slave)), TRY(duplicate(terminal.slave)), {}};
    streams.input = std::move(terminal.slave);
    TRY(connection.hand_over(std::array{terminal.master.get()}));
    return streams;
}

} // namespace pgod::daemon
