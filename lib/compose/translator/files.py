# Secrets and configs. A file of the repository, or one that the admin grants, is mounted read-only.


refused = []  # sentences about secrets and configs that nothing provides


def refuse_file(service, section, number, source, text):
    place = places.get(f"services.{service}.{section}.{number}", compose_file)
    refused.append(f"{place}: {service}: {section}: {source}: {text}")


def files_of(name, service, model):
    """What the service mounts for its secrets and configs."""
    mounts = []
    for section in ("secrets", "configs"):
        for number, one in enumerate(service.get(section, ())):
            source, entry = one["source"], model[section][one["source"]]
            path = os.path.realpath(entry["file"]) if "file" in entry else ""
            if not path:
                refuse_file(name, section, number, source, "pgod takes only file: so far")
            elif beneath(path, stage) and not os.path.exists(path):
                refuse_file(name, section, number, source, f"the repository holds no {shown(path)}; add it")
            else:
                mounts.append(mount_of_file(name, section, number, one, path))
    return mounts


def mount_of_file(name, section, number, one, path):
    for key in ("uid", "gid", "mode"):
        if one.get(key) is not None:
            note_of(name, f"{section}.{number}.{key}", "pgod ignores this: a file of the repository keeps its owner and mode")
    return {"type": "bind", "source": path, "target": one["target"], "_options": ["ro"], "_tmpfs": {}}
