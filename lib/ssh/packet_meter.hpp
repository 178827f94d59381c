// The size of the packet that libssh handles at this moment. libssh gives a callback its texts as C strings,
// which end at the first NUL, and no lengths; its public counters and log, taken together, still tell how
// long the packet was. Runs in a child of pgod-ssh, which has one session: libssh's log belongs to the
// thread.
#pragma once

#include <libssh/libssh.h>

#include <cstdint>
#include <optional>

namespace pgod::ssh {

class PacketMeter {
  public:
    PacketMeter() = default;
    PacketMeter(const PacketMeter&) = delete;
    PacketMeter& operator=(const PacketMeter&) = delete;
    ~PacketMeter() { stop(); }

    void start(ssh_session session); // measures the packets after the one that is being handled
    void stop() noexcept;            // before the session is freed

    // Bytes of the message, RFC 4253's payload, after decompression. nullopt: this libssh does not tell.
    std::optional<std::uint64_t> size() const noexcept;

  private:
    static void note(int priority, const char* function, const char* text, void* self) noexcept;

    ssh_session session_ = nullptr;
    ssh_counter_struct received_{};
    std::uint64_t packets_ = 0; // of received_, when libssh last logged
    std::uint64_t bytes_ = 0;
    std::optional<std::uint64_t> size_;
};

} // namespace pgod::ssh
