"""The clock of the host jumps, ahead and back: polls, deployments, healing and what waits until a time go on, and no
container is touched for it. Only pgod itself sees the clock that jumps (clock/jumping_clock.cpp)."""

import os
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key,
                     require_root_and_podman, sanitized, wait_until)

require_root_and_podman()

GUS = None


def setUpModule():
    global GUS
    GUS = User("pgt-clk-gus")
    unittest.addModuleCleanup(GUS.remove)
    GUS.import_image()


class Clock(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.port = free_port()
        self.repository = Repository(self.directory)
        self.commit("one")
        self.clock = self.directory / "clock"
        self.jump(0)
        self.daemon = self.pgod()
        self.daemon.launcher = ["env", f"LD_PRELOAD={os.environ['PGOD_JUMPING_CLOCK']}",
                                f"PGOD_CLOCK_OFFSET={self.clock}"]
        if sanitized():  # whose run-time library wants to be the first that is loaded
            self.daemon.launcher.append(f"ASAN_OPTIONS={os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0")
        self.daemon.service("demo", GUS.name, self.repository.url)
        self.addCleanup(lambda: GUS.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        self.serves("one")

    def commit(self, body):
        return self.repository.commit({"ssh/id.pub": (self.directory / "id.pub").read_text(),
                                       "compose.yaml": compose_web(self.port, body)})

    def jump(self, hours):
        replacement = self.clock.with_suffix(".new")
        replacement.write_text(f"{hours * 3600}\n")
        replacement.rename(self.clock)

    def serves(self, body):
        wait_until(f"it serves {body}", lambda: fetch(self.port) == body + "\n")
        wait_until("it is settled", lambda: self.status()["outcome"] == "ok" and self.status()["phase"] == "idle")

    def status(self):
        return self.daemon.status(self.key, "demo")

    @staticmethod
    def processes():
        return {name: container["Pid"] for name, container in GUS.containers().items()}

    def polls_and_heals(self, body):
        """A poll is seen by what it brings: a commit that touches no container, and one that does."""
        before = GUS.container_ids()
        tip = self.repository.commit({"README.md": body})
        wait_until("it is polled", lambda: self.status()["commit"] == tip)
        self.assertEqual(GUS.container_ids(), before)
        self.commit(body)
        self.serves(body)
        made = GUS.container_ids()
        self.assertNotEqual(made, before)
        before = self.processes()
        GUS.podman("kill", *made)
        wait_until("it is healed", lambda: self.processes().keys() == before.keys() and self.processes() != before)
        self.serves(body)

    def test_ahead_and_back_and_far_ahead(self):
        for number, hours in enumerate((10 * 24, -10 * 24, 10 * 365 * 24, 0)):
            with self.subTest(hours=hours):
                self.jump(hours)
                self.polls_and_heals(f"body{number}")
        wait_until("nothing is wrong", lambda: self.status()["problems"] == [])

    def test_what_is_suspended_until_a_time_follows_the_clock(self):
        done = self.daemon.ctl(self.key, "demo//suspend", "--until", "1h")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.commit("two")
        self.jump(-10 * 24)
        tip = self.repository.git("rev-parse", "HEAD")
        wait_until("it is polled", lambda: self.status()["tip"] == tip)
        self.assertEqual(self.status()["desired"], "suspended")
        self.jump(2)
        self.serves("two")


if __name__ == "__main__":
    main()
