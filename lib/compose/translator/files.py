# Secrets and configs. A file of the repository, or one that the admin grants, is mounted read-only. What is a text is
# written into a file in memory when the container is made (compose/memory_files.hpp): it travels as a flag of pgod's own,
# `--in-memory TARGET:UID:GID:MODE:TEXT`, with a placeholder for each value that the admin gives.


def refuse_file(service, section, number, source, text, advice):
    refuse(Wrong(service, f"{section}.{number}", text, advice, quoted(source)).reason | {"setting": section})


def files_of(name, service, model):
    """What the service mounts for its secrets and configs, and the words for those in memory."""
    mounts, words = [], []
    for section in ("secrets", "configs"):
        for number, one in enumerate(service.get(section, ())):
            source, entry = one["source"], model[section][one["source"]]
            text = text_of(section, source, entry)
            path = os.path.realpath(entry["file"]) if text is None and "file" in entry else ""
            if text is not None and "file" in entry:
                note_of(name, f"{section}.{number}", f"the admin gives {source}, in place of the file of the repository")
            if text is not None:
                words += ["--in-memory", memory_file(name, service, section, number, one, text)]
            elif not path:
                refuse_file(name, section, number, source, *nothing_provides(section, source, entry))
            elif beneath(path, stage) and not os.path.exists(path):
                or_admin = f", or ask the admin for {with_secrets(source)}" if section == "secrets" else ""
                refuse_file(name, section, number, source, f"the repository holds no {shown(path)}", f"add it{or_admin}")
            else:
                mounts.append(mount_of_file(name, section, number, one, path))
    return mounts, words


def text_of(section, source, entry):
    """The admin's secret of that name comes before what the file says. None: there is no text."""
    if section == "secrets":
        for secret in (source, *([entry["name"]] if entry.get("external") else ())):
            if secret in admin_secrets:
                return f"{{secret-file:{secret}}}"
    if "content" in entry:
        return entry["content"]
    variable = entry.get("environment")
    if variable in admin_names:
        return f"{{secret:{variable}}}"  # also of `env`: its value belongs into no record
    if section == "secrets" and variable in admin_secrets:
        return f"{{secret-file:{variable}}}"
    return entry.get("value")


def with_secrets(name):
    return f'secrets = {{ {name} = "FILE" }}'


def nothing_provides(section, source, entry):
    """What is wrong, and what to do."""
    if entry.get("environment"):
        or_file = f", or {with_secrets(source)}" if section == "secrets" else ""
        return f"the variable {entry['environment']} is not set", f"ask the admin for it in env_file{or_file}"
    if section == "secrets":
        return "nothing provides it", f"ask the admin for {with_secrets(source)}"
    return "nothing provides it", "write file: or content: in place of external:"


def memory_file(name, service, section, number, one, text):
    owner, _, group = str(service.get("user") or "").partition(":")
    uid, gid = one.get("uid"), one.get("gid")
    if uid is None and owner.isdigit():
        uid, gid = owner, gid if gid is not None else group if group.isdigit() else None
    elif uid is None and owner and owner != "root" and section == "secrets" and one.get("mode") is None:
        note_of(name, f"{section}.{number}", f"root owns this file, and {owner} may not read it; write uid: with the number"
                f" of {owner} beside source: {one['source']}")
    ids = {"uid": uid, "gid": gid}
    for key, value in ids.items():
        if value is not None and not (value.isascii() and value.isdigit()):
            refuse_file(name, section, number, one["source"], f"its {key} must be a number, and is {quoted(value)}",
                        "write the number of the user or group")
            ids[key] = None
        elif value is not None and len(value) > 9:
            refuse_file(name, section, number, one["source"], f"its {key} {value} is too large", "write one below 1000000000")
            ids[key] = None
    uid, gid = ids["uid"], ids["gid"]
    mode = one.get("mode")
    if mode is not None and mode > 0o777:
        refuse_file(name, section, number, one["source"], f"its mode {mode:04o} is above 0777", "write 0777 or less")
        mode = None
    mode = (0o400 if section == "secrets" else 0o444) if mode is None else mode
    ids = ":" if uid is gid is None and not owner else f"{uid or 0}:{gid or 0}"  # none: the image's own user
    return f"{one['target']}:{ids}:{mode:04o}:{text}"


def mount_of_file(name, section, number, one, path):
    for key in ("uid", "gid", "mode"):
        if one.get(key) is not None:
            note_of(name, f"{section}.{number}.{key}", "pgod ignores this: a file that is mounted keeps its owner and mode")
    return {"type": "bind", "source": path, "target": one["target"], "_options": ["ro"], "_tmpfs": {}}
