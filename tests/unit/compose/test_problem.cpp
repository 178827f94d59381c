#include "compose/problem.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

using namespace pgod::compose;

namespace {

constexpr std::string_view long_path =
    "/home/ann/.local/share/containers/storage/overlay/"
    "dcdbbbff960a233722ecaa3db1f2160b2eab3ca53e82e391ece7f05efcdbb97a/merged, mount_data=\"lowerdir="
    "/home/ann/.local/share/containers/storage/overlay/l/3IOXUGSC7V435YGFN67CQRHY6P,upperdir="
    "/home/ann/.local/share/containers/storage/overlay/"
    "dcdbbbff960a233722ecaa3db1f2160b2eab3ca53e82e391ece7f05efcdbb97a/diff,workdir="
    "/home/ann/.local/share/containers/storage/overlay/"
    "dcdbbbff960a233722ecaa3db1f2160b2eab3ca53e82e391ece7f05efcdbb97a/work\": ";

std::string mounting(std::string_view how) {
    return "Error: mounting storage for container "
           "d971634ded435d75ed1325b874c8637714a4b539c6059519424377d742d5ca8f: creating overlay mount to " +
           std::string(long_path) + std::string(how);
}

} // namespace

TEST_CASE("of what podman printed, the line that says the cause is shown") {
    struct Row {
        const char* what;
        std::string errors;
        std::string_view problem;
    };
    const std::array rows{
        Row{"one line", "Error: no such container web\n", "no such container web"},
        Row{"nothing", "", "it gave no reason"},
        Row{"nothing but blanks", "\n \n: exit status 1\n", "it gave no reason"},
        Row{"progress and warnings around it, and an earlier error",
            "Trying to pull localhost/bb:latest...\ntime=\"x\" level=warning msg=\"Failed, retrying in 1s\"\n"
            "Error: first\nError: last\ntime=\"x\" level=warning msg=\"y\"\n\n",
            "last"},
        Row{"the output of a RUN before it",
            "Error: of the repository\nmore of it\nError: building at STEP\n", "building at STEP"},
        Row{"podman 5 without /dev/fuse",
            mounting("using mount program /usr/bin/fuse-overlayfs: unknown argument ignored: lazytime\n"
                     "fuse: failed to open /dev/fuse: Permission denied\n"
                     "fuse-overlayfs: cannot mount: Permission denied\n: exit status 1\n"),
            "fuse: failed to open /dev/fuse: Permission denied"},
        Row{"podman 5 without /dev/net/tun",
            "Error: setting up Pasta: pasta failed with exit code 1:\n"
            "Failed to open() /dev/net/tun: Permission denied\nFailed to set up tap device in namespace\n\n",
            "Failed to open() /dev/net/tun: Permission denied"},
        Row{"several causes",
            "Error: 2 errors occurred while pulling:\n * initializing source docker://one: refused\n"
            " * initializing source docker://two: refused\n",
            "initializing source docker://one: refused"},
        Row{"a hint at the end", "Error: unknown flag: --frobnicate\nSee 'podman run --help'\n",
            "unknown flag: --frobnicate"},
        Row{"another hint at the end",
            "Error: unrecognized command `podman x`\nTry 'podman --help' for more information\n",
            "unrecognized command `podman x`"},
        Row{"the cause on the line before",
            "cannot clone: Operation not permitted\nError: cannot re-exec process\n",
            "cannot clone: Operation not permitted"},
        Row{"the cause in the log",
            "time=\"x\" level=error msg=\"running `/usr/bin/newuidmap 12 0 1000 1`: newuidmap: write to "
            "uid_map failed: Operation not permitted\\n\"\n"
            "Error: cannot set up namespace using \"/usr/bin/newuidmap\": exit status 1\n",
            "running `/usr/bin/newuidmap 12 0 1000 1`: newuidmap: write to uid_map failed: Operation not "
            "permitted"},
        Row{"nothing before it", "Error: cannot re-exec process\n", "cannot re-exec process"},
        Row{"no line of its own",
            "time=\"x\" level=warning msg=\"Failed to read storage.conf\"\n"
            "Failed to obtain podman configuration: toml: line 1\n",
            "Failed to obtain podman configuration: toml: line 1"},
        Row{"nothing but a log",
            "time=\"x\" level=warning msg=\"first\"\ntime=\"x\" level=fatal msg=\"a \\\"b\\\" c\"\n",
            "a \"b\" c"},
        Row{"a log of one word", "time=\"x\" level=fatal msg=refused\n", "refused"},
        Row{"a broken log", "time=\"x\n", "time=\"x"},
        Row{"netavark's log after it",
            "Error: netavark: nftables error: unable to execute nft\n[ERROR netavark::dns] x\n",
            "netavark: nftables error: unable to execute nft"},
        Row{"what would drive a terminal", "Error: \x1b[2J", "\\x1b[2J"},
    };
    for (const auto& row : rows)
        CHECK_MESSAGE(problem_of(row.errors) == row.problem, row.what);
}

TEST_CASE("of a line that is too long both ends are shown") {
    const auto problem = problem_of(mounting("using mount program /usr/bin/fuse-overlayfs: refused"));
    CHECK(problem.size() <= 410);
    CHECK(problem.starts_with("mounting storage for container d971"));
    CHECK(problem.ends_with("work\": using mount program /usr/bin/fuse-overlayfs: refused"));
    CHECK(problem.find("…") != std::string::npos);
    std::string umlauts = "Error: x";
    for (int i = 0; i < 400; ++i)
        umlauts += "ä";
    for (const char* start : {"", "x"}) // one of them is cut within a character
        CHECK(problem_of(umlauts + start).find('\\') == std::string::npos);
}
