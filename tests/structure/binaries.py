#!/usr/bin/env python3
"""Reads the built executables and fails when one holds a library that its privilege must not hold: dynamically (all that
the loader would bring in, libraries of libraries included) or linked into it from an archive.

usage: binaries.py DIRECTORY        the built pgod, pgod-ssh, pgod-relay, pgod-git, pgod-metrics, pgod-work, pgod-build and pgoctl
       binaries.py DIRECTORY --self-test   fails when a forbidden library would go unnoticed"""

import pathlib
import re
import subprocess
import sys

# A library by the name of its file and by a symbol that only its own code defines.
LIBRARIES = {
    "libssh": (r"libssh\.so", r"ssh_new|ssh_bind_new"),
    "libgit2": (r"libgit2\.so", r"git_libgit2_init"),
    "libssh2": (r"libssh2\.so", r"libssh2_init"),
    "openssl": (r"lib(ssl|crypto)\.so", r"SSL_new|EVP_PKEY_new"),
    "sqlite": (r"libsqlite3\.so", r"sqlite3_open_v2"),
    "toml++": (r"libtomlplusplus\.so", r"_ZNK?4toml.*"),
    "libseccomp": (r"libseccomp\.so", r"seccomp_init"),
    "prometheus-cpp": (r"libprometheus-cpp-.*\.so", r"_ZNK10prometheus14TextSerializer.*"),
    "an HTTP server": (r"lib(prometheus-cpp-pull|civetweb|microhttpd)", r"mg_start|MHD_start_daemon"),
    "podman's JSON": (r"$^", r"_ZNK?8nlohmann.*"),
    "receiving descriptors": (r"$^", r"_ZN4pgod2os(?:24receive_with_descriptors|28try_receive_with_descriptors).*"),
}

# What each must not hold, and why: the header of lib/daemon's roles.
FORBIDDEN = {
    "pgod": ["libssh", "libgit2", "libssh2", "openssl", "prometheus-cpp", "receiving descriptors"],  # root: nothing that parses the network or a repository
    "pgod-ssh": ["libgit2", "libssh2", "sqlite", "toml++", "podman's JSON"],
    "pgod-relay": ["libssh", "libgit2", "libssh2", "openssl", "sqlite", "toml++", "podman's JSON"],  # nothing that parses
    "pgod-git": ["libssh", "sqlite", "toml++", "podman's JSON"],  # libgit2 itself brings libssh2
    # the only one that is nothing but network: its own few lines read it
    "pgod-metrics": ["libssh", "libgit2", "libssh2", "openssl", "sqlite", "toml++", "podman's JSON", "an HTTP server"],
    "pgod-work": ["libssh", "libgit2", "libssh2", "openssl", "sqlite", "toml++", "receiving descriptors"],
    "pgod-build": list(LIBRARIES),
    "pgoctl": ["libgit2", "libssh2", "sqlite"],
}

# What parses the network takes its libraries from the distribution, whose updates mend them, and is loaded at random.
UPDATED = {"pgod-ssh": ["libssh"], "pgod-git": ["libgit2", "openssl"], "pgoctl": ["libssh", "openssl"]}


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def loaded(path):
    """The file names of every library that the loader brings in; none for a static executable."""
    if "NEEDED" not in run("readelf", "--dynamic", "--wide", path).stdout:
        return []
    listed = run("ldd", path)
    if listed.returncode != 0 or "not found" in listed.stdout:
        raise RuntimeError(f"ldd {path}: {listed.stdout}{listed.stderr}")
    return [line.split()[0].rsplit("/", 1)[-1] for line in listed.stdout.splitlines() if line.strip()]


def defined(path):
    """The symbols that the executable defines itself, also local and weak ones."""
    listed = run("nm", "--defined-only", "--format=posix", path)
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    if listed.returncode != 0 or "main" not in names:
        raise RuntimeError(f"{path} has no symbols to read: build it without stripping ({listed.stderr.strip()})")
    return names


def complaints(path, forbidden):
    if not path.is_file():
        return [f"{path} is missing"]
    found = []
    libraries, symbols = loaded(path), "\n".join(defined(path))
    for name in forbidden:
        file_pattern, symbol_pattern = LIBRARIES[name]
        found += [f"{path.name} loads {library}, which is {name}" for library in libraries if re.match(file_pattern, library)]
        linked = re.search(rf"^({symbol_pattern})$", symbols, re.MULTILINE)
        if linked:
            found.append(f"{path.name} has {name} linked in: it defines {linked[0]}")
    return found


def outdated(path, updated):
    """What keeps the distribution's updates from this executable, or its address from being random."""
    if "NOW PIE" not in run("readelf", "--dynamic", "--wide", path).stdout:
        return [f"{path.name} is no position-independent executable whose symbols are bound at its start"]
    libraries = loaded(path)
    return [f"{path.name} does not load {name}" for name in updated
            if not any(re.match(LIBRARIES[name][0], library) for library in libraries)]


def self_test(directory):
    """The libraries are found where they are: an executable is judged by the rules of another."""
    expected = [("pgod-git", "libgit2"), ("pgod-git", "openssl"), ("pgod-ssh", "libssh"),
                ("pgod-ssh", "libseccomp"), ("pgod-relay", "libseccomp"), ("pgod-metrics", "prometheus-cpp"),
                ("pgod", "sqlite"),
                ("pgod", "toml++"), ("pgod-ssh", "receiving descriptors"), ("pgod-relay", "receiving descriptors"), ("pgod-work", "podman's JSON"), ("pgoctl", "libssh"), ("pgod-not-there", "libssh")]
    return [f"{name} in {program} went unnoticed" for program, name in expected
            if not complaints(directory / program, [name])] + [
        "pgod-relay without libssh went unnoticed"] * (not outdated(directory / "pgod-relay", ["libssh"]))


def main():
    directory = pathlib.Path(sys.argv[1])
    if sys.argv[2:] == ["--self-test"]:
        found = self_test(directory)
    else:
        found = [c for program, forbidden in FORBIDDEN.items() for c in complaints(directory / program, forbidden)]
        found += [c for program, updated in UPDATED.items() for c in outdated(directory / program, updated)]
    for complaint in found:
        print(complaint)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
