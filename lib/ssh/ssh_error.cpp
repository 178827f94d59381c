#include "ssh/ssh_error.hpp"

#include "base/text.hpp"

#include <libssh/libssh.h>

#include <string>

namespace pgod::ssh {

namespace {

constexpr std::size_t max_detail = 300;

// ssh_get_error() reads the error that a session and a bind both begin with, hence the untyped handle.
Error translated(void* handle, std::string_view doing) {
    const char* detail = handle == nullptr ? nullptr : ::ssh_get_error(handle);
    const bool denied = handle != nullptr && ::ssh_get_error_code(handle) == SSH_REQUEST_DENIED;
    std::string message(doing);
    if (detail != nullptr && *detail != '\0')
        message += ": " + escaped(shortened(detail, max_detail));
    return Error{denied ? Code::denied : Code::transient, std::move(message)};
}

} // namespace

Error ssh_error(ssh_session_struct* session, std::string_view doing) {
    return translated(session, doing);
}

Error ssh_error(ssh_bind_struct* bind, std::string_view doing) {
    return translated(bind, doing);
}

} // namespace pgod::ssh
