"""The parts that system tests are made of: Unix users with rootless podman, git repositories, a pgod, and clients.

Everything is real and listens on loopback; everything that is started is stopped by its pid. Waits are on a condition
with a generous deadline; no test depends on speed. Run by ctest; PGOD_BIN is the directory of the built programs."""

import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import pwd
import random
import shutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

BIN = pathlib.Path(os.environ.get("PGOD_BIN", "build/release/bin")).resolve()
SKIPPED = 77  # ctest's SKIP_RETURN_CODE; scripts/test counts it as a failure
NS_GET_OWNER_UID = 0xB704  # ioctl_ns(2)
DEADLINE = float(os.environ.get("PGOD_TEST_DEADLINE", 180))

GIT_ENV = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_AUTHOR_NAME": "Dev",
    "GIT_AUTHOR_EMAIL": "dev@example.org",
    "GIT_COMMITTER_NAME": "Dev",
    "GIT_COMMITTER_EMAIL": "dev@example.org",
}


def require_root_and_podman():
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(SKIPPED)
    for one_of in (["podman"], ["podman-compose"], ["newuidmap"], ["pasta", "slirp4netns"], ["crun", "runc"], ["git"],
                   ["ssh"]):
        if not any(map(shutil.which, one_of)):
            print(f"needs {' or '.join(one_of)}")
            sys.exit(SKIPPED)
    # A user's first podman takes CNI for good where netavark is missing, and CNI finds no container by its name.
    for program in ("netavark", "aardvark-dns"):
        if not any(pathlib.Path(directory, program).exists() for directory in ("/usr/lib/podman", "/usr/libexec/podman")):
            print(f"needs {program}")
            sys.exit(SKIPPED)


def containers_conf():
    """What podman needs on this host, which has no systemd, and not always all controllers of cgroups."""
    engine = ['[engine]', 'cgroup_manager = "cgroupfs"']
    controllers = pathlib.Path("/sys/fs/cgroup/cgroup.controllers")
    if not controllers.exists():  # crun of Debian 12 refuses hybrid cgroups; runc takes every layout
        return "\n".join([*engine, 'runtime = "runc"', ""])
    limits = [] if "pids" in controllers.read_text().split() else ["[containers]", "pids_limit = 0"]
    return "\n".join([*limits, *engine, ""])


