"""The control socket, on which root and the users of services reach pgod of their host without SSH."""

import array
import contextlib
import json
import os
import pathlib
import pwd
import shlex
import shutil
import socket
import stat
import struct
import subprocess
import sys
import unittest

from harness import (BIN, Repository, SystemTest, User, free_port, main, make_key, require_root_and_podman,
                     wait_until)

require_root_and_podman()
if shutil.which("tmux") is None:
    print("needs tmux")
    sys.exit(77)

ANN = None
COMPOSE = f"""services:
  web:
    image: {User.IMAGE}
    stop_signal: SIGKILL
    command: sh -c 'echo begun; exec sleep 1000000'
"""


def setUpModule():
    global ANN
    ANN = User("pgt-local-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Control(SystemTest):
    def setUp(self):
        super().setUp()
        key = make_key(self.directory)
        self.repository = Repository(self.directory)
        self.repository.commit({"compose.yaml": COMPOSE, "ssh/id.pub": (self.directory / "id.pub").read_text()})
        other = Repository(self.directory, "other")
        other.commit({"compose.yaml": "services: {}\n"})
        self.key = key
        self.daemon = self.pgod()
        self.daemon.service("demo", ANN.name, self.repository.url, ops=["read"])
        self.daemon.service("foreign", "games", other.url, auto=False)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it runs", lambda: any(c["State"] == "running" for c in ANN.containers().values()))

    def of(self, uid, target, *args, **options):
        done = self.daemon.local(uid, target, *args, **options)
        return done.returncode, done.stdout, done.stderr

    def test_users_are_kept_out_where_the_admin_says_so(self):
        self.daemon.stop()
        self.daemon.extra = "control_users = false"
        self.daemon.start()
        wait_until("root is heard", lambda: self.of(0, ":demo//ping")[0] == 0)
        status, output, said = self.of(ANN.uid, ":demo//ping")
        self.assertEqual((status, output), (69, ""), said)
        self.assertIn("no pgod listens on", said)
        status, output, said = self.of(ANN.uid, ":demo//ping", options=("--control", self.directory / "control.sock"))
        self.assertEqual((status, output), (69, ""), said)
        self.assertIn("ermission denied", said)

    def test_who_may_what(self):
        nobody = pwd.getpwnam("nobody").pw_uid
        me = f"uid {ANN.uid} ({ANN.name})"
        self.assertEqual(stat.S_IMODE((self.directory / "control.sock").stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE((self.directory / "users.sock").stat().st_mode), 0o666)
        self.assertEqual(self.of(0, ":demo//ping"), (0, f"pong! - {socket.gethostname()}\n", ""))
        self.assertEqual(self.of(ANN.uid, ":demo//ping")[0], 0)
        # Root everything, also what is for admins' keys.
        self.assertEqual(self.of(0, "://audit")[0], 0)
        self.assertIn("demo", self.of(0, "://list")[1])
        self.assertIn("foreign", self.of(0, "://list")[1])
        self.assertEqual(self.of(0, ":nosuch//ps")[0], 64)
        # A service's user its service, whatever the ceiling of keys, and nothing of the others.
        self.assertEqual(self.of(ANN.uid, ":demo//exec", "web", "echo", "in it"), (0, "in it\n", ""))
        self.assertEqual(self.of(ANN.uid, ":demo//restart", "web")[0], 0)
        self.assertNotIn("foreign", self.of(ANN.uid, "://list")[1])
        refusals = {service: self.of(ANN.uid, f":{service}//ps") for service in ("foreign", "nosuch")}
        self.assertEqual(refusals["foreign"], (77, "", f"Unauthorized: {me} is neither root nor the user of foreign\n"))
        self.assertEqual(refusals["nosuch"][2].replace("nosuch", "foreign"), refusals["foreign"][2])
        self.assertEqual(self.of(ANN.uid, "://audit")[0], 77)
        self.assertEqual(self.of(ANN.uid, ":demo//audit")[0], 77)
        # Anybody else nothing, and learns of nothing.
        for target in (":demo//ping", ":nosuch//ping", "://list", "://whoami", ":demo//nosuch"):
            self.assertEqual(self.of(nobody, target),
                             (77, "", f"Unauthorized: uid {nobody} is neither root nor the user of a service of this host\n"))
        mine = json.loads(self.of(ANN.uid, "://whoami", "--json")[1])
        self.assertEqual(mine, {"user": me, "admin": False, "services": [
            {"name": "demo", "key_name": ANN.name, "may": ["read", "deploy", "exec"]}]})
        self.assertIn("uid 0 (root)", self.of(0, "://whoami")[1])
        lines = [json.loads(line) for line in self.of(0, "://audit", "-n", "500")[1].splitlines()]
        seen = {(e["key"], e["name"], e["from"], e["service"], e["operation"], e["outcome"]) for e in lines}
        for entry in ((me, ANN.name, "local", "demo", "exec", "done"), (me, ANN.name, "local", "foreign", "ps", "refused"),
                      ("uid 0 (root)", "root", "local", "demo", "ping", "done")):
            self.assertIn(entry, seen)
        self.assertNotIn(f"uid {nobody}", {entry[0] for entry in seen})  # strangers fill a log of their own
        self.assertEqual(self.of(ANN.uid, ":demo//down")[0], 0)
        self.assertIn(f"{me} from local", self.of(0, ":demo//status")[1])

    def test_streams_both_ways_and_the_commands_own_status(self):
        for uid, name in ((0, "control.sock"), (ANN.uid, "users.sock")):
            with self.subTest(name):
                self.streams(name, {"user": uid, "group": uid, "extra_groups": [], "cwd": "/",
                                    "env": {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}})

    def streams(self, name, by):
        blob = os.urandom(3_000_000)
        source = self.directory / "blob"
        source.write_bytes(blob)
        with open(source, "rb") as given:
            done = subprocess.run([BIN / "pgoctl", "--control", self.directory / name, ":demo//exec", "web", "sh", "-c",
                                   "cat; echo gone wrong >&2; exit 42"], stdin=given, capture_output=True, timeout=120, **by)
        self.assertEqual((done.returncode, done.stderr), (42, b"gone wrong\n"))
        self.assertEqual(done.stdout, blob)
        self.assertIn("begun", self.of(by["user"], ":demo//logs")[1])
        follower = subprocess.Popen([BIN / "pgoctl", "--control", self.directory / name, ":demo//logs", "-f"],
                                    stdout=subprocess.PIPE, **by)
        self.assertEqual(follower.stdout.readline(), b"begun\n")
        follower.terminate()
        self.assertEqual(follower.wait(timeout=60), 143)
        follower.stdout.close()
        wait_until("podman logs ends with its client",
                   lambda: "podman\0logs" not in "".join(self.command_lines_of(ANN.uid)))

    def command_lines_of(self, uid):
        for process in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if process.name.isdigit() and process.stat().st_uid == uid:
                    yield (process / "cmdline").read_text()

    def test_a_terminal(self):
        server = ["tmux", "-L", f"pgod-{os.getpid()}", "-f", "/dev/null"]
        call = shlex.join(str(word) for word in (BIN / "pgoctl", "--control", self.directory / "control.sock",
                                                 ":demo//exec", "-t", "web", "sh"))
        subprocess.run([*server, "new-session", "-d", "-x", "90", "-y", "20", f"{call}; echo ended $?; sleep 1000"], check=True)
        self.addCleanup(lambda: subprocess.run([*server, "kill-server"], check=True))

        def screen():
            return subprocess.run([*server, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout

        wait_until("a prompt", lambda: "#" in screen())
        subprocess.run([*server, "send-keys", "test -t 0 && test -t 1 && echo at a term''inal; exit 7", "Enter"], check=True)
        wait_until("its own status", lambda: "ended 7" in screen())
        self.assertIn("at a terminal", screen())

    def test_hostile_peers_and_limits(self):
        path = str(self.directory / "control.sock")

        def peer():
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            connection.settimeout(60)
            connection.connect(path)
            self.addCleanup(connection.close)
            return connection

        def ended(connection):
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                while connection.recv(1 << 17):
                    pass
            return True

        ask = b"\0" + struct.pack("<I", 10) + b"demo//ping" + b"\0"
        for frames in ([b"x" * 1000], [b"\xff" * 20], [ask + b"more"], [ask[:-1]], [b"\0" + struct.pack("<I", 0xffffffff)]):
            connection = peer()
            for frame in frames:
                connection.send(frame)
            self.assertTrue(ended(connection))
        with_descriptor = peer()
        with_descriptor.sendmsg([ask], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
        self.assertTrue(ended(with_descriptor))
        good = peer()
        good.send(ask)
        self.assertIn(b"pong!", good.recv(1 << 17))
        good.close()
        silent = []

        def crowded():
            silent.extend(peer() for _ in range(40))  # as root; more than one user may have
            asked = self.of(0, ":demo//ping")
            return asked if asked[0] == 75 else None

        full = wait_until("root's places are taken", crowded)
        self.assertIn("16 connections already, which is the limit", full[2])
        self.assertEqual(self.of(ANN.uid, ":demo//ping")[0], 0)  # nobody keeps out anybody else
        for connection in silent:  # who does not ask is not waited for
            self.assertTrue(ended(connection))
        self.assertEqual(self.of(0, ":demo//ping")[0], 0)

    def test_without_pgod(self):
        self.daemon.stop()
        status, _, errors = self.of(0, ":demo//ping")
        self.assertEqual(status, 69)
        self.assertIn("no pgod listens on", errors)
        self.daemon.start()
        wait_until("it answers", lambda: self.of(0, ":demo//ping")[0] == 0)  # its SSH port is there before
        # Whoever listens there must be root, or the one who asks.
        impostor = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(impostor.close)
        os.seteuid(ANN.uid)
        try:
            impostor.bind(str(ANN.runtime / "impostor"))
            impostor.listen()
        finally:
            os.seteuid(0)
        refused = self.of(0, ":demo//ping", options=("--control", ANN.runtime / "impostor"))
        self.assertEqual(refused[0], 69)
        self.assertIn(f"belongs to uid {ANN.uid}", refused[2])


if __name__ == "__main__":
    main()
