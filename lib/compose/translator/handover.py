# The handover: the reader's model in the one form that every podman-compose understands. Nothing in it depends on
# another file, on a variable or on a link of the commit: each text is what podman gets.


def read_commit():
    """The commit as the Compose specification reads it. Runs below the audit hook, like podman-compose itself."""
    global compose_file
    environment = {name: value for name, value in os.environ.items() if name not in admin_names}
    environment["PWD"] = os.path.dirname(path_of_file())  # where somebody who types docker-compose usually is
    answer = reader.answer({
        "root": stage, "project": project, "files": asked["files"], "profiles": asked["profiles"],
        "admin": {name: os.environ[name] for name in admin_names if name in os.environ},
        "environment": environment,
        "home": os.environ.get("HOME", "/")})
    places.update(answer["places"])
    values.update(answer["values"])
    if not os.path.exists(os.path.join(stage, compose_file)):  # COMPOSE_FILE of .env names others
        compose_file = next((name for name in answer["files"] if os.path.basename(name) != ".env"), compose_file)
    return answer


def note_of(service, setting, text):
    note(f"{place_of(service, setting)}: {service}: {named(setting)}: {text}")


def value_of(service, setting):
    """As the file has it, in quotes."""
    return values.get(f"services.{service}.{setting}", "")


def named(setting):
    """Without the number of an item, which the place says."""
    return ".".join(part for part in setting.split(".") if not part.isdigit())


def refuse_of(service, setting, text, advice="", kind="wrong"):
    """`service` None: the setting is one of the file's own."""
    refuse(Wrong(service or "", setting, text, advice).reason | {"setting": named(setting), "kind": kind})


def handed(model):
    """The whole file for podman-compose."""
    keep_written_names(model)
    for name, service in model["services"].items():
        settle_network_mode(name, service, model)
    services = {name: service_of(name, service, model) for name, service in model["services"].items()}
    if sum(service["replicas"] for service in model["services"].values()) > MAX_CONTAINERS:
        raise Refused(f"more than {MAX_CONTAINERS} containers are asked for")
    give_aliases_of_links(model["services"], services)
    used = {name for service in services.values() for name in service.get("networks", ())}
    networks = {name: object_of(model["networks"][name], ("internal",)) for name in sorted(used)}
    judge_shared_names(model["networks"], networks)
    for name, network in networks.items():
        network["_flags"] = network_of(name, model["networks"][name]) if not network.get("external") else []
    check_overlaps({name: model["networks"][name] for name in networks if not networks[name].get("external")})
    return {"services": services, "networks": networks,
            "volumes": {name: object_of(entry, ()) for name, entry in model["volumes"].items() if is_made(entry)}}


def object_of(entry, more):
    """A network or a volume; pgod makes it with nothing but these keys."""
    found = {"name": entry["name"]}
    if entry.get("external"):
        return dict(found, external=True)
    if entry.get("labels"):
        found["labels"] = dict(entry["labels"])
    return found | {key: entry[key] for key in more if entry.get(key)}


# How podman-compose gets a setting whose value in the model is not what it takes.
AS_IT_IS = ("container_name", "command", "entrypoint", "environment", "cap_add", "cap_drop", "security_opt", "user",
            "working_dir", "hostname", "stop_signal", "restart", "pull_policy", "expose", "tmpfs", "read_only", "tty",
            "stdin_open", "init", "privileged", "network_mode", "cpus", "cpu_shares")
PULLED = ("always", "missing", "never", "newer")
MADE = {}


def made(key):
    def keep(function):
        MADE[key] = function
        return function
    return keep


def service_of(name, service, model):
    for variable in service["environment"]:
        with Gathering():
            if "=" in variable:  # it would be the value of another one
                raise Wrong(name, "environment", "is not the name of a variable", value=quoted(variable))
    found = {key: copy.deepcopy(service[key]) for key in AS_IT_IS if service.get(key) not in (None, False)}
    if found.get("pull_policy") not in PULLED:
        found.pop("pull_policy", None)
    check_choices(name, service)
    check_bounds(name, service)
    service = dict(service, volumes=settled(name, service.get("volumes") or (), model))
    for key, function in MADE.items():
        if service.get(key) not in (None, 0, {}, []):
            with Gathering(name, key):
                found[key] = function(service[key])
    if "tmpfs" in found:
        found["tmpfs"] = [tmpfs_of(name, number, text) for number, text in enumerate(found["tmpfs"])]
    if "image_written" in service:
        found["image"] = service["image_written"]
    if "build" in service:
        with Gathering():
            found["build"] = build_of(name, service["build"])
    found["depends_on"] = {other: {"condition": entry["condition"]} for other, entry in service["depends_on"].items()}
    if service["replicas"] != 1:
        found["deploy"] = {"mode": "replicated", "replicas": service["replicas"]}
    if service.get("logging"):
        found["logging"] = logging_of(name, service["logging"])
    found["_network_options"] = options_of_networks(name, service, model)
    if service["networks"]:
        found["networks"] = list(service["networks"])
        found["_networks"] = {network: [name, *entry.get("aliases", ())] for network, entry in service["networks"].items()}
    found["_flags"] = []
    with Gathering():
        found["_flags"] = flags_of(name, service)
    mounts, words = files_of(name, service, model)
    found["volumes"] = [*found.get("volumes", ()), *mounts]
    found["_flags"] += words
    return found


