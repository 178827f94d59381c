"""Drivers of volumes and networks, and their options: what podman can do for a user of the host, and what nothing permits."""

import re

from .merging import cleaned
from .nodes import Map, plain
from .problems import Problem, shown

NETWORKS = {
    "overlay": ("only a Docker Swarm has it", "write bridge"),
    "macvlan": ("it would reach networks of the host", "publish ports"),
    "ipvlan": ("it would reach networks of the host", "publish ports"),
    "host": ("it is not a network of podman", "write network_mode: host, which needs allow = [\"host-network\"]"),
    "none": ("it is not a network of podman", "write network_mode: none, or internal: true"),
}
BRIDGE = "com.docker.network.bridge."
NOTED = {
    "com.docker.network.driver.mtu": "the network of a user does not depend on the host's",
    "mtu": "the network of a user does not depend on the host's",
    BRIDGE + "name": "podman names the interface",
    "com.docker.network.container_iface_prefix": "podman names the interface",
    "isolate": "pgod isolates each network that it makes",
}
AS_USUAL = (BRIDGE + "enable_icc", BRIDGE + "enable_ip_masquerade")  # true is what every network does

MEMORY = ("size", "mode", "uid", "gid", "nr_inodes", "nosuid", "nodev", "noexec", "rw", "noatime", "defaults")
BINDS = ("bind", "rbind", "rw", "ro", "defaults", "uid", "gid")
ON_THE_HOST = "mount it on the host, and ask the admin for volumes = [\"/ITS/DIRECTORY\"]"


OCTAL = re.compile(r"0?[0-7]{3,4}\Z")


class Drivers:
    def __init__(self, project):
        self.report, self.used = project.report, project.used
        self.users = {}  # the containers that mount a volume, by their services
        for name, service in project.services.items():
            for mount in service.model.get("volumes") or ():
                if mount["type"] == "volume":
                    self.users.setdefault(mount.get("source"), []).extend([name] * service.model["replicas"])

    def judged(self):
        for section, judge in (("volumes", self.volume), ("networks", self.network)):
            for name, node in self.used(section):
                node = cleaned(node)
                if isinstance(node, Map) and not plain(node).get("external"):
                    judge(name, f"{section}.{name}", node)

    def refuse(self, setting, node, text, advice="remove it"):
        value = shown(plain(node)) if isinstance(plain(node), str) else ""
        self.report.refusal(Problem(node.place, "", setting, value, text, advice))

    def note(self, setting, node, text):
        self.report.note(Problem(node.place, "", setting, "", text))

    def network(self, name, setting, node):
        driver = plain(node).get("driver") or "bridge"
        if driver not in ("bridge", "default"):
            text, advice = NETWORKS.get(driver, ("podman does not have it", "write bridge"))
            self.refuse(f"{setting}.driver", node.entries["driver"], f"nothing permits this: {text}", advice)
        for option, entry in options_of(node):
            where = f"{setting}.driver_opts.{option}"
            if option in NOTED:
                self.note(where, entry, f"pgod ignores this: {NOTED[option]}")
            elif option not in AS_USUAL or plain(entry) not in ("true", "1"):
                self.refuse(where, entry, "nothing permits this: it would change networks of the host")

    def volume(self, name, setting, node):
        driver = plain(node).get("driver") or "local"
        if driver not in ("local", "default"):
            self.refuse(f"{setting}.driver", node.entries["driver"],
                        "nothing permits this: a user of the host has no such plugin", ON_THE_HOST)
            return
        given = dict(options_of(node))
        for option in set(given) - {"type", "o", "device"}:
            self.refuse(f"{setting}.driver_opts.{option}", given[option], "nothing permits this: podman does not know it")
        kind, words, device = described(plain(node).get("driver_opts") or {})
        where = f"{setting}.driver_opts"
        if kind == "bind" and not device:
            self.refuse(where, node.entries["driver_opts"], "a directory that is mounted needs a device",
                        "write device: and its path")
            return
        elif kind not in ("", "bind", "tmpfs"):
            self.refuse(where, node.entries["driver_opts"],
                        f"nothing permits this: a user of the host cannot mount {kind}", ON_THE_HOST)
        for word in words if kind in ("bind", "tmpfs") else ():
            if word.partition("=")[0] not in (BINDS if kind == "bind" else MEMORY):
                self.refuse(f"{where}.o", given["o"], f"nothing permits {shown(word)}")
            elif kind == "tmpfs" and word.startswith("mode=") and not OCTAL.match(word[5:]):
                self.refuse(f"{where}.o", given["o"], f"{shown(word[5:])} is not a mode", "write it in octal, such as mode=1777")
        ignored = {word.partition("=")[0] for word in words} & {"uid", "gid", "nr_inodes"}
        if kind == "tmpfs" and ignored:
            self.note(f"{where}.o", given["o"], f"pgod ignores {' and '.join(sorted(ignored))}: podman mounts a tmpfs that "
                      "everybody in the container can write to")
        elif kind == "bind":
            self.note(where, given["device"], "pgod mounts the directory as it is, and copies nothing of the image into it")
        users = self.users.get(name, ())
        if kind == "tmpfs" and len(users) > 1:
            self.refuse(where, node.entries["driver_opts"], f"podman gives a tmpfs to one container, and {users[0]} and "
                        f"{users[1]} mount this", "remove driver_opts, which keeps the volume on disk")


def options_of(node):
    options = node.entries.get("driver_opts")
    return list(options.entries.items()) if isinstance(options, Map) else []


def described(options):
    """What a local volume is: "" for one on disk, "bind", "tmpfs", or the type that it names; mount's words; the device."""
    words = [word for word in str(options.get("o") or "").split(",") if word]
    kind, device = str(options.get("type") or "none"), str(options.get("device") or "")
    if "bind" in words or "rbind" in words or kind == "bind":
        return "bind", words, device
    if kind == "none":
        return ("bind" if device.startswith("/") else device) if device else "", words, device
    return kind, words, device
