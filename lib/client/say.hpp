// What pgoctl itself says, on standard error: one line each, "pgoctl: …", control characters escaped. And the
// operation's own output, handed on untouched. Runs in pgoctl.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace pgod::client {

void say(std::string_view sentence); // "pgoctl: SENTENCE\n", escaped
void say_raw(std::string_view text); // trusted text of ours, as it is

// All of it, however slow the reader. False: it cannot be written, and errno says why (EPIPE: nobody reads
// any more).
bool write_all(int fd, std::string_view bytes) noexcept;

} // namespace pgod::client
