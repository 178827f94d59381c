// LiveLine: on a terminal, how long the step has taken that the last line names, under the output and never
// in it: every write takes it away first. A thread draws it once a second; the cursor stays at the line's
// beginning, so that whatever else is written there replaces it. Runs in pgoctl.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

namespace pgod::client {

class LiveLine {
  public:
    LiveLine();
    ~LiveLine(); // and the line is gone
    LiveLine(const LiveLine&) = delete;
    LiveLine& operator=(const LiveLine&) = delete;

    // As write_all() to that descriptor; a line to standard error begins a new step.
    bool write(int fd, std::string_view bytes);

    // Standard error is a terminal that knows what a line is.
    static bool is_possible() noexcept;

  private:
    using Clock = std::chrono::steady_clock;
    void draw_until(const std::stop_token& stop);
    void draw();
    void erase();

    std::mutex mutex_; // what follows
    std::condition_variable_any wake_;
    const Clock::time_point began_ = Clock::now();
    Clock::time_point step_ = began_;
    bool at_line_start_ = true;
    bool shown_ = false;
    const bool dim_; // NO_COLOR is not set
    std::jthread ticker_;
};

} // namespace pgod::client
