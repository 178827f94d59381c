"""pgod without root: an ordinary user serves that user's own services, with the same code and no drop."""

import json
import shutil
import unittest

from harness import (BIN, Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key,
                     require_root_and_podman, wait_until)

require_root_and_podman()

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-ord-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class OrdinaryUser(SystemTest):
    def test_deploy_and_drive(self):
        key = make_key(self.directory)
        port = free_port()
        repository = Repository(self.directory)
        repository.commit({"ssh/id.pub": (self.directory / "id.pub").read_text(),
                           "docker-compose.yml": compose_web(port)})
        own = self.directory / "own"
        own.mkdir()
        shutil.chown(own, ANN.uid, ANN.gid)
        daemon = self.pgod(user=ANN)
        daemon.directory, daemon.state = own, own / "state"
        daemon.config, daemon.log_path = self.directory / "config.toml", self.directory / "pgod.log"
        daemon.service("demo", ANN.name, repository.url)
        daemon.service("foreign", "nobody", repository.url)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        daemon.start()
        wait_until("it serves", lambda: fetch(port) == "one\n")
        self.assertEqual(daemon.ctl(key, "demo//ping").returncode, 0)
        checks = json.loads(ANN.run([BIN / "pgod", "-c", daemon.config, "--doctor", "--json"], check=False).stdout)["checks"]
        self.assertIn({"about": "host", "check": "podman", "good": True, "problem": "", "remedy": ""}, checks)
        repository.commit({"docker-compose.yml": compose_web(port, "two")})
        wait_until("the commit serves", lambda: fetch(port) == "two\n")
        self.assertEqual(daemon.ctl(key, "demo//down").returncode, 0)
        self.assertIsNone(fetch(port))
        self.assertIn("cannot serve user", daemon.log())


if __name__ == "__main__":
    main()
