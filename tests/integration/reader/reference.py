#!/usr/bin/env python3
"""Compares the reader with docker-compose, which has to be there: it is not part of the tests.

Arguments: the program (Debian's package docker-compose holds it as /usr/libexec/docker/cli-plugins/docker-compose), and
directories of projects. Each project that the two read differently has a line.
"""

import json
import os
import pathlib
import subprocess
import sys

from project_files import ENVIRONMENT, HOME, output, read, sentences
from reader.quantities import duration
from reader.services import completed

BYTES = ("mem_limit", "mem_reservation", "memswap_limit", "shm_size", "mem_swappiness")
RESTARTS = {"none": "no", "any": "always", "": "always"}
MOUNTS = {"secrets": "/run/secrets/", "configs": "/"}


def without_dollars(value):
    """Its JSON writes each dollar sign twice."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [without_dollars(one) for one in value]
    if isinstance(value, dict):
        return {name.replace("$$", "$"): without_dollars(one) for name, one in value.items()}
    return value


def reference(program, directory):
    """Its model, or None, and what it said."""
    ran = subprocess.run([program, "-p", "c", "config", "--format", "json"], cwd=directory, env=ENVIRONMENT, check=False,
                         capture_output=True, text=True, timeout=60)
    return (None if ran.returncode else without_dollars(json.loads(ran.stdout))), ran.stderr.strip()[-300:]


def service_of(service, model, path):
    """A service of its JSON, in the form of the cases."""
    found = {name: service[name] for name in output.AS_IT_IS if service.get(name) is not None}
    found |= {name: int(found[name]) for name in BYTES if name in found}
    if "image" in found:
        found["image"] = completed(found["image"])
    deploy = service.get("deploy", {})
    limits, reserved = (deploy.get("resources", {}).get(name, {}) for name in ("limits", "reservations"))
    for part, name, key, kind in ((limits, "memory", "mem_limit", int), (limits, "cpus", "cpus", float),
                                  (limits, "pids", "pids_limit", int), (reserved, "memory", "mem_reservation", int)):
        if name in part:
            found[key] = kind(part[name])
    replicas = deploy.get("replicas", service.get("scale", 1))
    found |= {
        "build": build_of(service.get("build"), path),
        "depends_on": {name: one["condition"] for name, one in service.get("depends_on", {}).items()},
        "devices": sorted(device_of(one) for one in service.get("devices", ())),
        "environment": {name: one for name, one in service.get("environment", {}).items() if one is not None},
        "extra_hosts": hosts_of(service.get("extra_hosts", ())),
        "files": files_of(service, model, path),
        "healthcheck": healthcheck_of(service.get("healthcheck")),
        "networks": {model["networks"][name]["name"]: network_of(one or {})
                     for name, one in (service.get("networks") or {}).items()},
        "ports": sorted(f"{one.get('host_ip', '')}:{one.get('published', '')}:{one['target']}/{one['protocol']}"
                        for one in service.get("ports", ())),
        "replicas": None if replicas == 1 else replicas,
        "restart": restart_of(service, deploy.get("restart_policy")),
        "tmpfs": sorted([one.partition(":")[0] for one in service.get("tmpfs", ())]
                        + [one["target"] for one in service.get("volumes", ()) if one["type"] == "tmpfs"]),
        "ulimits": {name: [one, one] if isinstance(one, int) else [one.get("soft", 0), one.get("hard", 0)]
                    for name, one in service.get("ulimits", {}).items()},
        "volumes": sorted((volume_of(one, model, path) for one in service.get("volumes", ()) if one["type"] != "tmpfs"),
                          key=lambda one: one["target"]),
    }
    if "stop_grace_period" in service:
        found["stop_grace_period"] = duration(service["stop_grace_period"])
    for name in output.FREE_ORDER:
        if name in found:
            found[name] = sorted(found[name])
    return {name: value for name, value in found.items() if name == "stop_grace_period"
            or value not in (None, False, {}, "") and (value != [] or name in output.KEEPS_EMPTY)}


def build_of(build, path):
    if build is None:
        return None
    remote = output.REMOTE.match(build["context"])
    dockerfile = "inline" if build.get("dockerfile_inline") else build["dockerfile"]
    if dockerfile != "inline" and not remote:
        dockerfile = path(os.path.normpath(os.path.join(build["context"], dockerfile)))
    args = {name: one for name, one in (build.get("args") or {}).items() if one is not None}
    found = {"context": build["context"] if remote else path(build["context"]), "dockerfile": dockerfile,
             "target": build.get("target"), "args": args}
    return {name: value for name, value in found.items() if value}


def device_of(one):
    if isinstance(one, dict):
        return ":".join((one["source"], one.get("target", one["source"]), one.get("permissions", "rwm")))
    parts = one.split(":")
    return ":".join(parts if len(parts) == 3 else [*parts, "rwm"] if len(parts) == 2 else [one, one, "rwm"])


def hosts_of(entries):
    found = {}
    for one in entries:
        name, _, address = one.partition("=" if "=" in one else ":")
        found.setdefault(name, []).append(address)
    return {name: sorted(addresses) for name, addresses in found.items()}


def files_of(service, model, path):
    found = []
    for section, directory in MOUNTS.items():
        for one in service.get(section, ()):
            mode = one.get("mode")
            given = {"target": os.path.join(directory, one.get("target") or one["source"]),
                     "from": output.origin_of(model[section][one["source"]], path),
                     "mode": int(mode, 8) if isinstance(mode, str) else mode, "uid": one.get("uid"), "gid": one.get("gid")}
            found.append({name: value for name, value in given.items() if value is not None})
    return sorted(found, key=lambda one: one["target"])


def healthcheck_of(check):
    if check is None:
        return None
    if check.get("disable") or check.get("test", [None])[0] == "NONE":
        return {"test": ["NONE"]}
    return output.healthcheck_of({name: duration(value) if isinstance(value, str) else value
                                  for name, value in check.items()})


def network_of(entry):
    given = {"aliases": sorted(entry.get("aliases", ())), "ipv4": entry.get("ipv4_address"),
             "ipv6": entry.get("ipv6_address")}
    return {name: value for name, value in given.items() if value}


def restart_of(service, policy):
    if policy is None:
        return None if service.get("restart") == "no" else service.get("restart")
    condition, attempts = policy.get("condition", ""), policy.get("max_attempts")
    restart = RESTARTS.get(condition, condition)
    return None if restart == "no" else f"{restart}:{attempts}" if restart == "on-failure" and attempts else restart


def volume_of(one, model, path):
    source = one.get("source")
    if source:
        source = path(source) if one["type"] == "bind" else model.get("volumes", {}).get(source, {}).get("name", source)
    given = {"type": one["type"], "source": source, "target": one["target"], "ro": one.get("read_only"),
             "subpath": (one.get("volume") or {}).get("subpath")}
    return {name: value for name, value in given.items() if value}


def compared(program, directory):
    """How the two agree, and where they do not."""
    directory = pathlib.Path(directory).resolve()
    model, said = reference(program, directory)
    got = read(directory)
    if model is None or got.model is None:
        ours = "; ".join(sentences(got.problems))
        if model is None and got.model is None:
            return "both refuse", ""
        return ("only docker-compose refuses", said) if model is None else ("only pgod refuses", ours)

    def path(absolute):
        return output.short_path(absolute, str(directory), HOME)

    theirs = {name: service_of(one, model, path) for name, one in model.get("services", {}).items()
              if one.get("deploy", {}).get("replicas", one.get("scale", 1)) != 0}
    ours = output.compared(got.model, str(directory), HOME)["services"]
    found = [f"{name}: only one of the two has it" for name in sorted(set(ours) ^ set(theirs))]
    for name in sorted(set(ours) & set(theirs)):
        found += [f"{name}.{key}: pgod {ours[name].get(key)!r}, docker-compose {theirs[name].get(key)!r}"
                  for key in sorted(set(ours[name]) | set(theirs[name])) if ours[name].get(key) != theirs[name].get(key)]
    if not found:
        return "the same", ""
    notes = "; ".join(sentences(got.notes))
    return "different", "; ".join(found) + (f" (noted: {notes})" if notes else "")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for directory in sys.argv[2:]:
        kind, text = compared(sys.argv[1], directory)
        if text:
            print(f"{directory}: {kind}: {text}")


if __name__ == "__main__":
    main()
