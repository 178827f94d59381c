"""The configuration changes while pgod runs: what has to change does, nothing else is touched, and no mistake removes anything."""

import signal
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key,
                     require_root_and_podman, wait_until)

require_root_and_podman()

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-rel-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Reload(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()
        self.daemon = self.pgod()
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.ports, self.repositories = {}, {}
        for name in ("first", "second"):
            self.ports[name] = free_port()
            self.repositories[name] = Repository(self.directory, name)
            self.repositories[name].commit({"ssh/id.pub": self.public,
                                            "compose.yaml": compose_web(self.ports[name], "${WORD:-" + name + "}")})
            self.daemon.service(name, ANN.name, self.repositories[name].url)
        self.daemon.start()
        for name in self.ports:
            wait_until(f"{name} runs", lambda name=name: self.settled(name, "ok"))
        self.before = ANN.container_ids()

    def settled(self, name, outcome):
        try:
            status = self.daemon.status(self.key, name)
        except AssertionError:
            return None
        return status if status["phase"] == "idle" and status["outcome"] == outcome and status["running"] else None

    def untouched(self):
        self.assertEqual(ANN.container_ids(), self.before)
        self.assertEqual({name: fetch(port) for name, port in self.ports.items()},
                         {"first": "first\n", "second": "second\n"})

    def reloads(self):
        return self.daemon.log().count("the configuration was reloaded")

    def change(self, index, hup=False, **settings):
        """Changes settings of one service and waits until the file was taken."""
        self.daemon.services[index][3].update(settings)
        self.take(hup)

    def take(self, hup=False):
        count = self.reloads()
        self.daemon.write_config()
        if hup:
            self.hup()
        wait_until("the file is taken", lambda: self.daemon.alive() and self.reloads() > count)

    def hup(self):
        self.daemon.process.send_signal(signal.SIGHUP)

    def test_a_broken_or_empty_file_removes_nothing(self):
        good = self.daemon.config.read_text()
        said = 0
        for text in (good.replace("[[services]]", "[[services", 1), good + "colour = 1\n", good[:good.rindex("user")]):
            for hup in (False, True):
                self.daemon.config.write_text(text + ("# once more\n" if hup else ""))
                if hup:
                    self.hup()
                said += 1
                wait_until("it is said", lambda: self.daemon.log().count("the one read before stays") >= said)
        self.assertIn('config.toml:', self.daemon.log())
        self.assertIn('unknown setting "colour"', self.daemon.log())
        self.untouched()
        for text in ("", "# nothing\n"):
            said = self.daemon.log().count("holds no service any more")
            self.daemon.config.write_text(text)
            self.hup()
            wait_until("it is said", lambda: self.daemon.log().count("holds no service any more") > said)
        self.daemon.config.unlink()
        self.hup()
        wait_until("it is said", lambda: "config.toml: cannot be opened" in self.daemon.log())
        self.untouched()
        self.repositories["second"].commit({"compose.yaml": compose_web(self.ports["second"], "still-served")})
        wait_until("what was read before is served", lambda: fetch(self.ports["second"]) == "still-served\n")
        self.assertEqual(fetch(self.ports["first"]), "first\n")

    def test_ports_that_change_reject_what_runs_but_leave_it(self):
        other = free_port()
        self.change(0, ports=[f"{other}/0"])
        status = wait_until("it is rejected", lambda: self.settled("first", "rejected"))
        self.assertIn(f"host port {self.ports['first']} is outside {other}", str(status))
        self.untouched()
        self.change(0, ports=[f"{self.ports['first']}/0"])
        wait_until("it is accepted", lambda: self.settled("first", "ok"))
        self.untouched()

    def test_a_changed_setting_touches_only_what_it_changes(self):
        self.change(0, interval="2s", ops=["read", "deploy", "exec"], start_timeout="2m", volumes=[str(ANN.home)],
                    allow=["cap:NET_RAW"], ports=[f"{self.ports['first']}/0"])
        wait_until("it was judged again", lambda: self.settled("first", "ok"))
        self.untouched()
        self.change(0, hup=True, env=["WORD=other"])
        wait_until("the value is used", lambda: fetch(self.ports["first"]) == "other\n")
        self.assertEqual(ANN.container_ids()["second_web_1"], self.before["second_web_1"])

    def test_a_service_that_vanishes_goes_on_sighup_and_at_a_start_only(self):
        third = free_port()
        self.repositories["third"] = Repository(self.directory, "third")
        self.repositories["third"].commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(third, "third")})
        self.daemon.service("third", ANN.name, self.repositories["third"].url)
        self.take()
        wait_until("a new service begins", lambda: fetch(third) == "third\n")
        gone = self.daemon.services.pop(1)
        self.take()
        self.assertIn("are served until SIGHUP or the next start", self.daemon.log())
        self.assertEqual(fetch(self.ports["second"]), "second\n")
        self.hup()
        wait_until("it is taken down", lambda: "second: it was removed" in self.daemon.log())
        self.assertIsNone(fetch(self.ports["second"]))
        self.assertEqual(self.daemon.ctl(self.key, "second//ping").returncode, 77)
        self.daemon.stop()
        self.daemon.services.pop()
        self.daemon.start()
        wait_until("it is taken down at the start", lambda: "third: it was removed" in self.daemon.log())
        self.assertIsNone(fetch(third))
        self.assertEqual(list(ANN.containers(all_states=True)), ["first_web_1"])
        self.assertEqual(ANN.container_ids()["first_web_1"], self.before["first_web_1"])
        self.assertTrue((self.daemon.state / "services" / "second" / "tree" / "compose.yaml").exists())
        self.daemon.services.append(gone)
        self.take()
        wait_until("it comes back", lambda: fetch(self.ports["second"]) == "second\n")

    def test_without_prune_a_service_that_vanishes_is_left_alone(self):
        gone = self.daemon.services.pop()
        self.daemon.extra = "prune = false"
        self.take(hup=True)
        wait_until("it is served no more", lambda: "second: it is served no more" in self.daemon.log())
        self.assertIn("second: it is no longer configured; with prune = false", self.daemon.log())
        self.assertEqual(self.daemon.ctl(self.key, "second//ping").returncode, 77)
        self.untouched()
        self.daemon.stop()
        self.daemon.start()
        wait_until("the other is served", lambda: self.settled("first", "ok"))
        self.untouched()
        self.daemon.services.append(gone)
        self.take()
        wait_until("it is served again", lambda: self.settled("second", "ok"))
        self.untouched()
        self.daemon.services.pop()
        self.daemon.extra = ""
        self.take(hup=True)
        wait_until("it is taken down", lambda: "second: it was removed" in self.daemon.log())
        self.assertEqual(list(ANN.containers(all_states=True)), ["first_web_1"])


if __name__ == "__main__":
    main()