def wait_until(what, condition, deadline=DEADLINE):
    """Waits until condition() is truthy and returns it; fails with `what` when the deadline passes."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:.0f} s in vain: {what}")
        time.sleep(0.05)


def reserve(what):
    """Keeps it for this process until it ends; False when another test on this host has it."""
    reservation = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        reservation.bind(f"\0pgod-test-{what}")
    except OSError:
        reservation.close()
        return False
    reservation.detach()  # and so left open
    return True


def free_port():
    """A port that nobody gets from the kernel by chance and no other test on this host is given: it is below those of
    outgoing connections, and reserved. Even; the one before it is left alone too."""
    lowest_of_kernel = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    choices = range(10_000, max(lowest_of_kernel, 20_000), 2)
    for _ in range(10 * len(choices)):
        port = random.choice(choices)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("0.0.0.0", port))
            if reserve(f"port-{port}"):
                return port
    raise AssertionError("no port is free")


def run(argv, **options):
    options.setdefault("timeout", DEADLINE)
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


def sanitized():
    """Whether what is tested was built with the address sanitizer."""
    return "libasan" in run(["ldd", BIN / "pgod"]).stdout


# useradd and its kin give up when another of them holds /etc/passwd for long; a test that runs beside this one may.
ONE_AT_A_TIME = ("flock", "/run/lock/pgod-test-users")


class User:
    """An ordinary Unix user with working rootless podman and a busybox image, removed afterwards."""

    IMAGE = "localhost/bb:latest"
    ours = set()  # names

    def __init__(self, name):
        self.name = name
        if name not in self.ours:  # the same test, of another run, is waited for
            wait_until(f"no other test has user {name}", lambda: reserve(f"user-{name}"), 6 * DEADLINE)
            self.ours.add(name)
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            self.remove()
        subprocess.run([*ONE_AT_A_TIME, "useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", name],
                       check=True)
        entry = pwd.getpwnam(name)
        self.uid, self.gid, self.home = entry.pw_uid, entry.pw_gid, pathlib.Path(entry.pw_dir)
        self.runtime = pathlib.Path(f"/run/user/{self.uid}")
        self.runtime.mkdir(parents=True, exist_ok=True)
        os.chown(self.runtime, self.uid, self.gid)
        self.runtime.chmod(0o700)
        config = self.home / ".config" / "containers"
        config.mkdir(parents=True)
        (config / "containers.conf").write_text(containers_conf())
        subprocess.run(["chown", "-R", f"{self.uid}:{self.gid}", self.home / ".config"], check=True)

    def env(self):
        return {
            "HOME": str(self.home),
            "USER": self.name,
            "LOGNAME": self.name,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "XDG_RUNTIME_DIR": str(self.runtime),
            "LANG": "C.UTF-8",
        }

    def run(self, argv, check=True, **options):
        options.setdefault("env", self.env())
        options.setdefault("cwd", "/")
        done = run(argv, user=self.uid, group=self.gid, extra_groups=[], **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def podman(self, *argv, check=True):
        return self.run(["podman", *argv], check=check).stdout

    def import_image(self, name=IMAGE):
        """busybox as an image, without a registry."""
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory, "root")
            (root / "bin").mkdir(parents=True)
            (root / "www").mkdir()
            (root / "tmp").mkdir()
            shutil.copy("/bin/busybox", root / "bin" / "busybox")
            for applet in ("sh", "httpd", "sleep", "cat", "echo", "ls", "touch", "id", "ln", "true", "false", "env",
                           "wget", "nc", "printf", "mkdir", "test", "seq", "chown", "top", "vi"):
                (root / "bin" / applet).symlink_to("busybox")
            archive = pathlib.Path(directory, "bb.tar")
            subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
            os.chmod(directory, 0o755)
            self.podman("import", "-q", str(archive), name)

    def containers(self, all_states=False):
        listed = json.loads(self.podman("ps", "--format", "json", *(["-a"] if all_states else [])) or "[]")
        return {c["Names"][0]: c for c in listed}

    def container_ids(self):
        return {name: c["Id"] for name, c in self.containers().items()}

    def remove(self):
        entry = pwd.getpwnam(self.name)
        runtime = f"/run/user/{entry.pw_uid}"
        env = {"HOME": entry.pw_dir, "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": runtime}
        for argv in (["podman", "rm", "-fa", "-t", "0"], ["podman", "system", "reset", "-f"],
                     ["podman", "system", "migrate"]):
            with contextlib.suppress(subprocess.TimeoutExpired):
                run(argv, user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], env=env, cwd="/", timeout=60)
        end_processes_of(entry.pw_uid)
        shutil.rmtree(runtime, ignore_errors=True)  # before the uid is free for a user of another test
        subprocess.run([*ONE_AT_A_TIME, "userdel", "-r", self.name], capture_output=True)


def processes():
    """Their directories in /proc."""
    return [process for process in pathlib.Path("/proc").iterdir() if process.name.isdigit()]


def is_on_this_host(process, uid):
    """False for a process in a container of somebody else: another user of the machine may have the same number there.
    Containers of a rootless user live in user namespaces that this user owns."""
    def namespace(of, kind):
        return os.stat(f"/proc/{of}/ns/{kind}").st_ino

    if namespace(process, "pid") == namespace("self", "pid"):
        return True
    if namespace(process, "user") == namespace("self", "user"):
        return False
    with open(f"/proc/{process}/ns/user") as held:
        owner = fcntl.ioctl(held, NS_GET_OWNER_UID, b"\xff" * 4)
    return int.from_bytes(owner, sys.byteorder) == uid


def end_processes_of(uid):
    for process in processes():
        with contextlib.suppress(OSError):
            if process.stat().st_uid == uid and is_on_this_host(process.name, uid):
                os.kill(int(process.name), signal.SIGKILL)


class Repository:
    """A bare repository as a team's forge would hold it, and commits pushed to it."""

    def __init__(self, directory, name="repo"):
        self.bare = pathlib.Path(directory, f"{name}.git")
        self.work = pathlib.Path(directory, f"{name}.work")
        self.git("init", "-q", "--bare", "-b", "main", self.bare, cwd="/")
        self.git("init", "-q", "-b", "main", self.work, cwd="/")
        self.git("remote", "add", "origin", self.bare)

    def git(self, *argv, cwd=None, check=True):
        done = run(["git", *argv], cwd=cwd or self.work, env=GIT_ENV)
        if check and done.returncode != 0:
            raise AssertionError(f"git {argv}: {done.stderr}")
        return done.stdout.strip()

    def write(self, path, text):
        target = self.work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink():
            target.unlink()
        target.write_text(text)

    def commit(self, files=None, remove=(), message="change", push=True, amend=False):
        for path, text in (files or {}).items():
            self.write(path, text)
        for path in remove:
            self.git("rm", "-q", "-r", path)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, *(["--amend"] if amend else []))
        if push:
            self.git("push", "-q", "--force", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    @property
    def url(self):
        return f"file://{self.bare}"


class GitDaemon:
    """git:// on a loopback port that can be stopped, and made to hang."""

    def __init__(self, base):
        self.base, self.port, self.process, self.hanging = base, free_port(), None, None

    def url(self, repository):
        return f"git://127.0.0.1:{self.port}/{repository.bare.name}"

    def start(self):
        self.process = subprocess.Popen(
            ["git", "daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1", f"--port={self.port}",
             f"--base-path={self.base}", str(self.base)],
            env=GIT_ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        wait_until("git daemon listens", lambda: connects(self.port))

    def stop(self):
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
        if self.hanging:
            self.hanging.close()
            self.hanging = None

    def hang(self):
        self.stop()
        self.hanging = socket.socket()
        self.hanging.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

        def bound():
            with contextlib.suppress(OSError):
                self.hanging.bind(("127.0.0.1", self.port))
                return True

        wait_until("the port is free again", bound)
        self.hanging.listen(64)

    def is_asked(self):
        """Somebody waits for an answer of the hanging one."""
        return bool(select.select([self.hanging], [], [], 0)[0])


def connects(port):
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def fetch(port, path="/"):
    """The body that a container serves, or None."""
    with contextlib.suppress(OSError, http.client.HTTPException):  # the latter of one that is ended while it answers
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.read().decode()
    return None


def served(port, path="/"):
    """The body that a container serves which was just started: what is in it may need a while to listen."""
    return wait_until(f"something answers at port {port}", lambda: fetch(port, path))


def make_key(directory, name="id", kind="ed25519"):
    path = pathlib.Path(directory, name)
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", path], check=True)
    return path


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(entry)}" for key, entry in value.items()) + " }"
    return json.dumps(value)


