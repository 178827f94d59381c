"""The forms of values: each checks what a file has, and gives its one long form. forms_*.py hold the larger ones."""

import difflib

from . import scalars
from .nodes import RESET, List, Map, Scalar, is_empty, is_null, kind_of, scalar
from .problems import shown
from .words import Unclear, words

FORMS = {}
KEEPS_EMPTY = ("services",)
MAX_COMPARED = 300  # names, each time one is misspelt: SERVICE has a hundred


def form(name):
    def register(function):
        FORMS[name] = function
        return function
    return register


def shaped(node, spot, key):
    """The long form of a value, or None where the key is empty and so as good as absent."""
    if node.tag == RESET:
        return node
    if is_null(node) and key.form == "command":  # as !reset: the image's own
        node = node.given(None)
        node.tag = RESET
        return node
    if is_null(node) and key.form not in KEEPS_EMPTY:
        return None
    result = FORMS[key.form](node, spot, key)
    if result is not None:
        result.tag = node.tag
    return result


def fields(node, spot, table):
    """A map whose keys a table knows. Each key with a problem is left out; the others are still read."""
    wants_map(node, spot)
    result = Map(node.place)
    for name, entry in node.entries.items():
        here, place = spot.at(name), node.place_of(name)
        if name.startswith("x-"):
            if name.startswith("x-podman"):
                here.note(scalar(place, ""), "pgod ignores this: only podman-compose knows it")
            continue
        with spot.guard():
            if name not in table:
                advice = advice_for(name, table if len(spot.context.report.problems) < 20 else ())
                spot.refuse(node, f"{shown(name)} is not a key that Compose knows", advice, place)
            value = shaped(entry, here, table[name])
            if value is not None:
                result.entries[name], result.places[name] = value, place
    return result


def advice_for(name, table):
    return near(name, table) or "check its indentation, or begin a key of your own with x-"


def near(name, known):
    """A question for a name that may be misspelt."""
    found = difflib.get_close_matches(name[:40], [one for one in known if len(one) < 80][:MAX_COMPARED], 1, 0.75)
    return f"did you mean {found[0]}?" if found else ""


def wants_map(node, spot):
    if not isinstance(node, Map):
        spot.refuse(node, f"must be a map, and is {kind_of(node)}")


def wants_list(node, spot):
    if not isinstance(node, List):
        advice = f"write [{node.written}]" if isinstance(node, Scalar) and len(node.written) < 60 else ""
        spot.refuse(node, f"must be a list, and is {kind_of(node)}", advice)


def wants_scalar(node, spot, what="a text"):
    if not isinstance(node, Scalar):
        spot.refuse(node, f"must be {what}, and is {kind_of(node)}")


def is_text(node):
    return isinstance(node, Scalar) and node.value is not None


@form("any")
def any_form(node, spot, key):
    return node


@form("text")
def text_form(node, spot, key=None):
    """A number is the text that the file has: nobody writes `user: 1000` for another."""
    wants_scalar(node, spot)
    return node.given(node.text)


def items_of(node, spot):
    """The items of a list, without those that are empty or taken back."""
    wants_list(node, spot)
    for item in node.items:
        if item.tag != RESET and not is_null(item):
            yield item


@form("texts")
def texts_form(node, spot, key=None):
    result = List(node.place)
    for item in items_of(node, spot):
        with spot.guard():
            result.items.append(text_form(item, spot))
    return result


@form("texts or text")
def texts_or_text_form(node, spot, key=None):
    """Empty texts are left out."""
    result = List(node.place, [text_form(node, spot)]) if isinstance(node, Scalar) else texts_form(node, spot)
    result.items = [item for item in result.items if item.value != ""]
    return result


@form("list")
def list_form(node, spot, key):
    wants_list(node, spot)
    result = List(node.place)
    for item in node.items:
        with spot.guard():
            value = shaped(item, spot, key.of)
            if value is not None and value.tag != RESET:
                result.items.append(value)
    return result


@form("map")
def map_form(node, spot, key):
    return fields(node, spot, key.of)


