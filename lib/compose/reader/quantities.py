"""Texts that stand for a number, a size, a time or a yes and no."""

import ipaddress
import math
import re

UNITS = {"us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:us|µs|μs|ns|ms|s|m|h))+\Z")
PART = re.compile(r"([0-9.]+)(us|µs|μs|ns|ms|s|m|h)")
SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)(?:i?b)?\Z", re.IGNORECASE)
NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\Z")
WHOLE = re.compile(r"[-+]?[0-9]{1,18}\Z")
YES, NO = ("true", "yes", "y", "on", "1", "t"), ("false", "no", "n", "off", "0", "f")
MAX_WHOLE = (1 << 63) - 1


def duration(text):
    """Seconds, or None. A number alone has no meaning: it needs a unit."""
    if len(text) > 100 or not (DURATION.match(text) or text == "0"):
        return None
    return math.fsum(float(number) * UNITS[unit] for number, unit in PART.findall(text))


def size(text):
    """Bytes, or None. The units are powers of 1024."""
    match = SIZE.match(text) if len(text) <= 100 else None
    if not match:
        return None
    result = int(float(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " "))
    return result if result <= MAX_WHOLE else None


def number(text):
    """A number as int where it is whole, or None."""
    if len(text) > 100 or not NUMBER.match(text):
        return None
    value = float(text)
    if not math.isfinite(value):
        return None
    return int(text) if WHOLE.match(text) else int(value) if value.is_integer() else value


def whole(text):
    return int(text) if WHOLE.match(text) else None


def boolean(text):
    text = text.lower()
    return True if text in YES else False if text in NO else None


def address(text):
    """An address of IPv4 or IPv6, or ValueError. Python takes a zone behind %, which podman does not."""
    if "%" in text:
        raise ValueError(text)
    return ipaddress.ip_address(text)
