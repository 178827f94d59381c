"""The self-test of a podman-compose that nobody compared: its commit, and how it ends for versions that work otherwise."""

import ast
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml  # podman-compose's own

import packages
from test_versions import PLAN_OF, ROOT, TRANSLATOR, translated_commit

SELF_TEST = ROOT / "lib/compose/self_test"
# What podman-compose itself puts into a container.
ITS_OWN = set("name service_name service _service _project num".split())


def honoured():
    """What levelling.py hands on: its tables, and nothing else of it, are run."""
    tree = ast.parse((TRANSLATOR / "levelling.py").read_text())
    tables = [one for one in tree.body if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]).startswith("HONOURED")]
    names = {}
    exec(compile(ast.Module(tables, []), "levelling.py", "exec"), names)  # noqa: S102
    return names["HONOURED"], names["HONOURED_BUILD"]


def paths_of(table, before=""):
    for key, within in table.items():
        yield before + key
        if hasattr(within, "items"):
            yield from paths_of(within, f"{before}{key}.")


class SelfTestCommit(unittest.TestCase):
    """The commit that a version has to translate which nobody compared."""

    def test_it_holds_every_key_that_is_handed_to_podman_compose(self):
        services = yaml.safe_load((SELF_TEST / "compose.yaml").read_text())["services"].values()
        of_service, of_build = honoured()
        for table, entries in (
                ({key: within for key, within in of_service.items() if key not in ITS_OWN}, services),
                (of_build, [service["build"] for service in services if "build" in service])):
            there = {path for entry in entries for path in paths_of(entry)}
            self.assertEqual(set(paths_of(table)) - there, set())

    def test_every_version_gives_its_plan(self):
        files = {"compose.yaml": (SELF_TEST / "compose.yaml").read_text(), ".env": "ADMIN=of the repository\nREPO=r\n",
                 "web.env": "ADMIN=of the repository\n", "build/Dockerfile": "FROM scratch\n", "real/f": ""}
        expected = json.loads((SELF_TEST / "plan.json").read_text())
        for version in packages.PACKAGES:
            with self.subTest(version):
                plan = translated_commit(files, {"link": "real"}, version, project="demo", admin={"ADMIN": "of the admin"})
                said = re.sub(r'^compose.yaml:\d+: |: "true"(?= is)', "", plan.refused, flags=re.MULTILINE)  # as without places
                self.assertEqual(sorted(said.splitlines()), sorted(expected["violations"]))
                self.assertEqual(json.loads(plan.stdout)["plan"], expected["plan"])


class SelfTest(unittest.TestCase):
    """Of a version that nobody compared: the module as it is, under another number."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pgod-translator-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def ran(self, version, *changes, task=("self-test",)):
        text = (packages.unpacked(version) / "podman_compose.py").read_text()
        for before, after in changes:
            self.assertIn(before, text)
            text = text.replace(before, after)
        module = self.directory / "podman_compose.py"
        module.write_text(text)
        return subprocess.run([*packages.instead_of_the_installed(module), PLAN_OF, *task], capture_output=True,
                              text=True, timeout=120, check=False)

    def test_versions_as_they_are_pass(self):
        for version in packages.PACKAGES:
            with self.subTest(version):
                run = self.ran(version)
                self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_one_that_works_otherwise_fails_in_one_sentence(self):
        for words, changes in {
                "container demo_db_1 is changed": [('podman_args.extend(["--restart", cnt["restart"]])', 'pass')],
                "waits for something": [("async def build_one(compose, args, cnt):",
                                         "async def build_one(compose, args, cnt):\n    await asyncio.sleep(0)")],
                "asks podman for 'image exists'": [("async def build_one(compose, args, cnt):",
                                                    "async def build_one(compose, args, cnt):\n"
                                                    "    await compose.podman.output([], 'image', ['exists'])")],
                "merges files in another place": [("            rec_merge(compose, content)\n",
                                                   "            compose.update(services={})\n")],
                "pgod cannot translate this commit": [  # what Python says is for the log
                    ("get_net_args", "net_args")],
                "subprocess.Popen": [("async def build_one(compose, args, cnt):",
                                      "async def build_one(compose, args, cnt):\n    subprocess.run(['true'])")]}.items():
            with self.subTest(words):
                run = self.ran("1.3.0", *changes, ('__version__ = "1.3.0"', '__version__ = "9.9.9"'))
                self.assertEqual(run.returncode, 1, run)
                self.assertIn("podman-compose 9.9.9 fails pgod's self-test (", run.stderr)
                self.assertIn(words, run.stderr)
                self.assertEqual(len(run.stderr.splitlines()), 1)

    BEGIN = "async def container_to_args(compose, cnt, detached=True):"
    END = (BEGIN, BEGIN + "\n    {}os._exit(3)")
    NEW = ('__version__ = "1.3.0"', '__version__ = "9.9.9"')

    def translate(self, *changes, version="1.3.0"):
        """translate() of a commit in which nothing is wrong: its exit status and its one line."""
        with tempfile.TemporaryDirectory(prefix="pgod-translator-") as stage:
            pathlib.Path(stage, "compose.yaml").write_text("services: {a: {image: x, hostname: odd}}\n")
            run = self.ran(version, *changes, task=("translate", stage))
            return run.returncode, run.stderr

    def test_a_commit_is_not_blamed_for_a_version_that_crashes_on_any(self):
        code, said = self.translate((self.END[0], self.END[1].format("")), self.NEW)
        self.assertEqual(code, 1)
        self.assertRegex(said, r"^transient: podman-compose 9\.9\.9 fails pgod's self-test \(.*exited with status 3")

    def test_a_commit_is_blamed_for_what_only_it_does(self):
        only_it = "cnt.get('hostname') == 'odd' and "
        code, said = self.translate((self.END[0], self.END[1].format(only_it)), self.NEW)
        self.assertEqual(code, 1)
        self.assertRegex(said, r"^permanent: compose\.yaml: podman-compose exited with status 3")

    def test_a_version_that_cannot_be_loaded_is_the_hosts(self):
        for line in ("raise SystemExit(3)", "import os; os._exit(3)", "raise MemoryError", "1/0"):
            with self.subTest(line):
                code, said = self.translate(("import sys\n", f"import sys\n{line}\n"))
                self.assertEqual(code, 1)
                self.assertRegex(said, "^transient: ")

    def test_nothing_is_left_not_even_of_one_that_was_killed(self):
        killed = pathlib.Path(tempfile.mkdtemp(prefix="pgod-self-test-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, killed, ignore_errors=True)
        (killed / "compose.yaml").touch()
        os.utime(killed, (0, 0))
        at_work = pathlib.Path(tempfile.mkdtemp(prefix="pgod-self-test-", dir="/tmp"))
        self.addCleanup(at_work.rmdir)
        self.assertEqual(self.ran("1.3.0").returncode, 0)
        self.assertFalse(killed.exists())
        self.assertTrue(at_work.exists())

    def test_a_self_test_that_crashes_is_the_hosts_fault(self):
        run = self.ran("1.3.0", (self.END[0], self.END[1].format("")))
        self.assertRegex(run.stderr, r"podman-compose 1\.3\.0 fails pgod's self-test \(.*exited with status 3")


if __name__ == "__main__":
    unittest.main(verbosity=2)
