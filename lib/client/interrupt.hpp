// What control-C and SIGTERM do: end pgoctl at once, with a word and a status that fit what is going on. All
// of it happens in the handler, so that nothing pgoctl waits for, not even a terminal that was stopped, can
// hold it up. Runs in pgoctl.
#pragma once

#include <string>

struct termios;

namespace pgod::client {

// Until the next call: a signal writes `message` to stderr, if there is one, and ends with `status`; 0: with
// 128 + signal.
void when_interrupted(std::string message, int status);

// The message for an operation that the server finishes.
std::string goes_on(const std::string& status_command);

// A signal that ends pgoctl first makes standard input's terminal what it was; null: nothing to restore.
// `saved` must outlive this.
void restore_when_interrupted(const termios* saved);

} // namespace pgod::client
