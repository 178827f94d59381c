# Levelling: one compose file means the same under every podman-compose. What differs by version, and how it is levelled:
#
#   what                       by version                                        here
#   functions                  coroutines from 1.1                               one step ends each: finished()
#   ${NAME}, .env              see variables.py                                  ours
#   command, entrypoint        from 1.0.6 split before variables are put in      kept as text until afterwards
#   extends                    1.0.3 changes the other service and appends       see merging.py; paths begin at the
#                              commands; from 1.0.6 paths begin at the other     main file
#                              file; what merges with what differs
#   !reset, !override          objects from 1.4 on                               no tags, as before
#   profiles, scale, include   ignored by 1.0.3 (and scale by 1.3), then obeyed  kept aside: the policy says what counts
#   deploy.replicas            from 1.4 only with `mode: replicated`             the mode is set
#   depends_on, links          an empty entry is an error from 1.1 on; aliases   made the form that all read; aliases
#                              of links are ignored before                       stay ignored
#   order of containers        by the number of _deps, which from 1.1 on count   by the number of services among them
#                              a service once per condition
#   unused networks            an error in 1.0.3                                 left out
#   networks as a map          an error in 1.0.3                                 a list; aliases are said beside it
#   network_mode               1.0.3 adds the default network; later versions    passed on alone, by get_net_args
#                              write it in other places
#   external networks          looked for; 1.6 forgets `external: {name: …}`     pgod itself looks
#   external volumes           1.0.3 puts the project before the name; looked    as 1.0.3, and not looked for
#                              for from 1.0.6 on
#   volumes that nobody        an error from 1.3 on                              taken as declared
#   declares
#   links within the commit    realpath in 1.0.3, abspath from 1.0.6; the long   realpath: mounts.py
#                              form and builds as written or by normpath
#   options of a mount         1.0.3 keeps the last and no order                 all, as written: mounts.py
#   volumes without a source   an error in the long form from 1.0.6 on           named as 1.0.3 does
#   named volumes              1.6: --mount, and z and Z are lost                -v again
#   build                      1.0.3 passes the service's ulimits                as 1.0.3
#   env_file                   from 1.2 on read into argv                        --env-file: podman reads it
#   environment: [NAME]        1.6 takes the value of its own environment        NAME alone, which the policy refuses
#   healthcheck                the shell splits CMD again up to 1.4; CMD-SHELL   ours
#                              loses its shell in 1.5 and 1.6
#   sysctls as a map           1.0.x pass only the names                         a list
#   pods, --requires           from 1.0.6                                        none: pgod waits by itself
#   every other key            later versions honour more                        HONOURED alone reaches podman's flags;
#                                                                                the policy judges the others
#
# What is left is how the same thing is written (--net or --network=N:alias=A, -v or --mount, --healthcheck-command or
# --health-cmd, labels, the order): core/plan_canonical.hpp.

# The keys that 1.0.3 turns into podman's flags; within some of them, those parts alone.
HONOURED = {key: None for key in (
    "name service_name _service _project num image command entrypoint labels read_only security_opt annotations cap_add"
    " cap_drop devices environment tmpfs volumes networks extra_hosts expose ports publishall user working_dir hostname"
    " shm_size stdin_open stop_signal sysctls tty privileged pull_policy restart ulimits cpus cpu_shares mem_limit"
    " mem_reservation init init-path").split()}
HONOURED["logging"] = {"driver": None, "options": None}
HONOURED["healthcheck"] = {"test": None, "interval": None, "timeout": None, "start_period": None, "retries": None}
HONOURED["deploy"] = {"resources": {"limits": {"cpus": None, "memory": None}, "reservations": {"memory": None}}}
HONOURED_BUILD = {"context": None, "dockerfile": None, "target": None, "args": None}
HONOURED_MOUNT = {"type": None, "source": None, "target": None, "read_only": None, "bind": {"propagation": None},
                  "volume": {"propagation": None}, "tmpfs": {"size": None, "mode": None}}

DOCKERFILES = ("Containerfile", "ContainerFile", "containerfile", "Dockerfile", "DockerFile", "dockerfile")


def only(value, keys):
    """What of it is honoured; an empty key is one that is not there."""
    if keys is None or not hasattr(value, "items"):
        return value
    return {key: only(one, keys[key]) for key, one in value.items() if key in keys and one is not None}


def is_own(key):
    """podman-compose keeps things of its own in a service under keys that begin so."""
    return isinstance(key, str) and key.startswith("_")


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


def text_of_date(value):
    if not isinstance(value, datetime.date):
        raise ValueError(f"a value of the kind {type(value).__name__} has no place in a compose file")
    return str(value)


