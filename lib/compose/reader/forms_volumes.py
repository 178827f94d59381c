"""Mounts: each volume becomes {type, source, target, read_only, …}. The source of a bind is an absolute path.

Secrets, configs and devices are here as well.
"""

import os
import re

from .forms import fields, form, items_of, text_form
from .forms_numbers import bool_form
from .nodes import List, Map, Scalar, kind_of, scalar
from .problems import shown
from .stage import clean, joined

PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
CONSISTENCIES = ("cached", "delegated", "consistent")
TYPES = ("bind", "volume", "tmpfs", "image")
OF_OTHERS = {"bind": ("tmpfs", "volume"), "volume": ("tmpfs",), "tmpfs": ("bind", "volume"), "image": ("tmpfs",)}
SHORT = "write SOURCE:TARGET or SOURCE:TARGET:ro"
RIGHTS = re.compile(r"[rwm]{1,3}\Z")


@form("volumes")
def volumes_form(node, spot, key):
    result = List(node.place)
    for item in items_of(node, spot):
        with spot.guard():
            mount = long_volume(item, spot, key.of) if isinstance(item, Map) else short_volume(item, spot)
            target = mount.entries["target"].value
            if not target.startswith("/"):
                spot.refuse(item, f"the target {shown(target)} is not an absolute path", f"begin it with /; {SHORT}")
            result.items.append(mount)
    for place, target in repeated(result.items):
        spot.context.report.note(spot.problem(scalar(place, ""), f"two volumes have the target {shown(target)}",
                                              "the last one takes effect"))
    return result


def repeated(mounts):
    seen = set()
    for mount in mounts:
        target = clean(mount.entries["target"].value)
        if target in seen:
            yield mount.place, target
        seen.add(target)


def short_volume(item, spot):
    if not isinstance(item, Scalar):
        spot.refuse(item, f"a volume must be a text or a map, and is {kind_of(item)}", SHORT)
    parts = item.text.split(":")
    if len(parts) > 3:
        spot.refuse(item, "a volume has at most three parts", f"{SHORT}; commas separate options")
    if not all(parts):
        spot.refuse(item, "a part of the volume is empty", SHORT)
    source, target = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
    place = item.place
    made = Map(place, {"type": scalar(place, "bind" if is_path(source) else "volume"),
                       "target": scalar(place, clean(target))})
    if source:
        set_source(made, item, source, spot)
    if len(source) == 1 and source.isalpha():
        spot.note(item, f"mounts the volume {source}; docker-compose reads a drive of Windows", "give it a longer name")
    for option in parts[2].split(",") if len(parts) > 2 else ():
        set_option(made, item, option, spot)
    return made


def is_path(source):
    return source.startswith((".", "/", "~"))


def set_source(made, item, source, spot):
    place = item.place
    if made.entries["type"].value != "bind":
        if "/" in source:
            spot.refuse(item, f"the source {shown(source)} is neither a path nor the name of a volume",
                        f"write {shown('./' + source)} for a path of the repository" if not is_path(source) else "write type: bind for a path")
        made.entries["source"] = scalar(place, source)
        return
    if source.startswith("~") and source[1:2] not in ("", "/"):
        spot.refuse(item, f"the source {shown(source)} is the home of another user", "write the whole path, or ./ before it")
    made.entries["written"] = scalar(place, source)  # a grant is compared with this as well
    made.entries["source"] = scalar(place, joined(spot.context.directory, source, spot.context.home))


def set_option(made, item, option, spot):
    place = item.place
    if option in ("ro", "rw"):
        made.entries["read_only"] = scalar(place, option == "ro")
    elif option == "nocopy":
        made.entries["volume"] = Map(place, {"nocopy": scalar(place, True)})
    elif option in ("z", "Z") or option in PROPAGATIONS:
        bind = made.entries.setdefault("bind", Map(place))
        bind.entries["propagation" if option in PROPAGATIONS else "selinux"] = scalar(place, option)
    elif option not in CONSISTENCIES:  # docker-compose says nothing: zabbix's own files have "roz"
        spot.note(item, f"{shown(option)} is not an option of a volume, and has no effect",
                  "write ro, rw, z, Z, nocopy or a propagation, with commas between them")


