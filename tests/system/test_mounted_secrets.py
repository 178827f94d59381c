"""Secrets and configs of a compose file, from the admin's files to a container and back: nowhere on a disk, in an argv or in
what pgod says, and there again after a reboot."""

import os
import pathlib
import signal

from harness import Repository, SystemTest, User, main, make_key, require_root_and_podman, run, wait_until
from sampler import Sampler

require_root_and_podman()

ANN = None
# Of this run alone: another one on the same host must not be found.
TLS_KEY, DB_PASSWORD, LATER = (f"{kind}-{os.urandom(5).hex()}" for kind in ("tls", "db", "later"))

COMPOSE = f"""
services:
  web: {{image: {User.IMAGE}, command: sleep 10000, stop_signal: SIGKILL, secrets: [tls-key, db], configs: [conf], restart: always}}
  app: {{image: {User.IMAGE}, command: sleep 10000, stop_signal: SIGKILL, user: "33", secrets: [tls-key]}}
secrets:
  tls-key: {{external: true}}
  db: {{environment: DB_PASSWORD}}
configs:
  conf: {{content: "password = ${{DB_PASSWORD}}"}}
"""


def setUpModule():
    import unittest
    global ANN
    ANN = User("pgt-mnt-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class MountedSecrets(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))

    def secret(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def read(self, path, name="web"):
        return ANN.podman("exec", f"demo_{name}_1", "cat", path, check=False)

    def files_with(self, secret):
        """On a disk: all but what is in the user's runtime directory."""
        roots = [self.directory / "state", ANN.home, pathlib.Path("/run/containers"), pathlib.Path("/var/tmp")]
        return run(["grep", "-rlaF", secret, *(root for root in roots if root.exists())]).stdout

    def test_a_secret_is_in_the_container_and_nowhere_else(self):
        repository = Repository(self.directory)
        commit = repository.commit({"compose.yaml": COMPOSE})
        (self.directory / "admin_keys").write_text((self.directory / "id.pub").read_text())
        self.secret("tls", f"{TLS_KEY}\n")
        daemon = self.pgod()
        daemon.service("demo", ANN.name, repository.url, env_file=str(self.secret("env", f"DB_PASSWORD={DB_PASSWORD}\n")),
                       secrets={"tls-key": str(self.directory / "tls"), "unused": str(self.secret("unused", "x"))})
        sampler = Sampler([TLS_KEY, DB_PASSWORD, LATER], ANN)
        self.addCleanup(sampler.stop)
        daemon.start()

        def idle():
            status = daemon.status(self.key, "demo")
            return status["running"] == commit and status["phase"] == "idle"

        wait_until("it runs", idle)
        self.assertEqual([self.read(f"/run/secrets/{name}") for name in ("tls-key", "db")], [f"{TLS_KEY}\n", DB_PASSWORD])
        self.assertEqual(self.read("/conf"), f"password = {DB_PASSWORD}")
        self.assertEqual(self.read("/run/secrets/tls-key", "app"), f"{TLS_KEY}\n")
        said = "".join(done.stdout + done.stderr for done in (
            daemon.ctl(self.key, f"demo//{words}") for words in ("status", "why", "plan", "check", "log", "ps", "up")))
        said += ANN.podman("container", "inspect", "demo_web_1", "demo_app_1") + daemon.log()

        # A reboot: everything ends, and what was in memory is gone.
        daemon.stop()
        ANN.podman("stop", "-t", "0", "demo_web_1", "demo_app_1")
        ids = set(c["Id"] for c in ANN.containers(all_states=True).values())
        run(["rm", "-r", ANN.runtime / "pgod"])
        self.assertNotEqual(ANN.run(["podman", "start", "demo_web_1"], check=False).returncode, 0)
        daemon.start(write=False)
        wait_until("it is healed", lambda: self.read("/run/secrets/tls-key") == f"{TLS_KEY}\n"
                   and self.read("/run/secrets/tls-key", "app") == f"{TLS_KEY}\n")
        self.assertEqual(set(ANN.container_ids().values()), ids, "they were started, and not made anew")

        # The admin changes the file and says so.
        self.secret("tls", f"{LATER}\n")
        daemon.process.send_signal(signal.SIGHUP)
        wait_until("a reload looks", lambda: self.read("/run/secrets/tls-key") == f"{LATER}\n")
        wait_until("it runs", idle)
        said += daemon.ctl(self.key, "demo//log").stdout
        self.assertIn("the secret in /run/secrets/tls-key of web changed", said)

        sampler.stop()
        self.assertGreater(sampler.rounds, 20)
        self.assertEqual(sampler.found, [])
        self.assertIn(str(self.directory), self.files_with("{secret:DB_PASSWORD}"), "the record has its place")
        self.assertIn(str(ANN.home), self.files_with("/run/secrets/tls-key"), "podman's store has the path")
        for secret in (TLS_KEY, DB_PASSWORD, LATER):
            self.assertNotIn(secret, said)
            self.assertEqual(self.files_with(secret), "")
        self.assertTrue((ANN.runtime / "pgod/demo").exists())
        self.assertEqual(daemon.ctl(self.key, "demo//down").returncode, 0)
        self.assertFalse((ANN.runtime / "pgod/demo").exists())


if __name__ == "__main__":
    main()
