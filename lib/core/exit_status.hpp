// Every exit status of pgoctl and of an SSH session, in one place ([contract]; the table is in pgoctl(1)).
// They follow sysexits(3) where it has a word; none is above 125, because ssh keeps eight bits.
#pragma once

namespace pgod::exit_status {

inline constexpr int done = 0;
inline constexpr int failed = 1;        // nothing healthy was touched; or cancelled
inline constexpr int usage = 64;        // malformed target, unknown operation, bad argument
inline constexpr int rejected = 65;     // by checks, or refused because suspended or quarantined
inline constexpr int unavailable = 69;  // cannot reach the host, or pgod is stopping
inline constexpr int internal = 70;     // a broken promise of our own
inline constexpr int busy = 75;         // busy or timed out; it goes on at the server
inline constexpr int host_key = 76;     // host key unknown or changed
inline constexpr int unauthorized = 77; // also for a service that does not exist
inline constexpr int config = 78;       // bad configuration
inline constexpr int rolled_back = 80;  // deployment failed and was rolled back
inline constexpr int unhealthy = 81;    // deployment failed, service not healthy

} // namespace pgod::exit_status
