"""pgoctl with several hosts at once, and its own configuration of hosts."""

import json
import os
import pathlib
import signal
import subprocess
import unittest

from harness import BIN, Pgod, Repository, SystemTest, main, make_key, require_root_and_podman, run, wait_until

require_root_and_podman()


class Hosts(SystemTest):
    """Two pgods: of 127.0.0.1 and of localhost, told apart by their port; nobody is at 127.0.0.9."""

    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.repository = Repository(self.directory)
        self.repository.commit({"compose.yaml": "services: {}\n"})
        self.git = self.git_daemon()
        self.git.start()
        self.home = self.directory / "home"
        (self.home / ".ssh").mkdir(parents=True)
        self.config = self.home / ".config/pgoctl/config.toml"
        self.config.parent.mkdir(parents=True)
        self.first, self.second = self.one("first"), self.one("second")
        self.configure(f'[hosts."127.0.0.1"]\nport = {self.first.port}\nhost_key = "{self.pin_of(self.first)}"\n'
                       f'identity = "{self.key}"\n'
                       f'[hosts.localhost]\nport = {self.second.port}\nidentity = "$THE_KEY"\n'
                       '[groups]\nboth = [ "127.0.0.1", "localhost" ]\n')

    def one(self, name):
        directory = self.directory / name
        directory.mkdir()
        (directory / "admin_keys").write_text((self.directory / "id.pub").read_text())
        daemon = Pgod(directory)
        self.daemons.append(daemon)
        self.addCleanup(daemon.stop)
        daemon.service("demo", "games", self.git.url(self.repository), auto=False)
        daemon.service(name, "games", self.git.url(self.repository), auto=False)
        self.start(daemon)
        return daemon

    def start(self, daemon, **options):
        """Until it answers: the port is there before the host key is."""
        before = self.answers(daemon)
        daemon.start(**options)
        wait_until("it answers", lambda: self.answers(daemon) > before)

    def answers(self, daemon):
        return daemon.log().count("the SSH endpoint listens")

    def pin_of(self, daemon):
        return run([BIN / "pgod", "-c", daemon.config, "--fingerprint"]).stdout.strip()

    def configure(self, text):
        self.config.write_text(text)

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "THE_KEY": self.key.read_text()}

    def ctl(self, *argv):
        return run([BIN / "pgoctl", *argv], env=self.environment())

    def test_in_parallel_with_the_worst_status_and_a_summary(self):
        done = self.ctl("--accept-new", "@both:demo//ping")
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = f"pong! - {os.uname().nodename}"
        self.assertEqual(sorted(done.stdout.splitlines()), [f"127.0.0.1: {answer}", f"localhost: {answer}"])
        self.assertIn("pgoctl: done at 2 of 2 hosts\n", done.stderr)
        self.assertIn("localhost", (self.home / ".ssh/known_hosts").read_text())
        self.assertNotIn("127.0.0.1", (self.home / ".ssh/known_hosts").read_text())  # a pin is enough
        # Only one of them has the service, and nobody is at the third.
        mixed = self.ctl("-i", self.key, "127.0.0.1,localhost,127.0.0.9:first//ping")
        self.assertEqual(mixed.returncode, 69, mixed.stderr)
        self.assertEqual(mixed.stdout, f"127.0.0.1: {answer}\n")
        self.assertIn("localhost: there is no service \"first\"", mixed.stderr)
        self.assertIn("127.0.0.9: pgoctl: ", mixed.stderr)
        self.assertTrue(mixed.stderr.endswith("pgoctl: done at 1 of 3 hosts; exit status: localhost 64, 127.0.0.9 69\n"),
                        mixed.stderr)
        both = json.loads(self.ctl("--json", "-i", self.key, "@both,127.0.0.9://list").stdout)
        self.assertEqual([both[host]["status"] for host in ("127.0.0.1", "localhost", "127.0.0.9")], [0, 0, 69])
        self.assertEqual({service["name"] for service in both["localhost"]["output"]}, {"demo", "second"})
        self.assertIsNone(both["127.0.0.9"]["output"])
        self.assertEqual(self.ctl("@both:demo//exec", "-t", "web", "sh").returncode, 64)

    def test_pgod_says_what_to_pin(self):
        key = self.first.directory / "host_key"
        (self.directory / "host_key.pub").write_text(run(["ssh-keygen", "-y", "-f", key]).stdout)
        listed = run(["ssh-keygen", "-l", "-f", self.directory / "host_key.pub"]).stdout
        self.assertEqual(self.pin_of(self.first), listed.split()[1])
        asked = [BIN / "pgod", "-c", self.first.config, "--fingerprint"]
        key.write_text("nonsense\n")
        wrong = run(asked)
        self.assertEqual((wrong.returncode, wrong.stdout), (1, ""))
        self.assertIn("not a private key", wrong.stderr)
        key.unlink()
        none = run(asked)
        self.assertEqual((none.returncode, none.stdout), (1, ""))
        self.assertIn(f"{key} is not there yet", none.stderr)
        self.assertFalse(key.exists())

    def test_the_host_key_changes(self):
        daemon, known = self.first, self.home / ".ssh/known_hosts"
        (self.config).write_text("")

        def restart_with(keys):
            daemon.stop()
            daemon.write_config()
            text = daemon.config.read_text()
            daemon.config.write_text(text.replace(f'host_key = "{daemon.directory}/host_key"', f"host_key = {json.dumps(keys)}"))
            self.start(daemon, write=False)

        def ping(*options):
            done = self.ctl("-i", self.key, "-p", daemon.port, *options, "127.0.0.1:demo//ping")
            return done.returncode, done.stderr

        def pins():
            return run([BIN / "pgod", "-c", daemon.config, "--fingerprint"]).stdout.split()

        old = self.pin_of(daemon)
        self.assertEqual(ping("--accept-new")[0], 0)
        before = known.read_text()
        old_path, new_path = f"{daemon.directory}/host_key", f"{daemon.directory}/new_key"
        restart_with([old_path, new_path])
        self.assertEqual(os.stat(new_path).st_mode & 0o777, 0o600)
        self.assertEqual(pins()[0], old)
        new = pins()[1]
        self.assertIn(f"host key {old} and {new}", daemon.log())
        # Who knows either, by a line or a pin, gets in; who knows another does not.
        for options in ((), ("--host-key", old), ("--host-key", new)):
            self.assertEqual(ping(*options), (0, ""), options)
        wrong = ping("--host-key", self.pin_of(self.second))
        self.assertEqual(wrong[0], 76)
        self.assertIn("was demanded", wrong[1])
        for algorithm in ("ssh-ed25519", "ecdsa-sha2-nistp256"):
            self.assertEqual(daemon.ssh(self.key, "demo//ping", options=("-o", f"HostKeyAlgorithms={algorithm}", "-o",
                                                                         "UserKnownHostsFile=/dev/null")).returncode, 0)
        scanned = run(["ssh-keyscan", "-p", daemon.port, "-t", "ecdsa", "127.0.0.1"]).stdout
        known.write_text(scanned)
        self.assertEqual(ping(), (0, ""))  # only the new one is known
        restart_with(new_path)
        self.assertEqual(pins(), [new])
        self.assertEqual(ping(), (0, ""))
        self.assertEqual(ping("--host-key", new), (0, ""))
        self.assertEqual(ping("--host-key", old)[0], 76)
        known.write_text(before)
        changed = ping("--accept-new")
        self.assertEqual(changed[0], 76)
        self.assertIn("has changed", changed[1])
        # The next change goes back to the first type; two of one type cannot be served.
        restart_with([new_path, f"{daemon.directory}/newest_key"])
        self.assertIn("PRIVATE KEY", pathlib.Path(daemon.directory, "newest_key").read_text())
        self.assertEqual(ping("--host-key", pins()[1]), (0, ""))

    def test_defaults_of_one_host(self):
        self.assertEqual(self.ctl("127.0.0.1:demo//ping").returncode, 0)
        self.assertEqual(self.ctl("localhost:demo//ping").returncode, 76)  # not known, and not pinned
        self.configure(f'[hosts."127.0.0.1"]\nport = {self.first.port}\nhost_key = "{self.pin_of(self.second)}"\n')
        wrong = self.ctl("-i", self.key, "127.0.0.1:demo//ping")
        self.assertEqual(wrong.returncode, 76)
        self.assertIn("was demanded", wrong.stderr)
        # The command line and the environment go before the file.
        self.assertEqual(self.ctl("-i", self.key, "--host-key", self.pin_of(self.first), "127.0.0.1:demo//ping").returncode, 0)
        self.assertEqual(self.ctl("-i", self.key, "--host-key", self.pin_of(self.second), "-p", self.second.port,
                                  "127.0.0.1:demo//ping").returncode, 0)
        for text, says in (("[hosts.a]\nprot = 1\n", ":2:1: unknown setting \"prot\""), ("[groups]\nx = 1\n", ":2:5: ")):
            self.configure(text)
            bad = self.ctl("127.0.0.1:demo//ping")
            self.assertEqual(bad.returncode, 78)
            self.assertIn(f"{self.config}{says}", bad.stderr)
        self.configure("")
        self.assertEqual(self.ctl("@both:demo//ping").returncode, 64)

    def test_what_sshs_own_file_says_of_a_host(self):
        missing = self.ctl("--ssh-config", "box:demo//ping")
        self.assertEqual((missing.returncode, "/.ssh/config" in missing.stderr), (64, True), missing.stderr)
        (self.home / ".ssh/config").write_text(
            f"Host box\n  HostName 127.0.0.1\n  Port {self.second.port}\n  IdentityFile {self.key}\n"
            "Host far\n  ProxyCommand false\n")
        self.configure("")
        self.assertEqual(self.ctl("box:demo//ping").returncode, 69)  # only when it is asked to
        self.assertEqual(self.ctl("--ssh-config", "box:demo//ping").returncode, 76)
        found = self.ctl("--ssh-config", "--accept-new", "box:demo//ping")
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn(f"[127.0.0.1]:{self.second.port}", (self.home / ".ssh/known_hosts").read_text())
        first = self.ctl("--ssh-config", "--accept-new", "-p", self.first.port, "box:first//ping")
        self.assertEqual(first.returncode, 0, first.stderr)  # a service that the other one does not have
        far = self.ctl("--ssh-config", "far:demo//ping")
        self.assertEqual((far.returncode, "proxy" in far.stderr), (64, True), far.stderr)

    def test_interrupted_what_was_begun_goes_on(self):
        self.assertEqual(self.ctl("--accept-new", "@both:demo//ping").returncode, 0)
        self.git.hang()
        client = subprocess.Popen([BIN / "pgoctl", "@both:demo//sync"], env=self.environment(), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def asked(daemon):
            return "demo//sync" in daemon.log()

        wait_until("both sync", lambda: asked(self.first) and asked(self.second))
        children = pathlib.Path(f"/proc/{client.pid}/task/{client.pid}/children").read_text().split()
        self.assertEqual(len(children), 2)
        client.send_signal(signal.SIGTERM)
        output, errors = client.communicate(timeout=60)
        self.assertEqual((client.returncode, output), (75, ""), errors)
        self.assertIn("127.0.0.1: pgoctl: the server finishes what it began", errors)
        self.assertIn("localhost: pgoctl: the server finishes what it began", errors)
        self.assertIn("exit status: 127.0.0.1 75, localhost 75", errors)


if __name__ == "__main__":
    main()