@form("command")
def command_form(node, spot, key=None):
    if not isinstance(node, Scalar):
        return texts_form(node, spot)
    if "\\\n" in node.text:
        spot.note(scalar(node.place, ""), "a backslash at the end of a line joins it with the next one, as in a shell;"
                  " docker-compose passes a word with a line end", "remove the backslashes and fold the text with >")
    try:
        found, cut = words(node.text)
    except Unclear as error:
        return spot.refuse(node, error.text, error.advice)
    if cut is not None:
        spot.note(scalar(node.place, ""), f"the word {shown(cut)} reaches the program whole; docker-compose cuts the command"
                  " off in it", "put it into quotes")
    return List(node.place, [scalar(node.place, word) for word in found])


def value_text(node, spot):
    """A value of environment, args or labels. Numbers and booleans become the text of what YAML reads."""
    if not isinstance(node, Scalar):
        spot.refuse(node, f"must be a text, and is {kind_of(node)}", "put it into quotes if it is meant as a text")
    if isinstance(node.value, str) or node.value is None:
        if node.plain and not node.expanded and scalars.LEADING_ZERO.match(node.text):
            spot.note(node, "begins with a zero; pgod passes it on as it is, and other programs may read it as octal",
                      "put it into quotes")
        elif node.plain and not node.expanded and scalars.is_other(node.text):
            spot.note(node, "is a text in YAML 1.2; docker-compose reads a number or a date", "put it into quotes")
        return node
    text = scalars.text_of(node.value)
    if text != node.text:
        spot.note(node, f"is a number or a boolean of YAML, and becomes {shown(text)}",
                  "put it into quotes to keep it as it is")
    return node.given(text)


def pairs_of(node, spot):
    """Name, value, node and place of each entry of a map, or of a list of NAME=VALUE. Without a sign the value is None."""
    if isinstance(node, Map):
        for name, entry in node.entries.items():
            with spot.guard():
                if not name.strip():
                    spot.refuse(scalar(node.place_of(name), ""), "an entry has no name")
                yield name, entry, node.place_of(name)
        return
    if not isinstance(node, List):
        spot.refuse(node, f"must be a map or a list, and is {kind_of(node)}", "write NAME: VALUE")
    for item in node.items:
        if is_null(item) or is_empty(item):
            continue
        with spot.guard():
            if not isinstance(item, Scalar):
                spot.refuse(item, f"an entry of this list is {kind_of(item)}",
                            "write NAME=VALUE, or no dash before the names")
            name, sign, value = item.text.partition("=")
            if not name.strip():
                spot.refuse(item, "has no name before the sign =")
            entry = item.given(value if sign else None)
            entry.text = value
            yield name, entry, item.place


def texts_by_name(node, spot, outside):
    """A map of texts. `outside` gives the value of a name that has none."""
    result = Map(node.place)
    for name, entry, place in pairs_of(node, spot):
        with spot.guard():
            if entry.tag != RESET:
                entry = value_text(entry, spot.at(name))
                if entry.value is None:
                    entry = entry.given(outside(name))
            result.entries[name], result.places[name] = entry, place
    return result


@form("pairs")
def pairs_form(node, spot, key=None):
    return texts_by_name(node, spot, lambda name: "")


@form("values")
def values_form(node, spot, key=None):
    """A name without a value takes that of the variable outside.

    As docker-compose does, a list in an included file uses the variables of that file, and a map those of the whole project.
    """
    variables = spot.context.variables
    own = isinstance(node, List) and spot.setting == "environment"
    return texts_by_name(node, spot, (variables if own else variables.outermost).get)


def one_of(name, choices):
    @form(name)
    def choice_form(node, spot, key=None):
        result = text_form(node, spot)
        if result.value not in choices:
            spot.refuse(node, f"must be one of {', '.join(choices)}")
        return result


one_of("condition", ("service_started", "service_healthy", "service_completed_successfully"))
one_of("restart_condition", ("none", "on-failure", "any"))
