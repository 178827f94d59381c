#include "os/channel_descriptors.hpp"
#include "os/line.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

using namespace pgod;
using namespace pgod::os;

TEST_CASE("frames keep their boundaries and bring descriptors, close-on-exec") {
    auto ends = *Channel::pair();
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    CHECK(ends[0].send("one", {&pipe[1], 1}));
    CHECK(ends[0].send("two"));
    ::close(pipe[1]);

    auto first = *receive_with_descriptors(ends[1]);
    CHECK(first.bytes == "one");
    REQUIRE(first.fds.size() == 1);
    CHECK((::fcntl(first.fds[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(::write(first.fds[0].get(), "x", 1) == 1);
    char byte = 0;
    CHECK(::read(pipe[0], &byte, 1) == 1);
    ::close(pipe[0]);

    auto second = *try_receive_with_descriptors(ends[1]);
    REQUIRE(second);
    CHECK(second->bytes == "two");
    CHECK(second->fds.empty());
    CHECK_FALSE(*ends[1].try_receive());
}

TEST_CASE("a closed peer is seen on both sides") {
    auto ends = *Channel::pair();
    ends[0].close();
    CHECK(ends[1].receive()->closed());
    const auto sent = ends[1].send("x");
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == Code::gone);
}

TEST_CASE("a whole frame of the largest size passes, a larger one is refused") {
    auto ends = *Channel::pair();
    const std::string largest(max_channel_frame, 'x');
    CHECK(ends[0].send(largest));
    CHECK(ends[1].receive()->bytes == largest);
    CHECK_FALSE(ends[0].send(largest + "x"));
    CHECK_FALSE(ends[0].send(""));
}

TEST_CASE("a peer that does not read is transient, never a wait") {
    auto ends = *Channel::pair();
    const std::string frame(64 * 1024, 'x');
    Status sent = ok();
    for (int i = 0; i < 1000 && sent; ++i)
        sent = ends[0].try_send(frame);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == Code::transient);
}

TEST_CASE("a channel that takes no descriptors refuses a frame that comes with some") {
    auto ends = *Channel::pair();
    const int descriptor = ends[0].fd();
    CHECK(ends[0].send("one", {&descriptor, 1}));
    const auto frame = ends[1].try_receive();
    REQUIRE_FALSE(frame);
    CHECK(frame.error().code == Code::invalid);
}

TEST_CASE("frames pass a pipe whole, however they were cut on the way") {
    auto pipe = *make_frame_pipe();
    CHECK_FALSE(*pipe.reader.try_receive());
    const std::string_view raw("\x03\0\0\0one", 7);
    for (const char byte : raw.substr(0, 6)) {
        REQUIRE(::write(pipe.writer.get(), &byte, 1) == 1);
        CHECK_FALSE(*pipe.reader.try_receive());
    }
    REQUIRE(::write(pipe.writer.get(), "e", 1) == 1);
    CHECK((*pipe.reader.try_receive())->bytes == "one");

    const FrameWriter writer(std::move(pipe.writer));
    const std::string largest(max_channel_frame, 'x'); // more than a pipe holds
    std::thread sender([&] {
        CHECK(writer.send(largest, std::chrono::minutes(1)));
        CHECK(writer.send("two", std::chrono::minutes(1)));
    });
    std::vector<std::string> frames;
    while (frames.size() < 2)
        if (auto frame = *pipe.reader.try_receive())
            frames.push_back(frame->bytes);
    sender.join();
    CHECK((frames[0] == largest));
    CHECK(frames[1] == "two");
    CHECK_FALSE(writer.send(largest + "x", std::chrono::minutes(1)));
}

TEST_CASE("a pipe's end is seen on both sides, and a frame cut off by it is none") {
    auto pipe = *make_frame_pipe();
    REQUIRE(::write(pipe.writer.get(), "\x03\0\0\0on", 6) == 6);
    pipe.writer.reset();
    CHECK((*pipe.reader.try_receive())->closed());

    (void)::signal(SIGPIPE, SIG_IGN);
    auto other = *make_frame_pipe();
    other.reader.close();
    const auto sent = FrameWriter(std::move(other.writer)).send("x", std::chrono::minutes(1));
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == Code::gone);
}

TEST_CASE("a length that no frame has is an error, and nothing is allocated for it") {
    for (const auto& header : {std::string(4, '\0'), std::string(4, '\xff')}) {
        auto pipe = *make_frame_pipe();
        REQUIRE(::write(pipe.writer.get(), header.data(), 4) == 4);
        CHECK_FALSE(pipe.reader.try_receive());
    }
}

TEST_CASE("a writer does not wait longer than it has patience") {
    auto pipe = *make_frame_pipe();
    const FrameWriter writer(std::move(pipe.writer));
    const std::string frame(max_channel_frame, 'x');
    const auto sent = writer.send(frame, std::chrono::milliseconds(20));
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == Code::transient);
}

TEST_CASE("nothing that the lower end of a line sends over its socket can wait in the upper one") {
    auto line = *make_line();
    const int socket = line.lower.down.fd();
    const int descriptor = STDIN_FILENO;
    for (int attempt = 0; attempt < 2; ++attempt) { // also after it has tried to open the way again
        const auto sent = line.lower.down.try_send("up", {&descriptor, 1});
        REQUIRE_FALSE(sent);
        CHECK(sent.error().code == Code::gone);
        CHECK_FALSE(line.lower.down.try_send("up"));
        CHECK(::write(socket, "up", 2) == -1);
        CHECK(errno == EPIPE);
        (void)::shutdown(socket, SHUT_RD);
        const sockaddr nobody{AF_UNSPEC, {}};
        CHECK(::connect(socket, &nobody, sizeof nobody) != 0);
    }
    CHECK_FALSE(*line.upper.try_receive());
}

TEST_CASE("a line takes frames and descriptors down, frames up, and shows both ends its end") {
    auto line = *make_line();
    const int descriptor = STDIN_FILENO;
    CHECK(line.upper.try_send("down", {&descriptor, 1}));
    CHECK(receive_with_descriptors(line.lower.down)->fds.size() == 1);
    CHECK(line.lower.up.try_send("up"));
    CHECK((*line.upper.try_receive())->bytes == "up");
    CHECK_FALSE(*line.upper.try_receive());

    auto other = *make_line();
    other.lower.close();
    CHECK((*other.upper.try_receive())->closed());
    line.upper.close();
    pollfd hung_up{line.lower.down.fd(), 0, 0};
    CHECK(::poll(&hung_up, 1, 0) == 1);
    CHECK(line.lower.down.receive()->closed());
    (void)::signal(SIGPIPE, SIG_IGN);
    CHECK(line.lower.up.try_send("up").error().code == Code::gone);
}

TEST_CASE("a frame that finds no room in a pipe is not there in part") {
    auto line = *make_line();
    const std::string frame(FrameWriter::max_whole_frame, 'x');
    std::size_t sent = 0;
    while (line.lower.up.try_send(frame))
        ++sent;
    CHECK(line.lower.up.try_send(frame).error().code == Code::transient);
    CHECK_FALSE(line.lower.up.try_send(frame + "x"));
    std::size_t received = 0;
    while (auto one = *line.upper.try_receive()) {
        CHECK(one->bytes == frame);
        ++received;
    }
    CHECK(received == sent);
}
