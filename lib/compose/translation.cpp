#include "compose/translation.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "compose/crash_point.hpp"
#include "compose/json.hpp"
#include "compose/record.hpp"
#include "compose/self_test.hpp"
#include "compose/translator.hpp"
#include "core/compose_version.hpp"
#include "core/findings.hpp"
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

constexpr std::size_t max_answer_bytes = 8 << 20; // MAX_RESULT of translator/protocol.py, and the line before
constexpr rlim_t max_memory = 400 << 20; // bytes of address space; 383 bytes of YAML can ask for 254 MB
constexpr rlim_t max_cpu = 20;           // seconds
constexpr auto translation_deadline = 30s;
constexpr int answer_fd = 3;
constexpr std::size_t max_translated_notes = 100; // MAX_NOTES of translator/protocol.py
constexpr std::size_t max_sentence = 500;         // bytes

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
        service.pull = text_of(entry, "pull");
        service.builds = flag_of(entry, "builds");
        model.services[name] = std::move(service);
    }
    return model;
}

// How the translator ended when it could not say it itself.
Status judge_end(const os::RunResult& result, const std::string& file, std::chrono::nanoseconds took) {
    if (result.timed_out)
        return Error{Code::permanent,
                     fmt::format("{}: takes longer than {} to read", file, translation_deadline)};
    if (result.succeeded())
        return ok();
    // The limit on CPU time kills as well, but never sooner.
    if (WIFSIGNALED(result.wait_status) && WTERMSIG(result.wait_status) == SIGKILL &&
        took < std::chrono::seconds(max_cpu))
        return Error{Code::transient, "podman-compose was killed while it read the commit"};
    if (WIFSIGNALED(result.wait_status) &&
        (WTERMSIG(result.wait_status) == SIGXCPU || WTERMSIG(result.wait_status) == SIGKILL))
        return Error{Code::permanent, fmt::format("{}: takes more than {} s of CPU to read", file, max_cpu)};
    os::log_debug("the translator: {}", result.errors);
    return Error{Code::permanent, fmt::format("{}: podman-compose {} while reading it", file,
                                              os::describe_wait_status(result.wait_status))};
}

std::string name_of_variable(const std::string& assignment) {
    return assignment.substr(0, assignment.find('='));
}

os::RunRequest translator_run(const TranslationRequest& request, int file) {
    os::RunRequest run;
    run.spawn.program = "/usr/bin/python3";
    run.spawn.argv = {"python3",
                      "-I",
                      "-B",
                      "-",
                      std::to_string(answer_fd),
                      request.stage,
                      request.compose_file,
                      request.project,
                      written(Json{{"files", request.compose_files},
                                   {"profiles", request.profiles},
                                   {"secrets", request.admin_secrets},
                                   {"show", request.show}})};
    run.spawn.env = request.environment;
    for (const auto& assignment : request.admin_environment) {
        run.spawn.argv.push_back(name_of_variable(assignment));
        run.spawn.env.push_back(assignment);
    }
    run.spawn.directory = request.stage;
    run.spawn.descriptors = {{file, answer_fd}};
    run.spawn.limits = {{RLIMIT_AS, max_memory}, {RLIMIT_CPU, max_cpu}, {RLIMIT_FSIZE, max_answer_bytes},
                        {RLIMIT_CORE, 0},        {RLIMIT_NPROC, 0}, // nor does it start a thread
                        {RLIMIT_NOFILE, 64}};
    run.spawn.die_with_parent = true;
    run.spawn.no_new_privileges = true;
    run.input = translator_program;
    run.deadline = translation_deadline;
    run.grace = 1s;
    run.max_output = 64 << 10;
    return run;
}

Result<Argv> call_of(const Json& words) {
    const Error malformed{Code::internal, "the translation's calls are malformed"};
    Argv call;
    if (!words.is_array())
        return malformed;
    for (const auto& word : words) {
        call.push_back(text_of(word));
        if (!word.is_string() || call.back().find('\0') != std::string::npos)
            return malformed;
    }
    return call;
}

std::string bounded(const Json& object, const char* key) {
    return shortened(text_of(object, key), max_sentence);
}

Violation reason_of(const Json& json) {
    Violation reason{bounded(json, "service"), bounded(json, "setting"), bounded(json, "problem"), {}};
    reason.advice = bounded(json, "advice");
    reason.place = bounded(json, "place");
    reason.value = bounded(json, "value");
    const auto kind = text_of(json, "kind");
    if (kind == "refused")
        reason.danger = std::min(danger_of(reason.setting), Danger::key);
    else if (kind == "unknown")
        reason.danger = Danger::key;
    return reason;
}

