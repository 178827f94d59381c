"""One service once all files are merged: its files of variables, what `deploy` changes, and what it needs of others."""

import re

from . import dotenv
from .limits import MAX_STOP_GRACE
from .merging import cleaned, sole
from .nodes import Map, is_empty, plain, scalar
from .problems import Problem, shown
from .table import SERVICE

TIMES = ("interval", "timeout", "start_period", "start_interval", "retries")  # of a test
SHARED = ("network_mode", "ipc", "pid", "uts", "cgroup")
LIMITS = (("limits", "memory", "mem_limit"), ("limits", "cpus", "cpus"), ("limits", "pids", "pids_limit"),
          ("reservations", "memory", "mem_reservation"))
RESTARTS = {"none": "no", "any": "always", "on-failure": "on-failure"}


class Service:
    """`node` knows the places, `model` is what becomes of the service."""

    def __init__(self, node, spot, loader):
        self.node, self.spot, self.loader = cleaned(node), spot, loader
        for name, entry in self.node.entries.items():
            self.node.entries[name] = sole(entry, SERVICE[name])
        for name in [name for name, entry in self.node.entries.items() if is_empty(entry)]:
            del self.node.entries[name]  # an override can take a text back by an empty one
        self.model = plain(self.node)
        self.named = {}  # each service that this one needs, with the setting that names it, and its node

    def entry(self, *path):
        """The node of a setting, for the place of a sentence."""
        node = self.node
        for name in path:
            node = node.entries.get(name) if isinstance(node, Map) else None
        return node

    def refuse(self, setting, node, text, advice=""):
        spot = self.spot
        for part in setting.split(".") if setting else ():
            spot = spot.at(part)
        spot.refuse(node if node is not None else scalar(self.node.place, ""), text, advice)

    def note(self, setting, text):
        node = self.entry(*setting.split("."))
        self.loader.report.note(Problem(node.place, self.spot.service, setting, "", text))

    def resolved(self):
        if self.model.get("pull_policy") == "if_not_present":
            self.model["pull_policy"] = "missing"
        for step in (self.image, self.build, self.environment, self.labels, self.limits, self.restart, self.replicas,
                     self.healthcheck, self.dependencies, self.ulimits, self.stop_grace_period):
            with self.spot.guard():
                step()
        return self.model

    def image(self):
        if not self.model.get("image"):
            self.model.pop("image", None)
            if "build" not in self.model and "provider" not in self.model:
                self.refuse("", None, "the service has neither an image nor a build", "write image: or build:")
        else:
            self.model["image_written"] = self.model["image"]  # pgod completes it, once it knows which images are there
            self.model["image"] = completed(self.model["image"])
            if not IMAGE.match(self.model["image"]):
                spot = self.spot.at("image")  # Compose leaves it to the engine, which cannot pull it
                spot.context.report.refusal(spot.problem(self.entry("image"), "is not the name of an image",
                                                         "write NAME:TAG, such as docker.io/library/nginx:1.27"))

    def build(self):
        build = self.model.get("build")
        if build is None:
            return
        build.setdefault("context", self.spot.context.directory)
        if build.get("dockerfile") and build.get("dockerfile_inline"):
            self.refuse("build", self.entry("build"), "has both dockerfile and dockerfile_inline", "keep one of the two")
        if not build.get("dockerfile_inline"):
            build["dockerfile"] = build.get("dockerfile") or "Dockerfile"

    def environment(self):
        """Later files win over earlier ones, and `environment` over all. A name without a value hides that of a file."""
        own = self.model.get("environment", {})
        values = {}
        for entry in self.entry("env_file").items if "env_file" in self.model else ():
            values.update(self.env_file(entry, own, values))
        for name, value in own.items():
            if value is None:
                values.pop(name, None)
            else:
                values[name] = value
        self.model["environment"] = values

    def env_file(self, entry, own, values):
        path, required = entry.entries["path"], entry.entries.get("required")
        name = self.loader.stage.name(path.value)
        asked = (path.place, self.spot.service, "env_file", shown(path.written))
        data = self.loader.stage.read(path.value, asked)
        if data is None:
            if required is None or required.value:
                self.refuse("env_file", path, f"the file {name} does not exist",
                            "add it to the repository, or write required: false beside its path")
            return {}

        def lookup(name):
            for known in (self.spot.context.variables.get(name), own.get(name), values.get(name)):
                if known is not None:
                    return known
            return None

        if "format" in entry.entries and entry.entries["format"].value == "raw":
            return dotenv.raw(data, name, lookup)
        return dotenv.parsed(data, name, lookup, self.loader.report)

    def labels(self):
        values = {}
        for path in self.entry("label_file").items if "label_file" in self.model else ():
            asked = (path.place, self.spot.service, "label_file", shown(path.written))
            data = self.loader.stage.read(path.value, asked)
            name = self.loader.stage.name(path.value)
            if data is None:
                self.refuse("label_file", path, f"the file {name} does not exist", "add it to the repository")
            values.update(dotenv.parsed(data, name, lambda variable: None, self.loader.report))
        self.model["labels"] = {**values, **self.model.get("labels", {})}

    def limits(self):
        resources = self.model.get("deploy", {}).get("resources", {})
        for part, name, key in LIMITS:
            value = resources.get(part, {}).get(name)
            if value is None:
                continue
            if self.model.get(key) not in (None, value):
                self.refuse(key, self.entry(key), f"differs from deploy.resources.{part}.{name}", "keep one of the two")
            self.model[key] = value

    def restart(self):
        policy = self.model.get("deploy", {}).get("restart_policy")
        if policy is not None:
            restart = RESTARTS[policy.get("condition", "any")]
            attempts = policy.get("max_attempts")
            restart = f"{restart}:{attempts}" if restart == "on-failure" and attempts else restart
            if self.model.get("restart", restart) != restart:
                self.note("restart", f"pgod ignores this: deploy.restart_policy stands beside it, and means {restart}")
            self.model["restart"] = restart

    def replicas(self):
        self.model["replicas"] = 1
        replicas, scale = self.model.get("deploy", {}).get("replicas"), self.model.get("scale")
        if None not in (replicas, scale) and replicas != scale:
            self.refuse("scale", self.entry("scale"), "differs from deploy.replicas", "keep one of the two")
        number = scale if replicas is None else replicas
        if number is not None and not 0 <= number <= 100:
            path = ("scale",) if replicas is None else ("deploy", "replicas")
            self.refuse(".".join(path), self.entry(*path), "must be a number from 0 to 100")
        self.model["replicas"] = 1 if number is None else number

    def healthcheck(self):
        check = self.model.get("healthcheck")
        if check is None:
            return
        if check.get("disable") or check.get("test", [None])[:1] == ["NONE"]:
            self.model["healthcheck"] = {"test": ["NONE"]}
        elif check.get("retries", 1) < 0:
            self.refuse("healthcheck.retries", self.entry("healthcheck", "retries"), "must not be negative")
        elif len(check.get("test", ())) == 1 or check.get("test", ())[:1] == ["CMD-SHELL"] and not "".join(check["test"][1:]).strip():
            self.refuse("healthcheck.test", self.entry("healthcheck", "test"), "names no command",
                        f"write a command behind {check['test'][0]}")
        elif not check.get("test"):
            given = [key for key in check if key in TIMES]
            if given:
                self.note("healthcheck", f"pgod ignores {' and '.join(given)}: podman takes them only with a test; write test:"
                          " beside them, also where the image has one")

    def ulimits(self):
        for name, limit in self.model.get("ulimits", {}).items():
            one = limit.get("soft", limit.get("hard"))
            if one is None:
                self.refuse(f"ulimits.{name}", self.entry("ulimits"), "has neither soft nor hard", "write a number")
            limit.setdefault("soft", one)
            limit.setdefault("hard", one)

    def stop_grace_period(self):
        if self.model.get("stop_grace_period", 0) > MAX_STOP_GRACE:
            spot = self.spot.at("stop_grace_period")
            spot.context.report.refusal(spot.problem(self.entry("stop_grace_period"), "is longer than pgod waits",
                                                     f"write {MAX_STOP_GRACE // 60}m or less"))

    def dependencies(self):
        """Links, shared namespaces and volumes_from need the other service too."""
        found = self.model.setdefault("depends_on", {})
        for entry in found.values():
            for name, value in implied().items():
                entry.setdefault(name, value)
        self.named = {name: ("depends_on", self.entry("depends_on", name)) for name in found}
        for key in ("links", "volumes_from"):
            for item in self.entry(key).items if key in self.model else ():
                if key == "links" or not item.value.startswith("container:"):
                    self.implied(found, item.value.split(":")[0], key, item)
        for key in SHARED:
            mode = self.model.get(key) or ""
            if mode.startswith("service:"):
                self.implied(found, mode.removeprefix("service:"), key, self.entry(key))

    def implied(self, found, name, key, node):
        found.setdefault(name, implied())
        self.named.setdefault(name, (key, node))


IMAGE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]+)?(/[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*)+"
                   r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[A-Za-z0-9.+_-]+:[0-9a-fA-F]{32,})?\Z")


def implied():
    return {"condition": "service_started", "required": True}


def completed(image):
    """The whole name: Docker's registry, its library, and the tag `latest` where the file leaves them out."""
    name, _, digest = image.partition("@")
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif not ("." in first or ":" in first or first == "localhost"):
        name = f"docker.io/{name}"
    elif first in ("docker.io", "index.docker.io"):
        rest = name.partition("/")[2]
        name = "docker.io/" + (rest if "/" in rest else f"library/{rest}")
    if digest:
        return f"{name}@{digest}"
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"
