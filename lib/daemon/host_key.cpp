#include "daemon/host_key.hpp"

#include "base/text.hpp"
#include "daemon/program_path.hpp"
#include "os/log.hpp"
#include "os/run.hpp"
#include "os/safe_path.hpp"
#include "os/users.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_host_key = 16 * 1024;

std::string directory_of(const std::string& path) {
    return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
}

// Who can read the host key can pretend to be this host.
Status check_private(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return errno_error("look at " + path);
    if ((status.st_mode & 077) != 0)
        return Error{Code::denied,
                     fmt::format("{0} has mode {1:04o}, so that others can read it; run: chmod 600 {0}", path,
                                 status.st_mode & 07777)};
    return ok();
}

// What pgod-ssh prints with this option, given this on its standard input.
Result<std::string> ask_pgod_ssh(const char* option, const std::string& input) {
    os::RunRequest request;
    request.spawn.program = TRY(program_path("pgod-ssh"));
    request.spawn.argv = {"pgod-ssh", option};
    request.input = input;
    request.max_output = max_host_key;
    request.deadline = 20s;
    if (::geteuid() == 0)
        request.spawn.become = TRY(os::find_user(endpoint_user));
    auto result = TRY(os::run(request));
    if (!result.succeeded() || result.output.empty())
        return Error{Code::invalid, fmt::format("pgod-ssh {}: {}", option, escaped(trimmed(result.errors)))};
    return std::move(result.output);
}

} // namespace

Result<Secret> load_host_key(const std::string& path, const Secret& other) {
    auto text = os::read_file(path, max_host_key);
    if (!text && text.error().code == Code::gone) {
        Secret made(TRY(ask_pgod_ssh("--make-host-key", other.reveal())));
        const Fd directory = TRY(os::open_directory(directory_of(path)));
        TRY(os::write_file_atomically(directory.get(), path.substr(path.rfind('/') + 1), made.reveal(),
                                      0600));
        os::log_info("made a new SSH host key in {}", path);
        return made;
    }
    if (!text)
        return std::move(text).error();
    TRY(check_private(path));
    return Secret(std::move(*text));
}

Result<std::string> host_key_fingerprint(const std::string& path) {
    const Secret key(TRY(os::read_file(path, max_host_key)));
    const std::string printed = TRY(ask_pgod_ssh("--fingerprint", key.reveal()));
    return std::string(trimmed(printed));
}

} // namespace pgod::daemon
