#!/usr/bin/env python3
"""`pgod --check` as an admin meets it: exit status, messages, and nothing on the wrong stream."""

import getpass
import os
import pathlib
import subprocess
import tempfile
import unittest

PGOD = os.environ["PGOD"]
EXAMPLE = pathlib.Path(os.environ["EXAMPLE"])
UNKNOWN = "pgod-no-such-user"
SERVICE = '[[services]]\nname = "pgo"\nuser = "{}"\nrepository = "https://git.example.org/pgo"\n'


class Check(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = pathlib.Path(directory.name, "config.toml")

    def check(self, text):
        self.file.write_text(text, encoding="utf-8")
        self.file.chmod(0o644)
        return subprocess.run([PGOD, "-c", self.file, "--check"], capture_output=True, text=True, timeout=60, check=False)

    def test_the_example_is_good_users_aside(self):
        ours = getpass.getuser()
        if ours == "root":  # which is refused; another that exists everywhere
            ours = "nobody"
        text = EXAMPLE.read_text(encoding="utf-8")
        text = text.replace('user = "miek"', f'user = "{ours}"').replace('user = "ops"', f'user = "{ours}"')
        done = self.check(text)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_an_empty_file_is_good(self):
        self.assertEqual(self.check("").returncode, 0)

    def test_an_unknown_user_fails_the_check_and_is_named(self):
        done = self.check(SERVICE.format(UNKNOWN))
        self.assertEqual(done.returncode, 78)
        self.assertIn(UNKNOWN, done.stderr)
        self.assertIn('"pgo"', done.stderr)
        self.assertEqual(done.stdout, "")

    def test_every_error_has_its_place(self):
        done = self.check('lisen = ":1"\n' + SERVICE.format("root") + "ports = [ 5005 ]\n")
        self.assertEqual(done.returncode, 78)
        self.assertEqual(done.stderr.splitlines(), [
            f'{self.file}:1:1: unknown setting "lisen" (did you mean "listen"?)',
            f"{self.file}:4:8: user must not be root: a service belongs to an ordinary user",
            f"{self.file}:6:11: ports must hold strings only, not an integer",
        ])
        self.assertEqual(done.stdout, "")

    def test_a_password_that_everyone_can_read_is_a_warning_that_does_not_repeat_it(self):
        text = SERVICE.format("nobody").replace("https://", "https://u:hunter2@")
        done = self.check(text)
        self.assertEqual(done.returncode, 0)
        self.assertIn("can be read by everyone", done.stderr)
        self.assertNotIn("hunter2", done.stdout + done.stderr)

    def test_a_missing_file(self):
        done = subprocess.run([PGOD, "-c", self.file, "--check"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 78)
        self.assertEqual(done.stderr, f"{self.file}: cannot be opened: No such file or directory\n")


if __name__ == "__main__":
    unittest.main()
