#include "config/permits.hpp"

#include "base/text.hpp"
#include "config/nearest.hpp"
#include "core/allowance.hpp"
#include "core/plan_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

namespace pgod::config {

namespace {

Error refused(std::string sentence) {
    return Error{Code::invalid, std::move(sentence)};
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known,
                         std::string_view before = {}) {
    const auto meant = nearest(word, known);
    return meant.empty() ? "" : fmt::format(" (did you mean \"{}{}\"?)", before, meant);
}

Error unknown_kind(std::string_view word, std::string_view text) {
    std::string forms;
    std::vector<std::string_view> known;
    for (const auto& kind : allowance_kinds()) {
        known.push_back(kind.word);
        forms +=
            fmt::format("{}\"{}{}\"", forms.empty() ? "" : ", ", kind.word, kind.takes_value() ? ":…" : "");
    }
    return refused(fmt::format("may hold {}, not {}{}", forms, in_quotes(text), did_you_mean(word, known)));
}

} // namespace

Result<std::string> parse_allow(std::string_view text) {
    const auto colon = text.find(':');
    const auto word = text.substr(0, colon);
    const auto kinds = allowance_kinds();
    const auto kind =
        std::find_if(kinds.begin(), kinds.end(), [word](const auto& one) { return one.word == word; });
    if (kind == kinds.end())
        return unknown_kind(word, text);
    if (!kind->takes_value())
        return text == word ? Result<std::string>(std::string(word))
                            : refused(fmt::format("holds {}: write \"{}\" alone", in_quotes(text), word));
    const auto value = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    auto whole = allowance(word, value);
    const auto plain = std::string_view(whole).substr(word.size() + 1);
    const bool good = kind->values.empty()
                          ? kind->fits(plain)
                          : std::find(kind->values.begin(), kind->values.end(), plain) != kind->values.end();
    if (!good)
        return refused(fmt::format("must name {}, not {}{}", kind->expected, in_quotes(text),
                                   did_you_mean(plain, kind->values, std::string(word) + ":")));
    return whole;
}

Result<std::string> parse_network(std::string_view text) {
    if (text == "host")
        return refused("cannot hold \"host\": the host's own network is allow = [\"host-network\"]");
    if (!is_object_name(text) || is_network_mode(text))
        return refused(fmt::format("must hold names of podman networks, not {}", in_quotes(text)));
    return std::string(text);
}

} // namespace pgod::config
