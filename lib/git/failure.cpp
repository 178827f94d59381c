#include "git/failure.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <git2.h>
#if __has_include(<git2/sys/errors.h>) // git_error_set_str(), from libgit2 1.8 on
#include <git2/sys/errors.h>
#endif

#include <string>

namespace pgod::git {

namespace {

constexpr std::size_t max_detail = 300; // bytes of foreign text in one message

// "scheme://user:secret@host" becomes "scheme://host", wherever it stands in the text.
std::string without_user_parts(std::string_view text) {
    std::string out;
    for (;;) {
        const auto scheme_end = text.find("://");
        if (scheme_end == std::string_view::npos)
            return out.append(text);
        const auto start = scheme_end + 3;
        out.append(text.substr(0, start));
        text.remove_prefix(start);
        const auto authority = text.substr(0, text.find_first_of("/ \t\r\n'\""));
        const auto at = authority.rfind('@');
        if (at != std::string_view::npos)
            text.remove_prefix(at + 1);
    }
}

// libgit2 has no code for an HTTP status; its text is the only place where it stands.
Code code_of_http(std::string_view detail) {
    const auto says = [detail](std::string_view status) {
        const auto at = detail.find("status code: ");
        return at != std::string_view::npos && detail.substr(at + 13).starts_with(status);
    };
    if (says("404") || says("410"))
        return Code::gone;
    if (says("401") || says("403"))
        return Code::denied;
    return Code::transient;
}

Code code_of(int rc, const git_error* last, std::string_view detail) {
    if (rc == GIT_EAUTH || rc == GIT_ECERTIFICATE || rc == GIT_EOWNER)
        return Code::denied;
    if (rc == GIT_EUSER)
        return Code::transient;
    switch (last == nullptr ? GIT_ERROR_NONE : last->klass) {
    case GIT_ERROR_HTTP:
        return code_of_http(detail);
    case GIT_ERROR_NET:
    case GIT_ERROR_SSL:
    case GIT_ERROR_SSH:
    case GIT_ERROR_OS: // a full disk, too many files: no damage
    case GIT_ERROR_NOMEMORY:
        return Code::transient;
    case GIT_ERROR_CALLBACK:
        return Code::denied;
    case GIT_ERROR_INVALID:
        return Code::invalid;
    default:
        return Code::internal;
    }
}

} // namespace

void set_git_error(int klass, const std::string& sentence) {
    (void)git_error_set_str(klass, sentence.c_str());
}

Error git_failure(int rc, std::string_view doing) {
    const git_error* last = git_error_last(); // null after a clear
    std::string detail = last != nullptr && last->message != nullptr ? last->message : "unknown error";
    const Code code = code_of(rc, last, detail);
    detail = shortened(escaped(without_user_parts(trimmed(detail))), max_detail);
    return Error{code, fmt::format("{}: {}", doing, detail)};
}

} // namespace pgod::git
