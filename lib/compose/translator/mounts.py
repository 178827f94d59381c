# Mounts: where the source of each bind really lies, so that a plan does not depend on a link of the commit.

# The host's time, which every container may read. Root alone changes these, so their links need no settling, and the plan
# is the same on every host.
TIME_FILES = ("/etc/localtime", "/etc/timezone")
ZONES = "/usr/share/zoneinfo"


def is_of_time(path):
    return path in TIME_FILES or beneath(path, ZONES)


# What the files call things outside of the service, for sentences of the policy: a source or podman's name → as written.
written_names = {"binds": {}, "volumes": {}, "networks": {}}


def keep_written_names(model):
    for section in ("volumes", "networks"):
        for key, entry in model[section].items():
            if entry["name"] != key:
                written_names[section].setdefault(entry["name"], key)


def settled(name, mounts, model):
    """The mounts of a service, with sources that hold no link of the commit."""
    made = [as_its_driver_says(dict(one), model) for one in mounts]
    return [settled_bind(name, number, one) if one["type"] == "bind" else one for number, one in enumerate(made)]


def as_its_driver_says(mount, model):
    """A volume that its driver_opts make a directory of the host, or a tmpfs. The reader has refused what is neither."""
    entry = model["volumes"].get(mount.get("source"), {}) if mount["type"] == "volume" else {}
    kind, words, device = described(entry.get("driver_opts") or {}) if not entry.get("external") else ("", [], "")
    if kind == "bind":
        read_only = mount.get("read_only") or "ro" in words
        return {**mount, "type": "bind", "source": device, "written": device, "read_only": read_only, "volume": {}}
    if kind == "tmpfs":
        return {**mount, "type": "tmpfs", "source": None, "tmpfs": memory_of(words)}
    return mount


def is_made(volume):
    """Is it a volume of podman, and not what its driver_opts make of it?"""
    return bool(volume.get("external")) or described(volume.get("driver_opts") or {})[0] not in ("bind", "tmpfs")


NOT_OF_MEMORY = ("uid", "gid", "nr_inodes")


def tmpfs_of(name, number, text):
    target, _, options = text.partition(":")
    words = options.split(",") if options else []
    ignored = sorted({word.partition("=")[0] for word in words} & set(NOT_OF_MEMORY))
    if not ignored:
        return text
    note_of(name, f"tmpfs.{number}", f"pgod ignores {' and '.join(ignored)}: podman mounts a tmpfs that everybody in the"
                                     " container can write to")
    kept = [word for word in words if word.partition("=")[0] not in (*NOT_OF_MEMORY, "mode")]
    return ":".join([target, *([",".join(kept)] if kept else [])])


def memory_of(words):
    """Of a tmpfs, which podman mounts for the container's root: a mode that is meant for another owner would shut that out."""
    given = dict(word.partition("=")[::2] for word in words)
    found = {"size": given["size"]} if given.get("size") else {}
    if given.get("mode") and not {"uid", "gid"} & set(given):
        found["mode"] = int(given["mode"], 8)
    return found | {"words": [word for word in words if word in ("ro", "noexec", "nosuid", "nodev")]}


def settled_bind(name, number, mount):
    if not is_of_time(mount["source"]):
        mount["source"] = os.path.realpath(mount["source"])
        if mount.get("written", mount["source"]) != mount["source"]:
            written_names["binds"].setdefault(mount["source"], mount["written"])
        return mount
    if not mount.get("read_only"):
        note_of(name, f"volumes.{number}", f"pgod mounts {mount['source']} read-only")
        mount["read_only"] = True
    if mount["source"] in TIME_FILES and not os.path.exists(mount["source"]):
        note_of(name, f"volumes.{number}", f"pgod leaves this out: the host has no {mount['source']}")
    return mount
