"""Who may do what over SSH, with pgoctl and with OpenSSH's client, and the exit statuses of the contract."""

import os
import pathlib
import socket
import subprocess
import time
import unittest

from harness import (Repository, SystemTest, User, compose_web, connects, fetch, free_port, main, make_key,
                     require_root_and_podman, run, sanitized, wait_until)

require_root_and_podman()

SUPPRESSIONS = pathlib.Path(__file__).resolve().parents[1] / "integration" / "client" / "lsan.supp"

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-cli-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Clients(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()
        self.other = make_key(self.directory, "other")
        self.web = free_port()
        self.repository = Repository(self.directory)
        self.repository.commit({"ssh/id.pub": self.public, "docker-compose.yml": compose_web(self.web)})
        self.daemon = self.pgod()
        self.daemon.service("demo", ANN.name, self.repository.url)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it serves", lambda: fetch(self.web) == "one\n")

    def test_ping(self):
        done = self.daemon.ctl(self.key, "demo//ping")
        self.assertEqual((done.returncode, done.stdout), (0, f"pong! - {socket.gethostname()}\n"), done.stderr)

    def test_wrong_key(self):
        done = self.daemon.ctl(self.other, "demo//ping", env={"USER": "miek"})
        self.assertEqual(done.returncode, 77)
        self.assertRegex(done.stderr, r'(?m)^Unauthorized: Key for user "[a-z0-9-]+" does not match any for name demo\n$')
        self.assertEqual(done.stdout, "")

    def test_a_key_of_another_service_and_a_service_that_does_not_exist_look_the_same(self):
        second = Repository(self.directory, "second")
        second.commit({"ssh/other.pub": (self.directory / "other.pub").read_text(), "compose.yaml": "services: {}\n"})
        self.daemon.service("second", ANN.name, second.url)
        self.daemon.stop()
        self.daemon.start()
        wait_until("the other key is known", lambda: self.daemon.ctl(self.other, "second//ping").returncode == 0)
        foreign = self.daemon.ctl(self.other, "demo//ping")
        missing = self.daemon.ctl(self.other, "nosuch//ping")
        self.assertEqual((foreign.returncode, missing.returncode), (77, 77))
        self.assertEqual(foreign.stderr.replace("demo", "X"), missing.stderr.replace("nosuch", "X"))
        listed = self.daemon.ctl(self.other, "//list")
        self.assertIn("second", listed.stdout)
        self.assertNotIn("demo", listed.stdout)

    def test_usage_and_unreachable(self):
        self.assertEqual(self.daemon.ctl(self.key, "demo//nosuch").returncode, 64)
        self.assertIn("nosuch", self.daemon.ctl(self.key, "demo//nosuch").stderr)
        self.assertEqual(self.daemon.ctl(self.key, "demo/ping").returncode, 64)
        self.daemon.stop()
        done = self.daemon.ctl(self.key, "demo//ping")
        self.assertEqual(done.returncode, 69, done.stderr)

    def test_host_key(self):
        fresh = self.directory / "fresh_known_hosts"
        unknown = self.daemon.ctl(self.key, "demo//ping", known_hosts=fresh, accept=False)
        self.assertEqual(unknown.returncode, 76, unknown.stderr)
        self.assertIn("SHA256:", unknown.stderr)
        self.assertEqual(self.daemon.ctl(self.key, "demo//ping", known_hosts=fresh).returncode, 0)
        self.assertEqual(self.daemon.ctl(self.key, "demo//ping", known_hosts=fresh, accept=False).returncode, 0)
        self.daemon.stop()
        self.daemon.start()  # the host key is kept
        self.assertEqual(self.daemon.ctl(self.key, "demo//ping", known_hosts=fresh, accept=False).returncode, 0)
        self.daemon.stop()
        (self.directory / "host_key").unlink()
        self.daemon.start()
        changed = self.daemon.ctl(self.key, "demo//ping", known_hosts=fresh)
        self.assertEqual(changed.returncode, 76, changed.stderr)

    def test_identities_from_the_environment(self):
        text = self.key.read_text()
        for env, argument in (({"PGOCTL_ID": text}, None), ({"PGOCTL_ID": str(self.key)}, None),
                              ({"DEPLOY": text}, "$DEPLOY"), ({}, text)):
            done = self.daemon.ctl(argument, "demo//ping", env=env)
            self.assertEqual(done.returncode, 0, done.stderr)

    def agent(self, *keys):
        sock = self.directory / "agent"
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
        self.addCleanup(lambda: (agent.terminate(), agent.wait()))
        env = {"SSH_AUTH_SOCK": str(sock)}
        wait_until("the agent answers, and has no keys yet",
                   lambda: run(["ssh-add", "-l"], env={**os.environ, **env}).returncode == 1)
        for key in keys:
            subprocess.run(["ssh-add", "-q", key], env={**os.environ, **env}, check=True)
        if sanitized():
            env["ASAN_OPTIONS"] = "fast_unwind_on_malloc=0"
            env["LSAN_OPTIONS"] = f"suppressions={SUPPRESSIONS}:print_suppressions=0"
        return env

    def test_keys_of_every_type(self):
        kinds = {"rsa": ["-t", "rsa", "-b", "2048"], "pem": ["-t", "rsa", "-b", "3072", "-m", "PEM"],
                 **{f"ec{bits}": ["-t", "ecdsa", "-b", bits] for bits in ("256", "384", "521")}}
        for name, kind in kinds.items():
            subprocess.run(["ssh-keygen", "-q", *kind, "-N", "", "-C", name, "-f", self.directory / name], check=True)
        self.repository.commit({f"ssh/{name}.pub": (self.directory / f"{name}.pub").read_text() for name in kinds})
        wait_until("the new keys are known", lambda: self.daemon.ctl(self.directory / "ec256", "demo//ping").returncode == 0)
        for name in kinds:
            with self.subTest(name):
                done = self.daemon.ctl(self.directory / name, "demo//ping")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.daemon.ssh(self.directory / name, "demo//ping").returncode, 0)
        env = self.agent(self.other, self.directory / "rsa")
        done = self.daemon.ctl(None, "demo//ping", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_agent_that_holds_a_foreign_key_first(self):
        env = self.agent(self.other, self.key)
        done = self.daemon.ctl(None, "demo//ping", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        ssh = subprocess.run(["ssh", "-F", "/dev/null", "-p", str(self.daemon.port), "-o", "BatchMode=yes", "-o",
                              "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.directory}/k", "localhost",
                              "demo//ps"], env={**os.environ, **env}, capture_output=True, text=True, timeout=180)
        self.assertEqual(ssh.returncode, 0, ssh.stderr)

    def test_plain_ssh(self):
        done = self.daemon.ssh(self.key, "demo//ps")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "web .*running")
        self.assertEqual(self.daemon.ssh(self.key, "demo//nosuch").returncode, 64)
        self.assertNotEqual(self.daemon.ssh(self.other, "demo//ping").returncode, 0)
        self.assertEqual(self.daemon.ssh(self.key, "demo//logs", "'--tail'", "5").returncode, 0)

    def test_keys_follow_the_repository(self):
        self.assertEqual(self.daemon.ctl(self.other, "demo//ping").returncode, 77)
        self.repository.commit({"ssh/other.pub": (self.directory / "other.pub").read_text()})
        wait_until("the new key works", lambda: self.daemon.ctl(self.other, "demo//ping").returncode == 0)
        self.repository.commit(remove=["ssh/other.pub"])
        wait_until("the removed key is refused", lambda: self.daemon.ctl(self.other, "demo//ping").returncode == 77)

    def test_a_linked_key_is_ignored_with_a_warning(self):
        (self.repository.work / "ssh" / "other.pub").symlink_to("/etc/passwd")
        self.repository.commit()
        wait_until("the warning", lambda: "ssh/other.pub" in self.daemon.log())
        self.assertIn("link", next(l for l in self.daemon.log().splitlines() if "ssh/other.pub" in l))
        self.assertEqual(self.daemon.ctl(self.key, "demo//ping").returncode, 0)

    def test_a_good_key_is_served_while_idle_and_garbage_connections_fill_the_port(self):
        crowd = []
        try:
            for _ in range(200):
                crowd.append(socket.create_connection(("127.0.0.1", self.daemon.port), timeout=180))
            for _ in range(50):
                garbage = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=180)
                garbage.sendall(os.urandom(4096))
                crowd.append(garbage)
            times = []
            for _ in range(5):
                begun = time.monotonic()
                done = self.daemon.ctl(self.key, "demo//ping")
                times.append(time.monotonic() - begun)
                self.assertEqual(done.returncode, 0, done.stderr)
            print(f"ping in the crowd: {min(times) * 1000:.0f} to {max(times) * 1000:.0f} ms")
        finally:
            for each in crowd:
                each.close()

    def test_admin_and_revoked_keys(self):
        public = lambda name: (self.directory / f"{name}.pub").read_text()
        (self.directory / "admin_keys").write_text(public("other"))
        wait_until("the admin's key works", lambda: self.daemon.ctl(self.other, "demo//ping").returncode == 0)
        missing = self.daemon.ctl(self.other, "nosuch//ping")
        self.assertEqual(missing.returncode, 64, missing.stderr)
        revoked = self.directory / "revoked_keys"
        revoked.write_text(public("other") + public("id"))
        for key in (self.other, self.key):
            wait_until("the revoked key is refused", lambda: self.daemon.ctl(key, "demo//ping").returncode == 77)
        revoked.write_text("this is no key\n")  # not understood: what was revoked stays revoked
        wait_until("it is said", lambda: "read before stay" in self.daemon.log())
        self.assertEqual(self.daemon.ctl(self.key, "demo//ping").returncode, 77)
        self.daemon.stop()
        self.daemon.start(wait=False)
        wait_until("it does not start without its revocations", lambda: self.daemon.process.poll() is not None)
        self.assertEqual(self.daemon.process.returncode, 1)
        self.assertIn("every line there must be a public key", self.daemon.log())

    def test_a_service_that_changes_its_user(self):
        bob = User("pgt-cli-bob")
        self.addCleanup(bob.remove)
        bob.import_image()
        self.daemon.services[0] = ("demo", bob.name, self.repository.url, {})
        self.daemon.write_config()
        wait_until("the old user's containers are gone", lambda: ANN.containers(all_states=True) == {})
        wait_until("the directory of the old user is in the way", lambda: "does not belong to user" in self.daemon.log())
        service = self.daemon.state / "services" / "demo"
        service.rename(service.with_name("demo.old"))
        wait_until("it runs as the new user", lambda: "demo_web_1" in bob.containers())
        self.assertEqual(ANN.containers(all_states=True), {})

    def test_logs_follow_and_end_with_the_client(self):
        follower = subprocess.Popen(
            [str(a) for a in [__import__("harness").BIN / "pgoctl", "-i", self.key, "-p", self.daemon.port,
                              "--accept-new", "--known-hosts", self.directory / "known_hosts", "localhost:demo//logs",
                              "-f"]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_until("podman logs runs", lambda: self.podman_logs() > 0)
        follower.send_signal(2)
        follower.wait(timeout=180)
        wait_until("nothing is left of it", lambda: self.podman_logs() == 0)

    def podman_logs(self):
        listed = subprocess.run(["pgrep", "-u", ANN.name, "-fc", "podman.* logs"], capture_output=True, text=True)
        return int(listed.stdout or 0)


if __name__ == "__main__":
    main()
