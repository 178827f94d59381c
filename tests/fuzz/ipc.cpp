// The codec of the messages between pgod's processes. The first byte says which direction the frame is of. A
// frame that decodes encodes to the very same bytes: there is one frame per message and no byte is ignored.
#include "target.hpp"

#include "ipc/control_messages.hpp"
#include "ipc/git_messages.hpp"
#include "ipc/metrics_messages.hpp"
#include "ipc/ssh_messages.hpp"
#include "ipc/work_messages.hpp"

#include <array>

namespace {

using namespace pgod;

template<typename Variant>
void round_trip(std::string_view frame) {
    const auto message = ipc::decode<Variant>(frame);
    if (message)
        fuzz::require(ipc::encode(*message) == frame);
    else
        fuzz::require(message.error().code == Code::invalid);
}

constexpr std::array directions{
    round_trip<ipc::SshControl>,     round_trip<ipc::SshNotice>,    round_trip<ipc::SshRequest>,
    round_trip<ipc::SshReply>,       round_trip<ipc::GitRequest>,   round_trip<ipc::GitNotice>,
    round_trip<ipc::GitReport>,      round_trip<ipc::WorkRequest>,  round_trip<ipc::WorkReport>,
    round_trip<ipc::ControlRequest>, round_trip<ipc::MetricsFrame>, round_trip<ipc::RelayControl>,
    round_trip<ipc::RelayStart>,
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    directions.at(data[0] % directions.size())(fuzz::text_of(data + 1, size - 1));
    return 0;
}
