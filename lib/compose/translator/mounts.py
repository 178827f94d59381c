# Mounts: where the source of each bind really lies, so that a plan does not depend on a link of the commit.

# The host's time, which every container may read. Root alone changes these, so their links need no settling, and the plan
# is the same on every host.
TIME_FILES = ("/etc/localtime", "/etc/timezone")
ZONES = "/usr/share/zoneinfo"


def is_of_time(path):
    return path in TIME_FILES or beneath(path, ZONES)


def settled(name, mounts):
    """The mounts of a service, with sources that hold no link of the commit."""
    return [settled_bind(name, number, dict(one)) if one["type"] == "bind" else one for number, one in enumerate(mounts)]


def settled_bind(name, number, mount):
    if not is_of_time(mount["source"]):
        mount["source"] = os.path.realpath(mount["source"])
        return mount
    if not mount.get("read_only"):
        note_of(name, f"volumes.{number}", f"pgod mounts {mount['source']} read-only")
        mount["read_only"] = True
    if mount["source"] in TIME_FILES and not os.path.exists(mount["source"]):
        note_of(name, f"volumes.{number}", f"pgod leaves this out: the host has no {mount['source']}")
    return mount
