"""The jail of a build: what runs in it reaches its stage and the outside network, and nothing else of the host. Each
attack is one that works in an ordinary rootless `podman build`."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system"))
import harness  # noqa: E402
import outside  # noqa: E402

USER = "pgjail"
NETWORKS = (pathlib.Path("/usr/bin/slirp4netns"), pathlib.Path("/usr/bin/pasta"))


def installed_networks():
    return [path.name for path in NETWORKS if path.exists()]


# The kernel lets every process send to 127.0.0.0/8 by a link of its choice; no reply comes, but a datagram may arrive. Root
# could send any packet.
FORGE = """
import contextlib, socket, sys, time
port = int(sys.argv[1])
for kind in (socket.AF_PACKET, socket.AF_INET):
    with contextlib.suppress(PermissionError), socket.socket(kind, socket.SOCK_RAW, socket.IPPROTO_RAW):
        print("a raw socket", flush=True)
for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
    for address, to in (("127.0.0.1", port + 1), ("127.255.255.254", port + 1), ("0.0.0.0", port + 1),
                        ("255.255.255.255", port + 1), ("10.0.2.2", port + 1), ("10.0.2.3", port + 1),
                        ("10.0.2.255", port + 1), ("198.51.100.7", port)):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"tap0\\0")
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            probe.settimeout(2)
            probe.connect((address, to))
            probe.send(b"x")
time.sleep(1)
print("sent", flush=True)
"""


def setUpModule():
    global user, subids
    harness.require_root_and_podman()
    user = harness.User(USER)
    unittest.addModuleCleanup(user.remove)
    user.import_image()
    line = next(entry for entry in pathlib.Path("/etc/subuid").read_text().split() if entry.startswith(f"{USER}:"))
    subids = line.split(":")[1:]


def running(text):
    """Pids of the user's processes that have this text on their command line."""
    found = []
    for process in harness.processes():
        with contextlib.suppress(OSError):
            if process.stat().st_uid == user.uid and text.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


