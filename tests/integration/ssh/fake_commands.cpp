// What the fake supervisor's commands do.
#include "base/text.hpp"
#include "fake_supervisor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace pgod::test {

namespace {

// For a writer's thread, which may outlive the connection.
os::Channel second_owner(const os::Channel& channel) {
    return os::Channel(Fd(::fcntl(channel.fd(), F_DUPFD_CLOEXEC, 0)));
}

bool write_whole(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

} // namespace

void FakeSupervisor::carry_out(Connection& connection, const std::string& command) {
    const auto say = [&connection](const ipc::SshReply& reply) {
        (void)connection.channel.send(ipc::encode(reply));
    };
    const auto parts = words(command);
    const std::string_view verb = parts.empty() ? "" : parts[0];
    const auto number = parts.size() > 1 ? parse_decimal(parts[1]).value_or(0) : 0;
    if (command.find('\0') != std::string::npos) {
        say(ipc::Exit{64});
    } else if (verb == "ping") {
        say(ipc::Text{false, "pong! - test\n"});
        say(ipc::Exit{0});
    } else if (verb == "fail") {
        say(ipc::Text{true, "this failed\n"});
        say(ipc::Exit{static_cast<std::int32_t>(number)});
    } else if (verb == "refuse") {
        say(ipc::Exit{77, "this key may not\n", true});
    } else if (verb == "stream" || verb == "both") {
        stream(connection, number, verb == "both");
    } else if (verb == "endless") {
        stream(connection, SIZE_MAX, false);
    } else if (verb == "texts") {
        texts(connection, number);
    } else if (verb == "grandchild") {
        grandchild(connection);
    } else if (verb == "cat") {
        cat(connection);
    } else if (verb == "terminal") {
        terminal(connection);
    } else if (verb == "leave") {
        connection.channel.close();
        connection.open = false;
    } else if (verb == "babble") {
        (void)connection.channel.send("\x7f nonsense");
    }
}

void FakeSupervisor::stream(Connection& connection, std::size_t size, bool both) {
    std::array<std::array<int, 2>, 2> pipes{};
    for (auto& ends : pipes) {
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            throw std::runtime_error("pipe2");
    }
    const std::array<Fd, 2> readers{Fd(pipes[0][0]), Fd(pipes[1][0])};
    const std::array<int, 2> passed{readers[0].get(), readers[1].get()};
    (void)connection.channel.send(ipc::encode(ipc::SshReply(ipc::Streams{})), passed);
    writers_.emplace_back([this, size, both, writer = Fd(pipes[0][1]), other = Fd(pipes[1][1]),
                           channel = second_owner(connection.channel)]() mutable {
        const std::string text = pattern(std::min<std::size_t>(size, 1 << 16) + (1 << 16));
        const std::string whole = size == SIZE_MAX ? "" : pattern(size);
        for (std::size_t done = 0; done < size;) {
            const std::size_t part = std::min<std::size_t>(size - done, 1 << 16);
            const char* from = whole.empty() ? text.data() : whole.data() + done;
            const ssize_t wrote = ::write(writer.get(), from, part);
            if (wrote <= 0 || (both && ::write(other.get(), from, static_cast<std::size_t>(wrote)) != wrote))
                break;
            done += static_cast<std::size_t>(wrote);
            written_ += static_cast<std::uint64_t>(wrote);
        }
        writer.reset();
        other.reset();
        (void)channel.send(ipc::encode(ipc::SshReply(ipc::Exit{0})));
    });
}

void FakeSupervisor::texts(Connection& connection, std::uint64_t count) {
    writers_.emplace_back([this, count, channel = second_owner(connection.channel)] {
        const ipc::SshReply text = ipc::Text{false, std::string(ipc::max_text_bytes, 't')};
        for (std::uint64_t i = 0; i < count; ++i) {
            if (!channel.send(ipc::encode(text)))
                return;
            written_ += ipc::max_text_bytes;
        }
        (void)channel.send(ipc::encode(ipc::SshReply(ipc::Exit{0})));
    });
}

void FakeSupervisor::grandchild(Connection& connection) {
    std::array<int, 2> passed{};
    for (int& reader : passed) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            throw std::runtime_error("pipe2");
        reader = ends[0];
        held_.emplace_back(ends[1]);
        (void)!::write(ends[1], "before the end\n", 15);
    }
    const std::array<Fd, 2> readers{Fd(passed[0]), Fd(passed[1])};
    (void)connection.channel.send(ipc::encode(ipc::SshReply(ipc::Streams{})), passed);
    (void)connection.channel.send(ipc::encode(ipc::SshReply(ipc::Exit{0})));
}

void FakeSupervisor::cat(Connection& connection) {
    std::array<std::array<int, 2>, 3> pipes{};
    for (auto& ends : pipes) {
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            throw std::runtime_error("pipe2");
    }
    const std::array<Fd, 3> theirs{Fd(pipes[0][0]), Fd(pipes[1][0]), Fd(pipes[2][1])};
    const std::array<int, 3> passed{theirs[0].get(), theirs[1].get(), theirs[2].get()};
    (void)connection.channel.send(ipc::encode(ipc::SshReply(ipc::Streams{})), passed);
    writers_.emplace_back([this, writer = Fd(pipes[0][1]), errors = Fd(pipes[1][1]), reader = Fd(pipes[2][0]),
                           channel = second_owner(connection.channel)]() mutable {
        std::string block(1 << 16, '\0');
        for (ssize_t got = 0; (got = ::read(reader.get(), block.data(), block.size())) > 0;) {
            if (!write_whole(writer.get(), std::string_view(block).substr(0, static_cast<std::size_t>(got))))
                break;
            written_ += static_cast<std::uint64_t>(got);
        }
        writer.reset();
        errors.reset();
        (void)channel.send(ipc::encode(ipc::SshReply(ipc::Exit{5})));
    });
}

void FakeSupervisor::terminal(Connection& connection) {
    const Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master || ::unlockpt(master.get()) != 0)
        throw std::runtime_error("posix_openpt");
    Fd slave(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    termios mode{};
    ::tcgetattr(slave.get(), &mode);
    mode.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(slave.get(), TCSANOW, &mode);
    if (const auto& wanted = runs_.back().terminal) {
        const winsize size{wanted->rows, wanted->columns, 0, 0};
        (void)::ioctl(slave.get(), TIOCSWINSZ, &size);
    }
    const std::array<int, 1> passed{master.get()};
    (void)connection.channel.send(ipc::encode(ipc::SshReply(ipc::Streams{})), passed);
    writers_.emplace_back([slave = std::move(slave), channel = second_owner(connection.channel)]() mutable {
        std::array<char, 4096> line{};
        for (ssize_t got = 0; (got = ::read(slave.get(), line.data(), line.size())) > 0;) {
            const std::string_view text(line.data(), static_cast<std::size_t>(got));
            winsize size{};
            (void)::ioctl(slave.get(), TIOCGWINSZ, &size);
            if (!write_whole(slave.get(), fmt::format("{}x{} {}", size.ws_col, size.ws_row, text)) ||
                text == "end\n")
                break;
        }
        slave.reset();
        (void)channel.send(ipc::encode(ipc::SshReply(ipc::Exit{6})));
    });
}

} // namespace pgod::test
