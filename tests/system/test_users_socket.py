"""The socket of the services' users under attack by them, by strangers, and from subordinate uids; root's socket and SSH
answer throughout."""

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

from harness import (BIN, DEADLINE, Repository, SystemTest, User, main, make_key, require_root_and_podman,
                     wait_until)

require_root_and_podman()
HERE = pathlib.Path(__file__).parent
ANN = None
PATIENCE = 90  # seconds: a ping that takes longer was held up; lingering sockets take ten minutes


def setUpModule():
    global ANN
    ANN = User("pgt-relay-ann")
    unittest.addModuleCleanup(ANN.remove)


class UsersSocket(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        repository = Repository(self.directory)
        repository.commit({"compose.yaml": "services: {}\n", "ssh/id.pub": (self.directory / "id.pub").read_text()})
        self.url = repository.url
        self.daemon = self.pgod()
        self.daemon.service("demo", ANN.name, repository.url, auto=False)
        self.daemon.start()
        self.script = shutil.copy(HERE / "local_attackers.py", self.directory)  # where every user may read it
        self.path = str(self.directory / "users.sock")
        wait_until("its keys are known", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)
        self.daemon.local(0, ":demo//ping")
        self.stop_pinging = threading.Event()
        self.took = {"ssh": [], "root": []}
        self.held_up = []

    def relays(self):
        """Every process of pgod-relay."""
        found = []
        for process in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if process.name.isdigit() and (process / "comm").read_text().strip() == "pgod-relay" \
                        and self.daemon.process.pid in self.ancestors(process.name):
                    found.append(int(process.name))
        return found

    @staticmethod
    def ancestors(pid):
        line = []
        while pid not in (0, 1):
            pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            line.append(pid)
        return line

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def ping(self):
        while not self.stop_pinging.is_set():
            for way, call in (
                    ("ssh", [BIN / "pgoctl", "-i", self.key, "-p", str(self.daemon.port), "--known-hosts",
                             self.directory / "known_hosts", "localhost:demo//ping"]),
                    ("root", [BIN / "pgoctl", "--control", self.directory / "control.sock", ":demo//ping"])):
                begun = time.monotonic()
                try:
                    done = subprocess.run(call, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, cwd="/")
                except subprocess.TimeoutExpired:
                    self.held_up.append((way, f"no answer in {PATIENCE} s"))
                    continue
                self.took[way].append(time.monotonic() - begun)
                if done.returncode != 0:
                    self.held_up.append((way, done.returncode, done.stderr))

    @contextlib.contextmanager
    def pinged(self, at_least=5):
        """Root's socket and SSH are asked all the while, also some times after the worst was done."""
        before = self.descriptors()
        pinger = threading.Thread(target=self.ping)
        pinger.start()
        try:
            yield
            target = len(self.took["root"]) + at_least
            wait_until("pings were answered", lambda: len(self.took["root"]) >= target or self.held_up)
        finally:
            self.stop_pinging.set()
            pinger.join()
        self.assertEqual(self.held_up, [])
        for way, took in self.took.items():
            took.sort()
            print(f"{self.id().split('.')[-1]}: {len(took)} pings by {way}: p50 {took[len(took) // 2] * 1000:.0f} ms, "
                  f"longest {took[-1] * 1000:.0f} ms", file=sys.stderr)
        # Who only looks like a user of a service is not in the way of those who are, and nothing is left of him.
        wait_until("her own way in is free", lambda: self.daemon.local(ANN.uid, ":demo//ping").returncode == 0)
        wait_until("no process and no descriptor is left",
                   lambda: len(self.relays()) == 1 and self.descriptors() <= before)

    def attack(self, kind, uid):
        attacker = subprocess.Popen(["/usr/bin/python3", self.script, kind, self.path], user=uid, group=uid,
                                    extra_groups=[], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/")

        def end():
            attacker.kill()
            attacker.wait()
            attacker.stdin.close()
            attacker.stdout.close()

        self.addCleanup(end)
        return attacker, end

    def test_users_and_strangers_who_mean_harm(self):
        nobody = pwd.getpwnam("nobody").pw_uid
        with self.pinged():
            for kind in ("descriptors", "garbage", "never_reads", "silent", "keeps_streams"):
                ends = []
                for uid in (ANN.uid, nobody):
                    attacker, end = self.attack(kind, uid)
                    ends.append(end)
                    self.assertEqual(attacker.stdout.readline(), b"ready\n", f"{kind} by {uid}")
                target = len(self.took["root"]) + 5
                wait_until(f"{kind}: pings are answered", lambda: len(self.took["root"]) >= target or self.held_up)
                for end in ends:
                    end()
        self.assertNotIn("broke the protocol", self.daemon.log())  # nothing of it reached root

    def test_a_thousand_subordinate_uids(self):
        with self.pinged():
            attacker, end = self.attack("subordinates", 0)
            self.assertEqual(attacker.stdout.readline(), b"ready\n")
            end()
        asked = self.daemon.local(0, "://audit", "--refused", "-n", "1000")
        self.assertEqual(self.daemon.local(0, ":demo//audit", "--refused").returncode, 64)
        self.daemon.stop()
        self.assertEqual([line for line in (self.daemon.state / "audit.log").read_text().splitlines()
                          if "uid 2300000" in line], [])
        refused = [json.loads(line) for line in (self.daemon.state / "refused.log").read_text().splitlines()]
        self.assertEqual(sum(line["connections"] for line in refused if line["from"].startswith(("uid 2300000", "others"))), 1000)
        self.assertLess(len(refused), 1000)
        self.assertEqual(list(map(json.loads, asked.stdout.splitlines())), refused[:asked.stdout.count("\n")])
        self.assertGreaterEqual(asked.stdout.count("\n"), 256)

    def test_eight_users_who_hold_all_that_they_get_leave_a_way_in_for_a_ninth(self):
        self.daemon.stop()
        crowd = []
        for number in range(8):
            crowd.append(User(f"pgt-relay-{number}"))
            self.addCleanup(crowd[-1].remove)
            self.daemon.service(f"crowd-{number}", crowd[-1].name, self.url, auto=False, interval="1h")
        self.daemon.start()
        synced = lambda: [self.daemon.local(0, f":{name}//status", "--json") for name, *_ in self.daemon.services]
        wait_until("every service is synced", lambda: all('"synced": "' in done.stdout for done in synced()))
        with self.pinged():
            ends = []
            for user in crowd:
                attacker, end = self.attack("never_leaves", user.uid)
                ends.append(end)
                self.assertEqual(attacker.stdout.readline(), b"ready\n")
            for _ in range(5):
                done = self.daemon.local(ANN.uid, ":demo//ping")
                self.assertEqual(done.returncode, 0, done.stderr)
            refused = self.daemon.local(crowd[0].uid, ":crowd-0//ping")
            self.assertEqual(refused.returncode, 75, refused.stderr)
            for end in ends:
                end()

    def test_a_killed_relay_is_replaced(self):
        asking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(asking.close)
        asking.connect(self.path)
        wait_until("it is served", lambda: len(self.relays()) == 2)
        for relay in self.relays():
            with contextlib.suppress(ProcessLookupError):  # the one that listens takes the others with it
                os.kill(relay, 9)
        wait_until("another one serves", lambda: self.daemon.local(ANN.uid, ":demo//ping").returncode == 0)
        self.assertIn("pgod-relay ended (killed by signal 9", self.daemon.log())

    def test_who_asks_too_often_is_not_recorded(self):
        ask = b"\0\x0a\0\0\0demo//ping\0"
        statuses = []
        end = time.monotonic() + DEADLINE
        while statuses.count(True) < 100 and time.monotonic() < end:  # 1000 at once are allowed, and 100 a second
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            connection.connect(str(self.directory / "control.sock"))
            connection.settimeout(60)
            connection.send(ask)
            statuses.append(b"slow down" in connection.recv(1 << 17))
            connection.close()
        self.assertTrue(any(statuses))
        self.daemon.stop()
        recorded = sum('"uid 0 (root)"' in line for line in (self.daemon.state / "audit.log").read_text().splitlines())
        self.assertLessEqual(recorded, statuses.count(False) + 1)
        self.assertEqual(self.daemon.log().count("the others are refused, and not recorded"), 1)


if __name__ == "__main__":
    main()
