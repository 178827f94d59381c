// Secret: a string that prints redacted. reveal() is the one greppable way to its text.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace pgod {

class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text)
        : text_(std::move(text)) {}
    const std::string& reveal() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }
    bool operator==(const Secret&) const = default;

  private:
    std::string text_;
};

} // namespace pgod

template<>
struct fmt::formatter<pgod::Secret> : fmt::formatter<std::string_view> {
    template<typename Context>
    auto format(const pgod::Secret& secret, Context& context) const {
        return fmt::formatter<std::string_view>::format(secret.empty() ? "" : "[redacted]", context);
    }
};
