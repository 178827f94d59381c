#include "os/control_socket.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

using namespace pgod;
using namespace pgod::os;

TEST_CASE("the control socket: everybody connects, and the kernel says who") {
    const TemporaryDirectory directory;
    const std::string path = directory.path + "/own/control.sock";
    CHECK(connect_to_control(path).error().code == Code::gone);
    {
        const auto listener = listen_for_users(path, 0666);
        REQUIRE(listener);
        struct stat status {};
        REQUIRE(::stat(path.c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0666);
        CHECK_FALSE(*accept_user(listener->get()));
        const auto client = connect_to_control(path);
        REQUIRE(client);
        const auto accepted = *accept_user(listener->get());
        REQUIRE(accepted);
        CHECK(*peer_of(accepted->get()) == ::geteuid());
        CHECK(*peer_of(client->get()) == ::geteuid());
        CHECK(listen_for_users(path, 0600).error().message == "another pgod listens on " + path);
    }
    CHECK(connect_to_control(path).error().code == Code::gone); // what it left
    CHECK(listen_for_users(path, 0600));
}

TEST_CASE("the control socket's directory is nobody else's, and what is no socket is left alone") {
    const TemporaryDirectory directory;
    const std::string path = directory.path + "/control.sock";
    { std::ofstream(path) << "data"; }
    CHECK_FALSE(listen_for_users(path, 0600));
    CHECK(std::filesystem::file_size(path) == 4);
    REQUIRE(::chmod(directory.path.c_str(), 0777) == 0);
    CHECK(listen_for_users(directory.path + "/other", 0600).error().code == Code::denied);
    CHECK(listen_for_users(directory.path + "/" + std::string(200, 'x'), 0600).error().code == Code::invalid);
}
