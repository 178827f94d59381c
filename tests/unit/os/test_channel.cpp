#include "os/channel.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>

using namespace pgod;
using namespace pgod::os;

TEST_CASE("frames keep their boundaries and bring descriptors, close-on-exec") {
    auto ends = *Channel::pair();
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    CHECK(ends[0].send("one", {&pipe[1], 1}));
    CHECK(ends[0].send("two"));
    ::close(pipe[1]);

    auto first = *ends[1].receive();
    CHECK(first.bytes == "one");
    REQUIRE(first.fds.size() == 1);
    CHECK((::fcntl(first.fds[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(::write(first.fds[0].get(), "x", 1) == 1);
    char byte = 0;
    CHECK(::read(pipe[0], &byte, 1) == 1);
    ::close(pipe[0]);

    auto second = *ends[1].try_receive();
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
