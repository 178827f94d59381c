"""A thousand services of one pgod, with a stand-in for what podman would do: all are deployed, each commit once, and
none waits for the others for ever."""

import json
import os
import sys
import time
import unittest

import crash_scene
import harness
from harness import Repository, SystemTest, User, main, make_key, require_root_and_podman, wait_until

require_root_and_podman()
WORKER = os.environ.get("PGOD_WORKER_STANDING_IN")
if not WORKER:
    print("needs the worker that stands in: PGOD_WORKER_STANDING_IN")
    sys.exit(harness.SKIPPED)

SERVICES = 1000
INTERVAL = 20  # seconds
ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-scale-ann")
    unittest.addModuleCleanup(ANN.remove)


class Scale(SystemTest):
    def setUp(self):
        super().setUp()
        built = harness.BIN
        harness.BIN = crash_scene.programs_with(self.directory, WORKER)
        self.addCleanup(setattr, harness, "BIN", built)
        self.key = make_key(self.directory)
        (self.directory / "admin_keys").write_text((self.directory / "id.pub").read_text())
        self.repository = Repository(self.directory)
        self.daemon = self.pgod()
        self.daemon.debug = False
        self.daemon.state.mkdir(mode=0o711)
        for number in range(SERVICES):
            self.daemon.service(f"s{number}", ANN.name, self.repository.url, interval=f"{INTERVAL}s")

    def services(self):
        listed = self.daemon.answer(self.key, "//list", "--json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        return json.loads(listed.stdout)

    def all_run(self, commit):
        def run():
            waiting = [s for s in self.services() if (s["running"], s["outcome"]) != (commit, "ok")]
            if waiting:
                time.sleep(1)
            return not waiting

        wait_until(f"all run {commit[:8]}", run, 600)

    def test_all_are_deployed_and_nobody_starves(self):
        first = self.repository.commit({"compose.yaml": "services: {}\n"})
        self.daemon.start()
        self.all_run(first)
        self.assertEqual(len(self.services()), SERVICES)
        second = self.repository.commit({"compose.yaml": "services: {a: {image: b}}\n"})
        begun = time.monotonic()
        self.all_run(second)
        print(f"{SERVICES} services followed a commit within {time.monotonic() - begun:.0f} s, polled every "
              f"{INTERVAL} s", file=sys.stderr)
        services = self.services()
        self.assertEqual({s["deployment"] for s in services}, {2})
        self.assertEqual([s["problems"] for s in services if s["problems"]], [])
        polled = {s["name"]: s["synced"] for s in services}
        wait_until("each is polled again", lambda: time.sleep(1) or all(
            s["synced"] != polled[s["name"]] for s in self.services()), 300)


if __name__ == "__main__":
    main()
