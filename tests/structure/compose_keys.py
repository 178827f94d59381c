#!/usr/bin/env python3
"""Fails when the README's table of the keys of a compose file is not the one that the reader's table gives. Arguments: the
root of the source tree; `--write` puts the table there."""

import pathlib
import sys

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "lib/compose"))

from reader.table import HONOURED, NOTED, REFUSED, SERVICE, SILENT, TOP, Key  # noqa: E402

BEGIN, END = "<!-- of reader/table.py, by tests/structure/compose_keys.py --write -->\n", "<!-- end of reader/table.py -->\n"


def rows(table, path=()):
    """Each key with its path; within a key that is noted or refused as a whole there is nothing to say."""
    for name, key in table.items():
        shown = (*path, name)
        yield shown, key
        inner = key.of.of if isinstance(key.of, Key) else key.of
        if isinstance(inner, dict) and key.state == HONOURED:
            yield from rows(inner, shown)


def grouped():
    """(state, reason) → the keys, in the order of the table."""
    found = {}
    of_file = [("of the file", path, key) for path, key in rows({name: TOP[name] for name in TOP if name != "services"})]
    for where, path, key in [("", path, key) for path, key in rows(SERVICE)] + of_file:
        if key.state == HONOURED and len(path) > 1:
            continue  # those that another one holds take effect as it does
        keys = found.setdefault((key.state, key.why), [])
        written = f"`{'.'.join(path)}`" + (f" {where}" if where and path[0] in SERVICE and len(path) > 1 else "")
        if written not in keys:
            keys.append(written)
    return found


def table():
    found = grouped()
    words = {HONOURED: "takes effect, with the keys within that no other line names",
             SILENT: "changes nothing that a container has", NOTED: "ignored, with a note: {}", REFUSED: "refused: {}"}
    lines = ["| key | |\n", "|---|---|\n"]
    for state in (HONOURED, NOTED, REFUSED, SILENT):
        for (of, why), keys in found.items():
            if of == state:
                lines.append(f"| {', '.join(keys)} | {words[state].format(why)} |\n")
    return "".join(lines)


def main():
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    within, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"README.md has no lines {BEGIN.strip()} and {END.strip()}")
    if "--write" in sys.argv:
        readme.write_text(before + begin + table() + end + after, encoding="utf-8")
    elif within != table():
        sys.exit("README.md: the table of keys is not that of lib/compose/reader/table.py; run compose_keys.py . --write")


main()