def level(module, variables):
    """podman-compose as pgod needs it; the answer is filled with the merged file."""
    top = {}
    module.rec_subs = lambda value, ignored: expanded(value, variables)
    module.dotenv_to_dict = lambda path: {}  # from here on: .env was read, and env files are podman's
    module.json = types.SimpleNamespace(loads=json.loads, dumps=functools.partial(json.dumps, default=text_of_date))
    loader = module.yaml.SafeLoader  # !reset and !override from 1.4 on: they make objects of a commit's words
    loader.yaml_constructors = {tag: constructor for tag, constructor in loader.yaml_constructors.items()
                                if not str(tag).startswith("!")}
    if hasattr(module, "load_yaml_or_die"):  # which keeps the place of a mistake to itself
        module.load_yaml_or_die = lambda path, stream: module.yaml.safe_load(stream)
    if hasattr(module, "normalize_service_final"):  # which takes `..` behind a link for what stands before the link
        module.normalize_service_final = lambda service, directory: service
    for name, made_of in (("normalize_service", level_service), ("rec_merge", level_merge), ("flat_deps", level_networks),
                          ("assert_cnt_nets", level_network_calls), ("get_net_args", level_network_args),
                          ("assert_volume", level_volume_calls), ("get_mnt_dict", level_declaration),
                          ("get_mount_args", level_mount), ("build_one", level_build),
                          ("container_to_args", level_container)):
        if hasattr(module, name) or name != "get_mnt_dict":
            replace(module, name, functools.partial(made_of, module, top))
    return top


def level_service(module, top, original):
    def normalize_service(service, *ignored):
        if not hasattr(service, "items"):
            raise ValueError("services: one of them is empty, or no mapping")
        for key in [key for key in service if is_own(key)]:
            del service[key]
        texts = {key: service.pop(key) for key in ("command", "entrypoint") if key in service}
        service["_aside"] = {key: service.pop(key) for key in ("profiles", "scale") if key in service}
        form_service(service)
        for key, empty in (("deploy", {}), ("volumes", [])):
            if key in service and service[key] is None:
                service[key] = empty
        service = original(service)
        form_service(service)  # 1.6 makes a list of build arguments
        service.update(texts)
        if hasattr(service.get("networks"), "items"):  # with aliases or addresses
            service["_networks"] = service["networks"]
            service["networks"] = list(service["networks"])
        if hasattr(service.get("sysctls"), "items"):
            service["sysctls"] = [f"{name}={value}" for name, value in service["sysctls"].items()]
        level_replicas(service)
        for port in service.get("ports") or ():
            if isinstance(port, int):
                raise ValueError(f"ports: {port} is a number to YAML, as 22:22 without quotes is; write ports in quotes")
        return service
    return normalize_service


def level_replicas(service):
    deploy = service.get("deploy")
    if not hasattr(deploy, "items") or "replicas" not in deploy:
        return
    service["deploy"] = dict(deploy, mode="replicated")
    if module_int(deploy["replicas"]) > MAX_CONTAINERS:
        raise Refused(f"more than {MAX_CONTAINERS} containers are asked for")


def module_int(value):
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def level_merge(module, top, original):
    def rec_merge(target, *sources):
        if "file" not in top:  # the first call: the merged file itself, which nothing else shows whole
            top["file"], content = target, sources[0]
            top["aside"] = [key for key in content if key == "include" or str(key).startswith("x-podman")]
            for key in top["aside"]:
                del content[key]
            if content.get("services") is None:
                content["services"] = {}
            return original(target, content)
        if len(sources) != 2 or target:
            raise Unfamiliar("merges services in another way")
        return extended(*sources)  # of `extends`
    return rec_merge


def level_networks(module, top, original):
    def flat_deps(services, with_extends=False):  # the last step before networks and volumes are looked at
        if "file" not in top:
            raise Unfamiliar("merges files in another place")
        if with_extends:
            judge_extends(services)
        original(services, with_extends)
        for key in ("networks", "volumes"):
            if key in top["file"] and top["file"][key] is None:
                top["file"][key] = {}
        level_external_volumes(top["file"].get("volumes"))
        declared = top["file"].get("networks")
        if with_extends or not hasattr(declared, "items"):
            return
        default = next(iter(declared)) if len(declared) == 1 else "default"
        wanted = [module.norm_as_list(service.get("networks") or default) for service in services.values()
                  if not has_mode(service)]
        used = {name for names in wanted for name in names}
        if used <= declared.keys():
            top["file"]["networks"] = {name: entry for name, entry in declared.items() if name in used}
    return flat_deps


def mode_of(container):
    return container.get("network_mode") or container.get("_mode")


