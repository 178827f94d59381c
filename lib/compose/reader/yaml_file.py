"""From the text of a file to nodes: YAML's events, composed here so that every bound holds while the tree grows.

Duplicate keys are refused, aliases are written out, and merge keys are applied.
"""

import yaml
import yaml.parser
import yaml.reader
import yaml.scanner

from . import scalars
from .limits import MAX_DEPTH, MAX_NODES
from .nodes import OVERRIDE, RESET, List, Map, Scalar, duplicate, is_null, size
from .problems import Place, Problem, Refused, shown

TEXT, INT, FLOAT, BOOL, NULL = (f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null"))
SCALAR_TAGS = (TEXT, INT, FLOAT, BOOL, NULL)
COLLECTION_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:omap", "tag:yaml.org,2002:set")
try:
    from yaml.cyaml import CParser as Parser
except ImportError:  # PyYAML was built without libyaml
    Parser = None


class PlainParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """The same in Python."""

    def __init__(self, text):
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


def documents(data, name):
    """The documents of a file, as nodes. Empty ones are left out."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        fail(Place(name, 0), "is UTF-16", "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fail(Place(name, line), "holds a byte that is not UTF-8", "save the file as UTF-8")
    try:
        parser = (Parser or PlainParser)(text)
        return Composer(parser, name).documents()
    except yaml.YAMLError as error:
        raise Refused(problem_of(error, name, text)) from None


def fail(place, text, advice=""):
    raise Refused(Problem(place, "", "", "", text, advice))


def problem_of(error, name, text):
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        line = mark.line + 1
    else:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) and position > 0 else 0
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None)
               or getattr(error, "context", None) or "it cannot be parsed")
    lines = text.split("\n")
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    advice = ""
    if "\t" in here[:len(here) - len(here.lstrip())]:
        said, advice = "a tab indents this line", "indent with spaces"
    elif "mapping values are not allowed" in said:
        said, advice = 'a text without quotes holds ": "', "put the text into quotes, or check the indentation"
    elif "found character that cannot start any token" in said:
        advice = "put a text that begins with @, ` or % into quotes"
    elif "did not find expected" in said or "could not find expected" in said:
        advice = "check the indentation and the quotes of this line and of the lines above"
    return Problem(Place(name, line), "", "", "", f"not YAML: {said}", advice)


class Composer:
    def __init__(self, parser, name):
        self.parser, self.name = parser, name
        self.anchors, self.open, self.count = {}, set(), 0

    def documents(self):
        found = []
        while True:
            event = self.parser.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return found
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors = {}
                node = self.node(self.parser.get_event(), 0)
                if not is_null(node):
                    found.append(node)

    def place(self, event):
        return Place(self.name, event.start_mark.line + 1)

    def counted(self, place, number):
        self.count += number
        if self.count > MAX_NODES:
            fail(place, f"the file has more than {MAX_NODES} values once its aliases are written out",
                 "use fewer aliases, or split the file")

    def node(self, event, depth):
        place = self.place(event)
        if depth > MAX_DEPTH:
            fail(place, f"maps and lists are more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor, place)
        self.counted(place, 1)
        if event.anchor is not None:
            self.open.add(event.anchor)
        if isinstance(event, yaml.ScalarEvent):
            result = self.scalar(event, place)
        elif isinstance(event, yaml.SequenceStartEvent):
            result = List(place, tag=self.collection_tag(event, place))
            while not isinstance(entry := self.parser.get_event(), yaml.SequenceEndEvent):
                result.items.append(self.node(entry, depth + 1))
        else:
            result = self.map(event, place, depth)
        if event.anchor is not None:
            self.open.discard(event.anchor)
            self.anchors[event.anchor] = (result, size(result))
        return result

    def alias(self, name, place):
        if name in self.open and name not in self.anchors:
            fail(place, f"the alias *{name} stands within its own anchor")
        if name not in self.anchors:
            fail(place, f"not YAML: the alias *{name} has no anchor &{name} before it")
        node, number = self.anchors[name]
        self.counted(place, number)
        return duplicate(node)

    def collection_tag(self, event, place):
        if event.tag in (RESET, OVERRIDE):
            return event.tag
        if event.tag is not None and event.tag not in (*COLLECTION_TAGS, "!"):
            unknown_tag(event.tag, place)
        return None

    def scalar(self, event, place):
        tag, text = event.tag, event.value
        if "\0" in text or not is_unicode(text):
            fail(place, f"{shown(text)} holds a character that no text may hold")
        own = tag if tag in (RESET, OVERRIDE) else None
        if tag is None or own or tag == "!":
            plain = not event.style and tag != "!"
            result = Scalar(place, text, scalars.resolved(text) if plain else text, own)
            result.plain = plain
            return result
        if tag not in SCALAR_TAGS:
            unknown_tag(tag, place)
        value = text if tag == TEXT else scalars.resolved(text)
        wanted = {INT: int, FLOAT: (int, float), BOOL: bool, NULL: type(None), TEXT: str}[tag]
        if not isinstance(value, wanted) or isinstance(value, bool) and tag != BOOL:
            fail(place, f"{shown(text)} is not what the tag !!{tag.rpartition(':')[2]} says")
        return Scalar(place, text, value)

    def map(self, event, place, depth):
        result = Map(place, tag=self.collection_tag(event, place))
        merges = []
        while not isinstance(entry := self.parser.get_event(), yaml.MappingEndEvent):
            at = self.place(entry)
            is_merge = isinstance(entry, yaml.ScalarEvent) and entry.value == "<<" and not entry.style
            key = self.node(entry, depth + 1)
            value = self.node(self.parser.get_event(), depth + 1)
            if is_merge:
                merges.append((at, value))
                continue
            if not isinstance(key, Scalar):
                fail(at, "the key of a map is itself a map or a list")
            if key.text in result.entries:
                fail(at, f"the key {shown(key.text)} is already in line {result.places[key.text].line}",
                     "keep one of the two")
            result.entries[key.text], result.places[key.text] = value, at
        for at, value in merges:
            self.merge(result, at, value)
        return result

    def merge(self, result, at, value):
        """What stands beside `<<` wins, and the first of several maps."""
        for source in value.items if isinstance(value, List) else [value]:
            if not isinstance(source, Map):
                fail(at, "the value of the merge key << is not a map", "name the anchor of a map, such as <<: *name")
            for key, entry in source.entries.items():
                if key not in result.entries:
                    self.counted(at, size(entry) if isinstance(value, List) else 0)
                    result.entries[key], result.places[key] = entry, source.place_of(key)


def is_unicode(text):
    """An escape can make half of a character."""
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)


def unknown_tag(tag, place):
    fail(place, f"the tag {tag} has no meaning in a compose file", "remove it; pgod knows !reset and !override")
