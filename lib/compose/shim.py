# The shim: runs Debian's podman-compose for one recording, as the service's user, with `python3 -I -`.
# Arguments: the result's descriptor, the stage, the compose file, the project, the recorder, and the names of
# the admin's variables. The result is one JSON object: {"model", "files", "notes"}, or {"problem"}: one
# sentence; with "host" it is not the commit that is at fault.
#
# podman-compose reads what a repository wrote, so an audit hook refuses every open outside the stage and
# Python's own library, everything that writes, and every program but the recorder. Facts that the patches rest
# on are of podman-compose 1.0.3 and said beside them; another version is refused.
import sys

result_fd, stage, compose_file, project, recorder = int(sys.argv[1]), *sys.argv[2:6]
admin_names = set(sys.argv[6:])

import json, os, stat, subprocess, sysconfig, time, traceback

MAX_CALLS, MAX_CONTAINERS, MAX_TEXT, MAX_NESTED, MAX_NOTES, MAX_URLS = 1000, 100, 300, 5000, 20, 64
KNOWN_VERSION = "1.0.3"
DOCKERFILES = ("Containerfile", "ContainerFile", "containerfile", "Dockerfile", "DockerFile", "dockerfile")


class Refused(Exception):
    pass


class Tail:
    """Stands for stdout and stderr: keeps the end, because podman-compose prints every secret it meets."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text = (self.text + text)[-2000:]

    def flush(self):
        pass

    def isatty(self):
        return False


class Guard:
    """The audit hook's state. `first` outlives an `except:` that would hide a refusal."""

    WRITING = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate",
               "os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr", "os.kill", "os.putenv",
               "os.system", "os.exec", "os.fork", "os.forkpty", "os.spawn", "os.posix_spawn", "os.startfile",
               "pty.spawn", "ctypes.", "socket.", "shutil.", "ftplib.", "http.", "urllib.", "webbrowser.")

    def __init__(self, library):
        self.library, self.files, self.first, self.calls, self.containers = library, set(), None, 0, 0

    def refuse(self, sentence):
        self.first = self.first or sentence
        raise Refused(sentence)

    def opened(self, path, mode, flags):
        if isinstance(path, int):
            return
        path = os.fsdecode(path)
        real = os.path.realpath(path)
        if (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            self.refuse(f"{shown(path)} would be written while the file is read")
        inside = beneath(real, stage)
        if not inside and not any(beneath(real, directory) for directory in self.library):
            target = f" (it leads to {real})" if real != path else ""
            self.refuse(f"{shown(path)}{target} is outside the repository")
        if not inside:
            return
        try:
            regular = stat.S_ISREG(os.stat(real).st_mode)
        except OSError:
            return
        if not regular:
            self.refuse(f"{shown(path)} is no regular file")
        self.files.add(os.path.relpath(real, stage))

    def started(self, program, args):
        self.calls += 1
        if os.fsdecode(program) != recorder and os.fsdecode(args[0]) != recorder:
            self.refuse("podman-compose starts a program that is not podman")
        if self.calls > MAX_CALLS:
            self.refuse(f"more than {MAX_CALLS} podman calls are asked for")
        if args[1] == "run":
            self.containers += 1
            if self.containers > MAX_CONTAINERS:
                self.refuse(f"more than {MAX_CONTAINERS} containers are asked for")

    def __call__(self, event, args):
        if event == "open":
            self.opened(*args)
        elif event == "subprocess.Popen":
            self.started(args[0], args[1])
        elif event.startswith(self.WRITING):
            self.refuse(f"podman-compose does {event}, which reading a file does not need")


def beneath(path, directory):
    return path == directory or path.startswith(directory + "/")


def shown(path):
    return path[len(stage) + 1:] if beneath(path, stage) and path != stage else path


def from_compose_directory(compose, path):
    """As podman-compose's short form does it: what a link of the commit means is settled here, once."""
    return os.path.realpath(os.path.join(compose.dirname, os.path.expanduser(path)))


def patch(module):
    """podman-compose 1.0.3 as pgod needs it; `top` is filled with the merged file."""
    top = {}
    time.sleep = lambda seconds: None  # Podman.run sleeps a second after each call
    os.makedirs = lambda *args, **kw: None  # assert_volume makes bind sources
    original_dotenv, original_merge = module.dotenv_to_dict, module.rec_merge
    original_build, original_mount = module.build_one, module.get_mount_args

    def dotenv_to_dict(path):  # .env beats the environment: the admin's values must win
        return {name: value for name, value in original_dotenv(path).items() if name not in admin_names}

    def rec_merge(target, *sources):  # the only place that sees the whole merged file
        if "_dirname" in target:
            top["file"] = target
        return original_merge(target, *sources)

    def build_one(compose, args, container):  # context and Dockerfile are passed as written: make them absolute
        if "build" in container:
            build = container["build"]
            build = dict(build) if hasattr(build, "items") else dict(context=build)
            context = build["context"] = from_compose_directory(compose, build.get("context", "."))
            names = [build["dockerfile"]] if build.get("dockerfile") else DOCKERFILES
            for path in (os.path.join(context, name) for name in names):
                if os.path.exists(path):
                    build["dockerfile"] = os.path.realpath(path)
                    break
            container = dict(container, build=build)
        return original_build(compose, args, container)

    def get_mount_args(compose, container, volume):  # the long form is passed as written
        if hasattr(volume, "items") and volume.get("type") == "bind" and volume.get("source"):
            volume = dict(volume, source=from_compose_directory(compose, volume["source"]))
        return original_mount(compose, container, volume)

    module.dotenv_to_dict, module.rec_merge = dotenv_to_dict, rec_merge
    module.build_one, module.get_mount_args = build_one, get_mount_args
    patch_networks(module, top)
    patch_forms(module)
    return top


def patch_networks(module, top):
    """Networks of valid files that podman-compose 1.0.3 does not understand."""
    original_deps, original_assert, original_args = module.flat_deps, module.assert_cnt_nets, module.get_net_args

    def flat_deps(services, with_extends=False):  # the last step before a network that nobody uses is an error
        original_deps(services, with_extends)
        declared = top.get("file", {}).get("networks")
        if with_extends or not hasattr(declared, "items"):
            return
        default = next(iter(declared)) if len(declared) == 1 else "default"
        wanted = [module.norm_as_list(service.get("networks") or default) for service in services.values()]
        used = {name for names in wanted for name in names}
        if used <= declared.keys():
            top["file"]["networks"] = {name: entry for name, entry in declared.items() if name in used}

    def has_mode(container):  # podman refuses the default network beside it
        return container.get("network_mode") and not container.get("networks")

    def assert_cnt_nets(compose, container):  # pgod itself looks whether an external one exists
        names = [] if has_mode(container) else module.norm_as_list(container.get("networks") or compose.default_net)
        own = [name for name in names if not (compose.networks[name] or {}).get("external")]
        if own:
            original_assert(compose, dict(container, networks=own))

    def get_net_args(compose, container):
        if has_mode(container):
            return []
        args = original_args(compose, container)
        for entry in (container.get("_networks") or {}).values():
            for alias in (entry or {}).get("aliases") or ():
                args += ["--network-alias", str(alias)]
        return args

    module.flat_deps, module.assert_cnt_nets, module.get_net_args = flat_deps, assert_cnt_nets, get_net_args


def patch_forms(module):
    """Valid forms of a setting that podman-compose 1.0.3 reads as something else."""
    original_service, original_args, original_subs = module.normalize_service, module.container_to_args, module.rec_subs

    def normalize_service(service):
        service = original_service(service)
        service.pop("_networks", None)
        if hasattr(service.get("networks"), "items"):  # with aliases or addresses
            service["_networks"] = service["networks"]
            service["networks"] = list(service["networks"])
        if hasattr(service.get("sysctls"), "items"):  # only the names would be passed on
            service["sysctls"] = [f"{name}={value}" for name, value in service["sysctls"].items()]
        for port in service.get("ports") or ():
            if isinstance(port, int):
                raise ValueError(f"ports: {port} is a number to YAML, as 22:22 without quotes is; write ports in quotes")
        return service

    def container_to_args(compose, container, *args, **keys):
        check, command = container.get("healthcheck"), None
        if hasattr(check, "items"):
            check = dict(check, test=["NONE"]) if check.get("disable") else dict(check)
            if isinstance(check.get("test"), list):  # it is changed in place, once for each replica
                check["test"] = list(check["test"])
                if check["test"][:1] == ["CMD"]:  # a shell would split its words again
                    command = direct_check([str(word) for word in check.pop("test")[1:]])
            container = dict(container, healthcheck=check)
        made = original_args(compose, container, *args, **keys)
        made[1:1] = ["--healthcheck-command", command] if command else []
        return made

    def direct_check(words):
        """podman 4.3.1 takes an array of several words as it is; of one it makes a shell's line, unless CMD is before."""
        return json.dumps(words) if len(words) > 1 else "CMD " + "".join(words)

    def rec_subs(value, variables):
        if isinstance(value, str):
            judge_variables(module.var_re, value, variables)
        return original_subs(value, variables)

    module.normalize_service, module.container_to_args, module.rec_subs = normalize_service, container_to_args, rec_subs


notes = []


def note(sentence):
    if sentence not in notes and len(notes) < MAX_NOTES:
        notes.append(sentence)


def judge_variables(pattern, text, variables):
    """podman-compose 1.0.3 leaves some forms of ${NAME} as they are, and takes an unset one for empty."""
    for match in pattern.finditer(text):
        name, default = match.group("named") or match.group("braced"), match.group("default")
        if match.group("escaped") is not None:
            continue
        if "${" in (default or match.group("err") or ""):
            raise ValueError(f"${{{name}…}}: podman-compose does not expand one variable within another")
        if default is not None and variables.get(name) == "" and match.group().startswith("${" + name + ":-"):
            raise ValueError(f"${{{name}:-…}}: {name} is set but empty, and podman-compose would not take the default;"
                             f" leave {name} unset or give it a value")
        if default is None and match.group("err") is None and variables.get(name) is None:
            note(f"variable {name} is not set, and becomes empty")
    if "${" in pattern.sub("", text):
        raise ValueError("podman-compose expands ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?error} and"
                         f" ${{NAME?error}} only, not {text[text.index('${'):][:60]!r}; $$ stands for one $")


def conditions(service):
    """What must be up before it: depends_on with its conditions, and all that podman-compose made of it and links."""
    found = {str(name): "" for name in service.get("_deps", ())}
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
    """A long-form volume as the file has it: podman-compose keeps what it resolved under keys with an underscore."""
    if hasattr(mount, "items"):
        return {key: value for key, value in mount.items() if not str(key).startswith("_")}


def nested_keys(top, compose):
    found = []
    for section in ("networks", "volumes"):
        entries = top.get("file", {}).get(section)
        for name, entry in entries.items() if hasattr(entries, "items") else ():
            found += paths_in(section, name, entry)
    for name, service in compose.services.items():
        for key, value in (("build", service.get("build")), ("deploy", service.get("deploy")),
                           ("networks", service.get("_networks"))):
            found += paths_in("services", name, value, (key,))
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
        "keys": [str(key) for key in top.get("file", {}) if key != "_dirname"],
        "nested": nested_keys(top, compose),
        "settings": settings_of(top.get("file", {})),
        "urls": urls_of(top.get("file", {})),
        "services": {
            str(name): {
                "keys": [str(key) for key in service if key not in ("_deps", "_networks")],
                "depends_on": conditions(service),
                "restart": str(service.get("restart") or ""),
                "builds": "build" in service,
            }
            for name, service in compose.services.items()
        },
    }