class Pgod:
    """One pgod with its own state, port and log."""

    def __init__(self, directory, user=None):
        self.directory = pathlib.Path(directory)
        self.config = self.directory / "config.toml"
        self.state = self.directory / "state"
        self.log_path = self.directory / "pgod.log"
        self.port = free_port()
        self.user = user  # run as this ordinary user instead of root
        self.debug = True
        self.launcher = []  # a program that becomes pgod, and its arguments
        self.process = None
        self.services = []
        self.extra = ""

    def service(self, name, user, url, **settings):
        self.services.append((name, user, url, settings))

    def write_config(self):
        lines = [f'listen = "127.0.0.1:{self.port}"', 'interval = "1s"', f'state = "{self.state}"',
                 f'host_key = "{self.directory}/host_key"', f'control = "{self.directory}/control.sock"',
                 f'admin_keys = "{self.directory}/admin_keys"',
                 f'revoked_keys = "{self.directory}/revoked_keys"', self.extra]
        for name, user, url, settings in self.services:
            lines += ["[[services]]", f'name = "{name}"', f'user = "{user}"', f'repository = "{url}"']
            lines += [f"{key} = {toml(value)}" for key, value in settings.items()]
        self.config.write_text("\n".join(lines) + "\n")
        self.config.chmod(0o644)

    def start(self, write=True, wait=True):
        if write:
            self.write_config()
        options = {}
        if self.user:
            options = dict(user=self.user.uid, group=self.user.gid, extra_groups=[], env=self.user.env())
        with open(self.log_path, "a") as log:
            argv = [*self.launcher, BIN / "pgod", "-c", self.config, *(["-d"] if self.debug else [])]
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **options)
        if wait:
            wait_until("pgod listens", lambda: self.alive() and connects(self.port))

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"pgod ended with {self.process.returncode}:\n{self.log()[-4000:]}")
        return True

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)  # a test may have failed while it stood still
            self.process.wait(timeout=DEADLINE)
        for finding in ("Sanitizer", "runtime error:"):
            if finding in self.log():
                raise AssertionError(f"the log of pgod has a finding:\n{self.log()[-8000:]}")

    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def ctl(self, key, target, *args, env=None, known_hosts=None, options=(), accept=True):
        """pgoctl as a user would call it; the host key is pinned on first use in a file of its own."""
        known = known_hosts or self.directory / "known_hosts"
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.directory), **(env or {})}
        identity = ["-i", key] if key else []
        return run([BIN / "pgoctl", *identity, "-p", self.port, *(["--accept-new"] if accept else []),
                    "--known-hosts", known, *options, f"localhost:{target}", *args], env=environment)

    def local(self, uid, target, *args, options=(), **rest):
        """pgoctl over the control socket, or where the users of services connect, as that user."""
        own = uid == (self.user.uid if self.user else 0)
        name = "control.sock" if own else "users.sock"
        return run([BIN / "pgoctl", "--control", self.directory / name, *options, target, *args], user=uid,
                   group=uid, extra_groups=[], env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}, cwd="/", **rest)

    def open_gate(self, service, name):
        """Of a commit with gate(name), whose deployment is under way."""
        directory = self.state / "services" / service / "tree" / "gate"
        wait_until(f"the gate of {service} is there", directory.exists)
        (directory / name).touch()

    def ssh(self, key, *command, options=()):
        return run(["ssh", "-F", "/dev/null", "-p", self.port, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                    "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.directory}/known_ssh",
                    "-o", "LogLevel=ERROR", "-i", key, *options, "localhost", *command])

    def answer(self, key, target, *args):
        """As ctl(), but asked again when pgod stood still for so long that the connection was ended."""
        for _ in range(10):
            done = self.ctl(key, target, *args)
            if done.returncode != 69 or self.process.poll() is not None:
                break
            time.sleep(0.5)
        return done

    def status(self, key, service):
        done = self.answer(key, f"{service}//status", "--json")
        if done.returncode != 0:
            raise AssertionError(f"status: {done.returncode} {done.stderr}")
        return json.loads(done.stdout)

    def polls(self, key, service="demo", count=3):
        """Waits until its upstream was asked that often, whatever it answered; for services with a short interval."""
        for _ in range(count):
            seen = self.status(key, service)["next_poll"]
            wait_until("another poll", lambda: self.status(key, service)["next_poll"] not in (None, seen))


