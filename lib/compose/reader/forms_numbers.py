"""Settings that are a number, a size, a time, a mode, or true or false."""

from . import quantities
from .forms import form, wants_scalar


@form("bool")
def bool_form(node, spot, key=None):
    wants_scalar(node, spot, "true or false")
    if isinstance(node.value, bool):
        return node
    value = quantities.boolean(node.text)
    if value is None:
        spot.refuse(node, "must be true or false")
    return node.given(value)


@form("int")
def int_form(node, spot, key=None):
    wants_scalar(node, spot, "a whole number")
    value = quantities.number(node.text) if not isinstance(node.value, bool) else None
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        value = node.value
    if not isinstance(value, int) or abs(value) > quantities.MAX_WHOLE:
        spot.refuse(node, "must be a whole number")
    return node.given(value)


@form("number")
def number_form(node, spot, key=None):
    wants_scalar(node, spot, "a number")
    value = quantities.number(node.text) if not isinstance(node.value, bool) else None
    if value is None:
        spot.refuse(node, "must be a number")
    return node.given(value)


@form("bytes")
def bytes_form(node, spot, key=None):
    wants_scalar(node, spot, "a size")
    if node.text == "-1":
        return node.given(-1)
    value = quantities.size(node.text) if not isinstance(node.value, bool) else None
    if value is None:
        spot.refuse(node, "is not a size in bytes", "write a number with b, k, m or g, such as 512m")
    return node.given(value)


@form("duration")
def duration_form(node, spot, key=None):
    wants_scalar(node, spot, "a duration")
    value = quantities.duration(node.text)
    if value is None:
        if quantities.number(node.text) is not None:
            spot.refuse(node, "is a duration without a unit", "" if node.hidden else f"write {node.text}s for seconds")
        spot.refuse(node, "is not a duration", "write a number with us, ms, s, m or h, such as 1m30s")
    return node.given(value)


@form("microseconds")
def microseconds_form(node, spot, key=None):
    wants_scalar(node, spot, "a number of microseconds")
    value = quantities.number(node.text)
    if value is None:
        seconds = quantities.duration(node.text)
        value = None if seconds is None else int(seconds * 1e6)
    if not isinstance(value, int):
        spot.refuse(node, "is neither a number of microseconds nor a duration")
    return node.given(value)


@form("mode")
def mode_form(node, spot, key=None):
    """Rights of a file. With a zero before it, or as a text, it is octal."""
    wants_scalar(node, spot, "a mode such as 0440")
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        if not node.text.startswith("0") and set(node.text) <= set("01234567"):
            spot.note(node, f"is a decimal number, and means 0{node.value:o}",
                      f"write 0{node.text} if you mean octal digits")
        value = node.value
    else:
        digits = node.text.removeprefix("0o")
        value = int(digits, 8) if digits and len(digits) < 8 and set(digits) <= set("01234567") else -1
    if not 0 <= value <= 0o7777:
        spot.refuse(node, "is not a mode of a file", "write octal digits, such as 0440")
    return node.given(value)
