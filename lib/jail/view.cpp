#include "jail/view.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace pgod::jail {

namespace {

constexpr const char* memory_size = "size=64m,mode=755"; // of /, /dev and /run
constexpr const char* tmp_size = "size=512m,mode=1777";

// /bin, /lib and the like are links into /usr on a merged system, and directories of their own elsewhere.
constexpr std::array system_directories{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

// Of /etc, if there: accounts, names, certificates, the dynamic linker, and the admin's settings of
// containers. None of them is secret: every user of the host can read them.
constexpr std::array system_settings{
    "/etc/passwd",       "/etc/group",      "/etc/nsswitch.conf", "/etc/protocols",       "/etc/services",
    "/etc/localtime",    "/etc/mime.types", "/etc/ssl",           "/etc/ca-certificates", "/etc/pki",
    "/etc/alternatives", "/etc/ld.so.conf", "/etc/ld.so.conf.d",  "/etc/ld.so.cache",     "/etc/containers"};

constexpr std::array devices{"/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
                             "/dev/urandom", "/dev/tty",  "/dev/fuse"};

// network.cpp: this resolver hands on to the host's, wherever that one listens.
constexpr std::string_view resolver = "nameserver 10.0.2.3\n";
constexpr std::string_view hosts = "127.0.0.1 localhost\n::1 localhost\n";

Status make_directory(const std::string& path) {
    for (auto slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        if (::mkdir(path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST)
            return errno_error("make " + path);
        if (slash == std::string::npos)
            return ok();
    }
}

Status write_file(const std::string& path, std::string_view text) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return errno_error("write " + path);
    return ok();
}

Status mount_new(const char* type, const std::string& onto, unsigned long flags, const char* options) {
    TRY(make_directory(onto));
    if (::mount(type, onto.c_str(), type, flags, options) != 0)
        return errno_error("mount " + onto);
    return ok();
}

// The mounts beneath `from` come along: the kernel gives a user namespace all of them or none.
Status bind_mount(const std::string& from, const std::string& onto, bool writable) {
    struct stat found {};
    if (::stat(from.c_str(), &found) != 0)
        return errno_error("look at " + from);
    if (S_ISDIR(found.st_mode)) {
        TRY(make_directory(onto));
    } else {
        TRY(make_directory(onto.substr(0, onto.rfind('/'))));
        if (::access(onto.c_str(), F_OK) != 0)
            TRY(write_file(onto, ""));
    }
    if (::mount(from.c_str(), onto.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
        return errno_error("mount " + from);
    if (writable)
        return ok();
    mount_attr read_only{};
    read_only.attr_set = MOUNT_ATTR_RDONLY;
    if (::syscall(SYS_mount_setattr, AT_FDCWD, onto.c_str(), AT_RECURSIVE, &read_only, sizeof read_only) != 0)
        return errno_error("make " + from + " read-only");
    return ok();
}

Status show_system(const std::string& root) {
    for (const char* path : system_directories) {
        struct stat found {};
        if (::lstat(path, &found) != 0)
            continue;
        if (S_ISLNK(found.st_mode)) {
            std::array<char, 256> target{};
            const ssize_t size = ::readlink(path, target.data(), target.size() - 1);
            if (size < 0 || ::symlink(target.data(), (root + path).c_str()) != 0)
                return errno_error(std::string("copy the link ") + path);
        } else {
            TRY(bind_mount(path, root + path, false));
        }
    }
    for (const char* path : system_settings)
        if (::access(path, F_OK) == 0)
            TRY(bind_mount(path, root + path, false));
    TRY(write_file(root + "/etc/resolv.conf", resolver));
    TRY(write_file(root + "/etc/hosts", hosts));
    return bind_mount("/sys", root + "/sys", false);
}

Status make_devices(const std::string& root) {
    TRY(mount_new("tmpfs", root + "/dev", MS_NOSUID, memory_size));
    for (const char* device : devices)
        if (::access(device, F_OK) == 0)
            TRY(bind_mount(device, root + device, true));
    TRY(mount_new("devpts", root + "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"));
    TRY(mount_new("tmpfs", root + "/dev/shm", MS_NOSUID | MS_NODEV, tmp_size));
    for (const auto& [target, link] :
         std::array<std::pair<const char*, const char*>, 5>{{{"pts/ptmx", "/dev/ptmx"},
                                                             {"/proc/self/fd", "/dev/fd"},
                                                             {"/proc/self/fd/0", "/dev/stdin"},
                                                             {"/proc/self/fd/1", "/dev/stdout"},
                                                             {"/proc/self/fd/2", "/dev/stderr"}}})
        if (::symlink(target, (root + link).c_str()) != 0)
            return errno_error(std::string("make ") + link);
    return ok();
}

Status move_into(const std::string& root) {
    if (::chdir(root.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
        ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0)
        return errno_error("leave the host's root");
    return ok();
}

} // namespace

Status enter_view(const Jail& jail) {
    const std::string& root = jail.root;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return errno_error("make the mounts private");
    TRY(mount_new("tmpfs", root, MS_NOSUID | MS_NODEV, memory_size));
    TRY(show_system(root));
    TRY(make_devices(root));
    TRY(mount_new("proc", root + "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
    TRY(mount_new("tmpfs", root + "/tmp", MS_NOSUID | MS_NODEV, tmp_size));
    TRY(mount_new("tmpfs", root + "/run", MS_NOSUID | MS_NODEV, memory_size));
    TRY(make_directory(root + "/run/user"));
    TRY(make_directory(root + "/root"));
    for (const auto& [from, onto] : jail.keep)
        TRY(bind_mount(from, root + onto, true));
    for (const auto& [from, onto] : jail.show)
        TRY(bind_mount(from, root + onto, false));
    return move_into(root);
}

} // namespace pgod::jail
