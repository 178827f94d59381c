// Taking frames out of a Channel together with the descriptors beside them. For the roles and pgoctl, which
// trust whoever holds the other end. The supervisor must not link this file (tests/structure/binaries.py): to
// close a descriptor that somebody else made can take as long as they like.
#pragma once

#include "os/channel.hpp"

#include <vector>

namespace pgod::os {

struct FrameWithDescriptors : Frame {
    std::vector<Fd> fds; // close-on-exec; at most max_channel_fds
};

// As Channel::receive() and try_receive().
Result<FrameWithDescriptors> receive_with_descriptors(const Channel& channel);
Result<std::optional<FrameWithDescriptors>> try_receive_with_descriptors(const Channel& channel);

} // namespace pgod::os
