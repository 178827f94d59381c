// RepositoryUrl: where a service's repository lives. https, ssh (ssh:// and scp-like git@host:path), git and
// file. A credential in it never shows: printing gives the redacted form, fetch_url() the whole.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace pgod {

class RepositoryUrl {
  public:
    enum class Scheme { https, http, ssh, git, file };

    // Refuses other schemes, local paths, a leading dash, control characters and spaces.
    static Result<RepositoryUrl> parse(std::string_view text);

    Scheme scheme() const noexcept { return scheme_; }
    const std::string& redacted() const noexcept { return redacted_; } // user:password@ replaced
    const Secret& whole() const noexcept { return whole_; }            // as the admin wrote it
    bool has_credentials() const noexcept { return redacted_ != whole_.reveal(); }
    bool operator==(const RepositoryUrl&) const = default;

  private:
    Scheme scheme_ = Scheme::https;
    std::string redacted_;
    Secret whole_;
};

} // namespace pgod

template<>
struct fmt::formatter<pgod::RepositoryUrl> : fmt::formatter<std::string_view> {
    template<typename Context>
    auto format(const pgod::RepositoryUrl& url, Context& context) const {
        return fmt::formatter<std::string_view>::format(url.redacted(), context);
    }
};