Places places_of(const Json& json) {
    Places places;
    for (const auto& entry : items_of(json, "places"))
        if (entry.is_array() && entry.size() == 5)
            places.try_emplace({text_of(entry[0]), text_of(entry[1]), text_of(entry[2])},
                               Written{text_of(entry[3]), text_of(entry[4])});
    return places;
}

std::map<std::string, std::string> pairs_of(const Json& object, const char* key) {
    std::map<std::string, std::string> pairs;
    for (const auto& [name, value] : members_of(object, key))
        pairs[name] = text_of(value);
    return pairs;
}

Result<Translation> translation_of(const Json& json, const std::string& version) {
    Translation translation;
    translation.version = version;
    for (const auto& note : texts_of(json, "notes"))
        if (translation.notes.size() < max_translated_notes)
            translation.notes.push_back(shortened(escaped(note), max_sentence));
    for (const auto& reason : items_of(json, "reasons"))
        if (translation.reasons.size() < max_violations)
            translation.reasons.push_back(reason_of(reason));
    if (!translation.reasons.empty() && !json.contains("calls"))
        return translation;
    if (!json.is_object() || !json.contains("model") || !json.contains("calls") || !json["calls"].is_array())
        return Error{Code::permanent, "podman-compose ended without a result"};
    translation.is_complete = true;
    for (const auto& words : json["calls"])
        translation.calls.push_back(TRY(call_of(words)));
    translation.model = model_of(json["model"]);
    translation.files = texts_of(json, "files");
    translation.places = places_of(json);
    const Json written = member_of(json, "written");
    translation.written = {pairs_of(written, "binds"), pairs_of(written, "volumes"),
                           pairs_of(written, "networks")};
    return translation;
}

} // namespace

Answer parse_answer(std::string_view text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string version = shortened(escaped(text_of(parse_json(text.substr(0, end)), "version")), 60);
    const Json json = parse_json(text.substr(std::min(end + 1, text.size())));
    const std::string problem = text_of(json, "problem");
    if (const auto trace = text_of(json, "trace"); !trace.empty())
        os::log_debug("the translator: {}", trace);
    if (problem.empty()) {
        auto translation = translation_of(json, version);
        return {std::move(version), std::move(translation)};
    }
    const Code code = flag_of(json, "host") ? Code::transient : Code::permanent;
    return {std::move(version), Error{code, shortened(escaped(problem), max_sentence)}};
}

std::string find_compose_file(int stage, const std::vector<std::string>& configured) {
    static const std::array<std::string, 4> names{"compose.yaml", "compose.yml", "docker-compose.yml",
                                                  "docker-compose.yaml"};
    if (!configured.empty())
        return configured.front();
    struct stat status {};
    const auto* found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
        return ::fstatat(stage, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    });
    return found == names.end() ? names.front() : *found;
}

namespace {

// What it wrote, and how it ended when it could not say that.
struct Ended {
    std::string text;
    Status end;
};

// The file ends with its process or with us, whichever is killed.
Result<Ended> run_translator(const TranslationRequest& request) {
    const Fd file(::memfd_create("pgod-translation", MFD_CLOEXEC));
    if (!file)
        return errno_error("make a file for the translation");
    const auto begin = std::chrono::steady_clock::now();
    const os::RunResult result = TRY(os::run(translator_run(request, file.get())));
    const Status end = judge_end(result, request.compose_file, std::chrono::steady_clock::now() - begin);
    (void)::lseek(file.get(), 0, SEEK_SET);
    return Ended{TRY(os::read_file(file.get(), max_answer_bytes)), end};
}

} // namespace

Result<Answer> ask_translator(const TranslationRequest& request) {
    const auto ended = TRY(run_translator(request));
    Result<Answer> answer = parse_answer(ended.text);
    if (!ended.end)
        answer->translation = ended.end.error();
    return answer;
}

Result<Shown> show_reading(TranslationRequest request) {
    request.show = true;
    const auto ended = TRY(run_translator(request));
    TRY(ended.end);
    const std::string_view text = ended.text;
    const Json json = parse_json(text.substr(std::min(text.find('\n'), text.size())));
    if (!json.contains("shown"))
        return Error{Code::internal, "the reader ended without a result"};
    return Shown{text_of(json, "shown"), texts_of(json, "said")};
}

Result<Translation> translate(const TranslationRequest& request) {
    Answer answer = TRY(ask_translator(request));
    crash_point("translated");
    if (answer.version.empty() && !answer.translation) // nothing of the commit was read by then
        return Error{Code::transient, answer.translation.error().message};
    if (auto problem = problem_of_compose(answer.version); !problem.empty())
        return Error{Code::transient, std::move(problem)};
    if (standing_of_compose(answer.version) ==
        ComposeStanding::untried) // before a commit is blamed for anything
        TRY(self_test(request.environment));
    return std::move(answer.translation);
}

} // namespace pgod::compose