def give_aliases_of_links(given, made_services):
    """A link's alias is a name of the other service, in the networks that both share."""
    for name, service in given.items():
        for link in service.get("links", ()):
            other, _, alias = link.partition(":")
            networks = made_services.get(other, {}).get("_networks", {})
            for network in set(networks) & set(made_services[name].get("_networks", {})) if alias else ():
                if alias not in networks[network]:
                    networks[network].append(alias)


@made("labels")
@made("sysctls")
def pairs_of(given):
    return [f"{name}={value}" for name, value in given.items()]


@made("mem_limit")
@made("mem_reservation")
@made("shm_size")
def size_of(given):
    """In the largest unit that fits, as people write it."""
    for unit, size in (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)):
        if given > 0 and given % size == 0:
            return f"{given // size}{unit}"
    return str(given)


@made("ulimits")
def ulimits_of(given):
    return {name: limit["soft"] if limit["soft"] == limit["hard"] else dict(limit) for name, limit in given.items()}


@made("devices")
def devices_of(given):
    words = []
    for one in given:
        target = f":{one['target']}" if one["target"] != one["source"] or one["permissions"] != "rwm" else ""
        rights = f":{one['permissions']}" if one["permissions"] != "rwm" else ""
        words.append(one["source"] + target + rights)
    return words


@made("extra_hosts")
def hosts_of(given):
    return [f"{name}:{address}" for name, addresses in given.items() for address in addresses]


@made("ports")
def ports_of(given):
    """Neighbours as one range again, so that a plan stays short."""
    ranges = []
    for one in given:
        first = (one["host_ip"], one["protocol"], one["published"], one["target"])
        if ranges and follows(ranges[-1], first):
            ranges[-1][1] += 1
        else:
            ranges.append([first, 1])
    return [port_of(*one) for one in ranges]


def follows(before, one):
    (address, protocol, published, target), count = before
    return (one[:2] == (address, protocol) and published.isdigit() and int(published) > 0
            and one[2:] == (str(int(published) + count), target + count))


def port_of(first, count):
    address, protocol, published, target = first
    host = f"[{address}]:" if ":" in address else f"{address}:" if address else ""
    if count > 1:
        published, target = f"{published}-{int(published) + count - 1}", f"{target}-{target + count - 1}"
    return f"{host}{published + ':' if host or published else ''}{target}{'/' + protocol if protocol != 'tcp' else ''}"


@made("volumes")
def mounts_of(given):
    """One of each target: the last takes effect."""
    return list({one["target"]: mount_of(one) for one in given}.values())


def mount_of(one):
    if one["type"] not in ("bind", "volume", "tmpfs"):
        raise Wrong("", "", f"pgod mounts no volumes of the type {one['type']}, as at {shown(one['target'])}",
                    "write one of bind, volume and tmpfs")
    mount = {"type": one["type"], "source": one.get("source"), "target": one["target"]}
    bind = one.get("bind") or {}
    mount["_options"] = [bind[key] for key in ("propagation", "selinux") if bind.get(key)]
    if bind.get("recursive") == "disabled":
        mount["_options"].append("bind")
    if (one.get("volume") or {}).get("nocopy"):
        mount["_options"].append("nocopy")
    if one.get("read_only"):
        mount["_options"].append("ro")
    mount["_tmpfs"] = one.get("tmpfs") or {}
    return mount


@made("healthcheck")
def healthcheck_of(given):
    """Zero means the default everywhere in it."""
    found = {key: duration_of(given[key]) for key in ("interval", "timeout", "start_period") if given.get(key)}
    return found | {key: given[key] for key in ("test", "retries") if given.get(key)}


def duration_of(seconds):
    """As people write it: 30s, 1m30s, 500ms."""
    left, text = max(1, round(seconds * 1000)) if seconds > 0 else 0, ""  # 0s would mean never
    for unit, size in (("h", 3600000), ("m", 60000), ("s", 1000), ("ms", 1)):
        if left >= size:
            text, left = f"{text}{left // size}{unit}", left % size
    return text or "0s"


