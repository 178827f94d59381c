#include "core/intent_options.hpp"

#include "base/text.hpp"
#include "core/time_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::reconcile {

namespace {

constexpr std::size_t least_digits = 4;
constexpr std::size_t all_digits = 40;
constexpr std::size_t max_shown = 80;

std::string shown(std::string_view text) {
    return escaped(shortened(text, max_shown));
}

// The value of an option written as `--name VALUE` or `--name=VALUE`; nullopt: this word is not that option.
Result<std::optional<std::string>> option_value(std::span<const std::string> args, std::size_t& at,
                                                std::string_view name) {
    const std::string& word = args[at];
    if (word.starts_with(name) && word.size() > name.size() && word[name.size()] == '=')
        return std::optional(word.substr(name.size() + 1));
    if (word != name)
        return std::optional<std::string>{};
    if (at + 1 == args.size())
        return Error{Code::invalid, fmt::format("{} needs a value after it", name)};
    return std::optional(args[++at]);
}

} // namespace

Result<std::string> parse_commit(const std::string& text) {
    const auto is_digit = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    };
    std::string commit = text;
    std::transform(commit.begin(), commit.end(), commit.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (commit.size() < least_digits || commit.size() > all_digits ||
        !std::all_of(commit.begin(), commit.end(), is_digit))
        return Error{Code::invalid, fmt::format("\"{}\" is not a commit: write its {} hexadecimal digits, or "
                                                "at least the first {}",
                                                shown(text), all_digits, least_digits)};
    return commit;
}

Result<UpOptions> parse_up(std::span<const std::string> args) {
    UpOptions options;
    for (std::size_t i = 0; i < args.size(); ++i) {
        if (args[i] == "--resume") {
            options.resume = true;
        } else if (args[i] == "--wait" || args[i] == "--no-wait") {
            options.wait = args[i] == "--wait";
        } else if (auto commit = TRY(option_value(args, i, "--commit"))) {
            options.commit = TRY(parse_commit(*commit));
        } else if (auto timeout = TRY(option_value(args, i, "--timeout"))) {
            options.timeout = TRY(parse_span(*timeout));
        } else {
            return Error{
                Code::invalid,
                fmt::format(
                    "up does not know \"{}\": it takes --commit SHA, --wait, --no-wait, --timeout TIME "
                    "and --resume",
                    shown(args[i]))};
        }
    }
    return options;
}

Result<SuspendOptions> parse_suspend(std::span<const std::string> args, Time now) {
    SuspendOptions options;
    bool options_ended = false;
    for (std::size_t i = 0; i < args.size(); ++i) {
        if (!options_ended && args[i] == "--") {
            options_ended = true;
            continue;
        }
        if (!options_ended) {
            if (auto until = TRY(option_value(args, i, "--until"))) {
                options.until = TRY(parse_until(*until, now));
                continue;
            }
            if (args[i].starts_with("--"))
                return Error{Code::invalid,
                             fmt::format("suspend does not know \"{}\": it takes --until TIME and a reason",
                                         shown(args[i]))};
        }
        options.reason += (options.reason.empty() ? "" : " ") + args[i];
    }
    options.reason = shortened(options.reason, max_suspend_reason);
    return options;
}

} // namespace pgod::reconcile
