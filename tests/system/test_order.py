"""The order between services: what `after` makes wait, what it holds back, and that it goes on by itself."""

import json
import signal
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, gate, main, make_key,
                     require_root_and_podman, wait_until)

require_root_and_podman()

FAY = None


def setUpModule():
    global FAY
    FAY = User("pgt-ord-fay")
    unittest.addModuleCleanup(FAY.remove)
    FAY.import_image()


class Order(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.ports = {"base": free_port(), "top": free_port()}
        self.repositories = {}
        self.daemon = self.pgod()
        self.addCleanup(lambda: FAY.podman("rm", "-fa", "-t", "0", check=False))
        for name, settings in (("top", {"after": ["base"]}), ("base", {})):  # not in the order of the file
            self.repositories[name] = Repository(self.directory, name)
            self.commit(name, "one")
            self.daemon.service(name, FAY.name, self.repositories[name].url, start_timeout="10m", **settings)

    def commit(self, name, body, command=None, held=False):
        """`base` takes its time to be healthy: some seconds, or until its gate is opened."""
        extra = gate(body) if held else ("    healthcheck: {test: [CMD, test, -e, /tmp/up], interval: 1s, retries: 60}\n"
                                         if name == "base" else "")
        command = command or ("sh -c '(sleep 4; touch /tmp/up) & mkdir -p /www; "
                              f"echo {body} > /www/index.html; exec httpd -f -p 8080 -h /www'"
                              if name == "base" else None)
        return self.repositories[name].commit({
            "ssh/id.pub": (self.directory / "id.pub").read_text(),
            "compose.yaml": compose_web(self.ports[name], body, name=name, command=command, extra=extra)})

    def ctl(self, target, *args, status=0):
        done = self.daemon.ctl(self.key, target, *args)
        self.assertEqual(done.returncode, status, f"{target} {args}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def status(self, name):
        try:
            return self.daemon.status(self.key, name)
        except AssertionError:  # its keys are not known yet
            return {"outcome": None, "commit": None, "phase": None, "decision": ""}

    def serves(self, name, body):
        wait_until(f"{name} serves {body}", lambda: fetch(self.ports[name]) == body + "\n")

    def stands(self, name, commit):
        wait_until(f"{name} stands at {commit[:8]}",
                   lambda: (lambda s: s["commit"] == commit and s["outcome"] == "ok")(self.status(name)))

    def healthy_when_made(self):
        """That the container of `top` was made after that of `base` was healthy, by podman's own account."""
        made = {}
        for container in json.loads(FAY.podman("ps", "-a", "--format", "json")):
            made[container["Names"][0].split("_")[-2]] = container["Created"]
        return made["top"] - made["base"] >= 4

    def test_after_a_start_and_a_commit_each_waits_for_the_one_before(self):
        self.daemon.start()
        self.serves("top", "one")
        self.assertTrue(self.healthy_when_made())
        # Both committed while pgod is away: what is after sees that the other has something to do first.
        self.daemon.stop()
        base, top = self.commit("base", "two"), self.commit("top", "two")
        self.daemon.start()
        self.serves("top", "two")
        self.assertTrue(self.healthy_when_made())
        self.stands("base", base)
        self.stands("top", top)

    def test_a_reload_loses_nobody_who_waits(self):
        self.daemon.start()
        self.serves("top", "one")
        self.stands("top", self.repositories["top"].git("rev-parse", "HEAD"))
        self.commit("base", "two", held=True)
        wait_until("base is worked on", lambda: self.status("base")["phase"] == "working")
        top = self.commit("top", "two")
        wait_until("top waits", lambda: self.status("top")["phase"] == "waiting for its turn")
        reloads = self.daemon.log().count("the configuration was reloaded")
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("it is reloaded", lambda: self.daemon.log().count("the configuration was reloaded") > reloads)
        self.daemon.open_gate("base", "two")
        self.stands("top", top)
        self.serves("top", "two")

    def test_what_failed_holds_back_what_comes_after_it_until_it_stands(self):
        self.daemon.start()
        self.serves("top", "one")
        bad = self.commit("base", "bad", command="sh -c 'exit 3'")
        wait_until("base is rolled back", lambda: self.status("base")["outcome"] == "rolled-back")
        top = self.commit("top", "two")
        wait_until("top waits", lambda: "base, which it comes after, has a deployment that was rolled-back"
                   in self.status("top")["decision"])
        self.assertIn("which it comes after", self.ctl("top//status"))
        said = self.ctl("top//up", status=65)
        self.assertIn(f"{top[:8]} is not deployed: base, which it comes after,", said)
        self.ctl("top//restart")  # of what runs
        self.serves("top", "one")
        self.assertEqual(self.daemon.log().count("is not deployed: base, which it comes after"), 1)
        good = self.commit("base", "three")
        self.stands("base", good)
        self.serves("top", "two")
        self.stands("top", top)
        self.assertNotEqual(bad, good)

    def test_what_an_operator_stopped_holds_back_too(self):
        self.daemon.start()
        self.serves("top", "one")
        self.stands("top", self.repositories["top"].git("rev-parse", "HEAD"))
        self.ctl("base//down")
        self.assertEqual(fetch(self.ports["top"]), "one\n")  # what runs is left alone
        top = self.commit("top", "two")
        wait_until("top waits", lambda: "base, which it comes after, is stopped" in self.status("top")["decision"])
        self.ctl("base//up")
        self.stands("top", top)
        self.serves("top", "two")


if __name__ == "__main__":
    main()