def outside(name, setting, path, real):
    leads = f": it leads to {real}" if beneath(os.path.normpath(path), stage) else ""
    return Wrong(name, "build", f"is outside of the repository{leads}", "nothing permits it", value_of(name, setting) or quoted(os.path.basename(path)))


def build_of(name, given):
    if REMOTE.match(given["context"]):
        raise Wrong(name, "build", "is not in this repository", "copy its files into the repository, or name an image",
                    quoted(given["context"]))
    context = os.path.realpath(given["context"])
    if not beneath(context, stage):
        raise outside(name, "build.context", given["context"], context)
    if given.get("network") not in (None, "", "default", "none"):
        refuse_of(name, "build.network", "nothing permits a network of the host", "write none, or remove it", "refused")
    args = {name: value for name, value in (given.get("args") or {}).items() if value is not None}
    found = {"context": context, "dockerfile": given["dockerfile"], "args": args, "_flags": build_flags_of(given)}
    return {key: value for key, value in (found | {"target": given.get("target")}).items() if value or key == "_flags"}


def build_flags_of(given):
    """core/plan_flags.cpp knows the same."""
    words = ["--no-cache"] if given.get("no_cache") else []
    words += ["--network", "none"] if given.get("network") == "none" else []
    words += ["--shm-size", size_of(given["shm_size"])] if given.get("shm_size") else []
    for flag, values in (("--label", pairs_of(given.get("labels") or {})), ("--add-host", hosts_of(given.get("extra_hosts") or {})),
                         ("--ulimit", [f"{name}={limit['soft']}:{limit['hard']}"
                                       for name, limit in (given.get("ulimits") or {}).items()])):
        words += [word for value in values for word in (flag, value)]
    return words


# podman's flags of keys that some version of podman-compose leaves out; core/plan_flags.cpp knows the same.
FLAGS = {
    "stop_grace_period": ("--stop-timeout", lambda seconds: [min(math.ceil(seconds), MAX_STOP_GRACE)]),
    "dns": ("--dns", list),
    "dns_opt": ("--dns-option", list),
    "dns_search": ("--dns-search", list),
    "mac_address": ("--mac-address", lambda address: [address]),
    "pids_limit": ("--pids-limit", lambda number: [number or -1]),  # Compose's 0 is no limit
    "memswap_limit": ("--memory-swap", lambda size: [size if size < 0 else size_of(size)]),
    "cpu_period": ("--cpu-period", lambda number: [number]),
    "cpu_quota": ("--cpu-quota", lambda number: [number]),
    "group_add": ("--group-add", list),
    "ipc": ("--ipc", lambda mode: [mode]),
    "oom_score_adj": ("--oom-score-adj", lambda number: [number]),
}
OF_NETWORKS = ("dns", "dns_opt", "dns_search", "mac_address")  # podman refuses them where there is no network


def flags_of(name, service):
    given = {key: service[key] for key in FLAGS if service.get(key) not in (None, "", [])}
    if service.get("network_mode"):
        for key in [key for key in OF_NETWORKS if key in given]:
            note_of(name, key, "pgod ignores this beside network_mode: podman does not know it there")
            del given[key]
    if len(service["networks"]) > 1:
        given.pop("mac_address", None)  # networking.py hands it on
    judge_limits(name, service, given)
    words = []
    for key, (flag, values) in FLAGS.items():
        for value in values(given[key]) if key in given else ():
            words += [flag, str(value)]
    return words


def judge_limits(name, service, given):
    """What podman would refuse when the old containers are gone."""
    swap, memory = given.get("memswap_limit"), service.get("mem_limit")
    if swap == 0:
        del given["memswap_limit"]  # as if it were not there
    elif swap is not None and not memory:
        raise Wrong(name, "memswap_limit", "needs mem_limit beside it")
    elif swap is not None and 0 < swap < memory:
        raise Wrong(name, "memswap_limit", "must not be below mem_limit: it is memory and swap together")
    if service.get("cpus") and ("cpu_period" in given or "cpu_quota" in given):
        raise Wrong(name, "cpus", "stands beside cpu_quota or cpu_period", "keep one of the two")
    score = given.get("oom_score_adj", 0)
    if score < 0 and score >= -1000:
        note_of(name, "oom_score_adj", "pgod ignores this: a user of the host cannot lower it")
        del given["oom_score_adj"]
    elif not 0 <= score <= 1000:
        refuse_of(name, "oom_score_adj", f"{score} is not a number from -1000 to 1000")
