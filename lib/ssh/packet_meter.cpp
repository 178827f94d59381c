#include "ssh/packet_meter.hpp"

#include <libssh/callbacks.h>

namespace pgod::ssh {

void PacketMeter::start(ssh_session session) {
    session_ = session;
    ::ssh_set_counters(session_, nullptr, &received_);
    (void)::ssh_set_log_userdata(this);
    (void)::ssh_set_log_callback(note);
    (void)::ssh_set_log_level(SSH_LOG_PACKET);
}

void PacketMeter::stop() noexcept {
    if (session_ == nullptr)
        return;
    (void)::ssh_set_log_level(SSH_LOG_NOLOG);
    (void)::ssh_set_log_userdata(nullptr); // libssh takes no null callback; without a level it calls none
    ::ssh_set_counters(session_, nullptr, nullptr);
    session_ = nullptr;
}

// At this level libssh logs a line for each packet, once it has counted it and before it handles it. What the
// line says does not matter.
void PacketMeter::note(int, const char*, const char*, void* self) noexcept {
    if (self == nullptr)
        return;
    auto& meter = *static_cast<PacketMeter*>(self);
    if (meter.received_.in_packets == meter.packets_)
        return;
    const bool one = meter.received_.in_packets == meter.packets_ + 1;
    meter.size_ = one ? std::optional(meter.received_.in_bytes - meter.bytes_) : std::nullopt;
    meter.packets_ = meter.received_.in_packets;
    meter.bytes_ = meter.received_.in_bytes;
}

std::optional<std::uint64_t> PacketMeter::size() const noexcept {
    return received_.in_packets == packets_ ? size_ : std::nullopt;
}

} // namespace pgod::ssh
