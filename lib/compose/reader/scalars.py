"""The core schema of YAML 1.2: which plain words are numbers, booleans or nothing, and their text again."""

import re

NULLS = ("", "~", "null", "Null", "NULL")
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?[0-9]+\Z")
OCTAL = re.compile(r"0o([0-7]+)\Z")
HEXADECIMAL = re.compile(r"0x([0-9a-fA-F]+)\Z")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
LEADING_ZERO = re.compile(r"[-+]?0[0-9]+\Z")
OTHER = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_.]*\Z|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?\Z")  # no texts to YAML 1.1
MAX_DIGITS = 300  # longer ones are texts: Python needs much time for them, and nobody writes them


def resolved(text):
    """The value of a plain scalar."""
    if text in NULLS:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    if len(text) > MAX_DIGITS:
        return text
    if LEADING_ZERO.match(text):  # 1.1 reads octal, 1.2 decimal, and people mean the digits
        return text
    if INTEGER.match(text):
        return int(text)
    if match := OCTAL.match(text):
        return int(match[1], 8)
    if match := HEXADECIMAL.match(text):
        return int(match[1], 16)
    if FLOAT.match(text):
        value = float(text)
        return value if value not in (float("inf"), float("-inf")) else text
    return text


def is_other(text):
    """Does YAML 1.1 read something else than a text? The pattern takes long for a long one."""
    return len(text) <= MAX_DIGITS and OTHER.match(text) is not None


def text_of(value):
    """A number or boolean as text: the shortest that gives the same number, without an exponent below 1e21."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value == 0:
            return "-0" if str(value).startswith("-") else "0"
        if 1e-4 <= abs(value) < 1e21:
            text = f"{value:.17g}" if float(repr(value)) != value else repr(value)
            return positional(text)
        mantissa, _, exponent = repr(value).partition("e")
        mantissa = mantissa.removesuffix(".0")
        sign = "-" if exponent.startswith("-") else "+"
        return f"{mantissa}e{sign}{exponent.lstrip('+-').zfill(2)}"
    return str(value)


def positional(text):
    """`1e+16` and `1.5e-05` with all their digits."""
    mantissa, _, exponent = text.partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    shift = int(exponent or 0)
    digits, point = whole + fraction, len(whole) + shift
    if point <= 0:
        digits, point = "0" * (1 - point) + digits, 1
    digits = digits.ljust(point, "0")
    fraction = digits[point:].rstrip("0")
    return sign + digits[:point] + ("." + fraction if fraction else "")
