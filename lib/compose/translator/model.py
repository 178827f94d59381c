# The model: what the merged file says beyond podman's calls, for the policy. It is judged by pgod, never by this.


def conditions(service):
    """What must be up before it: depends_on with its conditions, and all that podman-compose made of it and links."""
    found = {name: "" for name in names_of(service.get("_deps"))}
    depends_on = service.get("depends_on")
    if hasattr(depends_on, "items"):
        for name, entry in depends_on.items():
            found[str(name)] = str(entry.get("condition", "")) if hasattr(entry, "get") else ""
    return found


def paths_in(section, name, value, before=()):
    """The keys within a setting, as pgod's policy judges them; a network's own name is a star, a driver has its value."""
    if not hasattr(value, "items"):
        return
    for key, entry in value.items():
        path = (*before, "*" if before == ("networks",) else str(key))
        if key == "driver" and not before:
            path = (f"driver={entry or 'default'}",)
        yield {"section": section, "name": str(name), "path": ".".join(path)}
        if len(path) < 5:
            yield from paths_in(section, name, entry, path)


def without_own(mount):
    """A long-form volume without keys that podman-compose keeps for itself, which are handed to nobody."""
    if hasattr(mount, "items"):
        return {key: value for key, value in mount.items() if not is_own(key)}


def nested_keys(top, compose):
    found = []
    for section in ("networks", "volumes"):
        entries = top["file"].get(section)
        for name, entry in entries.items() if hasattr(entries, "items") else ():
            found += paths_in(section, name, entry)
    for name, service in compose.services.items():
        for key, value in (("build", service.get("build")), ("deploy", service.get("deploy")),
                           ("networks", service.get("_networks"))):
            found += paths_in("services", name, value, (key,))
        for entry in service.get("env_file") or ():
            found += paths_in("services", name, entry, ("env_file",))
        for mount in service.get("volumes") or ():
            found += paths_in("services", name, without_own(mount), ("volumes",))
    if len(found) > MAX_NESTED:
        raise Refused(f"holds more than {MAX_NESTED} keys")
    return found


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


def model_of(top, compose):
    return {
        "keys": [str(key) for key in top["file"] if key != "_dirname"] + top["aside"],
        "nested": nested_keys(top, compose),
        "settings": settings_of(top["file"]),
        "urls": urls_of(top["file"]),
        "services": {
            str(name): {
                "keys": [str(key) for key in service if not is_own(key)]
                + list(service.get("_aside", ())),
                "depends_on": conditions(service),
                "restart": str(service.get("restart") or ""),
                "builds": "build" in service,
            }
            for name, service in compose.services.items()
        },
    }
