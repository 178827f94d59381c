#!/usr/bin/env python3
"""Whatever the files hold, the reader gives an answer or a sentence, within a time and never a fault of its own.

Arguments: the number of rounds, the seed of the first, and a directory of projects that are changed instead of the cases.
"""

import os
import pathlib
import random
import resource
import shutil
import sys
import tempfile
import time
import unittest

from project_files import one, output, read, sentences

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 500
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
CASES = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else pathlib.Path(__file__).resolve().parent / "cases")
LONGEST = 5.0  # seconds of one reading; a quiet machine needs a hundredth
NAMES = ("compose.yaml", "compose.override.yaml", ".env", "app.env", "sub/compose.yaml")
PIECES = (
    "&a ", "*a", "<<: *a", "!reset ", "!override ", "!!int ", "!!binary ", "${A:-", "${A:?", "}", "$$", "$A", "[",
    "]", "{", "}", ": ", "- ", "\n", "\t", '"', "'", "\\", "#", "|", ">", "? ", "---\n", "...\n", "%YAML 1.1\n", "~",
    "null", "true", "0755", "1e999", "-0", "0x", "9" * 400, ".inf", ".nan", "\0", "\ufeff", "\u2028", "\x85", "é",
    "𝔘", "=", ",", "extends: a", "extends: {file: compose.yaml, service: a}", "include: [compose.yaml]",
    "include: [sub/compose.yaml]", "env_file: app.env", "profiles: [p]", "depends_on: [a]", "0-65535:0-65535",
    "1-65535", "service:a", "-1", "1e5", "x-podman: {}", "services:", "a:", "ports:", "volumes:", "..", "/", "~/",
    "../../../etc/passwd", "99999999999999999999",
)


def mutated(data, other, chance):
    """A few changes of a file: characters, pieces of YAML, lines of this file and of another one."""
    text = data.decode("utf-8", "surrogateescape")
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(text) + 1)
        lines = text.split("\n")
        kind = chance.randrange(9)
        if kind == 0:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + chance.randrange(1, 9):]
        elif kind == 2:
            sign = chr(chance.choice((0, 9, 10, 13, 32, 34, 39, 58, 127, 133, 0x2028, 0xd7ff, 0xfeff)))
            text = text[:at] + sign + text[at:]
        elif kind == 3:
            del lines[chance.randrange(len(lines))]
            text = "\n".join(lines)
        elif kind == 4:
            line = chance.choice(other.decode("utf-8", "surrogateescape").split("\n"))
            lines.insert(chance.randrange(len(lines) + 1), line)
            text = "\n".join(lines)
        elif kind == 5:
            number = chance.randrange(len(lines))
            lines[number] = " " * chance.randrange(8) + lines[number].lstrip()
            text = "\n".join(lines)
        elif kind == 6:
            words = text.split(" ")
            words[chance.randrange(len(words))] = chance.choice(PIECES)
            text = " ".join(words)
        elif kind == 7:
            other_at = chance.randrange(len(text) + 1)
            first, last = min(at, other_at), max(at, other_at)
            text = text[:last] + text[first:last][:2000] + text[last:]
        else:
            number = chance.randrange(len(lines))
            lines[number] = lines[number].partition(":")[0] + ": " + chance.choice(PIECES)
            text = "\n".join(lines)
    return text.encode("utf-8", "surrogateescape")


