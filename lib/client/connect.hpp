// A TCP connection to the first address of a host that answers: IPv6 and IPv4, tried a quarter of a second
// apart (RFC 8305 in short), so that one dead address does not use up the whole timeout. Runs in pgoctl.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace pgod::client {

// Non-blocking, without Nagle's delay, with keepalives: a dead peer is noticed within two minutes.
// Code::transient or timeout; the message names host and port. The name's lookup is not bounded by `timeout`.
Result<Fd> connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

} // namespace pgod::client
