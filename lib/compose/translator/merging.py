# Merging: what `extends` makes of two services, by one set of rules. podman-compose's own differ in what they do with
# volumes of one target, with a text beside a mapping, and with what an earlier step left in a service.


def form_service(service):
    """Settings that have several forms, as mappings: only these merge. Both services of a merge come through here."""
    if isinstance(service.get("build"), str):
        service["build"] = {"context": service["build"]}
    if hasattr(service.get("build"), "items") and service["build"].get("args") is not None:
        service["build"] = dict(service["build"], args=module_dict(service["build"]["args"], "build.args"))
    if hasattr(service.get("env_file"), "items"):
        service["env_file"] = [service["env_file"]]
    if isinstance(service.get("networks"), str):
        service["networks"] = [service["networks"]]
    if "depends_on" in service:
        service["depends_on"] = form_dependencies(service["depends_on"])
    if "links" in service:
        links = [service["links"]] if isinstance(service["links"], str) else service["links"] or []
        service["links"] = [str(link).split(":")[0] for link in links]


def form_dependencies(given):
    if not hasattr(given, "items"):
        return {str(name): {} for name in ([given] if isinstance(given, str) else given or ())}
    for name, entry in given.items():
        if entry is not None and not hasattr(entry, "items"):
            raise ValueError(f"depends_on: {name}: {entry!r} is no mapping")
    return {name: {key: value for key, value in (entry or {}).items() if value is not None}
            for name, entry in given.items()}


def module_dict(given, setting):
    """NAME=VALUE in a list, or a mapping."""
    if hasattr(given, "items"):
        return dict(given)
    if not isinstance(given, list):
        raise ValueError(f"{setting}: {given!r} is neither a list nor a mapping")
    words = [str(word).partition("=") for word in given]
    return {name: value if equals else None for name, equals, value in words}


def judge_extends(services):
    """podman-compose would speak of a key of its own."""
    for name, service in services.items():
        extends = service.get("extends") if hasattr(service, "items") else None
        if hasattr(extends, "items") and not extends.get("file") and extends.get("service") not in (None, *services):
            raise ValueError(f"extends: {name} extends {extends['service']!r}, which is not defined")


# What podman-compose's earlier steps left in a service, and would merge as if the commit had said it.
LEFT_BY_STEPS = ("_dependents", "_aliases")


def extended(base, own):
    """The service `own`, which extends `base`. Neither is changed, and nothing is shared with them."""
    base, own = ({key: value for key, value in copy.deepcopy(service).items() if key not in LEFT_BY_STEPS}
                 for service in (base, own))
    for key in ("command", "entrypoint"):
        if key in own:
            base.pop(key, None)
    return merged(base, own)


def merged(base, own):
    result = dict(base)
    for key, value in own.items():
        before = result.get(key)
        if before is None:
            result[key] = value
        elif hasattr(before, "items") and hasattr(value, "items"):
            result[key] = merged(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            result[key] = merged_volumes(before, value) if key == "volumes" else before + value
        elif isinstance(before, list) or isinstance(value, list) or hasattr(before, "items") or hasattr(value, "items"):
            raise ValueError(f"extends: {key} is {kind_of(before)} in one service and {kind_of(value)} in the other")
        else:
            result[key] = value
    return result


def kind_of(value):
    return "a mapping" if hasattr(value, "items") else "a list" if isinstance(value, list) else "a single value"


def merged_volumes(base, own):
    """Of one target, the extending service's counts."""
    targets = {target_of(volume) for volume in own}
    return [volume for volume in base if target_of(volume) not in targets] + own
