#!/usr/bin/env python3
"""Nothing that a process of less privilege sends reaches root as a descriptor. In place of each role that talks to root
stands a program that sends up sockets whose close takes 12 s, and frames that are none, over every descriptor that it has.
`ping` answers meanwhile."""

import contextlib
import ctypes
import os
import pathlib
import select
import shutil
import socket
import time
import unittest

import harness
from harness import Repository, SystemTest, User, compose_web, free_port, main, make_key, require_root_and_podman, wait_until

require_root_and_podman()
HERE = pathlib.Path(__file__).parent
ROLES = ("pgod-ssh", "pgod-relay", "pgod-metrics")
HELD_UP = 1  # seconds: in a single one of the sockets that are sent up, root would wait 12
PIDFD_OPEN, PIDFD_GETFD = 434, 438
LIBC = ctypes.CDLL(None, use_errno=True)
ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-up-ann")
    unittest.addModuleCleanup(ANN.remove)


class Upward(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        (self.directory / "admin_keys").write_text((self.directory / "id.pub").read_text())
        self.repository = Repository(self.directory)
        self.repository.commit({"compose.yaml": compose_web(free_port())})
        self.sink = socket.socket()  # takes what lingers, and reads nothing of it
        self.sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sink.bind(("127.0.0.1", 0))
        self.sink.listen(4096)
        self.addCleanup(self.sink.close)
        self.bin = self.directory / "bin"
        self.bin.mkdir()
        for program in harness.BIN.iterdir():
            shutil.copy(program, self.bin)
        (self.bin / "sink").write_text(str(self.sink.getsockname()[1]))
        self.said = self.bin / "said"
        self.said.mkdir()
        self.said.chmod(0o1777)
        built = harness.BIN
        harness.BIN = self.bin
        self.addCleanup(setattr, harness, "BIN", built)

    def stand_in(self, role, does=""):
        (self.bin / role).rename(self.bin / f"{role}.real")
        (self.bin / f"{role}.does").write_text(does)
        shutil.copy(HERE / "hostile_role.py", self.bin / role)
        (self.bin / role).chmod(0o755)

    def start(self, auto=False, **settings):
        self.daemon = self.pgod()
        self.metrics_port = free_port()
        self.daemon.extra = f'metrics = "127.0.0.1:{self.metrics_port}"'
        self.daemon.service("demo", ANN.name, self.repository.url, auto=auto)
        self.daemon.start(**settings)

    def heard_from(self, role):
        """What the kernel has said to each attack of this stand-in: descriptor and error."""
        return [line for file in self.said.glob(f"{role}-*") for line in file.read_text().splitlines()]

    def ping(self, over_ssh=True):
        begun = time.monotonic()
        done = self.daemon.ctl(self.key, "demo//ping") if over_ssh else self.daemon.local(0, ":demo//ping")
        self.assertEqual(done.returncode, 0, done.stderr)
        return time.monotonic() - begun

    def ping_until(self, condition, over_ssh=True):
        took = []
        wait_until("the attack is made", lambda: took.append(self.ping(over_ssh)) or condition())
        took += [self.ping(over_ssh) for _ in range(20)]
        self.assertLess(max(took), HELD_UP, took)

    def assert_refused(self, role, expected):
        self.assertEqual({line.split()[1] for line in self.heard_from(role)}, expected)

    def test_a_role_that_is_hostile_from_its_first_instruction_holds_nobody_up(self):
        self.stand_in("pgod-ssh", "behave")
        self.stand_in("pgod-relay", "again")
        self.stand_in("pgod-metrics", "again")
        self.start()
        wait_until("SSH is answered", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)
        self.ping_until(lambda: min(len(self.heard_from(role)) for role in ROLES[1:]) >= 10)
        for role in ROLES:
            self.assert_refused(role, {"EPIPE", "ENOTSOCK"})

    def test_a_hostile_connection_holds_nobody_up(self):
        self.stand_in("pgod-ssh", "lines")
        self.start(wait=False)
        wait_until("root answers", lambda: self.daemon.local(0, ":demo//ping").returncode == 0)
        self.ping_until(lambda: len(self.heard_from("pgod-ssh")) >= 20, over_ssh=False)
        self.assert_refused("pgod-ssh", {"EPIPE", "ENOTSOCK"})

    def test_connections_without_end_cost_root_no_more_than_it_allows(self):
        self.stand_in("pgod-ssh", "crowd")
        self.start(wait=False)
        wait_until("root answers", lambda: self.daemon.local(0, ":demo//ping").returncode == 0)
        most = 0

        def restarted():
            nonlocal most
            most = max(most, len(os.listdir(f"/proc/{self.daemon.process.pid}/fd")))
            return len(self.heard_from("pgod-ssh")) >= 3

        wait_until("root restarted it twice", restarted)
        self.assertLess(most, 2 * 160 + 100)
        self.ping(over_ssh=False)

    def test_a_hostile_relay_of_a_user_holds_nobody_up(self):
        self.stand_in("pgod-relay", "lines")
        self.start()
        guests = []
        self.addCleanup(lambda: [guest.close() for guest in guests])

        def another():
            guest = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            guest.connect(str(self.directory / "users.sock"))
            guests.append(guest)
            return len(self.heard_from("pgod-relay")) >= 10

        wait_until("SSH is answered", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)
        self.ping_until(another)
        self.assert_refused("pgod-relay", {"EPIPE", "ENOTSOCK"})

    def test_a_hostile_worker_holds_nobody_up_and_what_it_says_is_not_repeated(self):
        self.stand_in("pgod-work")
        self.start(auto=True)
        wait_until("SSH is answered", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)

        def another():
            self.assertNotEqual(self.daemon.ctl(self.key, "demo//ps").returncode, 0)
            return len(self.heard_from("pgod-work")) >= 30

        self.ping_until(another)
        self.assert_refused("pgod-work", {"ENOTSOCK"})
        for operation in ("list", "demo//status", "demo//history"):
            done = self.daemon.ctl(self.key, operation if "//" in operation else f"//{operation}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("zzz", done.stdout)
            self.assertNotIn("x" * 2000, done.stdout)

    def test_every_socket_of_root_but_its_own_takes_nothing_from_the_other_end(self):
        self.start()
        wait_until("metrics are served", lambda: harness.connects(self.metrics_port))
        strangers = [socket.create_connection(("127.0.0.1", self.daemon.port)) for _ in range(3)]
        guest = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.seteuid(ANN.uid)
        guest.connect(str(self.directory / "users.sock"))
        os.seteuid(0)

        def lines_are_there():  # of three SSH connections, a user's, and four roles
            found = self.sockets_of_root()
            return len(found) == 8 and found

        for number, takes_nothing in wait_until("each has its line", lines_are_there, 60):
            self.assertTrue(takes_nothing, f"descriptor {number} of pgod")
        for one in (*strangers, guest):
            one.close()

    def sockets_of_root(self):
        """Each connected Unix socket that pgod has open, and whether it is shut down for reading, so that the kernel refuses
        what the other end sends."""
        pid = self.daemon.process.pid
        pidfd = LIBC.syscall(PIDFD_OPEN, pid, 0)
        found = []
        for file in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if not os.readlink(file).startswith("socket:"):
                    continue
                copy = LIBC.syscall(PIDFD_GETFD, pidfd, int(file.name), 0)
                if copy < 0:
                    continue
                with socket.socket(fileno=copy) as one:
                    if one.family != socket.AF_UNIX or one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                        continue
                    watch = select.poll()
                    watch.register(one, select.POLLRDHUP)
                    found.append((file.name, bool(watch.poll(0))))
        os.close(pidfd)
        return found


if __name__ == "__main__":
    main()
