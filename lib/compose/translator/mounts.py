# Mounts: what an entry of `volumes:` says, by one set of rules. podman-compose's own differ in what they keep of several
# options, and in what `..` means behind a link of the commit.

MOUNT_OPTION = re.compile("z|Z|O|U|r?shared|r?slave|r?private|r?unbindable|r?bind|(?:no)?(?:exec|dev|suid)")
WITHOUT_EFFECT = ("consistent", "delegated", "cached")


def short_mount(text):
    """[SOURCE:]TARGET[:OPTION,…] in the long form; the source as it is written."""
    parts = text.split(":")
    source, target, options = None, parts[0], ""
    if len(parts) == 2:
        source, target, options = (*parts, "") if parts[1].startswith("/") else (None, *parts)
    elif len(parts) == 3:
        source, target, options = parts
    elif len(parts) > 3:
        raise ValueError(f"could not parse mount {text}")
    mount = {"type": "bind" if source and source[0] in "~/." else "volume", "source": source, "target": target}
    propagation = []
    for option in filter(None, options.split(",")):
        if option in ("ro", "rw"):
            mount["read_only"] = option == "ro"
        elif MOUNT_OPTION.fullmatch(option):
            propagation.append(option)
        elif option not in WITHOUT_EFFECT:
            raise ValueError(f"unknown mount option {option}")
    if propagation:
        mount["bind"] = {"propagation": ",".join(propagation)}
    return mount


def long_mount(given):
    """What is honoured of an entry in either form, and complete."""
    mount = only(short_mount(given) if isinstance(given, str) else given, HONOURED_MOUNT)
    if not hasattr(mount, "items"):
        raise ValueError(f"volumes: {given!r} is neither a text nor a mapping")
    mount.setdefault("source", None)  # podman-compose names a volume that has none
    for key in ("type", "target"):
        if not isinstance(mount.get(key), str):
            raise ValueError(f"volumes: the {key} of an entry is missing or no text")
    if mount["type"] not in ("bind", "volume", "tmpfs"):
        raise ValueError(f"volumes: unknown mount type {mount['type']}")
    if mount["source"] is not None and not isinstance(mount["source"], str):
        raise ValueError(f"volumes: the source of {mount['target']} is no text")
    if mount["type"] == "bind" and not mount["source"]:
        raise ValueError(f"volumes: the bind at {mount['target']} has no source")
    return mount


def target_of(given):
    return os.path.normpath(long_mount(given)["target"])


def from_compose_directory(compose, path):
    """As the short form of 1.0.3 does it: what a link of the commit means is settled here, once."""
    return os.path.realpath(os.path.join(compose.dirname, os.path.expanduser(path)))


def volume_words(mount):
    """-v, whatever the version would write; `_vol` is what podman-compose found of a named volume."""
    options = [option for part in ("bind", "volume") if part == mount["type"] or part == "bind"
               for option in str((mount.get(part) or {}).get("propagation") or "").split(",") if option]
    if mount.get("read_only") is not None:
        options.append("ro" if mount["read_only"] else "rw")
    source = mount["_vol"]["name"] if mount.get("_vol") else mount["source"]
    return ["-v", ":".join([source, mount["target"], *([",".join(dict.fromkeys(options))] if options else [])])]


def level_mount(module, top, original):
    def get_mount_args(compose, container, volume):
        volume = top["mount"] = long_mount(volume)  # podman-compose adds _vol to this very mapping
        if volume["type"] == "bind":
            volume["source"] = from_compose_directory(compose, volume["source"])
        words = original(compose, container, volume)
        return words if volume["type"] == "tmpfs" else volume_words(volume)
    return get_mount_args


def level_volume_calls(module, top, original):
    def assert_volume(compose, mount):
        volume = mount.get("_vol")
        if mount["type"] == "volume" and volume and volume.get("name") and not volume.get("external"):
            original(compose, dict(mount, _vol=only(volume, {"name": None, "labels": None})))
    return assert_volume


def level_declaration(module, top, original):
    def get_mnt_dict(compose, container, volume):
        mount = original(compose, container, volume if volume is top.get("mount", top) else long_mount(volume))
        if mount.get("type") == "volume" and mount.get("source"):
            compose.vols.setdefault(mount["source"], {})
        return mount
    return get_mnt_dict


def level_external_volumes(volumes):
    """As 1.0.3: of another name only if the file says so."""
    for name, volume in volumes.items() if hasattr(volumes, "items") else ():
        if hasattr(volume, "items") and volume.get("external"):
            external = volume["external"] if hasattr(volume["external"], "items") else {}
            volume.setdefault("name", external.get("name") or f"{project}_{name}")
