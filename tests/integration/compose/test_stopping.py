"""stop_grace_period on real rootless podman: a database that needs longer than podman's ten seconds to end, ends cleanly,
whatever stops it. What does not end gets SIGKILL after its period."""

import json
import shlex
import time

import scene
from scene import compose, harness, service

NEEDS = 15  # seconds; podman's own period is 10
DATABASE = ("sh -c 'trap \"sleep %d; echo clean >> /data/ends; exit 0\" TERM; echo up >> /data/starts;"
            " while :; do sleep 1 & wait $$!; done'" % NEEDS)


def database(command=DATABASE, period="1m", **keys):
    return service(command, stop_signal="SIGTERM", stop_grace_period=period, volumes=["./data:/data"], **keys)


class Stopping(scene.ComposeTest):
    user_name = "pgcstop"

    def running(self, text=None, **more):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": text or compose(db=database(**more))}))
        self.wait_for_start(svc, 1)
        return svc

    def lines(self, svc, name):
        path = svc.tree("data") / name
        return path.read_text().splitlines() if path.exists() else []

    def wait_for_start(self, svc, number):
        """Before the shell runs its trap, it does not know the signal."""
        harness.wait_until(f"start {number}", lambda: len(self.lines(svc, "starts")) == number)

    def assert_ended_cleanly(self, svc, times):
        self.assertEqual(self.lines(svc, "ends"), ["clean"] * times)

    def test_a_changed_commit_and_rollback_let_it_end(self):
        svc = self.running()
        self.good(svc.deploy({"compose.yaml": compose(db=database(environment={"A": "2"}))}), changed=True)
        self.assert_ended_cleanly(svc, 1)
        self.wait_for_start(svc, 2)
        self.good(svc.do("rollback", deployment=3, commit=""), changed=True)
        self.assert_ended_cleanly(svc, 2)

    def test_the_longer_period_counts_of_what_runs_and_what_comes(self):
        svc = self.running()
        self.good(svc.deploy({"compose.yaml": compose(db=database(period="1s"))}), changed=True)
        self.assert_ended_cleanly(svc, 1)
        self.wait_for_start(svc, 2)
        self.good(svc.deploy({"compose.yaml": compose(db=database())}), changed=True)
        self.assert_ended_cleanly(svc, 2)

    def test_operations_let_it_end(self):
        svc = self.running()
        for number, kind in enumerate(("restart", "stop", "start", "down"), 1):
            with self.subTest(kind):
                result = svc.do(kind)
                self.assertEqual(result.exit_status, 0, result)
                self.assert_ended_cleanly(svc, {"restart": 1, "stop": 2, "start": 2, "down": 3}[kind])
                if kind in ("restart", "start"):
                    self.wait_for_start(svc, {"restart": 2, "start": 3}[kind])

    def test_a_version_that_fails_gets_its_period_as_well(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(other=service())}))
        result = svc.deploy({"compose.yaml": compose(
            db=database(), bad=service("sh -c 'until test -s /data/starts; do sleep 1; done; sleep 1; exit 3'",
                                       volumes=["./data:/data"]))})
        self.assertEqual((result.outcome, result.health), ("rolled_back", "healthy"), result)
        self.assert_ended_cleanly(svc, 1)

    def test_healing_gives_it_its_period(self):
        svc = self.running()
        name = f"{svc.name}_db_1"
        self.user.podman("rm", "-f", "-t", "0", name)
        # Somebody makes another one by hand, and lets pgod take it for its own.
        self.user.podman("run", "-d", "--name", name, "--label", f"pgod.service={svc.name}", "--stop-timeout", "60",
                         "-v", f"{svc.tree('data')}:/data", scene.IMAGE, *shlex.split(DATABASE.replace("$$", "$")))
        self.wait_for_start(svc, 2)
        healed = svc.do("heal")
        self.assertEqual((healed.exit_status, healed.health), (0, "healthy"), healed)
        self.assert_ended_cleanly(svc, 1)

    def test_what_does_not_end_is_killed_after_its_period(self):
        svc = self.running(command="sh -c 'trap : TERM; echo up >> /data/starts; while :; do sleep 1; done'", period="4s")
        began = time.monotonic()
        self.assertEqual(svc.do("stop").exit_status, 0)
        self.assertGreaterEqual(time.monotonic() - began, 4)
        [container] = self.user.containers(all_states=True).values()
        inspected = json.loads(self.user.podman("inspect", container["Id"]))
        self.assertEqual(inspected[0]["Config"]["StopTimeout"], 4)
        self.assertEqual(svc.do("observe").containers, ["db exited 137"])

    def test_a_period_that_podman_was_not_given_is_its_own(self):
        svc = self.running(command="sh -c 'trap : TERM; echo up >> /data/starts; while :; do sleep 1; done'", period=None)
        began = time.monotonic()
        self.assertEqual(svc.do("down").exit_status, 0)
        self.assertGreaterEqual(time.monotonic() - began, 9)

    def test_many_that_do_not_end_at_once_are_waited_for(self):
        """podman restarts one after the other, and stops as many side by side as the host has processors for."""
        svc = self.service()
        many = {f"s{n}": service("sleep 1000", stop_signal="SIGTERM", stop_grace_period="2s") for n in range(10)}
        self.good(svc.deploy({"compose.yaml": compose(**many)}))
        for kind in ("restart", "stop", "down"):
            self.assertEqual(svc.do(kind).exit_status, 0, kind)

    def test_a_period_beyond_ten_minutes_is_refused_by_name(self):
        svc = self.service()
        self.rejected(svc.deploy({"compose.yaml": compose(db=database(period="10m1s"))}),
                      "compose.yaml:2: db: stop_grace_period", "10m1s", "10m")


if __name__ == "__main__":
    scene.main()
