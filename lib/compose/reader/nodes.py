"""The nodes of a compose file. Each knows the place where it was written."""

import copy

RESET, OVERRIDE = "!reset", "!override"


class Node:
    __slots__ = ("place", "tag")

    def __init__(self, place, tag=None):
        self.place, self.tag = place, tag  # tag: None, RESET or OVERRIDE

    def __deepcopy__(self, memo):
        return duplicate(self)


class Scalar(Node):
    """`text` is what counts, `written` what the file has, and `value` what YAML or a form makes of it."""

    __slots__ = ("text", "value", "written", "plain", "expanded", "hidden", "lacking")

    def __init__(self, place, text, value, tag=None):
        super().__init__(place, tag)
        self.text, self.value, self.written = text, value, text
        self.plain = False  # without quotes, in one line or several
        self.expanded = False  # holds values of variables: YAML's own types no longer matter
        self.hidden = False  # holds values of the admin, which no sentence may show
        self.lacking = ()  # variables that gave it nothing

    kind = "text"

    def given(self, value):
        """The same scalar with another value; it keeps what the file has."""
        result = copy.copy(self)
        result.value = value
        return result


class Map(Node):
    __slots__ = ("entries", "places")

    kind = "map"

    def __init__(self, place, entries=None, tag=None):
        super().__init__(place, tag)
        self.entries = entries if entries is not None else {}
        self.places = {}  # of the keys

    def place_of(self, key):
        return self.places.get(key) or (self.entries[key].place if key in self.entries else self.place)


class List(Node):
    __slots__ = ("items",)

    kind = "list"

    def __init__(self, place, items=None, tag=None):
        super().__init__(place, tag)
        self.items = items if items is not None else []


def scalar(place, value):
    """A scalar that no file has: of a short form, or a default."""
    return Scalar(place, "" if value is None else str(value), value)


def is_null(node):
    return isinstance(node, Scalar) and node.value is None


def is_empty(node):
    return isinstance(node, Scalar) and node.value == ""


def size(node):
    """The number of nodes in it. Depth is bounded where nodes are made."""
    if isinstance(node, Map):
        return 1 + sum(size(entry) for entry in node.entries.values())
    if isinstance(node, List):
        return 1 + sum(size(item) for item in node.items)
    return 1


def duplicate(node):
    if isinstance(node, Map):
        result = Map(node.place, {key: duplicate(entry) for key, entry in node.entries.items()}, node.tag)
        result.places = dict(node.places)
        return result
    if isinstance(node, List):
        return List(node.place, [duplicate(item) for item in node.items], node.tag)
    return copy.copy(node)


def plain(node):
    """The node as Python's own values."""
    if isinstance(node, Map):
        return {key: plain(entry) for key, entry in node.entries.items()}
    if isinstance(node, List):
        return [plain(item) for item in node.items]
    return node.value


def kind_of(node):
    if isinstance(node, Map):
        return "a map"
    if isinstance(node, List):
        return "a list"
    if node.value is None:
        return "empty"
    if isinstance(node.value, bool):
        return "a boolean"
    return "a number" if isinstance(node.value, (int, float)) else "a text"
