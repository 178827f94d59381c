#!/usr/bin/env python3
"""Fails when the table of keys in docs/compose.md is not the one that the reader's table gives. Arguments: the root of the
source tree; `--write` puts the table there."""

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


def tables():
    """What docs/compose.md says of each state: the keys alone, or with the reason that a note or a refusal gives."""
    found = grouped()

    def keys_of(state):
        return ", ".join(key for (its, _), keys in found.items() if its == state for key in keys)

    def reasons(state):
        return "".join(f"| {', '.join(keys)} | {why} |\n" for (its, why), keys in found.items() if its == state)

    return (f"**Takes effect**, with the keys within that no other line names: {keys_of(HONOURED)}.\n\n"
            f"**Changes nothing** that a container has: {keys_of(SILENT)}.\n\n"
            f"| ignored with a note | why |\n|---|---|\n{reasons(NOTED)}\n"
            f"| refused | why |\n|---|---|\n{reasons(REFUSED)}")


def main():
    document = ROOT / "docs/compose.md"
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    within, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"docs/compose.md has no lines {BEGIN.strip()} and {END.strip()}")
    if "--write" in sys.argv:
        document.write_text(before + begin + tables() + end + after, encoding="utf-8")
    elif within != tables():
        sys.exit("docs/compose.md: the table of keys is not that of lib/compose/reader/table.py; run compose_keys.py . --write")


main()
