# The shim: runs Debian's podman-compose for one recording, as the service's user, with `python3 -I -`.
# Arguments: the result's descriptor, the stage, the compose file, the project, the recorder, and the names of
# the admin's variables. The result is one JSON object: {"model", "files"}, or {"problem"}: one sentence;
# with "host" it is not the commit that is at fault.
#
# podman-compose reads what a repository wrote, so an audit hook refuses every open outside the stage and
# Python's own library, everything that writes, and every program but the recorder. Facts that the patches rest
# on are of podman-compose 1.0.3 and said beside them; another version is refused.
import sys

result_fd, stage, compose_file, project, recorder = int(sys.argv[1]), *sys.argv[2:6]
admin_names = set(sys.argv[6:])

import json, os, stat, subprocess, sysconfig, time, traceback

MAX_CALLS, MAX_CONTAINERS, MAX_TEXT = 1000, 100, 300
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
    return top


def conditions(service):
    """What must be up before it: depends_on with its conditions, and all that podman-compose made of it and links."""
    found = {str(name): "" for name in service.get("_deps", ())}
    depends_on = service.get("depends_on")
    if hasattr(depends_on, "items"):
        for name, entry in depends_on.items():
            found[str(name)] = str(entry.get("condition", "")) if hasattr(entry, "get") else ""
    return found


def model_of(top, compose):
    return {
        "keys": [str(key) for key in top.get("file", {}) if key != "_dirname"],
        "services": {
            str(name): {
                "keys": [str(key) for key in service if key != "_deps"],
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
    if isinstance(error, RuntimeError) and text.startswith("missing networks: "):
        return f"{compose_file}: networks: {text[18:]} is declared but used by no service"
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
    return {"model": model_of(top, module.podman_compose), "files": sorted(guard.files)}


def main():
    tail = sys.stdout = sys.stderr = Tail()
    try:
        result = record(tail)
    except Exception as error:  # also a missing podman_compose
        result = {"problem": f"podman-compose cannot be run ({type(error).__name__}: {error})", "host": True}
    os.write(result_fd, json.dumps(result).encode())


main()