class Hostile(unittest.TestCase):
    def judge(self, root, what):
        start = time.process_time()
        got = read(root)
        spent = time.process_time() - start
        if os.environ.get("SHOW_TIMES") and spent > 0.2:
            print(f"{what}: {spent:.2f} s", sentences(got.problems)[:1])
        self.assertEqual(got.fault, "", what)
        self.assertLess(spent, LONGEST, what)
        if got.model is None:
            self.assertTrue(got.problems, what)
        else:
            output.compared(got.model, str(root), "/home/c")
        for text in sentences(got.problems + got.notes + got.refusals):
            self.assertTrue(text.isprintable() and len(text) < 1500, (what, text))

    def test_changed_files_of_the_cases(self):
        cases = [case for case in sorted(CASES.iterdir()) if case.is_dir()]
        texts = [path.read_bytes() for case in cases for path in sorted(case.glob("*compose*.y*ml"))]
        with tempfile.TemporaryDirectory() as directory:
            for number in range(SEED, SEED + ROUNDS):
                chance = random.Random(number)
                root = pathlib.Path(directory).resolve() / "stage"
                shutil.copytree(chance.choice(cases), root)
                files = [path for path in root.rglob("*") if path.is_file() and path.suffix not in (".txt", ".json")]
                for path in chance.sample(files, min(len(files), chance.choice((1, 1, 2)))):
                    path.write_bytes(mutated(path.read_bytes(), chance.choice(texts), chance))
                self.judge(root, f"round {number}")
                shutil.rmtree(root)

    def test_arbitrary_bytes(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory).resolve()
            for number in range(SEED, SEED + ROUNDS // 5):
                chance = random.Random(number)
                for name in chance.sample(NAMES, 2):
                    path = root / name
                    path.parent.mkdir(exist_ok=True)
                    pieces = [chance.choice(PIECES) if chance.random() < 0.7 else chr(chance.randrange(1, 300))
                              for _ in range(chance.randrange(200))]
                    path.write_bytes("".join(pieces).encode("utf-8", "surrogatepass"))
                self.judge(root, f"round {number}")

    def test_files_that_are_made_to_take_long(self):
        wide = "services:\n" + "".join(f"  s{n}: {{image: x, depends_on: [{', '.join(f's{m}' for m in range(n))}]}}\n"
                                       for n in range(200))
        for name, files in {
            "a long text": {"compose.yaml": "services: {a: {image: x, user: '" + "a" * 900_000 + "'}}"},
            "many dollars": {"compose.yaml": "services: {a: {image: x, user: '" + "$$" * 400_000 + "'}}"},
            "many open braces": {"compose.yaml": "services: {a: {image: x, user: '" + "${A:-" * 20_000 + "'}}"},
            "braces that all fail": {"compose.yaml": "services: {a: {image: x, user: '" + "${A}{" * 20_000 + "'}}"},
            "braces that stand alone": {"compose.yaml": "services: {a: {image: x, user: '" + "${A:-{}" * 100_000 + "'}}"},
            "a long word": {"compose.yaml": "services: {a: {image: x, command: '" + "a" * 900_000 + "'}}"},
            "many words": {"compose.yaml": "services: {a: {image: x, command: '" + "a " * 300_000 + "'}}"},
            "many ports": {"compose.yaml": "services: {a: {image: x, ports: [" + "'1-2000:1-2000', " * 2000 + "]}}"},
            "many keys": {"compose.yaml": "services: {a: {image: x, labels: {"
                          + ", ".join(f"k{n}: v" for n in range(24_000)) + "}}}"},
            "many unknown keys": {"compose.yaml": "services: {a: {" + ", ".join(f"e{n}: v" for n in range(24_000)) + "}}"},
            "many merges": {"compose.yaml": "x-a: &a {" + ", ".join(f"k{n}: v" for n in range(2000)) + "}\nx-b: {<<: ["
                            + ", ".join(["*a"] * 2000) + "]}"},
            "many dependencies": {"compose.yaml": wide},
            "many undeclared volumes": {
                "compose.yaml": "services: {a: {image: x, volumes: [" + ", ".join(f"undeclared{n}:/d{n}" for n in range(9000))
                + "]}}\nvolumes: {" + ", ".join(f"declared{n}: " for n in range(9000)) + "}"},
            "a number of many underscores": {"compose.yaml": "services: {a: {image: x, environment: {A: 1" + "_" * 900_000 + "x}}}"},
            "many volumes in memory": {
                "compose.yaml": "services: {a: {image: x, volumes: [" + ", ".join(f"vol{n}:/v{n}" for n in range(5000)) + "]}}\n"
                "volumes: {" + ", ".join(f"vol{n}: {{driver_opts: {{type: tmpfs, device: tmpfs}}}}" for n in range(5000)) + "}"},
            "many links to nobody": {"compose.yaml": "services: {a: {image: x, links: [" + ", ".join(
                f"z{n}" for n in range(45_000)) + "]}}"},
            "many profiles that no service has": {
                "compose.yaml": "services:\n" + "".join(f" s{n}: {{image: x, profiles: [profile{n}]}}\n" for n in range(300)),
                ".env": "COMPOSE_PROFILES=" + ",".join(f"profilf{n}" for n in range(50_000))},
            "a long dotenv": {"compose.yaml": "services: {a: {image: x}}", ".env": "A='" + "\n" * 900_000},
            "many variables": {"compose.yaml": "services: {a: {image: x}}",
                               ".env": "".join(f"A{n}=$A{n - 1}x\n" for n in range(40_000))},
            "a file that many services extend": {
                "compose.yaml": "services:\n" + "".join(f"  s{n}: {{extends: {{file: b.yaml, service: b}}}}\n"
                                                        for n in range(400)),
                "b.yaml": "services: {b: {image: x, labels: {" + ", ".join(f"k{n}: v" for n in range(2000)) + "}}}"},
            "a chain that many services extend": {
                "compose.yaml": "services:\n" + "".join(f"  s{n}: {{extends: {{file: b0.yaml, service: b}}}}\n"
                                                        for n in range(300)),
                **{f"b{n}.yaml": f"services: {{b: {{extends: {{file: b{n + 1}.yaml, service: b}}, labels: {{"
                   + ", ".join(f"k{m}: v" for m in range(1000)) + "}}}" for n in range(12)},
                "b12.yaml": "services: {b: {image: x}}"},
            "one large file in many ways": {
                "compose.yaml": "include: [" + ", ".join(f"i{n}.yaml" for n in range(40)) + "]",
                **{f"i{n}.yaml": "include: [large.yaml]" for n in range(40)},
                "large.yaml": "services: {a: {image: x, labels: {" + ", ".join(f"k{n}: v" for n in range(20_000)) + "}}}"},
            "a file that grows in many services": {
                "compose.yaml": "services:\n" + "".join(f"  s{n}: {{image: x, env_file: f.env}}\n" for n in range(400)),
                "f.env": "A=" + "x" * 5000 + "\n" + "".join(f"B{n}=$A\n" for n in range(200))},
            "a file that many services read": {
                "compose.yaml": "services:\n" + "".join(f"  s{n}: {{image: x, env_file: f.env}}\n"
                                                        for n in range(400)),
                "f.env": "A=1\n" * 50_000},
        }.items():
            with self.subTest(name=name), tempfile.TemporaryDirectory() as directory:
                root = pathlib.Path(directory).resolve()
                for file, text in files.items():
                    (root / file).write_text(text)
                self.judge(root, name)

    def test_little_memory_is_enough(self):
        """With the bound under which the service's user reads a commit."""
        text = "labels: {" + ", ".join(f"k{n}: {'v' * 15}" for n in range(24_000)) + "}"
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
            os._exit(0 if one(text).model is not None else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
