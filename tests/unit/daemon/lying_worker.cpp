// Stands in for pgod-work and does what a user could do with its channel. The service's name says what.
#include "ipc/work_messages.hpp"
#include "os/frame_pipe.hpp"
#include "os/safe_path.hpp"

#include <signal.h>
#include <unistd.h>

using namespace pgod;

int main() {
    (void)::signal(SIGPIPE, SIG_IGN);
    const auto order = os::read_file(3, os::max_channel_frame);
    const auto request = ipc::decode<ipc::WorkRequest>(order ? *order : std::string());
    if (!request)
        return 64;
    const std::string& part = std::get<ipc::WorkJob>(*request).service;
    const os::FrameWriter reports{Fd(6)};
    const auto send = [&reports](std::string_view frame) {
        return reports.send(frame, std::chrono::minutes(1));
    };
    ipc::WorkDone good;
    good.exit_status = 0;
    const auto done = ipc::encode(ipc::WorkReport(good));
    if (part == "honest") {
        for (int i = 0; i < 200; ++i) // more than are taken at once
            (void)send(ipc::encode(ipc::WorkReport(ipc::Progress{"plan"})));
        (void)send(done);
        return 0;
    }
    if (part == "twice") {
        (void)send(done);
        (void)send(done);
    }
    if (part == "flood")
        while (send(ipc::encode(ipc::WorkReport(ipc::Progress{"plan"})))) {
        }
    if (part == "commit") {
        good.running_commit = "zzz";
        (void)send(ipc::encode(ipc::WorkReport(good)));
    }
    if (part == "long") {
        good.error = Error{Code::permanent, std::string(126 * 1024, 'x')};
        (void)send(ipc::encode(ipc::WorkReport(good)));
        return 0;
    }
    if (part == "gate") { // honest as well
        (void)send(ipc::encode(ipc::WorkReport(ipc::AtGate{})));
        char byte = 0;
        if (::read(7, &byte, 1) != 0)
            return 1;
        (void)send(done);
        return 0;
    }
    if (part == "noise")
        (void)send("no message");
    while (true) // ended, or never
        ::pause();
}
