"""The files of one project as one model: each file is parsed, its variables are filled in, and it is merged over those
before it. `include` brings in whole projects, `extends` single services.
"""

import os
import re

from . import dotenv
from .forms import advice_for, shaped
from . import forms_networks, forms_ports, forms_volumes  # noqa: F401: they add their forms
from .forms_services import NAME, service
from .interpolation import Interpolation
from .limits import MAX_ALL_NODES, MAX_CHAIN, MAX_INCLUDES, MAX_SERVICES
from .merging import merged
from .nodes import RESET, Map, is_null, kind_of, plain, scalar, size
from .problems import Place, Problem, Refused, shown
from .spot import Context, Spot
from .stage import joined
from .table import SERVICE, TOP, Key
from .yaml_file import documents

SECTIONS = ("services", "networks", "volumes", "secrets", "configs")
REMOTE = re.compile(r"([a-z][a-z0-9+.-]*://|git@|github\.com/|oci:)")
WHOLE_SERVICE = Key("map", SERVICE)


class Source:
    """One file, read with the variables of one project: where `extends` looks a service up."""

    def __init__(self, path, services, context, model=None):
        self.path, self.services, self.context = path, services, context
        self.model = model  # services of the files before it
        self.done = {}


class Loader:
    def __init__(self, stage, home, report):
        self.stage, self.home, self.report = stage, home, report
        self.scopes, self.cache, self.sources = [], {}, {}
        self.nodes, self.includes = 0, 0

    def scope(self, variables):
        if variables not in self.scopes:
            self.scopes.append(variables)
        return self.scopes.index(variables)

    def documents(self, path, variables, asked):
        """The documents of a file with its variables filled in. None: there is no such file."""
        key = (path, self.scope(variables))
        if key not in self.cache:
            data = self.stage.read(path, asked)
            if data is None:
                return None
            found = documents(data, self.stage.name(path))
            for one in found:
                if not isinstance(one, Map):
                    raise Refused(Problem(one.place, "", "", "", f"the top of the file must be a map, and is {kind_of(one)}",
                                          "write services: at the top"))
                Interpolation(variables, self.report).node(one)
            self.cache[key] = found
        self.nodes += sum(size(one) for one in self.cache[key])  # each time: each is formed again
        if self.nodes > MAX_ALL_NODES:
            raise Refused(Problem(Place(self.stage.name(path), 0), "", "", "",
                                  f"the files have more than {MAX_ALL_NODES} values in all"))
        return self.cache[key]

    def dotenv(self, path, variables, asked):
        """None: there is no such file."""
        data = self.stage.read(path, asked)
        return None if data is None else dotenv.parsed(data, self.stage.name(path), variables.get, self.report)

    def project(self, files, directory, variables, asked, chain=()):
        model = Map(Place(self.stage.name(files[0]), 0), {name: Map(Place("", 0)) for name in SECTIONS})
        for path in files:
            if path in chain:
                asked_refuses(asked, f"{self.stage.name(path)} includes itself, directly or through others")
            if len(chain) > MAX_CHAIN:
                asked_refuses(asked, f"more than {MAX_CHAIN} files include one another")
            found = self.documents(path, variables, asked)
            if found is None:
                asked_refuses(asked, f"the file {self.stage.name(path)} does not exist",
                              "check the name, also its capital letters")
            for document in found:
                context = Context(self.report, directory, self.home, variables, self.scope(variables))
                model = self.document(document, Source(path, None, context, model), (*chain, path))
        return model

    def document(self, document, source, chain):
        model, top = source.model, Spot(source.context)
        of_first_format(document, top)
        for name, place in ((name, document.place_of(name)) for name in document.entries):
            if name not in TOP and not name.startswith("x-"):
                with self.report.guard():
                    top.at(name).refuse(scalar(place, ""), "this is not a key of the top of a compose file",
                                        advice_for(name, TOP), place)
        imported = {name: {} for name in SECTIONS}
        for entry in self.section(document, "include", top) or ():
            with self.report.guard():
                self.include(entry, source, chain, imported)
        model, source.services = source.model, self.services(document, top)
        own = {name: self.section(document, name, top) for name in SECTIONS[1:]}
        own["services"] = Map(document.place)
        for name in source.services.entries if source.services else ():
            with self.report.guard():
                own["services"].entries[name] = self.extended(name, source, ())
                own["services"].places[name] = source.services.place_of(name)
        result = Map(model.place, dict(model.entries))
        for name in SECTIONS:
            if own[name] is not None:
                with self.report.guard():
                    conflicts(own[name], imported[name], name, top)
                key = Key("maps", WHOLE_SERVICE.of) if name == "services" else TOP[name]
                result.entries[name] = merged(result.entries[name], own[name], key._replace(form="resources"))
        for name in ("name", "models", "x-pgo"):
            if name in document.entries and not is_null(document.entries[name]):
                result.entries[name] = document.entries[name]
        if len(result.entries["services"].entries) > MAX_SERVICES:
            top.refuse(document, f"the files have more than {MAX_SERVICES} services")
        return result

    def section(self, document, name, top):
        if name not in document.entries or is_null(document.entries[name]):
            return None
        with self.report.guard():
            result = shaped(document.entries[name], top.at(name), TOP[name])
            return result.items if name == "include" else result
        return None

    def services(self, document, top):
        """The services as the file has them: each gets its long form where it is asked for."""
        node = document.entries.get("services")
        if node is None or is_null(node):
            return None
        with self.report.guard():
            if not isinstance(node, Map):
                top.at("services").refuse(node, f"must be a map, and is {kind_of(node)}",
                                          "write the name of a service and a colon")
            result = Map(node.place)
            for name, entry in node.entries.items():
                place = node.place_of(name)
                with self.report.guard():
                    if not NAME.match(name):
                        top.at("services").refuse(scalar(place, ""), f"{shown(name)} is not a name of a service",
                                                  "use letters, digits, dots, dashes and underscores", place)
                    result.entries[name], result.places[name] = entry, place
            return result
        return None

    def extended(self, name, source, chain):
        """A service in its long form, over the one that it extends."""
        if name in source.done:
            return source.done[name]
        node = source.services.entries[name]
        spot = Spot(source.context, name)
        place = source.services.place_of(name)
        if node.tag == RESET:
            return node
        if is_null(node):
            spot.refuse(scalar(place, ""), "the service is empty", "write image: or build: beneath its name", place)
        made = service(node, spot, SERVICE)
        made.tag = node.tag
        extends = made.entries.pop("extends", None)
        if extends is not None and extends.tag != RESET:
            base = self.base(extends, source, spot.at("extends"), (*chain, (source.path, name)))
            own, made = made, merged(base, made, WHOLE_SERVICE)
            made.tag = own.tag
        source.done[name] = made
        return made

    def base(self, extends, source, spot, chain):
        wanted, file = extends.entries["service"], extends.entries.get("file")
        other = self.source_of(file, source, spot) if file is not None and file.value else source
        if (other.path, wanted.value) in chain:
            spot.refuse(wanted, "the service extends itself, directly or through others")
        if len(chain) > MAX_CHAIN:
            spot.refuse(wanted, f"more than {MAX_CHAIN} services extend one another")
        if other.services is not None and wanted.value in other.services.entries:
            return self.extended(wanted.value, other, chain)
        if other.model is not None and wanted.value in other.model.entries["services"].entries:
            return other.model.entries["services"].entries[wanted.value]
        return spot.refuse(wanted, f"is not a service of {self.stage.name(other.path)}", "check the name")

    def source_of(self, file, source, spot):
        context = source.context
        if REMOTE.match(file.value):
            spot.refuse(file, "is not a file of the repository", "add the file to the repository")
        path = joined(context.directory, file.value, self.home)
        if path == source.path:
            return source
        if (path, context.scope) in self.sources:
            return self.sources[path, context.scope]
        found = self.documents(path, context.variables, (file.place, spot.service, "extends.file", shown(file.written)))
        if found is None:
            spot.refuse(file, "the file does not exist", "check the path; it begins at the directory of this file")
        inner = Context(self.report, os.path.dirname(path), self.home, context.variables, context.scope)
        services = Map(Place(self.stage.name(path), 0))
        for document in found:
            own = self.services(document, Spot(inner))
            for name in own.entries if own else ():
                services.entries[name], services.places[name] = own.entries[name], own.place_of(name)
        self.sources[path, context.scope] = Source(path, services, inner)
        return self.sources[path, context.scope]

    def include(self, entry, source, chain, imported):
        spot, context = Spot(source.context, "", "include"), source.context
        self.includes += 1
        if self.includes > MAX_INCLUDES:
            spot.refuse(entry, f"more than {MAX_INCLUDES} files would be included, each as often as it is")
        paths = []
        for one in entry.entries["path"].items:
            if REMOTE.match(one.value):
                spot.refuse(one, "is not a file of the repository", "add the file to the repository")
            paths.append(joined(context.directory, one.value, self.home))
        directory = entry.entries.get("project_directory")
        directory = joined(context.directory, directory.value, self.home) if directory else os.path.dirname(paths[0])
        variables = self.variables_of_include(entry, directory, context, spot)
        first = entry.entries["path"].items[0]
        found = self.project(paths, directory, variables, (first.place, "", "include", shown(first.written)), chain)
        model = Map(source.model.place, dict(source.model.entries))
        for section in SECTIONS:
            conflicts(found.entries[section], source.model.entries[section].entries, section, spot)
            model.entries[section] = with_all(source.model.entries[section], found.entries[section])
            imported[section].update(found.entries[section].entries)
        source.model = model

    def variables_of_include(self, entry, directory, context, spot):
        values = {}
        files = entry.entries.get("env_file")
        if files is None:
            found = self.dotenv(os.path.join(directory, ".env"), context.variables, (entry.place, "", "include", ""))
            return context.variables.with_dotenv(found) if found else context.variables
        for one in files.items:
            path = joined(context.directory, one.value, self.home)
            found = self.dotenv(path, context.variables, (one.place, "", "include.env_file", shown(one.written)))
            if found is None:
                spot.at("env_file").refuse(one, "the file does not exist", "check the path")
            values.update(found)
        return context.variables.with_dotenv(values)


def of_first_format(document, top):
    """Compose's first format had its services at the top."""
    for name, entry in document.entries.items():
        if "services" not in document.entries and name not in TOP and isinstance(entry, Map) and (
                "image" in entry.entries or "build" in entry.entries):
            top.refuse(scalar(document.place_of(name), ""), f"the service {shown(name)} is at the top of the file",
                       "write services: above all services, and indent them")


def conflicts(node, known, section, spot):
    """The reader does not merge included files: an entry of one name must be the same in both."""
    for name, entry in node.entries.items():
        if name in known and plain(known[name]) != plain(entry):
            place = node.place_of(name)
            spot.refuse(scalar(place, ""), f"{section}.{name} is at {known[name].place} as well, and differs there",
                        "give one of the two another name", place)


def with_all(base, more):
    result = Map(base.place, {**base.entries, **more.entries})
    result.places = {**base.places, **more.places}
    return result


def asked_refuses(asked, text, advice=""):
    place, service_name, setting, value = asked
    raise Refused(Problem(place, service_name, setting, value, text, advice))
