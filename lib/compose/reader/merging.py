"""Merges two values of one key: of an override file, of `extends`, or of a second document of a file.

Both are in their long forms already. Nothing is changed in place, so a base that is extended stays as it is.
"""

from .nodes import OVERRIDE, RESET, List, Map
from .table import Key

ENTRY = Key("any")

# Forms whose rule is not to replace the value.
USUAL = {
    "map": "keys", "build": "keys",
    "pairs": "entries", "values": "entries", "hosts": "addresses",
    "dependencies": "maps", "networks": "maps", "resources": "maps", "ulimits": "limits",
    "texts": "append", "texts or text": "append", "list": "append", "expose": "append", "env_files": "append",
    "label_files": "append", "grants": "append", "devices": "append", "ports": "append", "volumes": "append",
}


def merged(base, over, key):
    """None: `over` takes the value away."""
    if over is None:
        return base
    if over.tag == RESET:
        return None
    if base is None or over.tag == OVERRIDE:
        return over
    return RULES[rule_of(key)](base, over, key)


def rule_of(key):
    return key.merge or USUAL.get(key.form, "replace")


def replaced(base, over, key):
    return over


def with_entries(base, over, key_of):
    """A map with the entries of both; `key_of` gives the key by which one entry merges."""
    result = Map(base.place, dict(base.entries), base.tag)
    result.places = dict(base.places)
    for name, entry in over.entries.items():
        value = merged(result.entries.get(name), entry, key_of(name))
        if value is None:
            result.entries.pop(name, None)
        else:
            result.entries[name], result.places[name] = value, over.place_of(name)
    return result


def keys(base, over, key):
    return with_entries(base, over, lambda name: key.of.get(name, ENTRY))


def entries(base, over, key):
    return with_entries(base, over, lambda name: ENTRY)


def maps(base, over, key):
    return with_entries(base, over, lambda name: Key("map", key.of))


def limits(base, over, key):
    return with_entries(base, over, lambda name: Key("map", {}))


def addresses(base, over, key):
    return with_entries(base, over, lambda name: Key("texts"))


def logging(base, over, key):
    """Options belong to their driver."""
    before, after = (one.entries["driver"].value if "driver" in one.entries else None for one in (base, over))
    return keys(base, over, key) if None in (before, after) or before == after else over


def append(base, over, key):
    return unique(List(base.place, base.items + over.items, base.tag), identity)


def by_target(base, over, key):
    return unique(List(base.place, base.items + over.items, base.tag), target)


def by_port(base, over, key):
    return unique(List(base.place, base.items + over.items, base.tag), port)


def unique(node, same):
    """Of items that are the same, the last one stays, in the place of the first."""
    found = {}
    for item in node.items:
        found[same(item)] = item
    return List(node.place, list(found.values()), node.tag)


def identity(item):
    if isinstance(item, Map):
        return tuple((name, identity(entry)) for name, entry in sorted(item.entries.items()))
    return tuple(identity(one) for one in item.items) if isinstance(item, List) else item.value


def target(item):
    path = item.entries["target"].value
    return path.rstrip("/") or path


def port(item):
    address, *rest = (item.entries[name].value for name in ("host_ip", "published", "target", "protocol"))
    return (address or "0.0.0.0", *rest)


RULES = {"replace": replaced, "keys": keys, "entries": entries, "maps": maps, "limits": limits, "addresses": addresses,
         "logging": logging, "append": append, "by target": by_target, "by port": by_port}
SAME = {"append": identity, "by target": target, "by port": port}


def sole(node, key):
    """A list of a service holds each item once, also where nothing merges."""
    same = SAME.get(rule_of(key))
    return unique(node, same) if same and isinstance(node, List) else node


def cleaned(node):
    """The node without what !reset took away, once nothing merges any more."""
    if isinstance(node, Map):
        result = Map(node.place, {name: cleaned(entry) for name, entry in node.entries.items() if entry.tag != RESET})
        result.places = node.places
        return result
    if isinstance(node, List):
        return List(node.place, [cleaned(item) for item in node.items if item.tag != RESET])
    return node
