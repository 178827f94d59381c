# Levelling: one model means the same under every podman-compose. The reader has settled what the files mean, and
# handover.py writes it in the form that all versions read. What is left differs in how a version makes calls of it:
#
#   what                       by version                                        here
#   functions                  coroutines from 1.1                               one step ends each: finished()
#   the file                   yaml.safe_load, or a function of its own          the model in its place
#   ${NAME}, .env              in every version otherwise                        nothing is left to fill in
#   networks                   written in three ways                             ours
#   external networks, volumes looked for; 1.6 forgets `external: {name: …}`     pgod itself looks
#   options of a mount         1.0.3 keeps the last and no order; 1.6 loses z    ours
#   volumes without a source   an error in the long form from 1.0.6 on           named as 1.0.3 does
#   build                      1.0.3 passes the service's ulimits                as 1.0.3
#   healthcheck                the shell splits CMD again up to 1.4; CMD-SHELL   ours
#                              loses its shell in 1.5 and 1.6
#   keys                       later versions honour more                        HONOURED alone reaches podman-compose;
#                                                                                handover.py adds flags for the rest
#   pods, --requires           from 1.0.6                                        none: pgod waits by itself
#   dependencies               followed with twice the effort for each one       none: the model has them
#
# What is left is how the same thing is written (labels, the order): core/plan_canonical.hpp.

# The keys that 1.0.3 turns into podman's flags; within some of them, those parts alone.
HONOURED = {key: None for key in (
    "name service_name _service _project num image command entrypoint labels read_only security_opt cap_add"
    " cap_drop devices environment tmpfs volumes networks extra_hosts expose ports user working_dir hostname shm_size"
    " stdin_open stop_signal sysctls tty privileged pull_policy restart ulimits cpus cpu_shares mem_limit mem_reservation"
    " init").split()}
HONOURED["logging"] = {"driver": None, "options": None}
HONOURED["healthcheck"] = {"test": None, "interval": None, "timeout": None, "start_period": None, "retries": None}
HONOURED_BUILD = {"context": None, "dockerfile": None, "target": None, "args": None}

DOCKERFILES = ("Containerfile", "ContainerFile", "containerfile", "Dockerfile", "DockerFile", "dockerfile")


def only(value, keys):
    """What of it is honoured; an empty key is one that is not there."""
    if keys is None or not hasattr(value, "items"):
        return value
    return {key: only(one, keys[key]) for key, one in value.items() if key in keys and one is not None}


def finished(value):
    """The stand-in for podman never waits, so one step ends a coroutine."""
    if not inspect.iscoroutine(value):
        return value
    try:
        value.send(None)
    except StopIteration as end:
        return end.value
    value.close()
    raise Unfamiliar("waits for something while it translates")


def replace(module, name, made_of):
    """Puts made_of(original) in the place of a function; where that is a coroutine function, as one."""
    original = getattr(module, name)
    stands = made_of(lambda *args, **keys: finished(original(*args, **keys)))

    async def waiting(*args, **keys):
        return stands(*args, **keys)

    setattr(module, name, waiting if inspect.iscoroutinefunction(original) else stands)


def level(module, file):
    """podman-compose as pgod needs it; it reads `file` whatever it opens."""
    module.rec_subs = lambda value, ignored: value
    module.dotenv_to_dict = lambda path: {}
    module.yaml.safe_load = lambda stream: copy.deepcopy(file)
    module.yaml.safe_dump = lambda value, *args, **keys: ""  # for a hash that no plan holds
    if hasattr(module, "load_yaml_or_die"):
        module.load_yaml_or_die = lambda path, stream: copy.deepcopy(file)
    if hasattr(module, "normalize_service_final"):  # which takes `..` behind a link for what stands before the link
        module.normalize_service_final = lambda service, directory: service
    for name, made_of in (("assert_cnt_nets", level_network_calls), ("get_net_args", level_network_args),
                          ("assert_volume", level_volume_calls), ("get_mount_args", level_mount), ("build_one", level_build),
                          ("container_to_args", level_container)):
        replace(module, name, functools.partial(made_of, module))


