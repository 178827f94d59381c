"""Every key of the reader's table has an effect, or is refused, or the team reads that pgod ignores it."""

import ast
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "lib/compose"))

from reader import table  # noqa: E402

# Those that handover.py and the reader work with by name.
BY_NAME = {"image", "build", "depends_on", "deploy", "scale", "networks", "links", "extends", "profiles", "env_file",
           "label_file", "secrets", "configs"}
BUILD_BY_NAME = {"context", "dockerfile", "args", "target", "dockerfile_inline"}


def handed():
    """Names in the tables and decorators of handover.py; nothing of it is run."""
    found = {}
    for one in ast.parse((ROOT / "lib/compose/translator/handover.py").read_text()).body:
        if isinstance(one, ast.Assign) and one.targets[0].id in ("AS_IT_IS", "IGNORED_BUILD"):
            found[one.targets[0].id] = set(ast.literal_eval(one.value))
        elif isinstance(one, ast.Assign) and one.targets[0].id in ("FLAGS", "IGNORED"):
            found[one.targets[0].id] = {key.value for key in one.value.keys}
        elif isinstance(one, ast.FunctionDef):
            found.setdefault("MADE", set()).update(made.args[0].value for made in one.decorator_list)
    return found


def rows(name):
    """Rows of a table of the policy: path → refused, or not."""
    text = (ROOT / "lib/core/policy_nested.cpp").read_text()
    text = re.search(rf"{name} = .*?\}}\);", text, re.DOTALL).group(0)
    return {path: bool(problem) for path, problem in re.findall(r'\{"([^"]+)"(, )?', text)}


class Keys(unittest.TestCase):
    def test_of_a_service(self):
        refused = set(re.findall(r'^    \{"([a-z_]+)",', re.search(
            r"refused_service_keys\{\{(.*?)\}\};", (ROOT / "lib/core/policy_model.cpp").read_text(), re.DOTALL).group(1),
            re.MULTILINE))
        known = set().union(*handed().values()) | BY_NAME | refused
        self.assertEqual({key for key, row in table.SERVICE.items() if row.state == table.HONOURED} - known, set())

    def test_of_a_build(self):
        refused = {path.removeprefix("build.") for path, refuses in rows("service_rows").items() if refuses}
        known = handed()["IGNORED_BUILD"] | BUILD_BY_NAME | refused
        self.assertEqual({key for key, row in table.BUILD.items() if row.state == table.HONOURED} - known, set())

    def test_flags_are_known_to_the_policy(self):
        flags = (ROOT / "lib/core/plan_flags.cpp").read_text()
        for key in handed()["FLAGS"]:
            with self.subTest(key):
                self.assertRegex(flags, rf'"{key}", Take::(once|many)')


if __name__ == "__main__":
    unittest.main(verbosity=2)
