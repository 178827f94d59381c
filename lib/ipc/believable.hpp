// What root believes of a report. A worker and a git job run as the service's user, who can write into the
// pipe of either. Texts are made fit to be shown: shortened, escaped, one line of UTF-8. What no honest
// process says makes the report a lie. Pure.
#pragma once

#include "ipc/git_messages.hpp"
#include "ipc/work_messages.hpp"

#include <cstddef>

namespace pgod::ipc {

inline constexpr std::size_t max_reported_sentence = 1000; // bytes, before what has to be escaped is
inline constexpr std::size_t max_reported_word = 256;      // a step, a service, a container and its state
inline constexpr std::size_t max_reported_containers = 64;
inline constexpr std::size_t max_reported_notes = 20;

// False: a lie. Whoever sent it broke the protocol, and nothing of it counts.
bool believable(WorkReport& report);
bool believable(GitReport& report);

} // namespace pgod::ipc
