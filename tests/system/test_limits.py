"""What one key, one user or one setting must not do to everybody else."""

import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import unittest

from harness import BIN, Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key, \
    require_root_and_podman, wait_until

require_root_and_podman()

HERE = pathlib.Path(__file__).parent
LIZ = None
LIMIT = 16  # commands of one key at a time


def setUpModule():
    global LIZ
    LIZ = User("pgt-lim-liz")
    unittest.addModuleCleanup(LIZ.remove)
    LIZ.import_image()


class Limits(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.other = make_key(self.directory, "other")
        self.web = free_port()
        self.repository = Repository(self.directory)
        self.keys = {f"ssh/{name}.pub": (self.directory / f"{name}.pub").read_text() for name in ("id", "other")}
        self.daemon = self.pgod()
        self.addCleanup(lambda: LIZ.podman("rm", "-fa", "-t", "0", check=False))

    def follow(self):
        follower = subprocess.Popen(
            [BIN / "pgoctl", "-i", self.key, "-p", str(self.daemon.port), "--accept-new", "--known-hosts",
             self.directory / "known_hosts", "localhost:demo//logs", "-f"], stdout=subprocess.DEVNULL)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)

    def logs_running(self):
        listed = subprocess.run(["pgrep", "-u", LIZ.name, "-fc", "podman.* logs"], capture_output=True, text=True)
        return int(listed.stdout or 0)

    def test_one_key_cannot_take_every_place(self):
        self.repository.commit({**self.keys, "docker-compose.yml": compose_web(self.web)})
        self.daemon.service("demo", LIZ.name, self.repository.url)
        self.daemon.start()
        wait_until("it serves", lambda: fetch(self.web) == "one\n")
        self.assertEqual(self.daemon.ctl(self.key, "demo//ping").returncode, 0)
        for _ in range(LIMIT):
            self.follow()
        wait_until("all follow", lambda: self.logs_running() == LIMIT)
        refused = self.daemon.ctl(self.key, "demo//ping")
        self.assertEqual(refused.returncode, 75, refused.stderr)
        self.assertIn("your key runs 16 commands already", refused.stderr)
        self.assertEqual(self.daemon.ctl(self.other, "demo//ping").returncode, 0)

    def attack(self, scenario, count):
        """Goes on until the test ends; returns once all `count` connections were made."""
        attacker = subprocess.Popen(
            ["/usr/bin/python3", "-W", "ignore", HERE / "attackers.py", scenario, str(self.daemon.port), str(count), self.key],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(attacker.wait)
        self.addCleanup(attacker.stdout.close)
        self.addCleanup(attacker.kill)
        self.addCleanup(attacker.stdin.close)
        self.assertEqual(attacker.stdout.readline(), "held\n")

    def test_connections_that_log_in_and_ask_for_nothing_keep_out_nobody(self):
        self.repository.commit({**self.keys, "compose.yaml": "services: {}\n"})
        self.daemon.service("demo", LIZ.name, self.repository.url)
        self.daemon.start()
        wait_until("its keys are known", lambda: self.daemon.ctl(self.other, "demo//ping").returncode == 0)
        self.attack("mute", 70)
        for _ in range(10):
            done = self.daemon.ctl(self.other, "demo//ping")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_connections_that_ask_for_nothing_are_counted_by_address_in_a_log_of_their_own(self):
        self.repository.commit({"ssh/id.pub": self.keys["ssh/id.pub"], "compose.yaml": "services: {}\n"})
        self.daemon.service("demo", LIZ.name, self.repository.url)
        self.daemon.start()
        wait_until("its key is known", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)
        for _ in range(40):
            with socket.create_connection(("127.0.0.1", self.daemon.port), source_address=("127.0.0.2", 0)) as one:
                one.sendall(b"GET / HTTP/1.0\r\n\r\n")
                with contextlib.suppress(ConnectionResetError):
                    while one.recv(4096):
                        pass
        self.assertEqual(self.daemon.ctl(self.other, "demo//ping").returncode, 77)
        self.assertEqual(self.daemon.ctl(self.key, "demo//ping").returncode, 0)
        self.daemon.stop()  # what was counted is written at the end, or after a minute
        log = self.daemon.state / "refused.log"
        self.assertEqual(log.stat().st_mode & 0o777, 0o600)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        count = lambda address, what: sum(line[what] for line in lines if line["from"] == address)
        self.assertEqual((count("127.0.0.2", "connections"), count("127.0.0.2", "unknown_keys")), (40, 0))
        self.assertLessEqual(len(lines), 10)
        self.assertGreaterEqual(count("127.0.0.1", "unknown_keys"), 1)
        self.assertNotIn("127.0.0.2", (self.daemon.state / "audit.log").read_text())

    def test_ipv4_on_a_socket_of_ipv6_that_was_passed_is_ipv4(self):
        public = self.keys["ssh/id.pub"]
        self.repository.commit({"ssh/id.pub": f'from="127.0.0.0/8" {public}', "compose.yaml": "services: {}\n"})
        self.daemon.service("demo", LIZ.name, self.repository.url)
        passes = ("import os, socket, sys\n"
                  "s = socket.socket(socket.AF_INET6); s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)\n"
                  "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
                  f"s.bind(('::ffff:127.0.0.1', {self.daemon.port})); s.listen(64); os.dup2(s.fileno(), 3)\n"
                  "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); os.execv(sys.argv[1], sys.argv[1:])")
        self.daemon.launcher = [sys.executable, "-c", passes]
        self.daemon.start()
        wait_until("its key is known, from there", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)
        audit = [json.loads(line) for line in (self.daemon.state / "audit.log").read_text().splitlines()]
        self.assertTrue(audit[-1]["from"].startswith("127.0.0.1:"), audit[-1])
        self.assertNotIn("ffff", self.daemon.log())

    def test_a_value_of_the_admin_is_in_no_sentence(self):
        compose = compose_web(self.web).replace(User.IMAGE, "localhost/${TOKEN}")
        self.repository.commit({**self.keys, "docker-compose.yml": compose})
        self.daemon.service("demo", LIZ.name, self.repository.url, env=["TOKEN=tell-nobody-of-it"])
        self.daemon.start()
        wait_until("its keys are known", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)
        status = lambda: json.dumps(self.daemon.status(self.key, "demo"))
        wait_until("the deployment failed", lambda: "[redacted]" in status())
        self.assertNotIn("tell-nobody", status())
        self.assertNotIn("tell-nobody", self.daemon.log())

    def test_a_host_key_that_others_can_read_is_refused(self):
        self.daemon.start()
        wait_until("the host key is made", (self.directory / "host_key").exists)
        self.daemon.stop()
        (self.directory / "host_key").chmod(0o644)
        self.daemon.start(wait=False)
        wait_until("it does not start", lambda: self.daemon.process.poll() is not None)
        self.assertIn("has mode 0644, so that others can read it; run: chmod 600", self.daemon.log())


if __name__ == "__main__":
    main()
