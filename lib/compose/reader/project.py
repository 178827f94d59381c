"""The merged files as one project: which services run, and what of the project each of them uses."""

from .drivers import Drivers
from .forms import near
from .limits import MAX_PROFILES
from .merging import cleaned
from .nodes import RESET, List, Map, plain, scalar
from .problems import Problem, listed, shown
from .services import Service
from .spot import Context, Spot, value_of
from .table import NOTED, REFUSED, SERVICE, TOP, Key

SOURCES = ("file", "environment", "content")  # of a secret or a config


class Project:
    def __init__(self, merged, name, profiles, loader, variables, directory):
        self.top, self.name, self.profiles, self.loader = merged, name, set(profiles), loader
        self.report = loader.report
        self.context = Context(self.report, directory, loader.home, variables, loader.scope(variables))
        self.services, self.places, self.values, self.left_out = {}, {}, {}, {}
        self.model = {"name": name}

    def resolved(self):
        for section in ("networks", "volumes", "secrets", "configs"):
            self.resources(section)
        self.choose()
        for name, service in self.services.items():
            service.resolved()
            for step in (self.networks, self.volumes, self.grants, self.build_secrets, self.container_name):
                with self.report.guard():
                    step(service)
        for service in self.services.values():
            self.needs(service)
        self.circles()
        self.model["services"] = {name: service.model for name, service in self.services.items()}
        own = self.top.entries.get("x-pgo")
        if own is not None:
            self.model["x-pgo"] = plain(own)
            self.place(own, "x-pgo")
        self.note_left_out()
        self.note_unknown_profiles()
        self.states()
        Drivers(self).judged()
        return self.model

    def written(self):
        """What the files themselves say of the services that run, merged and in long forms, for the policy of keys."""
        found = {section: {name: plain(cleaned(node)) for name, node in self.top.entries[section].entries.items()}
                 for section in ("networks", "volumes")}
        found["services"] = {name: plain(service.node) for name, service in self.services.items()}
        found["keys"] = [name for name, node in self.top.entries.items() if plain(node) not in ({}, None)]
        return found

    def choose(self):
        for name, node in self.top.entries["services"].entries.items():
            profiles = node.entries.get("profiles")
            names = {one.value for one in profiles.items} if isinstance(profiles, List) else set()
            on = "" in names or "*" in self.profiles or names & self.profiles  # docker-compose: "" is always on
            if names and not on:
                self.left_out[name] = sorted(names)
                continue
            service = Service(node, Spot(self.context, name), self.loader)
            self.services[name] = service
            self.place(service.node, f"services.{name}")

    def note_left_out(self):
        """One sentence for each set of profiles."""
        by_profiles = {}
        for name, profiles in self.left_out.items():
            by_profiles.setdefault(tuple(profiles), []).append(name)
        for profiles, names in by_profiles.items():
            node = self.top.entries["services"].entries[names[0]].entries["profiles"]
            runs = "runs" if len(names) == 1 else "run"
            self.report.note(Problem(node.place, listed(names), "", "",
                                     f"{runs} only with the profile {' or '.join(profiles)}"))

    def note_unknown_profiles(self):
        known = {one.value for node in self.top.entries["services"].entries.values()
                 for one in getattr(node.entries.get("profiles"), "items", ())}
        for name in sorted(self.profiles - known - {"*"})[:MAX_PROFILES]:
            near_one = self.near(name, known)
            self.report.note(Problem(self.top.place, "", "profiles", shown(name), "no service has this profile"
                                     + (f"; {near_one}" if near_one else "")))

    def place(self, node, path):
        self.places[path] = str(node.place)
        if not isinstance(node, (Map, List)):
            self.values[path] = value_of(node)
        elif isinstance(node, Map):
            if "written" in node.entries:  # the source of a mount
                self.values[path] = shown(node.entries["written"].value)
            for name, entry in node.entries.items():
                self.place(entry, f"{path}.{name}")
        elif isinstance(node, List):
            for number, item in enumerate(node.items):
                self.place(item, f"{path}.{number}")

    def resources(self, section):
        found = {}
        for name, node in self.top.entries[section].entries.items():
            node = cleaned(node)
            self.place(node, f"{section}.{name}")
            entry = plain(node)
            entry.setdefault("name", name if entry.get("external") else f"{self.name}_{name}")
            if section in ("secrets", "configs") and "environment" in entry:
                entry["value"] = self.context.variables.get(entry["environment"])
            found[name] = entry
        if section == "networks":
            found.setdefault("default", {"name": f"{self.name}_default"})
        self.model[section] = found

    def networks(self, service):
        model = service.model
        given = model.get("networks")
        if model.get("network_mode"):
            if given:
                service.refuse("network_mode", service.entry("network_mode"), "stands beside networks",
                               "keep one of the two")
            model["networks"] = {}
            return
        model["networks"] = given = given or {"default": {}}
        for name, entry in given.items():
            if "aliases" in entry:
                entry["aliases"] = list(dict.fromkeys(entry["aliases"]))
            if name not in self.model["networks"]:
                with self.report.guard():
                    service.refuse(f"networks.{name}", service.entry("networks", name),
                                   f"the file declares no network {shown(name)}",
                                   self.near(name, self.model["networks"])
                                   or f"add {name}: beneath networks: at the top of the file")

    def near(self, name, known):
        return near(name, known) if len(self.report.problems) < 20 else ""

    def volumes(self, service):
        for node in service.entry("volumes").items if "volumes" in service.model else ():
            source = node.entries.get("source")
            if node.entries["type"].value != "volume" or source is None or source.value in self.model["volumes"]:
                continue
            name = source.value
            with self.report.guard():
                service.refuse("volumes", source, f"the file declares no volume {shown(name)}",
                               self.near(name, self.model["volumes"])
                               or f"add {name}: beneath volumes: at the top of the file, or write ./{name} for a path")

    def grants(self, service):
        for section in ("secrets", "configs"):
            for node in service.entry(section).items if section in service.model else ():
                source = node.entries["source"]
                if source.value not in self.model[section]:
                    service.refuse(section, source, f"the file declares no {section[:-1]} of this name",
                                   f"add {source.value}: beneath {section}: at the top of the file")
                declared = self.top.entries[section].entries[source.value]
                for key in ("file", "environment"):
                    one = cleaned(declared).entries.get(key)
                    if one is not None and one.text == "":
                        Spot(self.context, "", f"{section}.{source.value}.{key}").refuse(
                            one, "is empty", f"write the {'path of a file' if key == 'file' else 'name of a variable'}")
                kinds = [key for key in (*SOURCES, "external")
                         if self.model[section][source.value].get(key) not in (None, False)]
                if len(kinds) != 1:
                    said = "names no source" if not kinds else f"has both {kinds[0]} and {kinds[1]}"
                    service.refuse(section, source, f"the {section[:-1]} {said}",
                                   f"write one of file: and environment: beneath {section}.{source.value}")

    def build_secrets(self, service):
        build = service.entry("build", "secrets")
        for node in build.items if build is not None else ():
            if node.entries["source"].value not in self.model["secrets"]:
                service.refuse("build.secrets", node.entries["source"], "the file declares no secret of this name",
                               f"add {node.entries['source'].value}: beneath secrets: at the top of the file")

    def container_name(self, service):
        name = service.model.get("container_name")
        if name is None:
            return
        if service.model["replicas"] > 1:
            service.refuse("container_name", service.entry("container_name"), "stands beside several replicas",
                           "remove the name, or the replicas")
        for other in self.services.values():
            if other is service:
                return
            if other.model.get("container_name") == name:
                service.refuse("container_name", service.entry("container_name"),
                               f"is the name of {other.spot.service} as well", "give one of the two another name")

    def needs(self, service):
        for name, entry in list(service.model["depends_on"].items()):
            if name in self.services:
                continue
            with self.report.guard():
                setting, node = service.named[name]
                if not entry.get("required", True):
                    self.report.note(Problem(node.place, service.spot.service, "depends_on", "",
                                             f"{name} does not run, and is not required"))
                    del service.model["depends_on"][name]
                elif name in self.left_out:
                    service.refuse(setting, scalar(node.place, ""),
                                   f"the service needs {name}, which only runs with the profile "
                                   f"{' or '.join(self.left_out[name])}",
                                   "ask the admin to name the profile in profiles"
                                   + (", or write required: false" if setting == "depends_on" else ""))
                else:
                    service.refuse(setting, scalar(node.place, ""), f"there is no service {shown(name)}",
                                   self.near(name, self.services) or "check the name")

    def circles(self):
        """Removes services without dependencies until none is left to remove. The rest forms a circle, or waits for one."""
        waiting = {name: {one for one in service.model["depends_on"] if one in self.services}
                   for name, service in self.services.items()}
        while ready := [name for name, needs in waiting.items() if not needs]:
            for name in ready:
                del waiting[name]
            for needs in waiting.values():
                needs.difference_update(ready)
        for name in list(waiting):
            way = [name]
            while (following := min(waiting[way[-1]])) not in way:
                way.append(following)
            if following == name:
                service = self.services[name]
                with self.report.guard():
                    setting, node = service.named[way[1] if len(way) > 1 else name]
                    service.refuse(setting, scalar(node.place, ""),
                                   f"services wait for one another: {' → '.join([*way, name])}", "remove one of these")
                return

    def used(self, section):
        """The objects of the file that a service which runs names. Of the others nothing is made."""
        names = set()
        for service in self.services.values():
            given = service.model.get(section) or ()
            names |= set(given) if isinstance(given, dict) else {one.get("source") for one in given}
            if section == "secrets":
                names |= {one["source"] for one in (service.model.get("build") or {}).get("secrets", ())}
        return [(name, node) for name, node in self.top.entries[section].entries.items() if name in names]

    def states(self):
        """Notes and refusals of keys that the table does not honour."""
        for name, service in self.services.items():
            self.state(service.node, Key("map", SERVICE), name, "")
        for section in ("networks", "volumes", "secrets", "configs"):
            for name, node in self.used(section):
                node = cleaned(node)
                if plain(node).get("external"):
                    self.beside_external(node, f"{section}.{name}")
                else:
                    self.state(node, Key("map", TOP[section].of), "", f"{section}.{name}")
        for name in ("models", "name"):
            if name in self.top.entries and self.top.entries[name].tag != RESET and not (
                    name == "name" and plain(self.top.entries[name]) == self.name):
                self.one_state(self.top.entries[name], TOP[name], "", name)

    def state(self, node, key, service, setting):
        self.one_state(node, key, service, setting)
        if key.state == REFUSED:
            return
        for name, entry, inner in children(node, key):
            self.state(entry, inner, service, f"{setting}.{name}" if setting and name else setting or name)

    def beside_external(self, node, setting):
        for name, entry in node.entries.items():
            if name not in ("external", "name", *SOURCES) and plain(entry) not in (None, False, "", [], {}):
                self.report.note(Problem(entry.place, "", f"{setting}.{name}", "",
                                         "pgod ignores this: it is external, and others made it"))

    def one_state(self, node, key, service, setting):
        if key.state not in (NOTED, REFUSED) or plain(node) is False or plain(node) in ([], {}, ""):
            return
        if key.state == NOTED:
            self.report.note(Problem(node.place, service, setting, "", f"pgod ignores this: {key.why}"))
        else:
            why, _, advice = key.why.partition("; ")
            self.report.refusal(Problem(node.place, service, setting, "", f"nothing permits this: {why}", advice or "remove it"))


def children(node, key):
    """The settings within one, with their keys of the table."""
    table = key.of
    if isinstance(table, Key):
        for item in node.items if isinstance(node, List) else ():
            yield "", item, table
    elif not isinstance(table, dict):
        return
    elif isinstance(node, List):
        for item in node.items:
            yield "", item, Key("map", table)
    elif isinstance(node, Map):
        if key.form in ("dependencies", "networks", "resources"):
            for name, entry in node.entries.items():
                yield name, entry, Key("map", table)
        else:
            for name, entry in node.entries.items():
                if name in table:
                    yield name, entry, table[name]
