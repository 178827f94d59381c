#include "daemon/proxy_files.hpp"

#include "base/text.hpp"
#include "os/safe_path.hpp"
#include "os/users.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace pgod::daemon {

namespace {

constexpr std::size_t max_file = std::size_t{16} << 20; // bytes
constexpr mode_t readable = 0644;                       // by the proxy's user; there is no secret in them
constexpr const char* loaded_name = "loaded";
constexpr const char* candidate_name = "candidate";

// Root's umask may be stricter than what the proxy needs.
class UmaskScope {
  public:
    UmaskScope() noexcept
        : before_(::umask(022)) {}
    ~UmaskScope() { (void)::umask(before_); }
    UmaskScope(const UmaskScope&) = delete;
    UmaskScope& operator=(const UmaskScope&) = delete;

  private:
    mode_t before_;
};

Status write_readable(const std::string& path, const std::string& text) {
    const auto slash = path.rfind('/');
    const Fd directory = TRY(os::open_directory(slash == 0 ? "/" : path.substr(0, slash)));
    const UmaskScope scope;
    return os::write_file_atomically(directory.get(), path.substr(slash + 1), text, readable);
}

Result<std::string> read_own(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd && errno == ELOOP)
        return Error{Code::invalid, escaped(path) + " is a symbolic link: put the file itself there"};
    if (!fd)
        return errno_error(escaped(path));
    return os::read_file(fd.get(), max_file).context(escaped(path));
}

} // namespace

ProxyFiles::ProxyFiles(ProxySettings settings, const std::string& state_directory)
    : settings_(std::move(settings))
    , own_(state_directory + "/proxy") {}

Result<std::optional<std::string>> ProxyFiles::present() const {
    auto text = read_own(settings_.file);
    if (!text && text.error().code == Code::gone)
        return std::optional<std::string>{};
    return std::optional(TRY(std::move(text)));
}

std::optional<std::string> ProxyFiles::loaded() const {
    auto text = read_own(own_ + '/' + loaded_name);
    return text ? std::optional(std::move(*text)) : std::nullopt;
}

Status ProxyFiles::write(const std::string& text) const {
    return write_readable(settings_.file, text);
}

Status ProxyFiles::note_loaded(const std::string& text) const {
    TRY(os::make_own_directory(own_, 0700));
    return write_readable(own_ + '/' + loaded_name, text);
}

Result<os::SpawnRequest> ProxyFiles::check_of(const std::string& text) const {
    TRY(os::make_own_directory(own_, 0700));
    const std::string candidate = own_ + '/' + candidate_name;
    TRY(write_readable(candidate, text));
    auto request = TRY(command(settings_.check));
    request.overlay = os::SpawnRequest::Overlay{candidate, settings_.file};
    return request;
}

Result<os::SpawnRequest> ProxyFiles::check() const {
    return command(settings_.check);
}

Result<os::SpawnRequest> ProxyFiles::reload() const {
    return command(settings_.reload);
}

Result<os::SpawnRequest> ProxyFiles::command(const std::vector<std::string>& argv) const {
    if (::geteuid() != 0)
        return Error{Code::denied, "[proxy] needs a pgod that runs as root"};
    os::SpawnRequest request;
    request.program = argv.front().starts_with('/') ? argv.front() : TRY(os::find_program(argv.front()));
    request.argv = argv;
    request.umask = 022; // logs that a check makes are the proxy's
    if (settings_.user == "root") {
        request.env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root"};
    } else {
        request.become = TRY(os::find_user(settings_.user));
        request.env = os::user_environment(*request.become);
    }
    return request;
}

} // namespace pgod::daemon
