#!/usr/bin/env python3
"""Small compose files and their readings. cases/README.md describes the form of a case."""

import json
import pathlib
import sys
import unittest

from project_files import HOME, output, read, sentences
from reader import yaml_file

HERE = pathlib.Path(__file__).resolve().parent


def fault_of(case, directory):
    """What is wrong about the reading of a case, or None."""
    got = read(directory)
    said = "\n".join(sentences(got.problems))
    if got.model is None:
        refusable = (case / "refused.txt").exists() or (case / "or-refused.txt").exists()
        return None if refusable else f"refused: {said}"
    answer = output.compared(got.model, str(directory), HOME)["services"]
    good = []
    if (case / "expected.json").exists():
        good.append(json.loads((case / "expected.json").read_text())["services"])
    if (case / "or.json").exists():
        good += json.loads((case / "or.json").read_text())
    if answer in good:
        return None
    wanted = json.dumps(good[0], indent=1, sort_keys=True) if good else "refused"
    return f"read as {json.dumps(answer, indent=1, sort_keys=True)}\nwanted {wanted}"


class Cases(unittest.TestCase):
    maxDiff = None

    def test_each_case_is_read_as_its_answer(self):
        self.judge()

    def test_without_libyaml_each_case_is_read_the_same(self):
        before, yaml_file.Parser = yaml_file.Parser, None
        try:
            self.judge()
        finally:
            yaml_file.Parser = before

    def judge(self):
        for root in [pathlib.Path(one) for one in sys.argv[1:] if pathlib.Path(one).is_dir()] or [HERE / "cases"]:
            for case in sorted(root.iterdir()):
                if not case.is_dir():
                    continue
                with self.subTest(case=case.name):
                    self.assertIsNone(fault_of(case, case.resolve()))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
