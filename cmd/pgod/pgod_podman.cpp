// pgod-podman: the recorder. It stands where podman-compose expects podman, appends each argv to the file
// that PGOD_RECORD names, and runs nothing. It is run as the service's user, by podman-compose alone, under
// the limits of compose/recording.cpp.
//
// podman-compose reads the output of four calls only: `--version` (answered with PGOD_PODMAN_VERSION),
// `inspect -t image` (always no, so that every build is asked for), `volume inspect` and `network exists`
// (no, until a create of that name was recorded: the worker makes only what is missing). Everything else
// succeeds silently.
//
// A record is the number of arguments and then each argument, all as LENGTH ":" BYTES "\n", written at once,
// so that newlines and any byte survive. Bounds: 1024 arguments and 512 KiB a call, 4 MiB a file.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t max_arguments = 1024;
constexpr std::size_t max_call = 512 << 10;
constexpr off_t max_file = 4 << 20;
constexpr int refused = 125; // podman's own "podman itself failed"

std::string encode(int argc, char** argv) {
    std::string record = std::to_string(argc - 1) + ":\n";
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        record += std::to_string(argument.size()) + ":";
        record += argument;
        record += '\n';
    }
    return record;
}

bool append(int fd, const std::string& record) {
    struct stat status {};
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size + static_cast<off_t>(record.size()) > max_file)
        return false;
    return write(fd, record.data(), record.size()) == static_cast<ssize_t>(record.size());
}

std::string whole_file(int fd) {
    std::string text(static_cast<std::size_t>(max_file), '\0');
    const ssize_t size = pread(fd, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

// Was `podman KIND create … NAME` recorded? The name is the call's last argument.
bool was_created(const std::string& records, std::string_view kind, std::string_view name) {
    std::string_view rest = records;
    while (!rest.empty()) {
        std::size_t count = std::strtoull(rest.data(), nullptr, 10);
        rest.remove_prefix(std::min(rest.size(), rest.find('\n') + 1));
        std::string_view first;
        std::string_view second;
        std::string_view last;
        for (std::size_t i = 0; i < count && !rest.empty(); ++i) {
            const std::size_t size = std::strtoull(rest.data(), nullptr, 10);
            rest.remove_prefix(std::min(rest.size(), rest.find(':') + 1));
            last = rest.substr(0, size);
            rest.remove_prefix(std::min(rest.size(), size + 1));
            if (i == 0)
                first = last;
            if (i == 1)
                second = last;
        }
        if (first == kind && second == "create" && last == name)
            return true;
    }
    return false;
}

} // namespace

int main(int argc, char** argv) {
    const char* path = std::getenv("PGOD_RECORD");
    const char* version = std::getenv("PGOD_PODMAN_VERSION");
    if (path == nullptr || version == nullptr || argc < 2) {
        std::fputs("pgod-podman: is started by pgod-work only\n", stderr);
        return refused;
    }
    if (static_cast<std::size_t>(argc) > max_arguments)
        return refused;
    const std::string_view first = argv[1];
    if (first == "--version") {
        std::printf("%s\n", version);
        return 0;
    }
    const int fd = open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return refused;
    const std::string_view second = argc > 2 ? argv[2] : "";
    if (first == "inspect")
        return 1;
    if ((first == "volume" && second == "inspect") || (first == "network" && second == "exists")) {
        if (!was_created(whole_file(fd), first, argv[argc - 1]))
            return 1;
        std::puts("[]");
        return 0;
    }
    const std::string record = encode(argc, argv);
    return record.size() <= max_call && append(fd, record) ? 0 : refused;
}