def level_network_calls(module, original):
    def assert_cnt_nets(compose, container):
        own = [name for name in container.get("networks") or () if not compose.networks[name].get("external")]
        before = len(compose.podman.calls)
        if own:
            original(compose, dict(container, networks=own))
        flags = {compose.networks[name]["name"]: compose.networks[name].get("_flags", []) for name in own}
        for call in compose.podman.calls[before:]:
            call[2:2] = flags[call[-1]]
    return assert_cnt_nets


def level_network_args(module, original):
    def get_net_args(compose, container):
        mode = container.get("_mode") or ""
        if mode.startswith("service:"):
            mode = "container:" + compose.container_names_by_service[mode.removeprefix("service:")][0]
        words = ["--network", mode] if mode else []
        for name, aliases in (container.get("_networks") or {}).items():
            options = container["_network_options"].get(name)
            words += ["--network", compose.networks[name]["name"] + (f":{options}" if options else "")]
            words += [word for alias in aliases for word in ("--network-alias", alias)]
        return words
    return get_net_args


def level_mount(module, original):
    def get_mount_args(compose, container, mount):
        if mount["type"] == "tmpfs":
            options = [f"size={mount['_tmpfs']['size']}"] if "size" in mount["_tmpfs"] else []
            options += [f"mode={mount['_tmpfs']['mode']:o}"] if "mode" in mount["_tmpfs"] else []
            options += sorted({*mount["_tmpfs"].get("words", ()), *(word for word in mount["_options"] if word == "ro")})
            return ["--tmpfs", ":".join([mount["target"], *([",".join(options)] if options else [])])]
        given = {key: mount[key] for key in ("type", "source", "target")}
        original(compose, container, given)  # it makes the volume, and adds _vol to this very mapping
        source = given["_vol"]["name"] if given.get("_vol") else given["source"]
        return ["-v", ":".join([source, mount["target"], *([",".join(mount["_options"])] if mount["_options"] else [])])]
    return get_mount_args


def level_volume_calls(module, original):
    def assert_volume(compose, mount):
        volume = mount.get("_vol")
        if mount["type"] == "volume" and volume and volume.get("name") and not volume.get("external"):
            original(compose, mount)
    return assert_volume


def level_build(module, original):
    def build_one(compose, args, container):
        if "build" not in container:
            return
        build = only(container["build"], HONOURED_BUILD)
        context = build["context"]
        asked = build["dockerfile"]
        for path in (os.path.join(context, name) for name in (asked, *(DOCKERFILES if asked == "Dockerfile" else ()))):
            real = os.path.realpath(path)
            if not beneath(real, stage):  # before anybody learns whether it exists
                raise outside(container["_service"], "build.dockerfile", path, real)
            if os.path.isfile(real):
                build["dockerfile"] = real
                break
        else:
            raise Wrong(container["_service"], "build", f"{'the repository' if context == stage else shown(context)} holds no"
                        f" {asked}", "add it to the repository")
        ulimits = {} if "--ulimit" in container["build"]["_flags"] else container.get("ulimits") or {}
        before = len(compose.podman.calls)
        original(compose, args, {"image": container["image"], "build": dict(build, ulimits=ulimits), "ulimits": ulimits,
                                 "_service": container["_service"], "name": container["name"]})
        for call in compose.podman.calls[before:]:
            call[1:1] = container["build"]["_flags"]
    return build_one


def level_container(module, original):
    def container_to_args(compose, container, *args, **keys):
        given = only(container, HONOURED)
        given.update(_mode=container.get("network_mode"), _networks=container.get("_networks"),
                     _network_options=container["_network_options"], pod="", _deps=set())
        check, said = level_healthcheck(given.get("healthcheck") or {})
        given["healthcheck"] = check
        made = original(compose, given, *args, **keys)
        return made[:1] + container["_flags"] + said + made[1:]
    return container_to_args


def level_healthcheck(check):
    """Its test as podman's own word, which every version would write otherwise."""
    test, rest = check.get("test"), {key: value for key, value in check.items() if key != "test"}
    if not test or test[0] == "NONE":
        return check, []
    if test[0] == "CMD-SHELL":
        return rest, ["--healthcheck-command", "/bin/sh -c " + shlex.quote(" ".join(test[1:]))]
    words = test[1:]  # podman takes an array of several words as it is; of one it makes a shell's line
    return rest, ["--healthcheck-command", json.dumps(words) if len(words) > 1 else "CMD " + "".join(words)]
