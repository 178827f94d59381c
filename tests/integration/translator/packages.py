"""podman-compose as Debian's suites ship it, unpacked into the directory that tests keep between runs; never installed.

Downloaded once, from the mirror that /etc/apt names, and known by its checksum."""

import hashlib
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request

# As tests/host/debian.py keeps its roots; not /tmp, where anybody may write.
CACHES = os.environ.get("XDG_CACHE_HOME") or ("/var/cache" if os.geteuid() == 0 else pathlib.Path.home() / ".cache")
CACHE = pathlib.Path(CACHES, "pgod-tests/podman-compose")
MODULE = "usr/lib/python3/dist-packages/podman_compose.py"
INSTALLED = pathlib.Path("/") / MODULE

# version → (file in the pool, its SHA-256)
PACKAGES = {
    "1.0.3": ("podman-compose_1.0.3-3_all.deb",  # Debian 12
              "440ff56e6669242c7796c23c7619c1bad2917b1d480af0bc0b138531102f5a4e"),
    "1.0.6": ("podman-compose_1.0.6-1~bpo12+1_all.deb",  # its backports
              "214244ac96e1fd170b05fddf2a4f8e61ac06c19c21448ea396d72e789737b9ea"),
    "1.3.0": ("podman-compose_1.3.0-1_all.deb",  # Debian 13
              "7e8cdb41e2bcc66de139777fcc3278134997cd5630f5d41508110278bae593bf"),
    "1.6.0": ("podman-compose_1.6.0-1_all.deb",  # sid
              "72b0117a41fa941cbb36b59183d5dbb2aa5abe8630f59f4fa304c32b2859893a"),
}


def mirror():
    for path in [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        if path.is_file():
            for found in re.findall(r"https?://[^\s\]]+", path.read_text()):
                if found.rstrip("/").endswith("/debian"):
                    return found.rstrip("/")
    raise RuntimeError("/etc/apt names no mirror of Debian, from which the tests could take podman-compose")


def fetched(version):
    name, checksum = PACKAGES[version]
    path = CACHE / name
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            with urllib.request.urlopen(f"{mirror()}/pool/main/p/podman-compose/{name}", timeout=60) as answer:
                content = answer.read(10 << 20)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                raise RuntimeError(f"the mirror has no {name} any more. Where sid has moved on, put the new version into"
                                   " PACKAGES and into lib/core/compose_version.cpp, or take the old one out of both; to"
                                   f" compare it still, put the file into {CACHE}") from error
            raise RuntimeError(f"the mirror does not give {name}: {error}") from error
        except OSError as error:
            raise RuntimeError(f"{name} is not in {CACHE}, and without network it cannot be taken from Debian's mirror: "
                               f"{error}") from error
        if hashlib.sha256(content).hexdigest() != checksum:
            raise RuntimeError(f"the mirror's {name} is another one than the tests know")
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(content)
        partial.rename(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
        raise RuntimeError(f"{path} is damaged: remove it")
    return path


def unpacked(version):
    """The directory that Python has to look into."""
    directory = CACHE / version
    if not directory.exists():
        partial = CACHE / f"{version}.{os.getpid()}"
        subprocess.run(["dpkg-deb", "-x", fetched(version), partial], check=True)
        try:
            partial.rename(directory)
        except OSError:  # somebody else was faster
            subprocess.run(["rm", "-rf", partial], check=True)
    return (directory / MODULE).parent


def instead_of_the_installed(module):
    """What starts a command that finds this podman_compose.py where Debian's package has its own: a mount namespace."""
    return ["unshare", *([] if os.geteuid() == 0 else ["-r"]), "-m", "--propagation", "private", "sh", "-c",
            f"mount --bind {module} {INSTALLED} && exec \"$@\"", "sh"]
