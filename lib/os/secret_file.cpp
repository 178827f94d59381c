#include "os/secret_file.hpp"

#include "base/text.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace pgod::os {

namespace {

Result<std::string> path_of_secret(const std::string& name) {
    if (name.find('/') != std::string::npos)
        return name;
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr || *directory != '/')
        return Error{
            Code::denied,
            fmt::format("\"{0}\" names a credential of systemd, and pgod was started without any: put "
                        "LoadCredential={0}:FILE into its unit, or write an absolute path",
                        escaped(name))};
    return fmt::format("{}/{}", directory, name);
}

// Without links: where a user may write on the way, a link would lead root to whatever file he likes.
Result<Fd> open_without_links(const std::string& path) {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    Fd fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
    if (fd)
        return fd;
    if (errno == ELOOP)
        return Error{
            Code::denied,
            fmt::format("{} is reached through a symbolic link: write where it really is", escaped(path))};
    Error error = errno_error(fmt::format("read {}", escaped(path)));
    error.code = Code::denied;
    return error;
}

Status check_owner_and_mode(int fd, const std::string& path) {
    struct stat status {};
    if (::fstat(fd, &status) != 0)
        return errno_error(fmt::format("look at {}", escaped(path)));
    if (!S_ISREG(status.st_mode))
        return Error{Code::denied, fmt::format("{} is not a regular file", escaped(path))};
    const uid_t we = ::geteuid();
    const bool is_ours = status.st_uid == we || status.st_uid == 0;
    if (is_ours && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return ok();
    return Error{Code::denied,
                 fmt::format("{0} holds secrets, but {1}: chown {2} {0} && chmod 600 {0}", escaped(path),
                             is_ours
                                 ? fmt::format("its mode {:o} lets others at them", status.st_mode & 07777U)
                                 : fmt::format("it belongs to uid {}", status.st_uid),
                             we)};
}

} // namespace

Result<Secret> read_secret_file(const std::string& name) {
    const std::string path = TRY(path_of_secret(name));
    const Fd fd = TRY(open_without_links(path));
    TRY(check_owner_and_mode(fd.get(), path));
    return Secret(TRY_DOING(read_file(fd.get(), max_secret_file), escaped(path)));
}

Result<Fd> sealed_file(std::string_view text) {
    Fd fd(::memfd_create("pgod-secret", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd)
        return errno_error("make an anonymous file");
    // At an offset, so that whoever reads the descriptor begins at its beginning.
    for (std::size_t written = 0; written < text.size();) {
        const ssize_t size =
            ::pwrite(fd.get(), text.data() + written, text.size() - written, static_cast<off_t>(written));
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return errno_error("write an anonymous file");
        written += static_cast<std::size_t>(size);
    }
    if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
        return errno_error("seal an anonymous file");
    return fd;
}

} // namespace pgod::os
