"""What pgoctl shows a person at a terminal while something takes its time, and nobody else; and looking again and
again."""

import json
import os
import pty
import signal
import subprocess
import unittest

from harness import (BIN, Repository, SystemTest, User, compose_web, free_port, main, make_key, require_root_and_podman,
                     wait_until)

require_root_and_podman()

HAL = None


def setUpModule():
    global HAL
    HAL = User("pgt-prg-hal")
    unittest.addModuleCleanup(HAL.remove)
    HAL.import_image()


class Progress(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.repository = Repository(self.directory)
        # Healthy after some seconds only, so that every deployment has something to wait for.
        self.repository.commit({
            "ssh/id.pub": (self.directory / "id.pub").read_text(),
            "compose.yaml": compose_web(
                free_port(), command="sh -c '(sleep 4; touch /tmp/up) & exec httpd -f -p 8080 -h /www'",
                extra="    healthcheck: {test: [CMD, test, -e, /tmp/up], interval: 1s, retries: 60}\n")})
        self.daemon = self.pgod()
        self.daemon.service("demo", HAL.name, self.repository.url)
        self.addCleanup(lambda: HAL.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it is healthy", lambda: self.daemon.ctl(self.key, "demo//status", "--json").returncode == 0 and
                   self.daemon.status(self.key, "demo")["outcome"] == "ok")

    def argv(self, target, *args, options=()):
        return [str(a) for a in (BIN / "pgoctl", "-i", self.key, "-p", self.daemon.port, "--known-hosts",
                                 self.directory / "known_hosts", *options, f"localhost:{target}", *args)]

    def at_a_terminal(self, argv, **environment):
        """What a person sees, and the exit status."""
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.directory), "TERM": "xterm", **environment}
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(argv[0], argv, env)
        seen = b""
        while True:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:  # EIO: it is over
                break
            if not chunk:
                break
            seen += chunk
        os.close(terminal)
        return seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def redeploy(self, *options, **environment):
        self.daemon.ctl(self.key, "demo//down")
        seen, status = self.at_a_terminal(self.argv("demo//up", options=options), **environment)
        self.assertEqual(status, 0, seen)
        self.assertIn("ok: commit", seen)
        return seen

    def test_a_line_that_lives_under_the_output_at_a_terminal_only(self):
        seen = self.redeploy()
        self.assertRegex(seen, "\x1b\\[2m\\.\\.\\. \\d+ s, \\d+ s in all\x1b\\[0m\x1b\\[K\r")
        # It is taken away before anything else is written, and it is gone at the end.
        for part in seen.split("s in all")[1:]:
            self.assertRegex(part, "^(\x1b\\[0m)?\x1b\\[K\r(\x1b\\[K|(\x1b\\[2m)?\\.\\.\\. )")
        self.assertTrue(seen.endswith("\n"), repr(seen[-60:]))

        colourless = self.redeploy(NO_COLOR="1")
        self.assertIn("s in all", colourless)
        self.assertNotIn("\x1b[2m", colourless)
        for plain in (self.redeploy("--plain"), self.redeploy(TERM="dumb")):
            self.assertNotIn("s in all", plain)
            self.assertNotIn("\x1b", plain)
        self.daemon.ctl(self.key, "demo//down")
        piped = self.daemon.ctl(self.key, "demo//up")
        self.assertNotIn("\x1b", piped.stdout + piped.stderr)

    def test_watch(self):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.directory)}
        watching = subprocess.Popen(self.argv("demo//status", "--json", options=["--watch"]), env=env,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        seen = [json.loads(self.one(watching.stdout)) for _ in range(3)]
        self.assertEqual({status["name"] for status in seen}, {"demo"})
        watching.send_signal(signal.SIGINT)
        self.assertEqual(watching.wait(timeout=60), 128 + signal.SIGINT)
        watching.stdout.close()
        watching.stderr.close()
        left = subprocess.Popen(self.argv("demo//status", options=["--watch"]), env=env, stdout=subprocess.PIPE, bufsize=0)
        left.stdout.read(1)
        left.stdout.close()
        self.assertEqual(left.wait(timeout=60), 128 + signal.SIGPIPE)
        for target in ("demo//logs", "demo//up"):
            done = self.daemon.ctl(self.key, target, options=["--watch"])
            self.assertEqual((done.returncode, done.stdout), (64, ""), done.stderr)
            self.assertIn("--watch is for", done.stderr)
        self.daemon.stop()
        self.assertEqual(self.daemon.ctl(self.key, "demo//status", options=["--watch"]).returncode, 69)

    @staticmethod
    def one(stream):
        """One whole answer; an empty line follows each."""
        lines = []
        while line := stream.readline().strip("\n"):
            lines.append(line)
        return "\n".join(lines)


if __name__ == "__main__":
    main()
