#include "compose/recording.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "compose/crash_point.hpp"
#include "compose/json.hpp"
#include "compose/leftover.hpp"
#include "compose/shim.hpp"
#include "os/log.hpp"
#include "os/run.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_calls_bytes = 4 << 20;
constexpr std::size_t max_result_bytes = 4 << 20;
constexpr rlim_t max_memory = 400 << 20; // bytes of address space; 383 bytes of YAML can ask for 254 MB
constexpr rlim_t max_cpu = 20;           // seconds
constexpr auto recording_deadline = 30s;
constexpr int shim_result_fd = 3;

// A file that is gone when this is.
class ScratchFile {
  public:
    static Result<ScratchFile> make(const std::string& directory) {
        std::string path = fmt::format("{}/{}{}-XXXXXX", directory, recording_prefix, ::getpid());
        Fd fd(::mkostemp(path.data(), O_CLOEXEC));
        if (!fd)
            return errno_error("make a file for the recording");
        return ScratchFile(std::move(path), std::move(fd));
    }
    ScratchFile(ScratchFile&& other) noexcept
        : path_(std::exchange(other.path_, {}))
        , fd_(std::move(other.fd_)) {}
    ScratchFile& operator=(ScratchFile&&) = delete;
    ~ScratchFile() {
        if (!path_.empty())
            (void)::unlink(path_.c_str());
    }
    const std::string& path() const noexcept { return path_; }
    int fd() const noexcept { return fd_.get(); }

  private:
    ScratchFile(std::string path, Fd fd)
        : path_(std::move(path))
        , fd_(std::move(fd)) {}
    std::string path_;
    Fd fd_;
};

// "N:" at the front of `rest`, taken off.
std::optional<std::size_t> take_count(std::string_view& rest) {
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    const auto count = parse_decimal(rest.substr(0, colon));
    if (!count || *count > max_calls_bytes)
        return std::nullopt;
    rest.remove_prefix(colon + 1);
    return static_cast<std::size_t>(*count);
}

bool take_newline(std::string_view& rest) {
    if (rest.empty() || rest.front() != '\n')
        return false;
    rest.remove_prefix(1);
    return true;
}

Model model_of(const Json& json) {
    Model model;
    model.keys = texts_of(json, "keys");
    for (const auto& [name, value] : members_of(json, "settings"))
        model.settings[name] = text_of(value);
    for (const auto& [name, value] : members_of(json, "urls"))
        model.urls[name] = text_of(value);
    for (const auto& [name, entry] : members_of(json, "services")) {
        ModelService service;
        service.keys = texts_of(entry, "keys");
        for (const auto& [dependency, condition] : members_of(entry, "depends_on"))
            service.depends_on[dependency] = text_of(condition);
        service.restart = text_of(entry, "restart");
        service.builds = flag_of(entry, "builds");
        model.services[name] = std::move(service);
    }
    return model;
}

// How the shim ended when it could not say it itself.
Status judge_end(const os::RunResult& result, const std::string& file, std::chrono::nanoseconds took) {
    if (result.timed_out)
        return Error{Code::permanent,
                     fmt::format("{}: takes longer than {} to read", file, recording_deadline)};
    if (result.succeeded())
        return ok();
    // The limit on CPU time kills as well, but never sooner.
    if (WIFSIGNALED(result.wait_status) && WTERMSIG(result.wait_status) == SIGKILL &&
        took < std::chrono::seconds(max_cpu))
        return Error{Code::transient, "podman-compose was killed while it read the commit"};
    if (WIFSIGNALED(result.wait_status) &&
        (WTERMSIG(result.wait_status) == SIGXCPU || WTERMSIG(result.wait_status) == SIGKILL))
        return Error{Code::permanent, fmt::format("{}: takes more than {} s of CPU to read", file, max_cpu)};
    os::log_debug("the shim: {}", result.errors);
    return Error{Code::permanent, fmt::format("{}: podman-compose {} while reading it", file,
                                              os::describe_wait_status(result.wait_status))};
}

std::string name_of_variable(const std::string& assignment) {
    return assignment.substr(0, assignment.find('='));
}

