#!/usr/bin/env python3
"""Fails when docs/promises.md is not what the tests of whole deployments say. Arguments: the root of the source tree;
`--write` writes the document.

A promise is the name of a test, as a sentence, with its docstring. The docstring of the file introduces them.
"""

import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
FOLDERS = {"system": "tests/system", "compose": "tests/integration/compose", "host": "tests/host"}
# Each file is FOLDER/NAME of a test_NAME.py. A file that no topic names comes last.
TOPICS = {
    "Deployments": ["system/deploy", "system/promises", "compose/deployments", "compose/failures", "compose/strategy",
                    "compose/conditions", "compose/stopping", "system/stopping", "compose/rollbacks", "system/preparing",
                    "system/order", "system/scale"],
    "Before anything is touched": ["compose/previews", "compose/known_before", "compose/hostile", "system/compose_files",
                                   "compose/keys", "compose/grants"],
    "Images and builds": ["system/images", "compose/image_names", "compose/builds"],
    "Between commits": ["system/drift", "system/intent", "system/names", "compose/operations"],
    "Trouble": ["system/trouble", "system/faults", "system/crash", "system/soak", "system/record", "system/clock",
                "system/reload", "system/upgrade", "compose/upgrade"],
    "Who may do what": ["system/clients", "system/grants", "system/control", "system/exec", "system/ssh_clients",
                        "system/hosts", "system/progress"],
    "Secrets": ["system/secrets", "system/mounted_secrets", "compose/files"],
    "Under attack": ["system/attack", "system/limits", "system/places", "system/users_socket", "system/upward", "system/theft",
                     "system/neighbours"],
    "Around it": ["system/proxy", "compose/urls", "system/metrics", "system/doctor", "system/ci", "system/packages", "host/host",
                  "system/ordinary_user"],
}
LEFT_OUT = {"system/harness"}  # it tests the tests
INTRODUCTION = """# What pgod promises, and the test that shows it

1. Nothing healthy stops before everything new is known to be able to start.
2. The containers prove that a deployment is good. An exit status does not: podman-compose always exits with 0.
3. pgod rolls back a commit that fails, remembers it, and does not try it again and again.
4. What an operator asked for (`down`, `suspend`) survives polls, commits, restarts and reboots.
5. An outage of the git server, of the registry or of pgod itself changes nothing that runs.
6. A single user, key or service cannot keep the others from being served.
7. Root parses no bytes that came from the network, a repository or a container.

pgod does *not* promise to stop a running service when one that it comes `after` fails.

Below are the tests that show it, on real git, podman and SSH. `scripts/test` runs them all. Each line is the name of a
test, with its docstring. `tests/structure/promises.py . --write` writes this file, and a test checks that it is current.

"""


def sentence(name):
    words = re.sub(r"^test_(\d+_)?", "", name).replace("_", " ")
    return words[0].upper() + words[1:]


def tests_of(path):
    """The docstring of a file, and (name, docstring) of each test."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return ast.get_docstring(tree) or "", [(test.name, ast.get_docstring(test) or "")
                                           for test in sorted(tests, key=lambda test: test.lineno)]


def section(file):
    path = ROOT / FOLDERS[file.partition("/")[0]] / f"test_{file.partition('/')[2]}.py"
    about, tests = tests_of(path)
    shown = path.relative_to(ROOT)
    lines = [f"**[{shown}](../{shown})**: {' '.join(about.split())}\n\n"]
    for name, says in tests:
        lines.append(f"- {sentence(name)}" + (f". {' '.join(says.split())}" if says else "") + "\n")
    return "".join(lines) + "\n"


def document():
    files = {f"{folder}/{path.stem.removeprefix('test_')}"
             for folder, where in FOLDERS.items() for path in (ROOT / where).glob("test_*.py")} - LEFT_OUT
    named = [file for of_topic in TOPICS.values() for file in of_topic]
    gone = sorted(set(named) - files)
    if gone:
        sys.exit(f"tests/structure/promises.py names files that do not exist: {gone}")
    topics = {**TOPICS, "More": sorted(files - set(named))}
    text = [INTRODUCTION]
    for topic, of_topic in topics.items():
        if of_topic:
            text += [f"## {topic}\n\n", *(section(file) for file in of_topic)]
    return "".join(text).rstrip("\n") + "\n"


def main():
    path = ROOT / "docs/promises.md"
    if "--write" in sys.argv:
        path.write_text(document(), encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != document():
        sys.exit("docs/promises.md is not what the tests say; run tests/structure/promises.py . --write")


main()
