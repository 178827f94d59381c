#include "compose/read_directory.hpp"

#include "base/text.hpp"
#include "compose/translation.hpp"
#include "os/safe_path.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace pgod::compose {

namespace {

// What the files may read of the environment.
constexpr std::array names{"HOME", "USER", "LOGNAME", "PATH", "XDG_RUNTIME_DIR", "LANG"};

int say(const std::string& sentence, int status) {
    std::fputs((escaped(sentence) + "\n").c_str(), stderr);
    return status;
}

} // namespace

int read_directory(const std::string& directory, const std::string& project) {
    if (::geteuid() == 0)
        return say(
            "pgod-work: --read does not run as root, because root parses no file of a repository; run it as"
            " the service's user: runuser -u USER -- pgod-work --read DIRECTORY",
            1);
    const auto stage = os::open_directory(directory);
    if (!stage)
        return say(stage.error().message, 1);
    auto path = os::path_of(stage->get());
    if (!path)
        return say(path.error().message, 1);
    TranslationRequest request;
    request.stage = *path;
    request.compose_file = find_compose_file(stage->get(), {});
    request.project = project.empty() ? path->substr(path->rfind('/') + 1) : project;
    for (const auto* name : names)
        if (const char* value = std::getenv(name)) // NOLINT(concurrency-mt-unsafe): there is one thread
            request.environment.push_back(std::string(name) + "=" + value);
    const auto shown = show_reading(std::move(request));
    if (!shown)
        return say(shown.error().message, 1);
    for (const auto& sentence : shown->said)
        (void)say(sentence, 0);
    std::fputs(shown->model.c_str(), stdout);
    return shown->model.empty() ? 1 : 0;
}

} // namespace pgod::compose
