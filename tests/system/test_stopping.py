"""A database that needs longer to end than podman waits by itself ends cleanly, whatever has pgod stop it."""

import signal
import unittest

from harness import (Repository, SystemTest, User, compose_web, free_port, main, make_key, require_root_and_podman,
                     wait_until)

require_root_and_podman()

ANN = None
COMPOSE = """\
services:
  db:
    image: %s
    command:
      - sh
      - -c
      - trap "sleep 15; echo clean >> /data/ends; exit 0" TERM; echo up >> /data/starts; while :; do sleep 1 & wait $$!; done
    environment: {VERSION: "%s"}
    stop_grace_period: 1m
    volumes: ["./data:/data"]
"""


def setUpModule():
    global ANN
    ANN = User("pgt-stp-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Stopping(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()

    def ctl(self, *args):
        done = self.daemon.ctl(self.key, f"demo//{args[0]}", *args[1:])
        self.assertEqual(done.returncode, 0, done)

    def lines(self, name):
        path = self.daemon.state / "services/demo/tree/data" / name
        return len(path.read_text().splitlines()) if path.exists() else 0

    def runs(self, number):
        """Before the shell runs its trap, it does not know the signal."""
        wait_until(f"start {number}", lambda: self.lines("starts") == number)

    def test_by_every_command_and_when_the_service_goes(self):
        repository, other = Repository(self.directory), Repository(self.directory, "other")
        repository.commit({"ssh/id.pub": self.public, "compose.yaml": COMPOSE % (User.IMAGE, 1)})
        other.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(free_port(), "other")})
        self.daemon = self.pgod()
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.service("other", ANN.name, other.url)
        self.daemon.service("demo", ANN.name, repository.url)
        self.daemon.start()
        self.runs(1)
        wait_until("it is deployed", lambda: self.daemon.status(self.key, "demo")["phase"] == "idle")
        repository.commit({"compose.yaml": COMPOSE % (User.IMAGE, 2)})
        for command, ends, starts in (("up", 1, 2), ("restart", 2, 3), ("stop", 3, 3), ("start", 3, 4), ("down", 4, 4),
                                      ("up", 4, 5), ("rollback", 5, 6)):
            self.ctl(command)
            self.assertEqual(self.lines("ends"), ends, command)
            self.runs(starts)
        self.daemon.services.pop()
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("its container is gone", lambda: not any("demo" in name for name in ANN.containers(True)))
        self.assertEqual(self.lines("ends"), 6)


if __name__ == "__main__":
    main()
