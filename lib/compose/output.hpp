// Output: what a job says, to the client and into the deployment's log. stdout gets what podman prints,
// stderr what pgod says. Lines leave as they are complete; values of the admin's variables are redacted.
//
// A client that does not read may not hold up a deployment: a write waits at most `patience`, and after the
// first that waited in vain the client gets nothing more. Only pipes and sockets are written here, in pieces
// that fit once poll(2) says so.
#pragma once

#include "compose/log_file.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

// For operations that only read: a slow client is waited for as long as that takes. false: it left.
bool write_patiently(int fd, std::string_view text);

class Output {
  public:
    static constexpr std::chrono::milliseconds patience{5'000};

    Output(int out, int err, const std::vector<std::string>& admin_environment);
    void redact(const std::string& value); // as well; before other threads write
    void log_to(LogFile log) { log_ = std::move(log); }

    void say(std::string_view sentence);    // stderr: one line, control characters escaped
    void print(std::string_view text);      // stdout, as it is
    bool show(std::string_view text) const; // stdout, patiently; false: the client left
    void relay(std::string_view bytes);     // stdout, by whole lines: a child's output, escaped
    void flush();                           // the last line, if it has no end
    void note(std::string_view line);       // the log only

    std::string redacted(std::string_view text) const;

  private:
    void write_to(int fd, bool& gone, std::string_view text) const;

    int out_;
    int err_;
    bool out_gone_ = false;
    bool err_gone_ = false;
    LogFile log_;
    std::vector<std::string> secrets_; // a value that contains another one first
    std::string line_;
};

} // namespace pgod::compose
