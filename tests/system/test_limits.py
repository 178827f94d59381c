"""What one key, one user or one setting must not do to everybody else."""

import json
import subprocess
import unittest

from harness import BIN, Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key, \
    require_root_and_podman, wait_until

require_root_and_podman()

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
