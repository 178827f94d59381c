"""`image: nginx`, as compose files all over the world say it, on a host whose podman knows no registry to search."""

import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key, require_root_and_podman,
                     served, wait_until)
from hub import Hub

require_root_and_podman()

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-img-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Images(SystemTest):
    def test_a_name_without_a_registry_is_deployed_from_docker_hub(self):
        hub = Hub(ANN)
        self.addCleanup(hub.close)
        for name in ("library/pgodnginx", "team/base:2"):
            hub.publish(name)
        key, port = make_key(self.directory), free_port()
        repository = Repository(self.directory)
        compose = compose_web(port, "pulled").replace(User.IMAGE, "pgodnginx")
        repository.commit({"ssh/id.pub": (self.directory / "id.pub").read_text(), "compose.yaml": compose})
        daemon = self.pgod()
        daemon.service("demo", ANN.name, repository.url, interval="1h")
        daemon.start()
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.assertEqual(served(port), "pulled\n")
        wait_until("the first deployment ends", lambda: daemon.status(key, "demo")["phase"] == "idle")
        self.assertIn("docker.io/library/pgodnginx", daemon.answer(key, "demo//ps").stdout)
        before = ANN.container_ids()

        repository.commit({"compose.yaml": compose.replace("pgodnginx", "docker.io/library/pgodnginx") + "# in full\n"})
        self.assertIn("container web: unchanged", daemon.answer(key, "demo//plan").stdout)
        repository.commit({"compose.yaml": compose + "  more:\n    image: team/none:1\n    command: sleep 1000\n"})
        plan = daemon.answer(key, "demo//plan")
        self.assertIn("image docker.io/team/none:1: would be pulled", plan.stdout, plan.stderr)
        check = daemon.answer(key, "demo//check")
        self.assertEqual(check.returncode, 0, check)
        up = daemon.answer(key, "demo//up")
        self.assertEqual(up.returncode, 1, up)
        self.assertIn("more: pull docker.io/team/none:1: ", up.stdout + up.stderr)
        self.assertEqual((ANN.container_ids(), fetch(port)), (before, "pulled\n"))

        repository.commit({"compose.yaml": compose.replace("image: pgodnginx", "build: .").replace("pulled", "built"),
                           "Containerfile": "FROM team/base:2\nRUN true\n"})
        up = daemon.answer(key, "demo//up")
        self.assertEqual(up.returncode, 0, up)
        self.assertEqual(served(port), "built\n")


if __name__ == "__main__":
    main()
