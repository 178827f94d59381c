"""Every key of the reader's table that takes effect changes the plan under every podman-compose, or is refused by name, or
the team reads that pgod ignores it. Those that the table notes or refuses are tested with the reader (test_table.py)."""

import concurrent.futures
import json
import os
import sys
import unittest

import cases
import packages
import samples
from test_versions import ROOT, translated_commit

sys.path.insert(0, str(ROOT / "lib/compose"))

from reader.table import HONOURED, SERVICE, TOP, Key  # noqa: E402


def leaves(table, path=()):
    """The paths of the keys that take effect and hold a value of their own."""
    for name, key in table.items():
        if key.state != HONOURED:
            continue
        inner = key.of.of if isinstance(key.of, Key) else key.of
        if isinstance(inner, dict):
            yield from leaves(inner, (*path, name))
        else:
            yield ".".join((*path, name))


def commit(lines, more, files):
    made, links = cases.one(lines, more)
    return {**made, **files}, links


def effect_of(plan):
    """Without the list of the keys that the file has: it changes with every one."""
    made = json.loads(plan.stdout or "{}").get("plan", {})
    model = made.get("model") or {}
    model.pop("keys", None)
    for service in (model.get("services") or {}).values():
        service.pop("keys", None)
    made.pop("files", None)
    return made


def said_of(plan):
    return [*plan.answer.get("notes", ()), plan.answer.get("problem", ""), *plan.refused.splitlines()]


class Keys(unittest.TestCase):
    maxDiff = 2000

    def walked(self, found, given):
        self.assertEqual(set(found), set(given), "each key needs a sample in samples.py, and each sample a key")
        newest = list(packages.PACKAGES)[-1]
        for version in packages.PACKAGES:
            packages.unpacked(version)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as several:
            commits = {path: commit(sample[1], sample[3], {name: text for name, text in sample[4].items() if name != "compose.yaml"})
                       for path, sample in given.items()}
            once = {repr(one): several.submit(translated_commit, *one, newest) for one in commits.values()}
            without = {path: once[repr(one)] for path, one in commits.items()}
            having = {(path, version): several.submit(translated_commit, *commit(sample[0], sample[2], sample[4]), version)
                      for path, sample in given.items() for version in packages.PACKAGES}
        for (path, version), run in having.items():
            with self.subTest(path, version=version):
                plan, before = run.result(), without[path].result()
                names = [path.split(".")[-1], path.split(".")[0]]
                new = [one for one in said_of(plan) if one not in said_of(before)]
                named = [one for one in new if any(name in one for name in names)]
                self.assertTrue(named or effect_of(plan) != effect_of(before),
                                f"it changes nothing, and nobody reads of it: {said_of(plan)}")
                if plan.answer.get("problem") or plan.refused:
                    self.assertTrue([one for one in said_of(plan) if any(name in one for name in names)], said_of(plan))

    def test_of_a_service(self):
        self.walked(leaves(SERVICE), samples.SERVICE)

    def test_of_a_file(self):
        self.walked(leaves({name: key for name, key in TOP.items() if name != "services"}), samples.TOP)


if __name__ == "__main__":
    unittest.main(verbosity=2)
