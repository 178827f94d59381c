// The operation's output on its way to stdout and stderr: untouched, at once. Runs in pgoctl.
#pragma once

#include "client/live_line.hpp"

#include <optional>
#include <string_view>

namespace pgod::client {

class Output {
  public:
    // `needs_reader`: with nobody reading stdout there is no point in going on.
    explicit Output(bool needs_reader) noexcept
        : needs_reader_(needs_reader) {}

    void show_progress() { live_.emplace(); } // until end_progress()
    void end_progress();
    bool take(bool is_stderr, std::string_view bytes); // false: end it

    // Of an operation that is over: says what went wrong with writing to stdout. With `unwanted`, which is
    // what ended it, also the exit status that follows from that.
    std::optional<int> status_of_failure(bool unwanted) const;

  private:
    bool write(int fd, std::string_view bytes);

    std::optional<LiveLine> live_;
    bool needs_reader_;
    int write_error_ = 0;
};

} // namespace pgod::client
