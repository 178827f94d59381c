#include "base/result.hpp"

#include <cerrno>
#include <system_error>

namespace pgod {

std::string_view name_of(Code code) noexcept {
    switch (code) {
    case Code::transient:
        return "transient";
    case Code::permanent:
        return "permanent";
    case Code::denied:
        return "denied";
    case Code::invalid:
        return "invalid";
    case Code::timeout:
        return "timeout";
    case Code::gone:
        return "gone";
    case Code::internal:
        return "internal";
    }
    return "internal";
}

Error errno_error(std::string_view doing, int error_number) {
    Code code = Code::internal;
    switch (error_number) {
    case EACCES:
    case EPERM:
        code = Code::denied;
        break;
    case ENOENT:
        code = Code::gone;
        break;
    case ENOSPC:
    case EDQUOT:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EROFS: // a disk that failed, or is being looked after
    case EIO:
        code = Code::transient;
        break;
    case ETIMEDOUT:
        code = Code::timeout;
        break;
    case ELOOP:
    case EXDEV:
        code = Code::invalid;
        break;
    default:
        break;
    }
    return Error{code, std::string(doing) + ": " + std::generic_category().message(error_number)};
}

Error errno_error(std::string_view doing) {
    return errno_error(doing, errno);
}

} // namespace pgod
