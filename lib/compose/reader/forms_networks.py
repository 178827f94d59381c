"""Settings that name other services or hosts: dependencies, networks and extra hosts."""

from . import quantities
from .forms import fields, form, text_form, texts_form, texts_or_text_form, wants_list
from .forms_services import names
from .nodes import RESET, List, Map, is_null, scalar
from .problems import shown


def named_maps(node, spot, key):
    """The long form of both: names, each with a map that may be empty."""
    if not isinstance(node, Map):
        wants_list(node, spot)
    result = Map(node.place)
    for name, entry, place in names(node, spot):
        if entry.tag != RESET:
            entry = Map(place) if is_null(entry) else fields(entry, spot.at(name), key.of)
        result.entries[name], result.places[name] = entry, place
    return result


@form("dependencies")
def dependencies_form(node, spot, key):
    if isinstance(node, List):
        given = texts_form(node, spot)
        node = Map(node.place, {one.value: Map(one.place, {"condition": scalar(one.place, "service_started")})
                                for one in given.items})
    return named_maps(node, spot, key)


@form("networks")
def networks_form(node, spot, key):
    if isinstance(node, List):
        given = texts_form(node, spot)
        node = Map(node.place, {one.value: Map(one.place) for one in given.items})
    return named_maps(node, spot, key)


@form("hosts")
def hosts_form(node, spot, key=None):
    """Name to addresses. A list has NAME:ADDRESS or NAME=ADDRESS, also several times for one name."""
    result = Map(node.place)
    for name, entry, place in hosts_of(node, spot):
        with spot.guard():
            if entry.tag == RESET:
                result.entries[name] = entry
                continue
            given = texts_or_text_form(entry, spot)
            known = result.entries.setdefault(name, List(place))
            for one in given.items:
                known.items.append(one.given(address_of(one, spot)))
            result.places[name] = place
    return result


def hosts_of(node, spot):
    if isinstance(node, Map):
        for name, entry in node.entries.items():
            if not is_null(entry):
                yield name, entry, node.place_of(name)
        return
    wants_list(node, spot)
    for item in node.items:
        if is_null(item):
            continue
        with spot.guard():
            text = text_form(item, spot).value
            name, sign, address = text.partition("=" if "=" in text else ":")
            if not sign or not name or not address:
                spot.refuse(item, "has no address behind the name", "write NAME=ADDRESS, such as \"db.example=10.0.0.1\"")
            entry = item.given(address.strip())
            entry.text = entry.value
            yield name.strip(), entry, item.place


def address_of(node, spot):
    address = node.value.removeprefix("[").removesuffix("]")
    if address != "host-gateway":
        try:
            quantities.address(address)
        except ValueError:
            spot.refuse(node, f"{shown(node.value)} is not an address", "write an address of IPv4 or IPv6, or host-gateway")
    return address
