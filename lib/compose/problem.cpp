#include "compose/problem.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace pgod::compose {

namespace {

constexpr std::size_t max_problem = 400;        // bytes of podman's text in a sentence
constexpr std::size_t max_looked_at = 64 << 10; // bytes of what podman printed last
constexpr std::size_t max_head = 120;           // of them, of the beginning of a line that is too long

constexpr std::string_view error_mark = "Error: ";
constexpr std::string_view log_mark = "time=\"";
constexpr std::string_view message_mark = " msg=";

bool is_log(std::string_view line) {
    constexpr std::array<std::string_view, 6> marks{log_mark, "[ERROR ", "[WARN ",
                                                    "[INFO ", "[DEBUG ", "[conmon:"};
    return std::any_of(marks.begin(), marks.end(),
                       [line](std::string_view mark) { return line.starts_with(mark); });
}

// "See 'podman run --help'" after a wrong option, and ": exit status 1" after the output of a helper.
bool adds_nothing(std::string_view line) {
    return line.empty() || line.starts_with(": ") ||
           ((line.starts_with("See 'podman ") || line.starts_with("Try 'podman ")) &&
            line.find("--help'") != line.npos);
}

// podman's first steps as an ordinary user: the reason stands before the sentence.
bool refers_to_the_line_before(std::string_view problem) {
    return problem.starts_with("cannot re-exec process") ||
           problem.starts_with("cannot set up namespace using ");
}

// The message of a line of podman's log, which quotes it as Go does.
std::string message_of(std::string_view line) {
    const auto mark = line.find(message_mark);
    if (!line.starts_with(log_mark) || mark == line.npos)
        return std::string(line);
    line.remove_prefix(mark + message_mark.size());
    if (!line.starts_with('"'))
        return std::string(line);
    std::string message;
    for (std::size_t i = 1; i < line.size() && line[i] != '"'; ++i) {
        if (line[i] == '\\' && i + 1 < line.size())
            message += line[++i] == 'n' || line[i] == 't' ? ' ' : line[i];
        else
            message += line[i];
    }
    return std::string(trimmed(message));
}

// podman puts what it was doing before the cause: both ends of a long line are kept.
std::string shortened_in_the_middle(std::string_view text) {
    if (text.size() <= max_problem)
        return std::string(text);
    auto tail = text.size() - (max_problem - max_head);
    while (tail < text.size() && (static_cast<unsigned char>(text[tail]) & 0xc0) == 0x80)
        ++tail;
    return shortened(text, max_head) + std::string(text.substr(tail));
}

struct Line {
    std::string_view text;
    bool log = false;
};

std::vector<Line> telling_lines(std::string_view errors) {
    std::vector<Line> lines;
    for (const auto line : split(errors, '\n'))
        if (const auto text = trimmed(line); !adds_nothing(text))
            lines.push_back({text, is_log(text)});
    return lines;
}

std::string chosen_from(const std::vector<Line>& lines) {
    const auto is_error = [](const Line& line) {
        return line.text.starts_with(error_mark);
    };
    const auto found = std::find_if(lines.rbegin(), lines.rend(), is_error);
    if (found == lines.rend()) {
        const auto plain =
            std::find_if(lines.rbegin(), lines.rend(), [](const Line& one) { return !one.log; });
        return plain == lines.rend() ? message_of(lines.back().text) : std::string(plain->text);
    }
    // podman passes on what a helper printed, below its own line: the first of these lines is the cause.
    const auto error = found.base() - 1;
    const auto cause = std::find_if(error + 1, lines.end(), [](const Line& one) { return !one.log; });
    if (cause != lines.end())
        return std::string(cause->text.starts_with("* ") ? cause->text.substr(2) : cause->text);
    const auto problem = error->text.substr(error_mark.size());
    return refers_to_the_line_before(problem) && error != lines.begin() ? message_of((error - 1)->text)
                                                                        : std::string(problem);
}

} // namespace

std::string problem_of(std::string_view errors) {
    const auto lines = telling_lines(errors.substr(errors.size() - std::min(errors.size(), max_looked_at)));
    return lines.empty() ? "it gave no reason" : shortened_in_the_middle(escaped(chosen_from(lines)));
}

} // namespace pgod::compose
