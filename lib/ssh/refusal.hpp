// How pgod tells pgoctl that it refused a key before it began anything: with an exit-signal (RFC 4254 section
// 6.10) whose name is pgod's own, sent before the words. An operation's output cannot imitate that message,
// and clients that do not know the name still get the words and the exit status.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgod::ssh {

inline constexpr std::string_view refused_signal = "unauthorized@pgod";
inline constexpr std::size_t max_refusal = std::size_t{32} * 1024; // bytes of words that pgoctl keeps

} // namespace pgod::ssh
