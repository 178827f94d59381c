#!/usr/bin/env python3
"""The reader as pgod runs it: a program on standard input, in its own Python, with the bounds of a worker."""

import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "lib/compose/reader"
MEMORY = 400 << 20

# Opens nothing that writes, and nothing outside of the stage and of Python's own library.
USE = """
import json, os, sysconfig
from pgod_reader import command
import encodings.idna
request = json.loads(sys.argv[1])
library = {os.path.realpath(sysconfig.get_paths()[one]) for one in ("stdlib", "platstdlib", "purelib", "platlib")}
library.add(os.path.dirname(os.path.realpath(sys.modules["yaml"].__file__)))


def guard(event, args):
    if event == "open" and not isinstance(args[0], int):
        path = os.path.realpath(os.fsdecode(args[0]))
        if not any(path.startswith(one) for one in (*library, request["root"])) or (args[2] or 0) & os.O_ACCMODE:
            print("opens", path)
            os._exit(3)
    if event.startswith(("os.exec", "os.fork", "os.system", "subprocess.", "socket.", "ctypes.", "os.remove", "os.rename")):
        os._exit(4)


sys.addaudithook(guard)
print(json.dumps(command.answer(request)))
"""


def program():
    sources = {path.stem: path.read_bytes().hex() for path in PACKAGE.glob("*.py")
               if path.stem not in ("bootstrap", "__main__")}
    return f"READER = {sources!r}\n{(PACKAGE / 'bootstrap.py').read_text()}\n{USE}"


def run(**request):
    return subprocess.run([sys.executable, "-I", "-B", "-", json.dumps(request)], input=program(), capture_output=True,
                          text=True, timeout=120, check=False, env={},
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))


class Program(unittest.TestCase):
    def test_it_reads_a_stage_and_opens_nothing_else(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory).resolve()
            (root / "compose.yaml").write_text("services: {a: {image: 'x:$TAG', env_file: e, healthcheck: {retries: x}}}")
            (root / "e").write_text("A=1\n")
            got = run(root=str(root), project="p", admin={"TAG": "7"}, profiles=["q"])
            self.assertEqual((got.returncode, got.stderr), (0, ""), got.stdout)
            self.assertEqual(json.loads(got.stdout)["problems"],
                             ['compose.yaml:1: a: healthcheck.retries: "x" must be a whole number'])
            (root / "compose.yaml").write_text("services: {a: {image: 'x:$TAG', env_file: e}}")
            got = json.loads(run(root=str(root), project="p", admin={"TAG": "7"}).stdout)
            self.assertEqual(got["model"]["services"]["a"]["image"], "docker.io/library/x:7")
            self.assertEqual(got["model"]["services"]["a"]["environment"], {"A": "1"})
            self.assertEqual((got["files"], got["problems"], got["fault"]), (["compose.yaml", "e"], [], ""))

    def test_the_answer_is_the_same_whatever_order_sets_have(self):
        read_all = ("import json, pathlib, sys\nfrom reader import command\n"
                    "for one in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n    if one.is_dir():\n        print(json.dumps(command.answer({'root': str(one), 'project': 'c'})))")
        cases = pathlib.Path(__file__).resolve().parent / "cases"
        answers = {subprocess.run([sys.executable, "-B", "-c", read_all, str(cases)], cwd=PACKAGE.parent, check=True,
                                  capture_output=True, env={"PYTHONHASHSEED": seed}, timeout=120).stdout for seed in "123"}
        self.assertEqual(len(answers), 1)

    def test_a_person_sees_what_a_directory_becomes(self):
        with tempfile.TemporaryDirectory() as directory:
            (pathlib.Path(directory) / "compose.yaml").write_text("services: {a: {image: x}}")
            got = subprocess.run([sys.executable, "-B", "-m", "reader", directory, "p"], cwd=PACKAGE.parent, check=False,
                                 capture_output=True, text=True, timeout=60)
            self.assertEqual(json.loads(got.stdout)["services"]["a"]["networks"], {"p_default": {}})


if __name__ == "__main__":
    unittest.main()