def has_mode(container):  # podman refuses the default network beside it
    return mode_of(container) and not container.get("networks")


def level_network_calls(module, top, original):
    def assert_cnt_nets(compose, container):
        names = [] if has_mode(container) else module.norm_as_list(container.get("networks") or compose.default_net)
        own = [name for name in names if not (compose.networks[name] or {}).get("external")]
        if own:
            every, compose.networks = compose.networks, {
                name: only(compose.networks[name], {"name": None, "labels": None, "internal": None}) for name in own}
            original(compose, dict(container, networks=own))
            compose.networks = every
    return assert_cnt_nets


def level_network_args(module, top, original):
    def get_net_args(compose, container):
        mode = ["--network", mode_of(container)] if mode_of(container) else []
        if has_mode(container):
            return mode
        if not (container.get("networks") or compose.default_net):
            return mode + ["--network", ""]
        words = []
        for word in original(compose, container):
            if word.startswith("--network="):  # NAME:alias=A,alias=B from 1.1 on; what is left of a ":" is refused
                name, _, options = word[len("--network="):].partition(":")
                aliases = [option.removeprefix("alias=") for option in options.split(",") if option.startswith("alias=")]
                left = [option for option in options.split(",") if option and not option.startswith("alias=")]
                words += ["--network", ":".join([name, *left])]
                words += [word for alias in aliases for word in ("--network-alias", alias)]
            else:
                words.append(word)
        for entry in (container.get("_networks") or {}).values():
            for alias in (entry or {}).get("aliases") or ():
                words += ["--network-alias", str(alias)]
        return mode + words
    return get_net_args


def level_build(module, top, original):
    def build_one(compose, args, container):
        if "build" not in container:
            return
        build = container["build"]
        build = only(build, HONOURED_BUILD) if hasattr(build, "items") else {"context": build}
        context = build["context"] = from_compose_directory(compose, build.get("context", "."))
        names = [build["dockerfile"]] if build.get("dockerfile") else DOCKERFILES
        for path in (os.path.join(context, name) for name in names):
            if os.path.exists(path):
                build["dockerfile"] = os.path.realpath(path)
                break
        ulimits = container.get("ulimits") or {}
        original(compose, args, {"image": container["image"], "build": dict(build, ulimits=ulimits), "ulimits": ulimits,
                                 "_service": container["_service"], "name": container["name"]})
    return build_one


def level_container(module, top, original):
    def container_to_args(compose, container, *args, **keys):
        said = env_files_of(compose, container.get("env_file"))
        given = only(container, HONOURED)
        given.update(_mode=container.get("network_mode"), _networks=container.get("_networks"),
                     pod=compose.services[container["_service"]].get("pod") or "", _deps=set())
        environment = module.norm_as_dict(container.get("environment"))
        for name in environment:
            if "=" in str(name):  # the value of another name, once it is NAME=VALUE
                raise ValueError(f"environment: {name!r} is no name of a variable")
        given["environment"] = {name: value for name, value in environment.items() if value is not None}
        said += [word for name, value in environment.items() if value is None for word in ("-e", str(name))]
        if hasattr(given.get("healthcheck"), "items"):
            given["healthcheck"], check = level_healthcheck(container["healthcheck"], given["healthcheck"])
            said += check
        made = original(compose, given, *args, **keys)
        return made[:1] + said + made[1:]
    return container_to_args


def env_files_of(compose, given):
    words = []
    for one in [given] if isinstance(given, (str, dict)) else given or []:
        path, required = (one["path"], one.get("required", True)) if hasattr(one, "items") else (one, True)
        path = os.path.realpath(os.path.join(compose.dirname, path))
        if required or os.path.exists(path):
            words += ["--env-file", path]
    return words


def level_healthcheck(check, honoured):
    """Its test as podman's own word, where it has one that every version would write otherwise."""
    test = ["NONE"] if check.get("disable") else check.get("test")
    rest = {key: value for key, value in honoured.items() if key != "test"}
    if isinstance(test, str) and test:
        return rest, ["--healthcheck-command", "/bin/sh -c " + shlex.quote(test)]
    words = [str(word) for word in test] if isinstance(test, list) else []
    if words[:1] == ["CMD-SHELL"] and len(words) == 2:
        return rest, ["--healthcheck-command", "/bin/sh -c " + shlex.quote(words[1])]
    if words[:1] == ["CMD"]:  # podman takes an array of several words as it is; of one it makes a shell's line
        return rest, ["--healthcheck-command", json.dumps(words[1:]) if len(words) > 2 else "CMD " + "".join(words[1:])]
    return dict(rest, test=list(test) if isinstance(test, list) else test) if test else rest, []