os::RunRequest shim_run(const RecordingRequest& request, const ScratchFile& calls, int result_fd) {
    os::RunRequest run;
    run.spawn.program = "/usr/bin/python3";
    run.spawn.argv = {"python3",
                      "-I",
                      "-B",
                      "-",
                      std::to_string(shim_result_fd),
                      request.stage,
                      request.compose_file,
                      request.project,
                      request.recorder};
    run.spawn.env = request.environment;
    for (const auto& assignment : request.admin_environment) {
        run.spawn.argv.push_back(name_of_variable(assignment));
        run.spawn.env.push_back(assignment);
    }
    run.spawn.env.push_back("PGOD_RECORD=" + calls.path());
    run.spawn.env.push_back("PGOD_PODMAN_VERSION=" + request.podman_version);
    run.spawn.directory = request.stage;
    run.spawn.descriptors = {{result_fd, shim_result_fd}};
    run.spawn.limits = {{RLIMIT_AS, max_memory},
                        {RLIMIT_CPU, max_cpu},
                        {RLIMIT_FSIZE, max_result_bytes},
                        {RLIMIT_CORE, 0},
                        {RLIMIT_NOFILE, 64}};
    run.spawn.die_with_parent = true;
    run.spawn.no_new_privileges = true;
    run.input = shim_program;
    run.deadline = recording_deadline;
    run.grace = 1s;
    run.max_output = 64 << 10;
    return run;
}

} // namespace

Result<std::vector<Argv>> parse_calls(std::string_view bytes) {
    const Error malformed{Code::internal, "the recording of podman's calls is malformed"};
    std::vector<Argv> calls;
    while (!bytes.empty()) {
        const auto count = take_count(bytes);
        if (!count || !take_newline(bytes) || *count > bytes.size())
            return malformed;
        Argv call;
        for (std::size_t i = 0; i < *count; ++i) {
            const auto size = take_count(bytes);
            if (!size || *size > bytes.size())
                return malformed;
            call.emplace_back(bytes.substr(0, *size));
            bytes.remove_prefix(*size);
            if (!take_newline(bytes))
                return malformed;
        }
        calls.push_back(std::move(call));
    }
    return calls;
}

Result<Recording> parse_shim_result(std::string_view text) {
    const Json json = parse_json(text);
    if (!json.is_object())
        return Error{Code::permanent, "podman-compose ended without a result"};
    if (const std::string problem = text_of(json, "problem"); !problem.empty()) {
        os::log_debug("{}", text_of(json, "trace"));
        const Code code = flag_of(json, "host") ? Code::transient : Code::permanent;
        return Error{code, shortened(escaped(problem), 500)};
    }
    if (!json.contains("model"))
        return Error{Code::permanent, "podman-compose ended without a result"};
    Recording recording;
    recording.model = model_of(json["model"]);
    for (const auto& key : items_of(json["model"], "nested"))
        recording.nested.push_back({text_of(key, "section"), text_of(key, "name"), text_of(key, "path")});
    recording.files = texts_of(json, "files");
    recording.notes = texts_of(json, "notes");
    return recording;
}

Result<std::string> find_compose_file(int stage, const std::string* configured) {
    static const std::array<std::string, 4> names{"compose.yaml", "compose.yml", "docker-compose.yml",
                                                  "docker-compose.yaml"};
    struct stat status {};
    if (configured != nullptr) {
        if (!os::is_plain_relative_path(*configured))
            return Error{Code::permanent,
                         fmt::format("{} is not a path in the repository", escaped(*configured))};
        if (::fstatat(stage, configured->c_str(), &status, 0) != 0)
            return Error{Code::permanent,
                         fmt::format("{} does not exist in this commit", escaped(*configured))};
        return *configured;
    }
    const auto* found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
        return ::fstatat(stage, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    });
    if (found == names.end())
        return Error{Code::permanent, "compose.yaml does not exist in this commit (nor compose.yml, "
                                      "docker-compose.yml, docker-compose.yaml)"};
    return *found;
}

Result<Recording> record_calls(const RecordingRequest& request) {
    const ScratchFile calls = TRY(ScratchFile::make(request.scratch_directory));
    const Fd result_file(::memfd_create("pgod-recording", MFD_CLOEXEC));
    if (!result_file)
        return errno_error("make a file for the recording");
    const auto begin = std::chrono::steady_clock::now();
    const os::RunResult result = TRY(os::run(shim_run(request, calls, result_file.get())));
    TRY(judge_end(result, request.compose_file, std::chrono::steady_clock::now() - begin));
    crash_point("recorded");
    (void)::lseek(result_file.get(), 0, SEEK_SET);
    const std::string text = TRY(os::read_file(result_file.get(), max_result_bytes));
    Recording recording = TRY(parse_shim_result(text));
    const std::string bytes = TRY(os::read_file(calls.fd(), max_calls_bytes));
    recording.calls = TRY(parse_calls(bytes));
    return recording;
}

} // namespace pgod::compose
