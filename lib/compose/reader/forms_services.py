"""The other forms of services, and of what stands at the top of a file."""

import re

from .forms import fields, form, text_form, texts_form, texts_or_text_form, wants_list, wants_map, wants_scalar
from .forms_numbers import int_form
from .nodes import RESET, List, Map, Scalar, is_null, kind_of, scalar
from .problems import shown
from .stage import joined

NAME = re.compile(r"[a-zA-Z0-9._-]+\Z")
CONTAINER_NAME = re.compile(r"([a-zA-Z0-9][a-zA-Z0-9_.-]*)?\Z")  # an empty one is none
RESTART = re.compile(r"(|no|always|unless-stopped|on-failure(:[0-9]{1,9})?)\Z")
PULL = re.compile(r"(always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+)\Z")
REMOTE = re.compile(r"([a-z][a-z0-9+.-]*://|git@|github\.com/|service:|docker-image:)")
KINDS = ("CMD", "CMD-SHELL", "NONE")


def names(node, spot):
    """The entries of a map whose names the author chooses: one that begins with x- is a name as well."""
    wants_map(node, spot)
    for name, entry in node.entries.items():
        place = node.place_of(name)
        with spot.guard():
            if not NAME.match(name):
                spot.refuse(node, f"{shown(name)} is not a name", "use letters, digits, dots, dashes and underscores", place)
            yield name, entry, place


@form("services")
def services_form(node, spot, key):
    raise AssertionError("services are read one by one")


@form("resources")
def resources_form(node, spot, key):
    result = Map(node.place)
    for name, entry, place in names(node, spot):
        here = spot.at(name)
        if entry.tag == RESET or is_null(entry):
            made = entry if entry.tag == RESET else Map(place)
        else:
            made = fields(entry, here, key.of)
            with spot.guard():
                finish_resource(made, here)
        made.tag = entry.tag
        result.entries[name], result.places[name] = made, place
    return result


def finish_resource(made, spot):
    external = made.entries.get("external")
    if external is not None and external.text and isinstance(external.value, bool):
        if "name" in made.entries:
            spot.refuse(external, "has a name in external and another beside it", "keep name:")
        made.entries["name"] = scalar(external.place, external.text)
    if "file" in made.entries:
        made.entries["file"] = path_of(made.entries["file"], spot)
    options = made.entries.get("driver_opts")
    device = options.entries.get("device") if isinstance(options, Map) else None
    if isinstance(device, Scalar) and device.value and is_bind(options, device.value):
        options.entries["device"] = path_of(device, spot)


def is_bind(options, device):
    """A volume that is a directory of the host, by mount's options."""
    mode = options.entries.get("o")
    words = mode.value.split(",") if isinstance(mode, Scalar) and mode.value else ()
    return "bind" in words or "rbind" in words or device.startswith((".", "~"))


def path_of(node, spot):
    return node.given(joined(spot.context.directory, node.value, spot.context.home))


@form("build")
def build_form(node, spot, key):
    if isinstance(node, Scalar):
        node = Map(node.place, {"context": node})
    made = fields(node, spot, key.of)
    context = made.entries.get("context")
    if isinstance(context, Scalar) and not REMOTE.match(context.value):
        made.entries["context"] = path_of(context, spot)
    others = made.entries.get("additional_contexts")
    for name, one in others.entries.items() if isinstance(others, Map) else ():
        if one.tag != RESET and not REMOTE.match(one.value):
            others.entries[name] = path_of(one, spot)
    return made


@form("test")
def test_form(node, spot, key=None):
    if isinstance(node, Scalar):
        return List(node.place, [scalar(node.place, "CMD-SHELL"), text_form(node, spot)])
    result = texts_form(node, spot)
    if result.items and result.items[0].value not in KINDS:
        spot.refuse(node, "a test as a list must begin with CMD, CMD-SHELL or NONE",
                    f"write [\"CMD\", {shown(result.items[0].written)}, …]")
    return result


@form("ulimits")
def ulimits_form(node, spot, key=None):
    wants_map(node, spot)
    result = Map(node.place)
    for name, entry in node.entries.items():
        here, place = spot.at(name), node.place_of(name)
        if name.startswith("x-") or is_null(entry) and entry.tag != RESET:
            continue
        with spot.guard():
            if entry.tag == RESET:
                made = entry
            elif isinstance(entry, Map):
                number = key._replace(form="int", of=None)
                made = fields(entry, here, {"soft": number, "hard": number})
                if entry.entries and not made.entries:
                    continue  # each of them has its sentence
            else:
                both = int_form(entry, here)
                made = Map(place, {"soft": both, "hard": both})
            result.entries[name], result.places[name] = made, place
    return result


@form("env_files")
def env_files_form(node, spot, key):
    result = List(node.place)
    for item in [node] if isinstance(node, (Scalar, Map)) else node.items:
        if item.tag == RESET or is_null(item):
            continue
        with spot.guard():
            made = fields(item, spot, key.of) if isinstance(item, Map) else Map(item.place, {"path": text_form(item, spot)})
            path = made.entries.get("path")
            if path is None or not path.value:
                spot.refuse(item, "has no path of a file")
            form_of = made.entries.get("format")
            if form_of is not None and form_of.value not in ("", "raw"):
                spot.refuse(form_of, "is not a format of an env_file", "write raw, or leave it out")
            made.entries["path"] = path_of(path, spot)
            result.items.append(made)
    return result


@form("label_files")
def label_files_form(node, spot, key=None):
    given = texts_or_text_form(node, spot)
    return List(node.place, [path_of(one, spot) for one in given.items])


@form("expose")
def expose_form(node, spot, key=None):
    return texts_form(node, spot)


@form("extends")
def extends_form(node, spot, key):
    if isinstance(node, Scalar):
        return Map(node.place, {"service": text_form(node, spot)})
    made = fields(node, spot, key.of)
    if "service" not in made.entries:
        spot.refuse(node, "names no service", "write service: and the name of one")
    return made


@form("include")
def include_form(node, spot, key):
    wants_list(node, spot)
    result = List(node.place)
    for item in node.items:
        with spot.guard():
            if isinstance(item, Map):
                made = fields(item, spot, key.of)
            else:
                wants_scalar(item, spot, "a path or a map")
                made = Map(item.place, {"path": List(item.place, [text_form(item, spot)])})
            if "path" not in made.entries or not made.entries["path"].items:
                spot.refuse(item, "names no file", "write path: and the path of a compose file")
            result.items.append(made)
    return result


def matching(name, pattern, text, advice):
    @form(name)
    def match_form(node, spot, key=None):
        result = text_form(node, spot)
        if not pattern.match(result.value):
            spot.refuse(node, text, advice)
        return result


matching("restart", RESTART, "is not a restart policy", "write no, always, unless-stopped, on-failure or on-failure:N")
matching("container_name", CONTAINER_NAME, "is not a name that a container can have",
         "use letters, digits, dots, dashes and underscores")
matching("pull_policy", PULL, "is not a policy for pulling images", "write always, missing, never or build")


def service(node, spot, table):
    """All keys of one service in their long forms."""
    if not isinstance(node, Map):
        spot.refuse(node, f"a service must be a map, and is {kind_of(node)}", "write image: or build: beneath its name")
    return fields(node, spot, table)
