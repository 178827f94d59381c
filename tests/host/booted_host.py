"""A whole Debian host: systemd as the first process of a container without a network. It runs in a mount namespace of its
own, in which /sys/fs/cgroup is the unified hierarchy. Root only."""

import json
import os
import shlex
import subprocess
import sys
import time

DEADLINE = 180.0


def enter_mount_namespace():
    """Starts this program again in a mount namespace that may be changed without anybody noticing."""
    if os.environ.get("PGOD_HOST_NAMESPACE") == "entered":
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            places = [line.split()[1] for line in mounts if line.split()[1].startswith("/sys/fs/cgroup")]
        for place in sorted(places, reverse=True):
            subprocess.run(["umount", place], check=True)
        subprocess.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], check=True)
        subprocess.run(["mount", "--make-rshared", "/"], check=True)
        return
    os.environ["PGOD_HOST_NAMESPACE"] = "entered"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])


def wait_until(what, condition, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:.0f} s in vain: {what}")
        time.sleep(0.2)


class Host:
    def __init__(self, directory, tar, packages):
        # All directories are its own: `system reset` of another host's podman removes those that it knows.
        self.podman = ["podman", "--root", directory / "root", "--runroot", directory / "run", "--tmpdir", directory / "tmp",
                       "--cgroup-manager", "cgroupfs"]
        self.name = f"pgod-host-{os.getpid()}"
        self.call("import", "--quiet", tar, "localhost/pgod-host")
        self.call("run", "--detach", "--name", self.name, "--systemd=always", "--privileged", "--network", "none",
                  "--pids-limit=-1", "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096", "--stop-signal",
                  "SIGRTMIN+3", "--volume", f"{packages}:/packages:ro", "localhost/pgod-host", "/sbin/init")
        self.wait_for_boot()
        # Any real Debian's udev lets users open it.
        self.write("/etc/tmpfiles.d/fuse.conf", "z /dev/fuse 0666 root root -\n")
        self.must("systemd-tmpfiles", "--create", "fuse.conf")

    def call(self, *arguments):
        argv = [str(a) for a in (*self.podman, *arguments)]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=DEADLINE).stdout

    def run(self, *command, user=None, text=None):
        """Runs a command in the host and returns the finished process."""
        argv = [*self.podman, "exec", "--interactive", *(["--user", user] if user else []), self.name, *command]
        return subprocess.run([str(a) for a in argv], input=text or "", capture_output=True, text=True,
                              timeout=DEADLINE, check=False)

    def must(self, *command, user=None, text=None):
        done = self.run(*command, user=user, text=text)
        if done.returncode != 0:
            raise AssertionError(f"{shlex.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def write(self, path, text, mode="644"):
        self.must("sh", "-c", f"umask 077; cat > {shlex.quote(path)}; chmod {mode} {shlex.quote(path)}", text=text)

    def wait_for_boot(self):
        wait_until("the host has booted",
                   lambda: self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"))

    def reboot(self):
        self.call("stop", "--time", "60", self.name)
        self.call("start", self.name)
        self.wait_for_boot()

    def main_pid(self):
        return int(self.must("systemctl", "show", "--property=MainPID", "--value", "pgod").strip())

    def as_user(self, user, *command):
        """In the user's session."""
        uid = self.must("id", "--user", user).strip()
        return self.must("setpriv", "--reuid", user, "--regid", user, "--init-groups", "env", f"HOME=/home/{user}",
                         f"XDG_RUNTIME_DIR=/run/user/{uid}", f"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{uid}/bus",
                         *command)

    def containers(self, user):
        """Running containers of a user: compose service → (id, time of start), and the labels."""
        listed = self.as_user(user, "podman", "ps", "--format", "json")
        return {c["Labels"]["com.docker.compose.service"]: (c["Id"], c["StartedAt"], c["Labels"], c["Pid"])
                for c in json.loads(listed)}

    def remove(self):
        subprocess.run([str(a) for a in (*self.podman, "rm", "--force", "--time", "5", self.name)], check=False,
                       capture_output=True, timeout=DEADLINE)
        subprocess.run([str(a) for a in (*self.podman, "system", "reset", "--force")], check=False, capture_output=True,
                       timeout=DEADLINE)