def long_volume(item, spot, table):
    given = fields(item, spot, table)
    made = Map(item.place, dict(given.entries))
    made.places = dict(given.places)
    source = made.entries.pop("source", None)
    if "type" not in made.entries:
        made.entries["type"] = scalar(item.place, "bind" if source and is_path(source.value) else "volume")
    kind = made.entries["type"].value
    if kind not in TYPES:
        spot.refuse(made.entries["type"], "is not a type of a volume", f"write one of {', '.join(TYPES)}")
    if "target" not in made.entries:
        spot.refuse(item, "the volume has no target", "write target: and the path within the container")
    made.entries["target"] = made.entries["target"].given(clean(made.entries["target"].value))
    for one in (made.entries["target"], source) if kind in ("bind", "volume") else ():
        if one is not None and ":" in one.value:
            spot.refuse(one, "has a colon, which podman takes for the end of a path", "write a path without one")
    if kind in ("bind", "image") and (source is None or not source.value):
        spot.refuse(source or item, f"a volume of the type {kind} has no source", "write source: and what is mounted")
    if source is not None and source.value and kind in ("bind", "volume"):
        set_source(made, source, source.value, spot)
    elif source is not None and kind == "image":
        made.entries["source"] = source
    elif source is not None and source.value and kind == "tmpfs" and source.value != "tmpfs":
        spot.at("source").note(source, "pgod ignores this: a tmpfs has no source")
    for name in OF_OTHERS[kind]:
        options = made.entries.get(name)
        if isinstance(options, Map) and options.entries:
            spot.at(name).note(options, f"pgod ignores this: the volume is of the type {kind}")
    return made


@form("grants")
def grants_form(node, spot, key):
    """Secrets and configs of a service, with the path where each is mounted."""
    result, table = List(node.place), key.of
    for item in items_of(node, spot):
        with spot.guard():
            if isinstance(item, Map):
                made = fields(item, spot, table or {name: key._replace(form="text") for name in ("source", "target")})
            else:
                made = Map(item.place, {"source": text_form(item, spot)})
            if "source" not in made.entries or not made.entries["source"].value:
                spot.refuse(item, "has no source", "write source: and a name from the top of the file")
            if table is not None:
                made.entries["target"] = target_of(made, spot)
            result.items.append(made)
    return result


def target_of(made, spot):
    target = made.entries.get("target")
    if target is None or not target.value:
        target = made.entries["source"]
    path = clean(os.path.join("/run/secrets" if spot.setting == "secrets" else "/", target.value))
    if ":" in path or path == "/":
        spot.refuse(target, "is not a path that a file can be mounted at", "write an absolute path without a colon")
    return target.given(path)


@form("devices")
def devices_form(node, spot, key):
    result = List(node.place)
    for item in items_of(node, spot):
        with spot.guard():
            if isinstance(item, Map):
                made = fields(item, spot, key.of)
                if "source" not in made.entries:
                    spot.refuse(item, "the device has no source", "write source: and its path on the host")
            else:
                made = short_device(item, spot)
            made.entries.setdefault("target", made.entries["source"])
            made.entries.setdefault("permissions", scalar(item.place, "rwm"))
            result.items.append(made)
    return result


def short_device(item, spot):
    parts = text_form(item, spot).value.split(":")
    if "=" in item.text and not item.text.startswith("/"):
        parts = [item.text]  # a device of CDI
    elif len(parts) == 2 and RIGHTS.match(parts[1]):
        parts = [parts[0], parts[0], parts[1]]
    if len(parts) > 3 or not all(parts):
        spot.refuse(item, "is not a device", "write HOST, HOST:CONTAINER or HOST:CONTAINER:RIGHTS, such as /dev/fuse")
    names = ("source", "target", "permissions")
    return Map(item.place, {name: scalar(item.place, part) for name, part in zip(names, parts)})


@form("external")
def external_form(node, spot, key=None):
    """true, or the old form {name: NAME}, whose name the text keeps."""
    if not isinstance(node, Map):
        result = bool_form(node, spot)
        result.text = ""
        return result
    name = fields(node, spot, {"name": key._replace(form="text", of=None)}).entries.get("name")
    result = scalar(node.place, True)
    result.text, result.written = name.value if name is not None else "", ""
    return result
