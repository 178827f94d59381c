"""The model in a short form that compares well: `pgod-work --read` prints it, and so do the cases of the tests."""

import os

from .forms_services import REMOTE

AS_IT_IS = ("cap_add", "cap_drop", "cgroup", "cgroup_parent", "command", "container_name", "cpu_period", "cpu_quota",
            "cpu_shares", "cpus", "cpuset", "dns", "dns_opt", "dns_search", "domainname", "entrypoint", "environment",
            "group_add", "healthcheck", "hostname", "image", "init", "ipc", "labels", "logging", "mac_address", "mem_limit",
            "mem_reservation", "mem_swappiness", "memswap_limit", "network_mode", "oom_kill_disable", "oom_score_adj",
            "pid", "pids_limit", "platform", "privileged", "pull_policy", "read_only", "runtime", "security_opt",
            "shm_size", "stdin_open", "stop_grace_period", "stop_signal", "sysctls", "tty", "user", "userns_mode", "uts",
            "working_dir")
FREE_ORDER = ("cap_add", "cap_drop", "group_add", "security_opt")
KEEPS_EMPTY = ("command", "entrypoint")


def compared(model, directory, home):
    return {"services": {name: service_of(service, model, directory, home)
                         for name, service in sorted(model["services"].items()) if service["replicas"] != 0}}


def service_of(service, model, directory, home):
    def path(absolute):
        return short_path(absolute, directory, home)

    found = {name: service[name] for name in AS_IT_IS if name in service}
    for name in FREE_ORDER:
        if name in found:
            found[name] = sorted(found[name])
    found |= {
        "build": build_of(service.get("build"), path),
        "depends_on": {name: entry["condition"] for name, entry in service["depends_on"].items()},
        "devices": sorted(":".join(one[name] for name in ("source", "target", "permissions"))
                          for one in service.get("devices", ())),
        "extra_hosts": {name: sorted(addresses) for name, addresses in service.get("extra_hosts", {}).items()},
        "files": files_of(service, model, path),
        "healthcheck": healthcheck_of(service.get("healthcheck")),
        "networks": networks_of(service, model),
        "ports": sorted(f"{one['host_ip']}:{one['published']}:{one['target']}/{one['protocol']}"
                        for one in service.get("ports", ())),
        "replicas": service["replicas"] if service["replicas"] != 1 else None,
        "restart": service.get("restart") if service.get("restart") != "no" else None,
        "tmpfs": sorted([one.partition(":")[0] for one in service.get("tmpfs", ())]
                        + [one["target"] for one in service.get("volumes", ()) if one["type"] == "tmpfs"]),
        "ulimits": {name: [one["soft"], one["hard"]] for name, one in service.get("ulimits", {}).items()},
        "volumes": volumes_of(service, model, path),
    }
    return {name: value for name, value in found.items()
            if name == "stop_grace_period" or value not in (None, False, {}, "") and (value != [] or name in KEEPS_EMPTY)}


def short_path(path, directory, home):
    if path == directory:
        return "."
    if path.startswith(directory.rstrip("/") + "/"):
        return "./" + path[len(directory.rstrip("/")) + 1:]
    beside = os.path.dirname(directory)
    if beside != "/" and (path == beside or path.startswith(beside + "/")):
        return ".." + path[len(beside):]
    if path == home or path.startswith(home.rstrip("/") + "/"):
        return "~" + path[len(home.rstrip("/")):]
    return path


def build_of(build, path):
    if build is None:
        return None
    context = build["context"]
    if build.get("dockerfile_inline"):
        dockerfile = "inline"
    elif REMOTE.match(context):
        dockerfile = build["dockerfile"]
    else:
        dockerfile = path(os.path.normpath(os.path.join(context, build["dockerfile"])))
    args = {name: value for name, value in build.get("args", {}).items() if value is not None}
    found = {"context": context if REMOTE.match(context) else path(context), "dockerfile": dockerfile,
             "target": build.get("target"), "args": args}
    return {name: value for name, value in found.items() if value}


def healthcheck_of(check):
    if check is None:
        return None
    found = {name: check[name] for name in ("test", "interval", "timeout", "start_period", "start_interval", "retries")
             if check.get(name)}
    if found.get("test") and found["test"] != ["NONE"]:
        found = {"interval": 30.0, "timeout": 30.0, "retries": 3} | found
    return found


def networks_of(service, model):
    found = {}
    for name, entry in service["networks"].items():
        given = {"aliases": sorted(entry.get("aliases", ())), "ipv4": entry.get("ipv4_address"),
                 "ipv6": entry.get("ipv6_address")}
        found[model["networks"][name]["name"]] = {key: value for key, value in given.items() if value}
    return found


def volumes_of(service, model, path):
    found = []
    for one in service.get("volumes", ()):
        if one["type"] == "tmpfs":
            continue
        source = one.get("source")
        if source is not None:
            written = one.get("written", "")
            if written.startswith("/"):
                source = written  # docker-compose leaves an absolute one as it is
            source = path(source) if one["type"] == "bind" else model["volumes"].get(source, {}).get("name", source)
        given = {"type": one["type"], "source": source, "target": one["target"], "ro": one.get("read_only"),
                 "subpath": (one.get("volume") or {}).get("subpath")}
        found.append({key: value for key, value in given.items() if value})
    return sorted(found, key=lambda one: one["target"])


def files_of(service, model, path):
    found = []
    for section in ("secrets", "configs"):
        for one in service.get(section, ()):
            given = {"target": one["target"], "from": origin_of(model[section][one["source"]], path),
                     "mode": one.get("mode"), "uid": one.get("uid"), "gid": one.get("gid")}
            found.append({key: value for key, value in given.items() if value is not None})
    return sorted(found, key=lambda one: one["target"])


def origin_of(entry, path):
    if entry.get("external"):
        return f"external:{entry['name']}"
    if "file" in entry:
        return f"file:{path(entry['file'])}"
    return f"environment:{entry['environment']}" if "environment" in entry else f"content:{entry.get('content', '')}"
