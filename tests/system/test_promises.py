"""What users of other tools complain about, and what the first pgo did under trouble, shown not to happen here."""

import os
import signal
import socket
import subprocess
import threading
import unittest

import harness
from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, gate, main, make_key,
                     require_root_and_podman, served, wait_until)

require_root_and_podman()

ANN = BOB = None
SLOW = "1h"  # no poll comes in the way of what a command does


def setUpModule():
    global ANN, BOB
    ANN, BOB = User("pgt-pro-ann"), User("pgt-pro-bob")
    for user in (ANN, BOB):
        unittest.addModuleCleanup(user.remove)
        user.import_image()


class SilentRegistry:
    """Accepts connections and never answers."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.accepted = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        try:
            while True:
                self.accepted.append(self.socket.accept()[0])
        except OSError:
            pass

    @property
    def image(self):
        return f"127.0.0.1:{self.socket.getsockname()[1]}/never:answers"

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.accepted:
            connection.close()


class Promises(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()
        self.port = free_port()
        self.server = self.git_daemon()
        self.server.start()
        self.repository = Repository(self.directory)
        self.good = compose_web(self.port)
        self.daemon = self.pgod()
        for user in (ANN, BOB):
            self.addCleanup(user.podman, "rm", "-fa", "-t", "0", check=False)

    def begin(self, files=None, **settings):
        self.commit = self.repository.commit(
            {"ssh/id.pub": self.public, **(files or {"docker-compose.yml": self.good})})
        self.daemon.service("demo", ANN.name, self.server.url(self.repository), **settings)
        self.daemon.start()
        self.settled("ok", self.commit)
        self.before = ANN.container_ids()

    def status(self, service="demo"):
        try:
            return self.daemon.status(self.key, service)
        except AssertionError:
            return {}

    def settled(self, outcome, commit, service="demo"):
        def settled():
            status = self.status(service)
            return (status.get("phase") == "idle" and status["outcome"] == outcome and status["tip"] == commit
                    and status["commit"] == commit)

        try:
            wait_until(f"{commit[:8]} is {outcome}", settled)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; {self.status(service)}") from None

    def ctl(self, target, *arguments):
        return self.daemon.ctl(self.key, target, *arguments)

    def push(self, compose, **options):
        return self.repository.commit({"docker-compose.yml": compose}, **options)

    def polls(self, count=4):
        """Waits until upstream was asked that often; with interval = "1s"."""
        for _ in range(count):
            seen = self.status()["synced"]
            wait_until("another poll", lambda: self.status().get("synced") not in (None, seen))

    def untouched(self):
        self.assertEqual(ANN.container_ids(), self.before)
        self.assertEqual(fetch(self.port), "one\n")

    def test_no_container_takes_a_name_of_another_service_of_the_user(self):
        port = free_port()
        other = Repository(self.directory, "ab")
        self.begin(interval="1s")
        taking = self.push(self.good + "    container_name: ab_web_1\n")
        self.daemon.service("ab", BOB.name, self.server.url(other))
        self.settled("ok", taking)  # ab_web_1 is free: this user has no service ab
        back = self.push(self.good)
        self.settled("ok", back)
        self.before = ANN.container_ids()

        self.daemon.services.clear()
        first = other.commit({"ssh/id.pub": self.public, "docker-compose.yml": compose_web(port, "other")})
        self.daemon.service("demo", ANN.name, self.server.url(self.repository), interval="1s")
        self.daemon.service("ab", ANN.name, self.server.url(other), auto=False)
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        taking = self.push(self.good + "    container_name: ab_web_1\n")
        self.settled("rejected", taking)
        self.assertIn('container_name: "ab_web_1" is a name for containers of the service "ab"',
                      self.ctl("demo//status").stdout)
        self.untouched()
        up = self.ctl("ab//up")
        self.assertEqual(up.returncode, 0, up.stderr)
        self.assertEqual(self.status("ab")["commit"], first)
        self.assertIn("ab_web_1", ANN.podman("ps", "--format", "{{.Names}}").split())

    def test_what_fails_ends_with_a_failure(self):
        """podman-compose ends with 0 whatever happened."""
        self.begin(interval=SLOW)
        rows = [(self.good.replace(User.IMAGE, "127.0.0.1:1/no/such:image"), {"pull": 1, "up": 1}),
                (self.good.replace(f"image: {User.IMAGE}", "build: ."), {"build": 1, "up": 1}),
                (self.good + "    privileged: true\n", {"pull": 65, "build": 65, "up": 65}),
                (self.good + "    networks: [nowhere]\n", {"up": 65})]
        self.repository.commit({"Containerfile": f"FROM {User.IMAGE}\nRUN false\n"})
        for compose, ends in rows:
            self.push(compose)
            for operation, exit_status in ends.items():
                done = self.ctl(f"demo//{operation}")
                self.assertEqual(done.returncode, exit_status, f"{operation} of {compose}: {done.stderr}")
                self.assertTrue(done.stderr.strip(), operation)
                self.untouched()
        self.assertIn("declares no network \"nowhere\"", done.stderr)

    def test_a_rollback_is_no_success_and_its_commit_is_left_alone(self):
        self.begin(interval=SLOW)
        bad = self.push(compose_web(self.port, command="sh -c 'echo why it failed >&2; exit 3'",
                                    extra="    restart: \"no\"\n"))
        up = self.ctl("demo//up")
        self.assertEqual(up.returncode, 80, up.stderr)
        self.assertIn("why it failed", up.stderr)  # kept although its container is gone
        status = self.status()
        self.assertEqual((status["outcome"], status["running"], status["commit"]), ("rolled-back", self.commit, bad))
        wait_until("the old version serves", lambda: fetch(self.port) == "one\n")
        before, deployments = ANN.container_ids(), status["deployment"]
        for _ in range(3):
            self.assertEqual(self.ctl("demo//sync").returncode, 0)
        self.assertEqual((ANN.container_ids(), self.status()["deployment"]), (before, deployments))

    def test_polls_of_a_commit_deploy_it_once_and_tell_a_failure_once(self):
        self.begin()
        self.polls()
        self.assertEqual(self.status()["deployment"], 1)
        self.untouched()
        bad = self.push(self.good + "    privileged: true\n")
        self.settled("rejected", bad)
        deployments = self.status()["deployment"]
        self.polls()
        self.assertEqual(self.status()["deployment"], deployments)
        told = [line for line in self.daemon.log().splitlines() if "privileged" in line and " debug: " not in line]
        self.assertEqual(len(told), 1, told)
        self.untouched()

    def test_a_service_that_hangs_holds_up_neither_others_nor_the_end_of_pgod(self):
        registry = SilentRegistry()
        self.addCleanup(registry.close)
        self.begin()
        self.push(self.good.replace(User.IMAGE, registry.image))
        wait_until("podman waits for the registry", lambda: registry.accepted)
        other, port = Repository(self.directory, "other"), free_port()
        other.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(port, "other")})
        self.daemon.service("other", BOB.name, other.url)
        self.daemon.write_config()
        wait_until("the other service is deployed", lambda: fetch(port) == "other\n")
        self.assertEqual(self.ctl("demo//ps").returncode, 0)
        self.assertEqual(self.ctl("other//restart").returncode, 0)
        self.untouched()
        self.daemon.stop(signal.SIGTERM)
        self.untouched()

    def test_pgod_ends_while_an_upstream_hangs(self):
        self.begin()
        self.server.hang()
        wait_until("a poll hangs", lambda: self.status().get("phase") == "syncing" and self.server.is_asked())
        self.daemon.stop(signal.SIGTERM)
        self.assertEqual(self.daemon.process.returncode, 0)
        self.untouched()

    def test_commits_that_come_faster_than_deployments_collapse_to_the_newest(self):
        self.begin(start_timeout="10m")
        numbers = range(2, 10)
        for number in numbers:
            self.push(compose_web(self.port, f"commit {number}", extra=gate("two") if number == 2 else ""))
            if number == 2:
                wait_until("the first is being deployed", lambda: self.status().get("phase") == "working")
        self.daemon.open_gate("demo", "two")
        self.settled("ok", self.repository.git("rev-parse", "HEAD"))
        self.assertEqual(served(self.port), f"commit {numbers[-1]}\n")
        self.assertLessEqual(self.status()["deployment"], 4)  # upstream may have been asked before the last commit
        self.assertEqual(len(ANN.containers(all_states=True)), 1)

    def test_a_client_that_goes_leaves_no_lock_and_its_deployment_goes_on(self):
        self.begin(interval=SLOW, start_timeout="10m")
        two = self.push(compose_web(self.port, "two", extra=gate("two")))
        client = subprocess.Popen(
            [harness.BIN / "pgoctl", "-i", self.key, "-p", str(self.daemon.port), "--known-hosts",
             self.directory / "known_hosts", "localhost:demo//up"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until("it is being deployed", lambda: self.status().get("phase") == "working")
        client.kill()
        client.wait()
        self.daemon.open_gate("demo", "two")
        self.settled("ok", two)
        self.assertEqual(self.status()["deployment"], 2)  # it was not cut off and begun again
        wait_until("it serves", lambda: fetch(self.port) == "two\n")
        self.push(compose_web(self.port, "three"))
        self.assertEqual(self.ctl("demo//up").returncode, 0)
        wait_until("the next one serves", lambda: fetch(self.port) == "three\n")

    def test_what_was_refused_is_refused_by_down_and_up_as_well(self):
        self.begin(interval=SLOW, ports=[f"{self.port}/0"])
        other = free_port()  # which the user may bind, but the service not
        self.push(self.good.replace(f"{self.port}:8080", f"{other}:8080"))
        self.assertEqual(self.ctl("demo//up").returncode, 65)
        self.assertEqual(self.ctl("demo//down").returncode, 0)
        up = self.ctl("demo//up")
        self.assertEqual(up.returncode, 65, up.stderr)
        self.assertIn(f"host port {other} is outside {self.port}", up.stderr)
        bound = [p["host_port"] for c in ANN.containers().values() for p in c["Ports"] or []]
        self.assertNotIn(other, bound)

    def test_a_fetch_by_hand_uses_no_commit_up(self):
        """`git pull` of the first pgo fetched a commit that was then never deployed."""
        self.begin(interval=SLOW)
        two = self.push(compose_web(self.port, "two"))
        self.assertEqual(self.ctl("demo//pull").returncode, 0)
        self.untouched()
        self.assertEqual(self.status()["tip"], two)
        self.assertEqual(self.ctl("demo//sync").returncode, 0)
        self.settled("ok", two)
        wait_until("it serves", lambda: fetch(self.port) == "two\n")

    def test_another_compose_file_is_followed(self):
        self.begin({"deploy/alt.yml": self.good}, compose="deploy/alt.yml")
        self.repository.commit({"deploy/alt.yml": compose_web(self.port, "two")})
        wait_until("its change is deployed", lambda: fetch(self.port) == "two\n")

    def test_a_broken_configuration_and_a_foreign_directory_change_nothing(self):
        self.begin()
        foreign = self.daemon.state / "services" / "precious"
        foreign.mkdir()
        (foreign / "data").write_text("mine")
        good = self.daemon.config.read_text()
        self.daemon.config.write_text(good + "\n[[services]\n")
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("it is said", lambda: "the configuration was not reloaded" in self.daemon.log())
        self.push(compose_web(self.port, "two"))
        wait_until("services are managed all the same", lambda: fetch(self.port) == "two\n")
        self.daemon.config.write_text(good)
        self.daemon.stop()
        self.daemon.start(write=False)
        wait_until("it answers", lambda: self.status().get("synced"))
        self.assertEqual((foreign / "data").read_text(), "mine")

    def test_status_says_that_upstream_is_silent_and_its_return_touches_nothing(self):
        self.begin()
        self.server.stop()
        wait_until("it is told", lambda: any("refused" in p for p in self.status()["problems"]))
        since = self.status()["synced"]
        self.daemon.polls(self.key)
        self.assertEqual(self.status()["synced"], since)
        self.server.start()
        wait_until("it answers again", lambda: self.status()["synced"] > since)
        self.polls(2)
        self.assertEqual((self.status()["problems"], self.status()["deployment"]), ([], 1))
        self.untouched()


if __name__ == "__main__":
    main()
