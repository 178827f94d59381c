// Stands in for pgod-work and does what a user could do with its channel. The service's name says what.
#include "ipc/work_messages.hpp"
#include "os/channel.hpp"

#include <unistd.h>

using namespace pgod;

int main() {
    const os::Channel channel{Fd(3)};
    const auto frame = channel.receive();
    if (!frame)
        return 64;
    const auto request = ipc::decode<ipc::WorkRequest>(frame->bytes);
    if (!request)
        return 64;
    const std::string& part = std::get<ipc::WorkJob>(*request).service;
    ipc::WorkDone good;
    good.exit_status = 0;
    const auto done = ipc::encode(ipc::WorkReport(good));
    if (part == "honest") {
        for (int i = 0; i < 200; ++i) // more than are taken at once
            (void)channel.send(ipc::encode(ipc::WorkReport(ipc::Progress{"plan"})));
        (void)channel.send(done);
        return 0;
    }
    if (part == "twice") {
        (void)channel.send(done);
        (void)channel.send(done);
    }
    if (part == "flood")
        while (channel.send(ipc::encode(ipc::WorkReport(ipc::Progress{"plan"})))) {
        }
    if (part == "noise")
        (void)channel.send("no message");
    while (true) // ended, or never
        ::pause();
}
