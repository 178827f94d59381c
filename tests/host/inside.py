"""Runs a command in Debian 13, on this machine. The source tree (read-only), the build directory and ccache's cache are at
their own paths. The rest is a copy for this command alone, removed afterwards. The command has mount, process, IPC and
network namespaces of its own, with the loopback device only. Its users get uids that tests outside do not give.

    inside.py BUILD_DIRECTORY NAME COMMAND…

BUILD_DIRECTORY/trixie-rooms/NAME holds the copy; a second command of the same name waits for the first. Root only; the exit
status is that of the command."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import debian

# Outside, harness.end_processes_of() sees containers of this root and knows them by the uid alone.
FIRST_UID = 20_000
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
OPEN_DEVICES = {"fuse": (10, 229), "net/tun": (10, 200)}  # whoever may run rootless podman opens them


def ccache():
    """The caller's cache, or None."""
    if shutil.which("ccache") is None:
        return None
    asked = subprocess.run(["ccache", "--get-config", "cache_dir"], check=True, capture_output=True, text=True)
    cache = pathlib.Path(asked.stdout.strip())
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def furnish(room, root):
    """Copies what the command may write to. /usr comes with the mounts, read-only."""
    if room.exists():
        shutil.rmtree(room)
    for place in ("dev", "home", "media", "mnt", "opt", "outside", "proc", "root", "run", "srv", "sys", "usr"):
        (room / place).mkdir(parents=True)
    (room / "tmp").mkdir()
    (room / "tmp").chmod(0o1777)
    for entry in root.iterdir():
        if entry.is_symlink():
            (room / entry.name).symlink_to(os.readlink(entry))
    for place in ("etc", "var"):
        subprocess.run(["cp", "--archive", root / place, room], check=True)
    (room / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    login = room / "etc/login.defs"
    login.write_text(re.sub(r"(?m)^UID_MIN.*", f"UID_MIN {FIRST_UID}", login.read_text()))


def mount(*arguments):
    subprocess.run(["mount", *[str(a) for a in arguments]], check=True)


def bind(outside, room, writable=True):
    """Shows it at its own path."""
    place = room / str(outside).lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    mount("--bind", outside, place)
    if not writable:
        mount("-o", "remount,bind,ro", place)


def move_in(room, root, build, cache):
    mount("--bind", room, room)  # it becomes the root of the namespace, so it has to be a mount
    mount("--bind", root / "usr", room / "usr")
    mount("-o", "remount,bind,ro", room / "usr")
    mount("-t", "proc", "proc", room / "proc")
    mount("-t", "sysfs", "sysfs", room / "sys")
    mount("-t", "cgroup2", "none", room / "sys/fs/cgroup")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", room / "run")
    (room / "run/lock").mkdir(mode=0o1777)
    (room / "run/user").mkdir()
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", room / "dev")
    for device in DEVICES:
        (room / "dev" / device).touch()
        mount("--bind", f"/dev/{device}", room / "dev" / device)
    for device, numbers in OPEN_DEVICES.items():
        node = room / "dev" / device
        node.parent.mkdir(exist_ok=True)
        os.mknod(node, 0o020666, os.makedev(*numbers))
        node.chmod(0o666)
    for link, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"),
                         ("ptmx", "pts/ptmx")):
        (room / "dev" / link).symlink_to(target)
    for place, options in (("pts", ("-t", "devpts", "-o", "newinstance,ptmxmode=666,mode=620,gid=5", "devpts")),
                           ("shm", ("-t", "tmpfs", "-o", "mode=1777", "tmpfs"))):
        (room / "dev" / place).mkdir()
        mount(*options, room / "dev" / place)
    bind(debian.SOURCE, room, writable=False)
    bind(build, room)
    if cache:
        bind(pathlib.Path(cache), room)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # Not chroot(2) alone: no user namespace can be made in one.
    subprocess.run(["pivot_root", room, room / "outside"], check=True)
    os.chdir("/")
    subprocess.run(["/usr/bin/umount", "--lazy", "/outside"], check=True)
    mount("--make-rshared", "/")


def environment(cache):
    """Nothing of the caller but what tests and builds are asked by."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("PGOD_") or name == "PYTHONDONTWRITEBYTECODE"}
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", **kept,
            **({"CCACHE_DIR": cache} if cache else {})}


def run(command, cache):
    """Runs as the first process of the namespace, so it also reaps orphans."""
    prepared = ". scripts/common.sh && prepare_host && exec \"$@\""
    child = subprocess.Popen(["/usr/bin/bash", "-c", prepared, "bash", *command], cwd=debian.SOURCE, env=environment(cache))
    while True:
        ended, status = os.wait()
        if ended == child.pid:
            return os.waitstatus_to_exitcode(status)


def main():
    build, name, *command = sys.argv[1:]
    build = pathlib.Path(build).resolve()
    room = build / "trixie-rooms" / name
    if os.environ.pop("PGOD_INSIDE", None):  # in the namespaces
        root, cache = pathlib.Path(os.environ.pop("PGOD_ROOT")), os.environ.pop("PGOD_CCACHE", None)
        move_in(room, root, build, cache)
        status = run(command, cache)
        sys.exit(status if status >= 0 else 128 - status)
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # unshare itself ignores it
    root, cache = debian.build_root(), ccache()
    room.parent.mkdir(parents=True, exist_ok=True)
    with debian.only_one(room.with_name(f"{name}.lock")):
        furnish(room, root)
        status = enter(root, room, cache)
    sys.exit(status)


def enter(root, room, cache):
    inside = {"PGOD_INSIDE": "1", "PGOD_ROOT": str(root), **({"PGOD_CCACHE": str(cache)} if cache else {})}
    try:
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--net",
                               "--ipc", sys.executable, "-B", __file__, *sys.argv[1:]], env={**os.environ, **inside},
                              check=False)
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(room)
    return done.returncode


if __name__ == "__main__":
    main()
