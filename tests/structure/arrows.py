#!/usr/bin/env python3
"""Reads the includes of lib/ and cmd/ and fails on an arrow that runs back, on a library in a folder that must not know
it, on a header that is on no list, and on a file that has grown too long. With --self-test it breaks each rule in a
tree of its own and fails when one goes unnoticed."""

import pathlib
import re
import sys
import tempfile

# Which folders of lib/ a folder may include, beside itself.
ARROWS = {
    "base": set(),
    "core": {"base"},
    "os": {"base"},
    "jail": {"base"},
    "ipc": {"base", "core"},
    "config": {"base", "core"},
    "git": {"base", "core", "os"},
    "ssh": {"base", "core"},
    "compose": {"base", "core", "os"},
    "store": {"base", "core"},
    "client": {"base", "core", "os", "ipc", "config", "ssh"},
    "daemon": {"base", "core", "os", "ipc", "config", "git", "ssh", "compose", "store"},
    "cmd/pgod": {"base", "core", "os", "config", "daemon", "jail"},
    "cmd/pgoctl": {"base", "core", "client"},
}

# Which folders may include a library's headers; fmt is everybody's. ssh hashes names of known_hosts with libcrypto.
LIBRARIES = {
    r"libssh/": {"ssh"},
    r"seccomp\.h$": {"daemon"},
    r"git2(\.h$|/)": {"git"},
    r"libssh2\.h$": {"git"},
    r"openssl/": {"git", "ssh"},
    r"toml\+\+/": {"config"},
    r"nlohmann/": {"compose", "daemon", "client"},
    r"sqlite3\.h$": {"store"},
    r"asio(\.hpp$|/)": {"daemon"},
    r"prometheus/": {"daemon"},
    r"CLI/": {"client", "cmd/pgod", "cmd/pgoctl"},
    r"spdlog/": {"os"},
    r"systemd/": {"daemon"},
    r"fmt/": set(ARROWS),
}

# The operating system: everybody but core, which is pure.
SYSTEM = re.compile(r"^((sys|linux|netinet|arpa|net|security)/[a-z0-9_]+\.h|(unistd|fcntl|dlfcn|poll|signal|dirent|netdb|pwd|grp|"
                    r"termios|pty|malloc|string|stdio|stdlib|errno|limits|time|sched|pthread|syslog|spawn|ftw|glob|"
                    r"ifaddrs|resolv|utmpx?)\.h)$")
STANDARD = re.compile(r"^[a-z_]+$")  # <vector>, <cstdint>
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MAX_LINES = 400


def judge_include(folder, quote, name):
    """None, or what is wrong with this include in this folder."""
    if quote == '"':
        target = name.split("/")[0]
        if "/" not in name:
            return None if folder.startswith("cmd/") else "says no folder"
        if target == folder or target in ARROWS[folder]:
            return None
        return f"is an arrow from {folder} to {target}, which must not be"
    for pattern, folders in LIBRARIES.items():
        if re.match(pattern, name):
            return None if folder in folders else f"is a library that {folder} must not know"
    if STANDARD.match(name):
        return None
    if SYSTEM.match(name):
        return "is the operating system, and core is pure" if folder == "core" else None
    return "is on no list of tests/structure/arrows.py"


def complaints(root):
    found = []
    files = 0
    for path in sorted([*root.glob("lib/*/*"), *root.glob("cmd/*/*")]):
        if path.suffix not in (".hpp", ".cpp"):
            continue
        files += 1
        shown = path.relative_to(root)
        folder = path.parent.name if shown.parts[0] == "lib" else str(shown.parent)
        if folder not in ARROWS:
            found.append(f"{shown}:1: the folder {folder} is on no list of tests/structure/arrows.py")
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > MAX_LINES:
            found.append(f"{shown}:{len(lines)}: is longer than {MAX_LINES} lines: split it by what it owns")
        if path.suffix == ".hpp" and not lines[0].startswith("//"):
            found.append(f"{shown}:1: a header begins with a comment that says what it owns")
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            wrong = judge_include(folder, *match.groups()) if match else None
            if wrong:
                found.append(f"{shown}:{number}: {match[2]} {wrong}")
    if files == 0:
        found.append(f"{root}: there is no source file")
    return found


def self_test():
    """Each broken rule is noticed, each in its own words, and good lines are not."""
    broken = {
        "lib/core/a.cpp": ('#include "os/run.hpp"', "is an arrow from core to os"),
        "lib/base/a.cpp": ('#  include "core/plan.hpp"', "is an arrow from base to core"),
        "lib/daemon/a.cpp": ('#include "client/client.hpp"', "is an arrow from daemon to client"),
        "lib/config/a.cpp": ('#include "os/safe_path.hpp"', "is an arrow from config to os"),
        "cmd/pgoctl/a.cpp": ('#include "daemon/supervisor.hpp"', "is an arrow from cmd/pgoctl to daemon"),
        "lib/git/a.cpp": ('#include "local.hpp"', "says no folder"),
        "lib/os/a.cpp": ("#include <libssh/libssh.h>", "is a library that os must not know"),
        "lib/daemon/b.cpp": ("#include <git2.h>", "is a library that daemon must not know"),
        "lib/compose/a.cpp": ("#include <git2/sys/stream.h>", "is a library that compose must not know"),
        "lib/core/b.cpp": ("#include <sys/stat.h>", "core is pure"),
        "lib/store/a.cpp": ("#include <boost/asio.hpp>", "is on no list"),
        "lib/utils/a.cpp": ("int x;", "the folder utils is on no list"),
        "lib/os/b.cpp": ("\n" * (MAX_LINES + 1), "is longer than"),
        "lib/os/c.hpp": ("#pragma once", "a header begins with a comment"),
    }
    good = {
        "lib/core/good.cpp": '#include "base/text.hpp"\n#include "core/plan.hpp"\n#include <vector>\n#include <fmt/format.h>\n',
        "lib/git/good.hpp": "// Owns.\n#include <git2.h>\n#include <sys/stat.h>\n",
        "cmd/pgod/good.cpp": '#include "daemon/supervisor.hpp"\n#include <CLI/CLI.hpp>\n',
    }
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in [*((name, text) for name, (text, _) in broken.items()), *good.items()]:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found = complaints(root)
        unnoticed = [name for name, (_, says) in broken.items()
                     if not any(c.startswith(name + ":") and says in c for c in found)]
        wrong = [c for c in found if c.split(":")[0] in good]
        return [*(f"went unnoticed: {name}" for name in unnoticed), *(f"is no mistake: {c}" for c in wrong)]


def main():
    found = self_test() if sys.argv[1] == "--self-test" else complaints(pathlib.Path(sys.argv[1]))
    for complaint in found:
        print(complaint)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
