#include "client/terminal.hpp"

#include "client/say.hpp"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace pgod::client {

namespace {

constexpr std::size_t max_answer = 1000;
constexpr int interrupted = 130;

// Byte by byte and without the terminal's signals, so that whatever ends the question also restores the
// terminal.
class RawInput {
  public:
    explicit RawInput(bool echo) {
        ::tcgetattr(STDIN_FILENO, &before_);
        termios now = before_;
        now.c_lflag &= ~static_cast<tcflag_t>(ISIG | ICANON);
        if (!echo)
            now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
    }
    RawInput(const RawInput&) = delete;
    RawInput& operator=(const RawInput&) = delete;
    ~RawInput() { ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_); }

    bool is(char byte, int which) const noexcept { return byte == static_cast<char>(before_.c_cc[which]); }

  private:
    termios before_{};
};

// One line; nullopt for control-C and the end of input.
std::optional<std::string> read_line(const RawInput& input) {
    std::string line;
    for (;;) {
        char byte = 0;
        const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || input.is(byte, VINTR) || input.is(byte, VEOF))
            return std::nullopt;
        if (byte == '\n' || byte == '\r')
            return line;
        if (input.is(byte, VERASE) || byte == '\b') {
            if (!line.empty())
                line.pop_back();
        } else if (line.size() < max_answer) {
            line += byte;
        }
    }
}

std::string asked(std::string_view question, bool echo) {
    std::optional<std::string> line;
    {
        const RawInput input(echo); // before the question: who answers it at once is not shown either
        say_raw(question);
        line = read_line(input);
    }
    if (!echo || !line)
        say_raw("\n");
    if (!line)
        std::exit(interrupted);
    return std::move(*line);
}

} // namespace

bool somebody_is_there() noexcept {
    return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

std::optional<Secret> ask_secret(std::string_view question) {
    if (!somebody_is_there())
        return std::nullopt;
    return Secret(asked(question, false));
}

bool ask_yes(std::string_view question) {
    return somebody_is_there() && asked(question, true) == "yes";
}

} // namespace pgod::client
