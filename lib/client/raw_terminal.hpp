// The person's terminal while a command runs on one of its own: raw, so that every key goes there, and made
// what it was however pgoctl ends but by SIGKILL. Runs in pgoctl.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "core/exec_request.hpp"

#include <termios.h>

namespace pgod::client {

class RawTerminal {
  public:
    RawTerminal(); // standard input must be a terminal
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    ~RawTerminal();

    static TerminalSize size() noexcept;
    int resized() const noexcept { return resized_.get(); } // a signalfd; -1: changes go unnoticed

  private:
    termios before_{};
    Fd resized_;
};

} // namespace pgod::client
