"""What operators ask for holds over commits and restarts, and a commit that failed is not tried again by itself."""

import concurrent.futures
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, gate, main, make_key,
                     require_root_and_podman, served, wait_until)

require_root_and_podman()

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-int-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Intent(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()
        self.port = free_port()
        self.repository = Repository(self.directory)
        self.first = self.repository.commit({"ssh/id.pub": self.public, "compose.yaml": self.good("one")})
        self.daemon = self.pgod()
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))

    def begin(self, **settings):
        self.daemon.service("demo", ANN.name, self.repository.url, **settings)
        self.daemon.start()
        if settings.get("auto", True):
            wait_until("it serves", lambda: fetch(self.port) == "one\n")
            wait_until("it is settled", lambda: self.status()["outcome"] == "ok")

    def restart(self):
        self.daemon.stop()
        self.daemon.start()
        wait_until("it is polled", lambda: self.polled())

    def good(self, body):
        return compose_web(self.port, body)

    def bad(self):
        """What starts and ends at once."""
        return compose_web(self.port, command="sh -c 'exit 3'", extra="    restart: \"no\"\n")

    def commit(self, compose):
        return self.repository.commit({"compose.yaml": compose})

    def ctl(self, operation, *args, status=0):
        done = self.daemon.ctl(self.key, f"demo//{operation}", *args)
        self.assertEqual(done.returncode, status, f"{operation} {args}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def status(self):
        return self.daemon.status(self.key, "demo")

    def polled(self):
        try:
            status = self.status()
        except AssertionError:
            return False
        return status["synced"] and status["phase"] == "idle"

    def seen(self, commit):
        wait_until(f"{commit[:8]} is seen", lambda: self.status()["tip"] == commit)

    def stays(self, body):
        self.daemon.polls(self.key)
        self.assertEqual(fetch(self.port), body)

    def rolled_back(self, commit):
        wait_until(f"{commit[:8]} is rolled back",
                   lambda: (lambda s: s["commit"] == commit and s["outcome"] == "rolled-back")(self.status()))
        wait_until("the old version serves", lambda: fetch(self.port) == "one\n")

    def test_suspend_lasts_over_a_commit_and_a_restart(self):
        self.begin()
        said = self.ctl("suspend", "moving", "the", "database")
        self.assertIn("moving the database", said)
        other = make_key(self.directory, "other")
        commit = self.repository.commit({"compose.yaml": self.good("two"),
                                         "ssh/other.pub": (self.directory / "other.pub").read_text()})
        self.seen(commit)
        before = ANN.container_ids()
        self.restart()
        self.stays("one\n")
        self.assertEqual(ANN.container_ids(), before)
        self.assertEqual(self.daemon.ctl(other, "demo//ping").returncode, 0)  # keys are synced all the same
        refused = self.ctl("up", status=65)
        self.assertIn("moving the database", refused)
        self.assertIn("--resume", refused)
        self.ctl("stop")  # remains possible
        self.assertIsNone(fetch(self.port))
        self.ctl("start")
        wait_until("it serves again", lambda: fetch(self.port) == "one\n")
        self.ctl("resume")
        wait_until("the commit is deployed", lambda: fetch(self.port) == "two\n")

    def test_a_suspension_ends_by_itself_and_up_resume_ends_it_at_once(self):
        self.begin()
        self.ctl("suspend", "--until", "5s")
        self.commit(self.good("two"))
        wait_until("it is deployed after that", lambda: fetch(self.port) == "two\n")
        self.ctl("suspend", "--until", "yesterday", status=64)
        self.ctl("suspend")
        self.seen(self.commit(self.good("three")))
        self.stays("two\n")
        self.ctl("up", "--resume")
        self.assertEqual(served(self.port), "three\n")

    def test_a_bad_commit_is_left_alone_until_retry_or_a_new_one(self):
        self.begin()
        bad = self.commit(self.bad())
        self.rolled_back(bad)
        deployments = self.status()["deployment"]
        before = ANN.container_ids()
        self.stays("one\n")
        refused = self.ctl("up", status=65)
        self.assertIn("quarantined", refused)
        self.assertIn("retry", refused)
        self.restart()
        self.stays("one\n")
        self.assertEqual(self.status()["deployment"], deployments)
        self.assertEqual(ANN.container_ids(), before)
        self.assertIn("quarantined", self.ctl("retry", status=80))
        self.ctl("up", "--commit", bad[:10], status=80)
        self.commit(self.good("two"))
        wait_until("the next commit serves", lambda: fetch(self.port) == "two\n")
        deployments = self.status()["deployment"]
        self.repository.git("push", "-q", "--force", "origin", f"{bad}:main")
        self.seen(bad)
        self.stays("two\n")  # it is known, also after a force-push away and back
        self.assertEqual(self.status()["deployment"], deployments)

    def test_a_commit_that_is_named_is_served_by_the_tip(self):
        self.begin()
        two = self.commit(self.good("two"))
        wait_until("it serves", lambda: fetch(self.port) == "two\n")
        self.ctl("up", "--commit", "feedfacefeedface", status=65)
        self.repository.git("checkout", "-q", "-b", "aside")
        aside = self.repository.commit({"compose.yaml": self.good("aside")}, push=False)
        self.ctl("up", "--commit", aside, status=65)
        self.repository.git("checkout", "-q", "main")
        self.assertIn(f"ok: commit {two[:8]}, which contains {self.first[:8]}, after",
                      self.ctl("up", "--commit", self.first[:8]))
        self.assertEqual(fetch(self.port), "two\n")

    def test_a_good_commit_is_brought_although_a_bad_one_came_after_it(self):
        self.begin()
        good = self.repository.commit({"compose.yaml": self.good("two")}, push=False)
        bad = self.commit(self.bad())
        self.rolled_back(bad)
        self.assertIn("quarantined", self.ctl("up", "--commit", good))
        self.assertEqual(served(self.port), "two\n")
        self.stays("two\n")
        self.ctl("up", "--commit", self.first)  # what serves contains it
        self.assertEqual(fetch(self.port), "two\n")

    def test_without_auto_a_commit_waits_for_up(self):
        self.begin(auto=False)
        wait_until("it is staged and judged", lambda: "waits for up" in self.daemon.log())
        self.assertEqual(ANN.containers(all_states=True), {})
        self.ctl("up")
        self.assertEqual(served(self.port), "one\n")
        commit = self.commit(self.good("two"))
        wait_until("the next one waits", lambda: f"{commit[:8]} waits for up" in self.daemon.log())
        self.restart()
        self.stays("one\n")
        self.ctl("up")
        self.assertEqual(served(self.port), "two\n")

    def test_rollback_by_hand_holds_the_tip_back(self):
        self.begin()
        self.commit(self.good("two"))
        wait_until("it serves", lambda: fetch(self.port) == "two\n")
        wait_until("it is settled", lambda: self.status()["running"] != self.first)
        self.assertIn("held back", self.ctl("rollback"))
        self.assertEqual(served(self.port), "one\n")
        self.ctl("rollback", "4711", status=65)
        self.restart()
        self.stays("one\n")
        self.assertIn("rolled back by", self.ctl("up", status=65))
        self.commit(self.good("three"))
        wait_until("a newer commit is followed", lambda: fetch(self.port) == "three\n")
        self.ctl("rollback", self.first[:10])
        self.assertEqual(served(self.port), "one\n")
        self.ctl("resume")
        wait_until("the tip serves again", lambda: fetch(self.port) == "three\n")

    def held(self, body):
        """Whose deployment goes on until its gate is opened."""
        return compose_web(self.port, body, extra=gate(body))

    def works_on(self, deployment):
        wait_until(f"deployment {deployment} is under way",
                   lambda: (lambda s: (s["phase"], s["deployment"]) == ("working", deployment))(self.status()))

    def asked(self, times):
        wait_until(f"up was asked for {times} times", lambda: self.daemon.log().count("//up") == times)

    def test_many_at_once_end_together_and_the_superseded_ones_are_told(self):
        self.begin(start_timeout="10m")
        target = self.commit(self.held("two"))
        self.works_on(2)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            joined = [pool.submit(self.ctl, "up"), pool.submit(self.ctl, "up", "--commit", target)]
            self.asked(2)
            self.daemon.open_gate("demo", "two")
            for said in joined:
                self.assertIn("deployed already", said.result())
        self.assertEqual(self.status()["deployment"], 2)
        self.assertEqual(served(self.port), "two\n")

        self.commit(self.held("three"))
        self.works_on(3)
        older = self.commit(self.good("four"))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            first = pool.submit(self.ctl, "up", "--commit", older)
            self.asked(3)
            self.commit(self.good("five"))
            second = pool.submit(self.ctl, "up")
            self.asked(4)
            self.daemon.open_gate("demo", "three")
            self.assertIn("superseded", first.result())
            second.result()
        self.assertEqual(served(self.port), "five\n")

    def test_a_full_host_makes_deployments_wait_but_not_down(self):
        self.daemon.extra = "parallel = 1"
        other = Repository(self.directory, "other")
        port = free_port()
        other.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(port, "other")})
        self.daemon.service("other", ANN.name, other.url, start_timeout="10m")
        self.begin()
        wait_until("both serve", lambda: fetch(port) == "other\n")
        wait_until("both are settled", lambda: self.daemon.status(self.key, "other")["phase"] == "idle" and self.polled())
        other.commit({"compose.yaml": compose_web(port, "newer", extra=gate("newer"))})
        wait_until("the other is busy", lambda: self.daemon.status(self.key, "other")["phase"] == "working")
        self.commit(self.good("two"))
        wait_until("this one waits", lambda: self.status()["phase"] == "waiting for its turn")
        self.ctl("down")
        self.assertEqual(self.daemon.status(self.key, "other")["phase"], "working")  # nobody waited for it
        self.daemon.open_gate("other", "newer")
        self.ctl("up")
        self.assertEqual(served(self.port), "two\n")
        self.assertEqual(served(port), "newer\n")

    def test_a_first_deployment_that_fails_is_left_down(self):
        bad = self.commit(self.bad())
        self.daemon.service("demo", ANN.name, self.repository.url)
        self.daemon.start()
        wait_until("it failed", lambda: self.polled() and self.status()["outcome"] == "failed")
        self.assertIn("left down", self.daemon.log())
        self.assertEqual(ANN.containers(), {})
        deployments = self.status()["deployment"]
        self.daemon.polls(self.key)
        self.assertEqual(self.status()["deployment"], deployments)
        self.assertEqual(self.status()["commit"], bad)
        self.commit(self.good("one"))
        wait_until("the next commit serves", lambda: fetch(self.port) == "one\n")


if __name__ == "__main__":
    main()
