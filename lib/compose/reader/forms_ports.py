"""Published ports: each becomes {target, published, host_ip, protocol}, and ranges become single ports."""

import re

from . import quantities
from .forms import fields, form, items_of
from .limits import MAX_PORTS
from .nodes import List, Map, Scalar, kind_of, scalar
from .problems import shown

RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?\Z")
PROTOCOLS = ("tcp", "udp", "sctp")
SHORT = 'write HOST:CONTAINER or IP:HOST:CONTAINER, such as "8080:80"'


@form("ports")
def ports_form(node, spot, key):
    result = List(node.place)
    for item in items_of(node, spot):
        with spot.guard():
            result.items += long_port(item, spot, key.of) if isinstance(item, Map) else short_port(item, spot)
        if len(result.items) > MAX_PORTS:
            spot.refuse(item, f"the service publishes more than {MAX_PORTS} ports")
    return result


def short_port(item, spot):
    if not isinstance(item, Scalar) or isinstance(item.value, (bool, float)):
        spot.refuse(item, f"a port must be a whole number or a text, and is {kind_of(item)}", SHORT)
    text, slash, protocol = str(item.value).partition("/")
    if text.startswith("[") and "]:" in text:
        address, _, rest = text[1:].partition("]:")
        host, _, container = rest.rpartition(":")
    elif text.startswith("["):
        return spot.refuse(item, "has no port behind the address in brackets", SHORT)
    else:
        rest, _, container = text.rpartition(":")
        address, _, host = rest.rpartition(":")
        if ":" in address:
            spot.refuse(item, "has too many colons", "put an address of IPv6 into brackets, such as \"[::1]:8080:80\"")
    return ports(item, spot, address, host, container, protocol if slash else "tcp")


def long_port(item, spot, table):
    given = fields(item, spot, table)
    values = {name: entry.value for name, entry in given.entries.items()}
    if "target" not in values:
        spot.refuse(item, "the port has no target", "write target: and the port within the container")
    made = ports(item, spot, values.get("host_ip", ""), values.get("published", ""), values["target"],
                 values.get("protocol") or "tcp")
    for one in made:
        for name in ("mode", "name", "app_protocol"):
            if name in given.entries:
                one.entries[name] = given.entries[name]
    return made


def ports(item, spot, address, host, container, protocol):
    protocol = protocol.lower()
    if protocol not in PROTOCOLS:
        spot.refuse(item, f"{shown(protocol)} is not a protocol", f"write one of {', '.join(PROTOCOLS)}")
    if address:
        address = address.removeprefix("[").removesuffix("]")
        try:
            quantities.address(address)
        except ValueError:
            spot.refuse(item, f"{shown(address)} is not an address of the host", SHORT)
    inner = numbers(container, item, spot, "the port of the container", 1)
    if not host:
        hosts = [""] * len(inner)
    else:
        outer = numbers(host, item, spot, "the port of the host", 0)
        if len(inner) == 1 and len(outer) > 1:
            hosts = [f"{outer[0]}-{outer[-1]}"]
        elif len(outer) == len(inner):
            hosts = [str(one) for one in outer]
        else:
            spot.refuse(item, "the two ranges of ports differ in length", "give both the same number of ports")
    made = []
    for published, target in zip(hosts, inner):
        place = item.place
        made.append(Map(place, {"target": scalar(place, target), "published": scalar(place, published),
                                "host_ip": scalar(place, address), "protocol": scalar(place, protocol)}))
    return made


def numbers(text, item, spot, what, least):
    match = RANGE.match(text)
    if not match:
        spot.refuse(item, f"{what} is not a number" if text else f"{what} is missing", SHORT)
    first, last = int(match[1]), int(match[2] or match[1])
    if max(first, last) > 65535:
        spot.refuse(item, f"{what} is above 65535")
    if first < least:
        spot.refuse(item, f"{what} must be {least} or more")
    if last < first:
        spot.refuse(item, f"{what} is a range that ends before it begins")
    if last - first >= MAX_PORTS and "container" in what:
        spot.refuse(item, f"the service publishes more than {MAX_PORTS} ports")
    return range(first, last + 1)