class SystemTest(unittest.TestCase):
    """A temporary directory that service users may enter, and what was begun in it, ended in reverse order."""

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pgod-system-"))
        self.directory.chmod(0o755)
        self.daemons = []
        self.addCleanup(self.forget_directory)

    def forget_directory(self):
        failed = not self._outcome.success
        if failed:
            for log in self.directory.glob("**/*.log"):
                sys.stderr.write(f"--- {log}\n{log.read_text()[-6000:]}\n")
        subprocess.run(["rm", "-rf", self.directory])

    def pgod(self, **options):
        daemon = Pgod(self.directory, **options)
        self.daemons.append(daemon)
        self.addCleanup(daemon.stop)
        return daemon

    def tearDown(self):
        """Before any clean-up: pgod would take what is removed for drift and bring it back into the next test; and so would
        a worker, which outlives pgod, with the version before."""
        for daemon in self.daemons:
            daemon.stop()
        wait_until("no worker is left", lambda: not self.end_workers())
        with contextlib.suppress(AssertionError):  # one that waits for a registry may go on
            wait_until("what workers asked of podman is done", lambda: not self.calls_of_workers(), 15)

    def end_workers(self):
        """Those that have files of this test open; what runs in containers has none."""
        found = []
        for process in processes():
            with contextlib.suppress(OSError):
                if (process / "comm").read_text().strip() == "pgod-work" and any(
                        os.readlink(file).startswith(f"{self.directory}/") for file in (process / "fd").iterdir()):
                    os.kill(int(process.name), signal.SIGKILL)
                    found.append(process.name)
        return found

    def calls_of_workers(self):
        """podmans that change a service of this test: workers mark them, so that the next one can wait for them."""
        users = {user for daemon in self.daemons for _, user, _, _ in daemon.services}
        found = []
        for process in processes():
            with contextlib.suppress(OSError, KeyError):
                if (process / "comm").read_text().strip() == "podman" and b"\0PGOD_CHANGES=" in (
                        b"\0" + (process / "environ").read_bytes()) and pwd.getpwuid(process.stat().st_uid).pw_name in users:
                    found.append(process.name)
        return found

    def git_daemon(self):
        server = GitDaemon(self.directory)
        self.addCleanup(server.stop)
        return server


def compose_web(port, body="one", name="web", extra="", command=None):
    """A compose file with one container that serves `body` on a host port and ends at once when stopped."""
    command = command or f"sh -c 'echo {body} > /www/index.html; exec httpd -f -p 8080 -h /www'"
    return (f"services:\n  {name}:\n    image: {User.IMAGE}\n    stop_signal: SIGKILL\n"
            f"    command: {json.dumps(command)}\n    ports: [\"127.0.0.1:{port}:8080\"]\n{extra}")


def gate(name):
    """More of compose_web(): healthy once Pgod.open_gate() was called, so that its deployment can be held until then; the
    service's start_timeout must be longer than the test takes."""
    return ("    volumes: [\"./gate:/gate\"]\n"
            f"    healthcheck: {{test: [CMD, test, -e, /gate/{name}], interval: 1s, retries: 1000}}\n")


def main():
    unittest.main(verbosity=2)