def sentence_of(error):
    """What went wrong, in the words of somebody who edits the compose file."""
    text = " ".join(str(error).split())[:MAX_TEXT]
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"{shown(str(mark.name))}:{mark.line + 1}: {error.problem or error.context or 'is not YAML'}"
    if isinstance(error, MemoryError):
        return f"{compose_file}: needs more memory to read than a compose file may"
    if isinstance(error, RecursionError):
        return f"{compose_file}: is nested too deeply, or refers to itself"
    if isinstance(error, Refused):
        return f"{compose_file}: {text}"
    if isinstance(error, FileNotFoundError):
        return f"{compose_file}: {shown(str(error.filename))} does not exist"
    if isinstance(error, KeyError):
        return f"{compose_file}: refers to {error.args[0]!r}, which is not defined"[:MAX_TEXT]
    if isinstance(error, (ValueError, RuntimeError, OSError)) and text:
        return f"{compose_file}: {text}"
    return f"{compose_file}: podman-compose cannot work with it ({type(error).__name__}: {text})"


def record(tail):
    import encodings.idna, podman_compose as module  # before the hook: what Python itself wants to open
    version = getattr(module, "__version__", "")
    if version != KNOWN_VERSION:
        return {"problem": f"podman-compose {version} is installed, but pgod knows {KNOWN_VERSION} only", "host": True}
    top = patch(module)
    sys.argv = ["podman-compose", "--podman-path", recorder, "-p", project, "-f",
                os.path.join(stage, compose_file), "up", "-d"]
    paths = sysconfig.get_paths()
    library = {os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    guard = Guard(library | {os.path.dirname(os.path.realpath(module.__file__))})
    sys.addaudithook(guard)
    try:
        module.podman_compose.run()
    except Refused as error:
        return {"problem": f"{compose_file}: {guard.first or error}"}
    except SystemExit as error:
        if error.code:
            said = tail.text.strip().splitlines()[-1:] or ["podman-compose gives up without a word"]
            return {"problem": f"{compose_file}: {said[0][:MAX_TEXT]}"}
    except Exception as error:
        return {"problem": sentence_of(error), "trace": traceback.format_exc()[-4000:]}
    if guard.first:
        return {"problem": f"{compose_file}: {guard.first}"}
    return {"model": model_of(top, module.podman_compose), "files": sorted(guard.files), "notes": notes}


def main():
    tail = sys.stdout = sys.stderr = Tail()
    try:
        result = record(tail)
    except Exception as error:  # also a missing podman_compose
        result = {"problem": f"podman-compose cannot be run ({type(error).__name__}: {error})", "host": True}
    os.write(result_fd, json.dumps(result).encode())


main()
