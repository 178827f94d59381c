#!/usr/bin/env python3
"""The table of keys: each has a form and a rule, and each is read, noted or refused as the table says."""

import unittest

from project_files import Read  # noqa: F401: finds the reader
from reader import forms, loading, merging, table  # noqa: F401
from reader.table import HONOURED, NOTED, REFUSED, SILENT, Key

# A value for each form, as YAML writes it, and what a model has of it.
VALUES = {
    "any": "{z: 1}", "bool": "true", "bytes": "64m", "command": "[c]", "condition": "service_started", "container_name": "n",
    "dependencies": "[b]", "devices": "[/dev/null]", "duration": "5s", "env_files": "[f.env]", "expose": "[5]",
    "extends": "b", "grants": "[g]", "hosts": "['h=10.0.0.1']", "int": "5", "label_files": "[f.env]",
    "microseconds": "50000", "mode": "0400", "networks": "[default]", "number": "0.5", "pairs": "{k: v}",
    "ports": "['80:80']", "pull_policy": "missing", "restart": "always", "restart_condition": "any", "test": "[CMD, t]",
    "text": "w", "texts": "[w]",
    "texts or text": "w", "ulimits": "{nofile: 5}", "values": "{K: v}", "volumes": "['./d:/d']",
}
SPECIAL = {"restart_policy": "{condition: any}", "image": "example.org/i:1", "network_mode": "none", "volumes_from": "[b]",
           "links": "[b]", "build": "{context: .}", "profiles": "[]", "replicas": "1", "scale": "1", "cpus": "0.5",
           "memory": "64m", "type": "bind", "target": "/t", "published": "'8080'", "host_ip": "127.0.0.1", "protocol": "udp",
           "format": "raw", "required": "false", "condition": "service_started", "source": "./d"}
TEXTS = ("text", "texts", "condition")
LISTS = ("ports", "volumes", "grants", "devices", "env_files")  # of maps in their long form
INDIRECT = ("extends",)  # gone once the files are merged


def value_of(name, key, long=False):
    """A small value of a key, as YAML writes it in one line."""
    if name in SPECIAL and not isinstance(key.of, dict) and key.form in (*TEXTS, "number", "int", "bytes", "bool"):
        return SPECIAL[name]
    if name == "build" and not long:
        return "{context: .}"
    if key.form in VALUES and not (long and isinstance(key.of, dict)):
        return VALUES[key.form]
    if isinstance(key.of, Key):
        return f"[{value_of('', key.of, long)}]"
    inner = {one: key.of[one] for one in key.of if one not in ("disable", "dockerfile")}
    text = "{" + ", ".join(f"{one}: {value_of(one, inner[one], long)}" for one in inner) + "}"
    if key.form in ("dependencies", "networks"):
        return f"{{{'b' if key.form == 'dependencies' else 'default'}: {text}}}"
    return f"[{text}]" if key.form in LISTS else text


def walk(keys, path=()):
    for name, key in keys.items():
        yield (*path, name), key
        inner = key.of.of if isinstance(key.of, Key) else key.of
        if isinstance(inner, dict):
            yield from walk(inner, (*path, name))


class Table(unittest.TestCase):
    def test_each_key_has_a_form_a_rule_and_a_reason(self):
        for path, key in walk(table.TOP):
            with self.subTest(key=".".join(path)):
                self.assertIn(key.form, {**forms.FORMS, "services": None})
                self.assertIn(key.merge or merging.USUAL.get(key.form, "replace"), merging.RULES)
                self.assertIn(key.state, (HONOURED, NOTED, SILENT, REFUSED))
                self.assertEqual(bool(key.why), key.state in (NOTED, REFUSED))

    def test_each_key_of_a_service_is_read_noted_or_refused(self):
        for name, key in table.SERVICE.items():
            if name in INDIRECT:
                continue
            with self.subTest(key=name):
                text = f"services:\n  a:\n    image: i\n    {name}: {value_of(name, key)}\n  b: {{image: i}}\n" \
                       "secrets: {g: {file: ./g}}\nconfigs: {g: {file: ./g}}\n"
                text = text.replace("    image: i\n", "", 1) if name == "image" else text
                got = Read(text, {"f.env": "A=1"})
                self.assertEqual(got.problems, [])
                self.assertIn(name, got.model["services"]["a"])
                self.assertEqual(key.state == NOTED, any(f"a: {name}: pgod ignores" in one for one in got.notes), got.notes)
                self.assertEqual(key.state == REFUSED, any(f"a: {name}: nothing permits" in one for one in got.refusals))

    def test_each_key_within_is_noted_or_refused(self):
        for name, key in table.SERVICE.items():
            if not isinstance(key.of, dict) or name in INDIRECT:
                continue
            value = value_of(name, key, True).replace("./d", "g" if name in ("secrets", "configs") else "./d")
            value = value.replace("target: /t", "target: 80") if name == "ports" else value
            got = Read(f"services:\n  a:\n    image: i\n    {name}: {value}\n  b: {{image: i}}\n"
                       "secrets: {g: {file: ./g}}\nconfigs: {g: {file: ./g}}\n", {"f.env": "A=1", "w": "A=1"})
            for path, inner in walk(key.of, (name,)):
                with self.subTest(key=".".join(path)):
                    self.assertEqual(got.problems, [])
                    said = got.notes if inner.state == NOTED else got.refusals
                    leaf = [one for one in said if one.split(": ")[2].startswith(name) and path[-1] in one.split(": ")[2]]
                    if inner.state in (NOTED, REFUSED):
                        self.assertTrue(leaf, (value, said))

    def test_an_empty_key_is_as_good_as_none(self):
        for name in table.SERVICE:
            with self.subTest(key=name):
                other = "build: ." if name == "image" else "image: i"
                got = Read(f"services: {{a: {{{other}, {name}: }}}}")
                self.assertEqual(got.problems, [])

    def test_a_key_that_no_table_has_is_refused_everywhere(self):
        for path, key in walk(table.SERVICE):
            if isinstance(key.of, dict) and key.form in ("map", "build"):
                with self.subTest(key=".".join(path)):
                    text = "{nonsense: 1}"
                    for name in reversed(path):
                        text = f"[{text}]" if name in ("volumes", "ports") else text
                        text = f"{{{name}: {text}}}"
                    got = Read(f"services: {{a: {text}}}")
                    self.assertTrue(any('"nonsense" is not a key' in one for one in got.problems), got.problems)


if __name__ == "__main__":
    unittest.main()
