# The seam: which of podman-compose's functions are called, in which order, and what stands there for podman.


class StandIn:
    """In the place of podman-compose's class Podman: keeps what it is asked to do, and runs nothing."""

    podman_path, dry_run = "podman", False

    def __init__(self, guard):
        self.guard, self.calls, self.made, self.containers = guard, [], set(), 0

    def keep(self, words):
        words = [str(word) for word in words]
        if any("\0" in word for word in words):
            raise Wrong("", "", "a text in it holds a NUL, which no program can be given")
        self.containers += words[0] == "run"
        if self.containers > MAX_CONTAINERS:
            self.guard.refuse(f"more than {MAX_CONTAINERS} containers are asked for")
        if len(self.calls) >= MAX_CALLS:
            self.guard.refuse(f"more than {MAX_CALLS} podman calls are asked for")
        if words[1:2] == ["create"]:
            self.made.add((words[0], words[-1]))
        self.calls.append(words)

    def asked(self, words):
        """Nothing is there until it was asked for: the worker makes what is missing."""
        if words[:2] in (["volume", "inspect"], ["network", "exists"]):
            if (words[0], words[-1]) not in self.made:
                raise subprocess.CalledProcessError(1, "podman")
            return b"[]"
        if words[1:2] != ["create"] or words[0] not in ("volume", "network"):
            raise Unfamiliar(f"asks podman for {' '.join(words[:2])!r} while it translates")
        self.keep(words)
        return b""


class PlainStandIn(StandIn):  # up to 1.0.6
    def output(self, podman_args, cmd="", cmd_args=None):
        return self.asked([cmd, *(cmd_args or ())])

    def run(self, podman_args, cmd="", cmd_args=None, **keys):
        self.keep([cmd, *(cmd_args or ())])


class WaitingStandIn(StandIn):
    async def output(self, podman_args, cmd="", cmd_args=None):
        return self.asked([cmd, *(cmd_args or ())])

    async def run(self, podman_args, cmd="", cmd_args=None, **keys):
        self.keep([cmd, *(cmd_args or ())])
        return 0


def path_of_file():
    """Through a link that stays in the repository, as 1.0.3 does; the guard speaks of any other."""
    path = os.path.join(stage, compose_file)
    real = os.path.realpath(path)
    return real if beneath(real, stage) else path


def translated(module, guard, file):
    """What podman is to make of the commit. `up` itself is not called: it differs in every version (pods, what it asks of
    the containers that are there, how it waits), and none of that is the commit's."""
    if not file["services"]:
        note(f"{compose_file}: no service runs")
        return []  # to some versions it is an error
    needs = {name: len(conditions(name, file["services"])) for name in file["services"]}
    for service in file["services"].values():
        del service["depends_on"]  # each podman-compose takes twice as long for each link of a chain
    compose, path = module.podman_compose, path_of_file()
    os.chdir(os.path.dirname(path))
    level(module, file)
    waits = inspect.iscoroutinefunction(module.container_to_args)
    compose.podman = (WaitingStandIn if waits else PlainStandIn)(guard)
    sys.argv = ["podman-compose", "-p", project, "-f", path, "up", "-d"]
    args = compose._parse_args()
    finished(compose._parse_compose_file())
    if set(file["services"]) != set(compose.services):
        raise Unfamiliar("merges files in another place")
    order = {name: number for number, name in enumerate(compose.services)}
    containers = sorted(compose.containers, key=lambda container: (
        needs[container["_service"]], order[container["_service"]], container["num"]))
    for container in containers:
        finished(module.build_one(compose, args, container))
    for container in containers:
        compose.podman.keep(["run", *finished(module.container_to_args(compose, container, True))])
    return compose.podman.calls

