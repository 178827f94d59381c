// pgoctl's command line as data. Everything after the target belongs to the operation and is not looked at.
// Runs in pgoctl.
#pragma once

#include "core/command.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgod::client {

inline constexpr std::uint16_t default_port = 2222;

struct Options {
    std::vector<std::string> identities; // as given; empty: the usual places
    std::optional<std::uint16_t> port;
    bool json = false;
    bool accept_new = false;
    bool verbose = false;
    bool plain = false; // nothing but lines, also on a terminal
    bool watch = false; // again and again
    bool ssh_config = false;
    std::string host_key;    // the pin, SHA256:…; empty: PGOCTL_HOST_KEY, then known_hosts
    std::string known_hosts; // empty: ~/.ssh/known_hosts
    std::string control;     // the control socket; empty: PGOCTL_CONTROL, then the usual places
    std::chrono::seconds timeout{10};
    std::string target; // not parsed yet: a key that the shell split into words is told apart first
    std::vector<std::string> args;
};

// The command line asked for a text, or is wrong.
struct EarlyEnd {
    int status = 0;
    std::string text; // for stdout when status is 0, else one sentence for stderr
};

std::variant<Options, EarlyEnd> parse_options(int argc, const char* const* argv);

// The exec request: SERVICE//OPERATION [--json] [ARG…], quoted so that the server finds the same words.
// Code::invalid when it is larger than the server takes.
Result<std::string> request_line(const std::string& command, bool json, const std::vector<std::string>& args);

} // namespace pgod::client