class Jail(unittest.TestCase):
    def setUp(self):
        self.place = user.home / self.id().rsplit(".", 1)[-1]
        for name in ("root", "store", "tmp", "stage"):
            (self.place / name).mkdir(parents=True)
        self.problem = self.place / "problem"
        (self.place / "stage" / "Containerfile").write_text(f"FROM {user.IMAGE}\nRUN echo built > /built\n")
        subprocess.run(["chown", "-R", f"{user.uid}:{user.gid}", self.place], check=True)

    def argv(self, *command, processes=256, ids=None):
        uids, gids = (ids or f"0:{own}:1,1:{subids[0]}:{subids[1]}" for own in (user.uid, user.gid))
        return [harness.BIN / "pgod-build", "--uids", uids, "--gids", gids, "--root", self.place / "root",
                "--problem", self.problem, "--processes", str(processes),
                "--show", self.place / "stage", "/stage", "--keep", self.place / "store", "/build/store",
                "--keep", self.place / "tmp", "/var/tmp",
                "--show", user.home / ".local/share/containers/storage", "/images", "--", *command]

    @staticmethod
    def env():
        return {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR": "/run/user",
                "_CONTAINERS_USERNS_CONFIGURED": "done", "_CONTAINERS_ROOTLESS_UID": str(user.uid),
                "_CONTAINERS_ROOTLESS_GID": str(user.gid)}

    def run_inside(self, *command, **options):
        return user.run(self.argv(*command, **options), check=False, env=self.env())

    def sh(self, script, **options):
        return self.run_inside("/bin/bash", "-c", script, **options)

    def build(self, containerfile):
        (self.place / "stage" / "Containerfile").write_text(containerfile)
        driver, runtime = user.podman("info", "--format", "{{.Store.GraphDriverName}} {{.Host.OCIRuntime.Path}}").split()
        return self.run_inside(
            "/usr/bin/podman", "--root=/build/store", "--runroot=/run/containers", f"--storage-driver={driver}",
            f"--storage-opt={driver}.imagestore=/images", "--cgroup-manager=cgroupfs", f"--runtime={runtime}", "build",
            "--network=host", "--file=/stage/Containerfile", "/stage")

    def test_the_host_is_not_there(self):
        secret = user.home / "secret"
        secret.write_text("of another service")
        done = self.sh(f"cat {secret}; ls -A /home /srv /mnt /var/lib /run/user /tmp; ls /var; echo ps: /proc/[0-9]*")
        self.assertNotIn("of another service", done.stdout + done.stderr)
        self.assertEqual(done.stdout.replace("/run/user:", "").split()[:2], ["/tmp:", "tmp"], done.stdout + done.stderr)
        self.assertLess(len(done.stdout.split("ps:")[1].split()), 4, "processes of the host are seen")

    def test_the_stage_and_the_system_cannot_be_written(self):
        done = self.sh("touch /stage/x; touch /usr/x; touch /etc/passwd; mount -o remount,rw /usr; touch /usr/x; "
                       "echo 1 > /proc/sys/kernel/panic; touch /build/store/mine && echo kept")
        self.assertEqual(done.stdout.split(), ["kept"], done.stderr)
        self.assertFalse(pathlib.Path("/usr/x").exists())

    def test_the_loopback_of_the_host_cannot_be_reached(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            for address in ("127.0.0.1", "10.0.2.2", "localhost"):
                done = self.sh(f"timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/{port}' && echo reached")
                self.assertNotIn("reached", done.stdout, address)
            script = f"RUN nc -w 2 10.0.2.2 {port} </dev/null && echo reached\n"
            self.assertNotIn("reached", self.build(f"FROM {user.IMAGE}\n{script}").stdout.split("\n"))
            added = self.build(f"FROM {user.IMAGE}\nADD http://127.0.0.1:{port}/x /x\n")
            self.assertNotEqual(added.returncode, 0)
            server.settimeout(0.1)
            with self.assertRaises(TimeoutError):
                server.accept()

    def on_a_host_of_its_own(self, network, *command):
        """Where the program is the only one that can serve the network of a build (outside.py)."""
        hidden = next((str(path) for path in NETWORKS if path.name != network and path.exists()), "")
        argv = ["unshare", "-m", "-n", "--propagation", "private", sys.executable,
                pathlib.Path(__file__).with_name("outside.py"), str(user.uid), hidden, *self.argv(*command)]
        done = harness.run(argv, env=self.env(), cwd="/")
        self.assertEqual((done.returncode, self.problem.exists() and self.problem.read_text()), (0, ""), done.stderr)
        return done.stdout

    def test_the_outside_and_the_resolver_of_the_host_are_reached(self):
        script = ("import socket; print(socket.gethostbyname('name.example')); "
                  f"socket.create_connection(('name.example', {outside.PORT}), 30); print('connected')")
        for network in installed_networks():
            with self.subTest(network):
                said = self.on_a_host_of_its_own(network, "/usr/bin/python3", "-c", script)
                self.assertEqual(said.split(), [outside.OUTSIDE, "connected", "reached:", "outside", "resolver"])

    def test_no_packet_sent_by_the_link_of_the_jail_reaches_the_loopback_of_the_host(self):
        script = (self.place / "stage" / "forge.py")
        script.write_text(FORGE)
        for network in installed_networks():
            with self.subTest(network):
                said = self.on_a_host_of_its_own(network, "/usr/bin/python3", "/stage/forge.py", str(outside.PORT))
                self.assertEqual(said.split("\n")[:2], ["sent", "reached: outside"], said)

    def test_nothing_of_the_network_survives_the_build(self):
        for network in installed_networks():
            with self.subTest(network):
                said = self.on_a_host_of_its_own(network, "/bin/true")
                self.assertEqual(said, "reached:\n")
                self.assertFalse(running(f"{network}\0--"))

    def test_an_abstract_socket_of_the_host_cannot_be_reached(self):
        name = f"pgod-{uuid.uuid4()}"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("\0" + name)
            server.listen()
            done = self.run_inside("/usr/bin/python3", "-c",
                                   f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}'); print('reached')")
            self.assertNotIn("reached", done.stdout)

    def test_builds_reuse_the_images_and_layers_that_are_there(self):
        text = f"FROM {user.IMAGE}\nRUN echo built > /built\n"
        first, second = self.build(text), self.build(text)
        self.assertEqual((first.returncode, second.returncode), (0, 0), first.stderr + second.stderr)
        self.assertIn("Using cache", second.stdout)
        self.assertNotIn("Using cache", first.stdout)

    def test_a_build_reads_no_file_of_the_user(self):
        (user.home / "open").mkdir()
        (user.home / "open" / "secret").write_text("of another service")
        (self.place / "stage" / "link").symlink_to(user.home)
        for attack in (f"RUN --mount=type=cache,id=../../../..{user.home},target=/x cat /x/open/secret",
                       "RUN --mount=type=bind,source=link,target=/x cat /x/open/secret",
                       f"RUN ln -s {user.home} /link\nFROM {user.IMAGE}\n"
                       "RUN --mount=from=0,source=/link,target=/x cat /x/open/secret",
                       f"FROM oci:{user.home}/open", f"FROM tarball:{user.home}/open/secret"):
            done = self.build(f"FROM {user.IMAGE}\n{attack}\n")
            self.assertNotEqual(done.returncode, 0, attack)
            self.assertNotIn("of another service", done.stdout + done.stderr, attack)
        (self.place / "stage" / ".dockerignore").symlink_to(user.home / "open" / "secret")
        self.assertNotIn("of another service", self.build(f"FROM {user.IMAGE}\nCOPY . /x\n").stderr)

    def test_processes_are_bounded_as_a_whole(self):
        done = self.sh("for i in $(seq 300); do sleep 100 & done; jobs -p | wc -l", processes=100)
        self.assertIn("Resource temporarily unavailable", done.stderr)
        self.assertEqual(self.sh("true", processes=100).returncode, 0)

    def test_the_kernel_ends_a_build_first_when_memory_runs_out(self):
        self.assertEqual(self.sh("cat /proc/self/oom_score_adj").stdout, "1000\n")

    def test_a_build_ends_when_the_reserve_of_the_disk_is_reached(self):
        disk = os.statvfs(self.place)
        argv = self.argv("/usr/bin/sleep", "1000")
        argv[1:1] = ["--reserve", self.place, str(disk.f_blocks * disk.f_frsize), "0"]
        done = user.run(argv, check=False, env=self.env())
        self.assertEqual(done.returncode, 71)
        self.assertRegex(self.problem.read_text(), rf"filled the disk, and pgod ended it when \d+ MiB were free at {self.place}")

    def test_nothing_survives_the_end_of_pgod_build(self):
        mark = str(3_000_000 + os.getpid())
        with subprocess.Popen([str(a) for a in self.argv("/bin/bash", "-c", f"setsid sleep {mark} & sleep {mark}")],
                              env=self.env(), user=user.uid, group=user.gid, extra_groups=[], cwd="/") as build:
            harness.wait_until("both processes run", lambda: len(running(f"sleep\0{mark}")) == 2)
            build.send_signal(signal.SIGKILL)
            harness.wait_until("nothing is left", lambda: not running(mark), 30)
        self.assertFalse(running(f"/proc/{build.pid}/"))

    def test_the_status_and_what_keeps_the_jail_from_being_made(self):
        self.assertEqual(self.sh("exit 7").returncode, 7)
        self.assertEqual(self.problem.read_text(), "")  # it was entered
        refused = self.sh("true", ids=f"0:{user.uid}:1,1:1:1000")
        self.assertEqual(refused.returncode, 70)
        self.assertIn("/etc/subuid", self.problem.read_text())
        self.assertEqual(self.sh("true", ids="nonsense").returncode, 64)
        chained = self.run_inside("/bin/false", ";", "/bin/echo", "went on")
        self.assertEqual((chained.returncode, chained.stdout), (1, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
