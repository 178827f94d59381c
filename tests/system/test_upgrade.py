"""Another version of pgod takes over: state.db of an older one is brought forward, that of a newer one is refused and left as
it is, and containers notice neither."""

import contextlib
import json
import sqlite3
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key, require_root_and_podman,
                     wait_until)

require_root_and_podman()

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-upg-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Upgrade(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.repository, self.port = Repository(self.directory), free_port()
        self.commit = self.repository.commit({"ssh/id.pub": (self.directory / "id.pub").read_text(),
                                              "compose.yaml": compose_web(self.port)})
        self.daemon = self.pgod()
        self.daemon.service("demo", ANN.name, self.repository.url)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it serves", self.serves)
        self.containers = self.seen()
        self.daemon.stop()

    def serves(self):
        self.daemon.alive()
        done = self.daemon.ctl(self.key, "demo//status", "--json")
        status = json.loads(done.stdout) if done.returncode == 0 else {}
        return ((status.get("running"), status.get("outcome"), status.get("phase")) == (self.commit, "ok", "idle")
                and fetch(self.port) == "one\n")

    def seen(self):
        """Ids and start times."""
        return {name: (one["Id"], one["StartedAt"]) for name, one in ANN.containers().items()}

    def database(self, *statements):
        with contextlib.closing(sqlite3.connect(self.daemon.state / "state.db", isolation_level=None)) as database:
            answers = [database.execute(statement).fetchone() for statement in statements]
        return answers[-1]

    def test_the_database_of_a_newer_version_is_refused_and_kept(self):
        (version,) = self.database("PRAGMA user_version")
        self.database(f"PRAGMA user_version = {version + 1}")
        self.daemon.start(wait=False)
        self.assertEqual(self.daemon.process.wait(timeout=60), 1)
        self.assertIn(f"state.db was written by a newer pgod (format {version + 1}, this one knows {version}): install "
                      "that version again, or move the file away", self.daemon.log())
        self.assertEqual(self.database("PRAGMA user_version"), (version + 1,))
        self.assertEqual((self.seen(), fetch(self.port)), (self.containers, "one\n"))
        self.database(f"PRAGMA user_version = {version}")  # that version is back
        self.daemon.start()
        wait_until("it serves", self.serves)
        self.assertEqual(self.seen(), self.containers)

    def test_the_database_of_an_older_version_is_brought_forward(self):
        (version,) = self.database("PRAGMA user_version")
        self.database("ALTER TABLE keys DROP COLUMN options", "DROP TABLE claims",
                      "ALTER TABLE services DROP COLUMN decision_kind", "ALTER TABLE services DROP COLUMN decision_commit",
                      f"PRAGMA user_version = {OLDER}")
        history = self.database("SELECT count(*) FROM deployments")
        self.assertEqual(history, (1,))
        self.daemon.start()
        wait_until("it serves", self.serves)
        self.assertEqual(self.seen(), self.containers)
        self.assertIn(self.commit[:8], self.daemon.ctl(self.key, "demo//history").stdout)
        self.assertEqual(self.database("PRAGMA user_version"), (version,))


OLDER = 2  # before keys had options

if __name__ == "__main__":
    main()
