"""Clients of other makes than pgoctl: OpenSSH's ssh, and Python's paramiko and asyncssh, whose SSH is their own; and what
ssh-audit thinks of the endpoint. Nobody without a key learns more than that."""

import json
import pathlib
import socket
import subprocess
import unittest

from harness import Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key, require_root_and_podman, \
    wait_until

require_root_and_podman()

UNA = None


def setUpModule():
    global UNA
    UNA = User("pgt-ssh-una")
    unittest.addModuleCleanup(UNA.remove)
    UNA.import_image()


class SshClients(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.other = make_key(self.directory, "other")
        self.web = free_port()
        self.repository = Repository(self.directory)
        self.repository.commit({"ssh/id.pub": (self.directory / "id.pub").read_text(),
                                "docker-compose.yml": compose_web(self.web)})
        self.daemon = self.pgod()
        self.daemon.service("demo", UNA.name, self.repository.url, ops=["read", "exec"])
        self.addCleanup(lambda: UNA.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it serves", lambda: fetch(self.web) == "one\n")

    def ask(self, make, command, key=None, given=""):
        """Exit status, standard output, standard error."""
        key = key or self.key
        if make == "ssh":
            done = subprocess.run(
                ["ssh", "-F", "/dev/null", "-p", str(self.daemon.port), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                 "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.directory}/known", "-o",
                 "LogLevel=ERROR", "-i", key, "someone@127.0.0.1", command], input=given, capture_output=True, text=True,
                timeout=180)
            return done.returncode, done.stdout, done.stderr
        done = subprocess.run(["/usr/bin/python3", "-W", "ignore", pathlib.Path(__file__).parent / "other_clients.py", make,
                               str(self.daemon.port), key, command.replace("\0", "\\0")], input=given, capture_output=True, text=True, timeout=180)
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        return answer["status"], answer["out"], answer["errors"]

    def test_every_client_can_ping_ps_exec_and_logs(self):
        for make in ("ssh", "paramiko", "asyncssh"):
            with self.subTest(make):
                self.assertEqual(self.ask(make, "demo//ping")[:2], (0, f"pong! - {socket.gethostname()}\n"))
                status, out, _ = self.ask(make, "demo//ps")
                self.assertEqual(status, 0)
                self.assertRegex(out, "web .*running")
                status, out, errors = self.ask(make, "demo//exec web sh -c 'cat; echo bad >&2; exit 41'", given="given\n")
                self.assertEqual((status, out, errors), (41, "given\n", "bad\n"))
                self.assertEqual(self.ask(make, "demo//logs --tail 3")[0], 0)

    def test_a_command_with_a_nul_is_refused_and_what_precedes_the_nul_does_not_run(self):
        for make in ("paramiko", "asyncssh"):
            with self.subTest(make):
                status, out, errors = self.ask(make, "demo//ping\0--all")
                self.assertEqual((status, out), (64, ""), errors)
                self.assertIn('"demo//ping\\x00" contains a NUL byte', errors)
        asked = [json.loads(line) for line in (self.daemon.state / "audit.log").read_text().splitlines()]
        self.assertEqual([(e["operation"], e["outcome"], e["status"]) for e in asked], [("", "refused", 64)] * 2)

    def test_a_foreign_and_a_missing_service_look_the_same_to_every_client(self):
        second = Repository(self.directory, "second")
        second.commit({"ssh/other.pub": (self.directory / "other.pub").read_text(), "compose.yaml": "services: {}\n"})
        self.daemon.stop()
        self.daemon.service("second", UNA.name, second.url)
        self.daemon.start()
        wait_until("the other key is known", lambda: self.daemon.ctl(self.other, "second//ping").returncode == 0)
        for make in ("ssh", "paramiko", "asyncssh"):
            for command in ("ping", "ps", "up", "logs -f", "exec web id", "audit", "rollback 1", "why"):
                with self.subTest(f"{make} {command}"):
                    foreign = self.ask(make, f"demo//{command}", self.other)
                    missing = self.ask(make, f"miss//{command}", self.other)
                    self.assertEqual(foreign[0], 77, foreign)
                    self.assertEqual(foreign[2].replace("demo", "X"), missing[2].replace("miss", "X"))
                    self.assertEqual((foreign[0], foreign[1]), (missing[0], missing[1]))

    def test_a_login_without_a_known_key_says_nothing_of_users_and_services(self):
        stranger = make_key(self.directory, "stranger")
        said = set()
        for user in ("root", "someone", UNA.name, "demo", "no-such-user"):
            done = subprocess.run(
                ["ssh", "-F", "/dev/null", "-p", str(self.daemon.port), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                 "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i",
                 stranger, f"{user}@127.0.0.1", "demo//ping"], capture_output=True, text=True, timeout=180)
            said.add((done.returncode, done.stderr.replace(user, "USER"), done.stdout))
        self.assertEqual(len(said), 1, said)
        self.assertEqual(next(iter(said))[0], 255)

    def test_ssh_audit_finds_nothing_that_could_be_better(self):
        audit = lambda *options: subprocess.run(["ssh-audit", "-n", "-t", "60", *options, "-p", str(self.daemon.port), "127.0.0.1"],
                                                capture_output=True, text=True, timeout=180)
        # The countermeasure to Terrapin is younger than Debian's ssh-audit.
        found = [line for line in audit("-l", "warn").stdout.splitlines()
                 if "[warn]" in line or "[fail]" in line if "kex-strict-s-v00@openssh.com" not in line]
        self.assertEqual(found, [])
        offered = json.loads(audit("-j").stdout)
        self.assertEqual(offered["compression"], ["none"])
        self.assertEqual([key["algorithm"] for key in offered["key"]], ["ssh-ed25519"])
        self.assertEqual({kex["algorithm"] for kex in offered["kex"]} - {"kex-strict-s-v00@openssh.com"},
                         {"curve25519-sha256", "curve25519-sha256@libssh.org"})


if __name__ == "__main__":
    main()
