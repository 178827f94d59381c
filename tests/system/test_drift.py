"""Between commits: containers that died, were removed or replaced come back, those that are well are never touched, and
what ended because it was done is no fault."""

import json
import shutil
import signal
import subprocess
import time
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key,
                     require_root_and_podman, wait_until)

require_root_and_podman()

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-drift-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


def second(name, command, extra=""):
    return (f"  {name}:\n    image: {User.IMAGE}\n    stop_signal: SIGKILL\n    command: {json.dumps(command)}\n{extra}")


class Drift(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()

    def begin(self, compose, **settings):
        self.repository = Repository(self.directory)
        self.repository.commit({"ssh/id.pub": self.public, "docker-compose.yml": compose})
        self.daemon = self.pgod()
        self.daemon.service("demo", ANN.name, self.repository.url, **settings)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("the first deployment", lambda: self.daemon.alive() and self.healthy())
        self.before = ANN.container_ids()

    def status(self):
        return self.daemon.status(self.key, "demo")

    def healthy(self):
        try:
            status = self.status()
        except AssertionError:
            return False
        return status["health"] == "healthy" and status["phase"] == "idle" and not status["problems"]

    def polled(self, times=3):
        """Waits for that many polls to end."""
        for _ in range(times):
            before = self.status()["synced"]
            wait_until("a poll", lambda: self.status()["synced"] != before)

    def test_one_that_dies_is_started_and_its_neighbour_is_not_touched(self):
        port = free_port()
        self.begin(compose_web(port) + second("db", "sleep 100000"))
        started = ANN.containers()["demo_db_1"]["StartedAt"]
        ANN.podman("kill", "demo_web_1")
        wait_until("it serves again", lambda: fetch(port) == "one\n" and self.healthy())
        self.assertEqual(ANN.container_ids(), self.before)
        self.assertEqual(ANN.containers()["demo_db_1"]["StartedAt"], started)
        self.assertIn("web exited with status 137; healing it, 1 of 3 times", self.daemon.log())
        self.assertEqual(self.status()["deployment"], 1)  # healing is no deployment

    def test_one_that_was_removed_is_made_again_from_the_record(self):
        port = free_port()
        self.begin(compose_web(port) + second("db", "sleep 100000"))
        self.repository.bare.rename(self.directory / "gone.git")  # neither git nor a registry is asked
        ANN.podman("rm", "-f", "-t", "0", "demo_web_1")
        wait_until("it serves again", lambda: fetch(port) == "one\n")
        after = ANN.container_ids()
        self.assertEqual(after["demo_db_1"], self.before["demo_db_1"])
        self.assertNotEqual(after["demo_web_1"], self.before["demo_web_1"])

    def test_everything_removed_by_hand_comes_back_with_its_network(self):
        port = free_port()
        self.begin(compose_web(port))
        ANN.podman("rm", "-fa", "-t", "0")
        ANN.podman("network", "rm", "-f", "demo_default", check=False)
        wait_until("it serves again", lambda: fetch(port) == "one\n" and self.healthy())

    def test_one_that_was_replaced_is_made_again_and_a_strangers_is_left_alone(self):
        port = free_port()
        self.begin(compose_web(port))
        self.daemon.process.send_signal(signal.SIGSTOP)  # or it would mend it before it is replaced
        ANN.podman("rm", "-f", "-t", "0", "demo_web_1")
        ANN.podman("run", "-d", "--name", "demo_web_1", "--label", "pgod.service=demo", User.IMAGE, "sleep", "1000")
        self.daemon.process.send_signal(signal.SIGCONT)
        wait_until("it serves again", lambda: fetch(port) == "one\n" and self.healthy())
        self.daemon.stop()
        ANN.podman("rm", "-f", "-t", "0", "demo_web_1")
        ANN.podman("run", "-d", "--name", "demo_web_1", User.IMAGE, "sleep", "1000")
        theirs = ANN.container_ids()
        self.daemon.start()
        wait_until("it is said", lambda: "is taken by a container that is not of this service" in
                   " ".join(self.status()["problems"]))
        self.assertEqual(ANN.container_ids(), theirs)
        ANN.podman("rm", "-f", "-t", "0", "demo_web_1")
        self.daemon.ctl(self.key, "demo//up")
        wait_until("it serves again", lambda: fetch(port) == "one\n" and self.healthy())

    def begin_that_exits_with_0(self, port):
        body = "echo one > /www/index.html; trap 'exit 0' TERM; httpd -p 8080 -h /www; while :; do sleep 0.2; done"
        self.begin(compose_web(port, command=f'sh -c "{body}"').replace("    stop_signal: SIGKILL\n", ""))

    def test_podman_stop_by_hand_is_undone_where_no_event_tells_of_it(self):
        """podman 5 leaves none when its clean-up is quicker; the container tells."""
        if ANN.podman("--version").startswith("podman version 4"):
            self.skipTest("podman 4 has events alone")
        setting = ANN.home / ".config/containers/containers.conf.d/events.conf"
        setting.parent.mkdir()
        self.addCleanup(shutil.rmtree, setting.parent)
        setting.write_text('[engine]\nevents_logger = "none"\n')
        port = free_port()
        self.begin_that_exits_with_0(port)
        ANN.podman("stop", "demo_web_1")
        wait_until("it is healed", lambda: "healing it, 1 of 3 times" in self.daemon.log())
        wait_until("it serves again", lambda: fetch(port) == "one\n" and self.healthy())

    def test_podman_stop_by_hand_is_undone_also_when_it_exits_with_0(self):
        port = free_port()
        self.begin_that_exits_with_0(port)
        for healed, undo in enumerate((("stop", "demo_web_1"), ("kill", "-s", "TERM", "demo_web_1")), 1):
            with self.subTest(undo[0]):
                ANN.podman(*undo)
                wait_until("it is healed", lambda: f"healing it, {healed} of 3 times" in self.daemon.log())
                wait_until("it serves again", lambda: fetch(port) == "one\n" and self.healthy())
        self.assertIn("web exited with status 0; healing it", self.daemon.log())
        self.assertEqual(ANN.container_ids(), self.before)

    def test_one_that_ends_by_itself_after_a_while_is_no_fault(self):
        port = free_port()
        self.begin(compose_web(port) + second("job", "sleep 8"))
        wait_until("it ended", lambda: ANN.containers(all_states=True)["demo_job_1"]["State"] == "exited")
        wait_until("it is well", self.healthy)
        self.polled()
        self.assertEqual(ANN.containers(all_states=True)["demo_job_1"]["State"], "exited")
        self.assertNotIn("healing", self.daemon.log())
        ANN.podman("container", "prune", "-f")
        self.polled()
        wait_until("it is well", self.healthy)
        self.assertEqual(list(ANN.containers(all_states=True)), ["demo_web_1"])
        self.assertEqual(self.daemon.ctl(self.key, "demo//up").returncode, 0)  # nothing has to change
        self.assertEqual(ANN.container_ids()["demo_web_1"], self.before["demo_web_1"])

    def test_one_that_ended_and_was_removed_while_nobody_looked_is_no_fault(self):
        port = free_port()
        self.begin(compose_web(port) + second("job", "sleep 5"))
        self.daemon.stop()
        wait_until("it ended", lambda: ANN.containers(all_states=True)["demo_job_1"]["State"] == "exited")
        time.sleep(12)  # sooner, it could as well have been ended by its removal
        ANN.podman("container", "prune", "-f")
        self.daemon.start()
        wait_until("the first look", self.healthy)
        self.polled()
        wait_until("it is well", self.healthy)
        self.assertEqual(list(ANN.containers(all_states=True)), ["demo_web_1"])
        self.assertNotIn("healing", self.daemon.log())

    def test_one_that_dies_again_and_again_is_left_alone_and_told(self):
        port = free_port()
        tree = self.directory / "state" / "services" / "demo" / "tree"
        dies = ("sh -c 'while ! test -e /data/die; do sleep 0.1; done; exit 9'")
        self.begin(compose_web(port) + second("flaky", dies, "    volumes: [\"./data:/data\"]\n"))
        ANN.run(["touch", str(tree / "data" / "die")])
        given_up = wait_until("it is given up", lambda: [p for p in self.status()["problems"] if "left alone" in p])
        self.assertIn("flaky exited with status 9; it was healed 3 times within 10 min", given_up[0])
        self.assertEqual(self.status()["health"], "degraded")
        self.assertEqual(ANN.container_ids()["demo_web_1"], self.before["demo_web_1"])
        log = self.daemon.log()
        self.polled()
        self.assertEqual(self.daemon.log().count("left alone"), log.count("left alone"))  # said once
        ANN.run(["rm", str(tree / "data" / "die")])
        self.assertEqual(self.daemon.ctl(self.key, "demo//up").returncode, 0)
        wait_until("a command mends it", self.healthy)

    def test_nothing_is_healed_that_an_operator_stopped(self):
        port = free_port()
        self.begin(compose_web(port))
        self.assertEqual(self.daemon.ctl(self.key, "demo//stop").returncode, 0)
        self.polled()
        self.assertEqual(ANN.container_ids(), {})
        self.assertNotIn("healing", self.daemon.log())
        self.assertEqual(self.daemon.ctl(self.key, "demo//start").returncode, 0)
        wait_until("it serves again", lambda: fetch(port) == "one\n")

    def test_what_died_while_pgod_was_away_is_healed_alone(self):
        port = free_port()
        self.begin(compose_web(port) + second("db", "sleep 100000"))
        self.daemon.stop()
        ANN.podman("kill", "demo_web_1")
        self.daemon.start()
        wait_until("it serves again", lambda: fetch(port) == "one\n" and self.healthy())
        self.assertEqual(ANN.container_ids(), self.before)

    def test_a_poll_of_many_services_of_one_user_asks_podman_once(self):
        ports = [free_port() for _ in range(3)]
        self.begin(compose_web(ports[0]))
        for number, port in enumerate(ports[1:]):
            other = Repository(self.directory, f"other{number}")
            other.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(port)})
            self.daemon.service(f"other{number}", ANN.name, other.url)
        self.daemon.stop()
        self.daemon.start()
        wait_until("all serve", lambda: all(fetch(port) for port in ports))
        begun = time.monotonic()
        seen = set()
        while time.monotonic() - begun < 10:
            listed = subprocess.run(["pgrep", "-P", str(self.daemon.process.pid), "-f", "^pgod-work survey"],
                                    capture_output=True, text=True).stdout.split()
            seen.update(listed)
            time.sleep(0.005)
        # Three services that poll every second, and a survey at most every 0.9 seconds; one may have been under way.
        self.assertTrue(2 <= len(seen) <= (time.monotonic() - begun) / 0.9 + 2, seen)


if __name__ == "__main__":
    main()
