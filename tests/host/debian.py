"""Root file systems of Debian, made by mmdebstrap and kept between runs of the tests, outside the build directory. A root
is known by its suite, its packages and its fortnight; it appears under its name when it is complete. Root only."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "pgod-tests"
# seconds, after which a root is made again, so that it has the mirror's newer packages, and an unused one is removed
RENEWED_AFTER = UNUSED_FOR = 14 * 24 * 3600

# What the programs and the system tests need in the root where both run: rootless podman as the package asks for it, git,
# and what makes an image without a registry.
SYSTEM_TESTS = """podman podman-compose uidmap passt netavark aardvark-dns nftables crun catatonit fuse-overlayfs
busybox-static git openssh-client iproute2 procps python3 slirp4netns""".split()


def listed_packages(*sections):
    """Those of scripts/packages.txt under the comments that begin so."""
    found, taken = [], False
    for line in (SOURCE / "scripts/packages.txt").read_text().splitlines():
        if line.startswith("#"):
            taken = any(line.startswith(f"# {section}") for section in sections)
        elif taken and line.strip():
            found.append(line.split("#")[0].strip())
    if not found:
        raise AssertionError(f"scripts/packages.txt has no section that begins with one of {sections}")
    return found


def build_root():
    """The directory of a Debian 13 that can build, package and try pgod. It must not be written to: see inside.py."""
    return made("trixie", "build", [*listed_packages("to build", "to package"), *SYSTEM_TESTS])


def dependencies(packages):
    """The names of the packages that `apt-get install` of these .deb files brings with it, as the files say."""
    found = {}
    for package in packages:
        fields = subprocess.run(["dpkg-deb", "--field", package, "Package", "Pre-Depends", "Depends", "Recommends"],
                                check=True, capture_output=True, text=True).stdout
        entries = dict(re.findall(r"^(\S+): (.*)$", fields, re.MULTILINE))
        own = entries.pop("Package")
        # Of alternatives apt takes the first.
        found[own] = [re.match(r"[a-z0-9][a-z0-9.+-]*", one.strip())[0] for field in entries.values()
                      for one in field.split(",")]
    return sorted({name for names in found.values() for name in names} - set(found))


def made(suite, purpose, packages, tar=False):
    """A directory, or a tar of one; made when there is none with these packages."""
    packages = sorted(set(packages))
    key = hashlib.sha256("\n".join([str(time.time() // RENEWED_AFTER), suite, *packages]).encode()).hexdigest()[:16]
    name = f"{suite}-{purpose}-"
    path = CACHE / f"{name}{key}{'.tar' if tar else ''}"
    CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    with only_one(CACHE / f"{name}lock"):
        if not path.exists():
            make(suite, packages, path, CACHE / f"{name}partial{'.tar' if tar else ''}")
        os.utime(path)
        for other in CACHE.glob(f"{name}*"):
            if re.fullmatch(r"[0-9a-f]{16}(\.tar)?", other.name[len(name):]) and \
                    other.stat().st_mtime < time.time() - UNUSED_FOR:
                remove(other)
    return path


@contextlib.contextmanager
def only_one(lock):
    with open(lock, "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def make(suite, packages, path, partial):
    remove(partial)
    # In a mount namespace: of one that is killed, no mount must be left where remove() comes by.
    subprocess.run(["unshare", "--mount", "--propagation", "private", "mmdebstrap", "--quiet", "--variant=minbase", "--aptopt=Acquire::Retries \"3\"",
                    f"--include={','.join(packages)}", suite, partial], check=True, timeout=1800)
    partial.rename(path)


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    print(build_root())
