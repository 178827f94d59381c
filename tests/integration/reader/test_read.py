#!/usr/bin/env python3
"""`pgod-work --read DIRECTORY PROJECT`: the reader as it is embedded into the program, in its sandbox."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import project_files

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = pathlib.Path(os.environ.get("PGOD_BIN", ROOT / "build/release/bin")) / "pgod-work"
CASES = pathlib.Path(__file__).parent / "cases"


NOBODY = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}


class Reads(unittest.TestCase):
    """A copy of the program, which an unprivileged user can run wherever it was built."""

    @classmethod
    def setUpClass(cls):
        place = pathlib.Path(tempfile.mkdtemp(prefix="pgod-read-")).resolve()
        cls.addClassCleanup(shutil.rmtree, place)
        place.chmod(0o755)
        cls.program = place / "pgod-work"
        shutil.copyfile(PROGRAM, cls.program)
        cls.program.chmod(0o755)

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pgod-read-")).resolve()
        self.addCleanup(shutil.rmtree, self.directory)
        self.directory.chmod(0o755)

    def read(self, directory, *more, user=NOBODY):
        return subprocess.run([self.program, "--read", directory, *more], capture_output=True, text=True, timeout=60,
                              check=False, env=project_files.ENVIRONMENT, **user)

    @unittest.skipUnless(NOBODY, "only root can try it as root")
    def test_root_is_refused(self):
        (self.directory / "compose.yaml").write_text("services: {a: {image: x}}")
        run = self.read(self.directory, user={})
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertEqual(run.stderr, "pgod-work: --read does not run as root, because root parses no file of a repository; run"
                                     " it as the service's user: runuser -u USER -- pgod-work --read DIRECTORY\n")

    def test_it_agrees_with_the_cases(self):
        for case in sorted(one for one in CASES.iterdir() if one.is_dir())[::12]:
            with self.subTest(case.name):
                place = self.directory / case.name
                shutil.copytree(case, place)
                run = self.read(place, "c")
                wanted = [case / "expected.json", case / "or.json"]
                answers = []
                if wanted[0].exists():
                    answers.append(json.loads(wanted[0].read_text())["services"])
                if wanted[1].exists():
                    answers += json.loads(wanted[1].read_text())
                if run.returncode == 0:
                    self.assertIn(json.loads(run.stdout)["services"], answers, run.stderr)
                else:
                    self.assertTrue((case / "refused.txt").exists() or (case / "or-refused.txt").exists(), run.stderr)
                    self.assertEqual((run.returncode, run.stdout), (1, ""))
                    self.assertNotEqual(run.stderr, "")

    def test_the_project_is_called_as_the_directory(self):
        (self.directory / "compose.yaml").write_text("services: {a: {image: x}}")
        run = self.read(self.directory)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(json.loads(run.stdout)["services"]["a"]["networks"], {f"{self.directory.name}_default": {}})

    def test_what_is_wrong_is_said(self):
        run = self.read(self.directory)
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("compose.yaml does not exist", run.stderr)
        (self.directory / "compose.yaml").write_text("services: {a: {image: x, tty: [y]}}")
        run = self.read(self.directory, "c")
        self.assertEqual((run.returncode, run.stderr),
                         (1, "compose.yaml:1: a: tty must be true or false, and is a list\n"))
        (self.directory / "compose.yaml").write_text("services: {a: {image: x, env_file: /etc/passwd}}")
        self.assertIn("is outside of the repository", self.read(self.directory, "c").stderr)
        self.assertEqual(self.read(self.directory / "gone").returncode, 1)
        self.assertEqual(self.read(self.directory, "c", "more").returncode, 64)


if __name__ == "__main__":
    unittest.main()
