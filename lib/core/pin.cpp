#include "core/pin.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace pgod {

namespace {

constexpr std::string_view pin_prefix = "SHA256:";

} // namespace

Result<std::string> parse_pin(std::string_view text) {
    std::string_view pin = trimmed(text);
    if (pin.ends_with('='))
        pin.remove_suffix(1);
    const bool shaped =
        pin.starts_with(pin_prefix) &&
        base64_decoded(fmt::format("{}=", pin.substr(pin_prefix.size()))).value_or("").size() == 32;
    if (!shaped)
        return Error{Code::invalid,
                     fmt::format("\"{}\" is not a host key's fingerprint: write it as `ssh-keygen -l` "
                                 "prints it, SHA256:...",
                                 shortened(text, 80))};
    return std::string(pin);
}

} // namespace pgod
