# The model: what the merged file says beyond podman's calls, for the policy. It is judged by pgod, never by this.


# Of these the reader has made others, and podman-compose never sees them.
RESOLVED = ("extends", "profiles", "label_file")


def settings_of(top):
    """x-pgo as text, for the policy to judge: also what is no mapping has a name there."""
    given = top.get("x-pgo", {})
    given = given if hasattr(given, "items") else {"": given}
    given = {name: value for name, value in given.items() if name != "urls" or not hasattr(value, "items")}
    return {str(name): value if isinstance(value, str) else type(value).__name__ for name, value in given.items()}


def urls_of(top):
    """Those of x-pgo, likewise; more than the policy takes are too many already."""
    given = top.get("x-pgo", {})
    urls = given.get("urls") if hasattr(given, "items") else None
    urls = list(urls.items())[:MAX_URLS + 1] if hasattr(urls, "items") else ()
    return {str(name)[:MAX_TEXT]: value[:MAX_TEXT] if isinstance(value, str) else type(value).__name__
            for name, value in urls}


def conditions(name, services):
    """What must be up before it: its own conditions, and all that these need in turn."""
    found = {other: entry["condition"] for other, entry in services[name]["depends_on"].items()}
    waiting = list(found)
    while waiting:
        for other in services[waiting.pop()]["depends_on"]:
            if other not in found:
                found[other] = ""
                waiting.append(other)
    return found


def model_of(read):
    model, written = read["model"], read["written"]
    return {
        "keys": written["keys"],
        "settings": settings_of(model),
        "urls": urls_of(model),
        "services": {
            name: {
                "keys": [key for key in written["services"][name] if key not in RESOLVED],
                "depends_on": conditions(name, model["services"]),
                "restart": service.get("restart") or "",
                "pull": service.get("pull_policy") if service.get("pull_policy") in PULLED else "",
                "builds": "build" in service,
            }
            for name, service in model["services"].items()
        },
    }


# How core/places.hpp calls an item of a list: as podman gets it.
ITEMS = {
    "volumes": lambda one: one["target"],
    "ports": lambda one: f"{one['published'] or ':' + str(one['target'])}/{one['protocol']}",
    "devices": lambda one: one["source"],
    "tmpfs": lambda one: one.partition(":")[0],
}

# Any other value could be a secret.
SHOWN = ("cap_add", "cap_drop", "cgroup", "cgroup_parent", "container_name", "cpu_shares", "cpus", "devices", "dns", "expose",
         "group_add", "hostname", "image", "init", "ipc", "mac_address", "mem_limit", "mem_reservation", "memswap_limit",
         "network_mode", "pid", "pids_limit", "ports", "privileged", "pull_policy", "restart", "runtime", "security_opt",
         "shm_size", "stop_grace_period", "stop_signal", "sysctls", "tmpfs", "user", "userns_mode", "uts", "volumes",
         "working_dir")


def places_of(read):
    """Where the policy's sentences point to: [service, setting, item, place, value]."""
    found, model, values = [["", "", "", compose_file, ""]], read["model"], read["values"]

    def add(service, setting, item, path):
        if len(found) < MAX_PLACES and path in places:
            value = values.get(path, "")[:MAX_TEXT] if setting in SHOWN else ""
            found.append([service, setting[:MAX_TEXT], item[:MAX_TEXT], places[path], value])

    for path in places:
        section, *names = path.split(".")
        if section != "services":
            add("", path, "", path)
            continue
        name, setting = names[0], names[1:]
        while name not in model["services"] and setting:  # a service's name may hold dots
            name, setting = f"{name}.{setting[0]}", setting[1:]
        if not any(part.isdigit() for part in setting[1:]):
            add(name, ".".join(setting), "", path)
    for name, service in model["services"].items():
        for key in read["written"]["services"][name]:
            for item, path in items_of(key, service.get(key), f"services.{name}.{key}"):
                add(name, key, item, path)
    for section in ("networks", "volumes"):
        for name, entry in model[section].items():
            add("", section, entry["name"], f"{section}.{name}")
    return found


def items_of(key, given, path):
    if isinstance(given, dict):
        for name in given:
            yield str(name), f"{path}.{name}"
    elif isinstance(given, list):
        for number, one in enumerate(given):
            item = ITEMS[key](one) if key in ITEMS else one
            if isinstance(item, str):
                yield item, f"{path}.{number}"
