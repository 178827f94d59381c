"""What the crash tests share: one service of one user whose commits change everything that a deployment can change,
and the comparison of an end state with what it has to be."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import harness
from harness import Repository, fetch, free_port

LONG = os.environ.get("PGOD_LONG") == "1"
# What a service's directory holds when nothing is under way (compose/service_directory.hpp).
AT_REST = {"repo.git", "repo.lock", "repo.source", "stage", "tree", "record", "log", "lock", "build"}


def patiently(what, condition, deadline=harness.DEADLINE):
    """wait_until() for conditions that start a process each: several services wait at once, on few cores."""
    def slowly():
        value = condition()
        if not value:
            time.sleep(0.4)
        return value

    return harness.wait_until(what, slowly, deadline)


def programs_with(directory, worker):
    """A directory with copies of the built programs and another worker: pgod finds the others beside itself."""
    beside = pathlib.Path(directory, "bin")
    beside.mkdir()
    for program in ("pgod", "pgod-git", "pgod-ssh", "pgod-relay", "pgod-build", "pgoctl"):
        shutil.copy(harness.BIN / program, beside / program)
    shutil.copy(worker, beside / "pgod-work")
    return beside


class Version:
    """A commit's files: two containers, a network whose kind and one whose name change, a volume, bind mounts of a
    directory, a single file and a directory of data, environment, and files that come and go."""

    def __init__(self, number, port, command="sleep 10000", build=False):
        web = {"image": harness.User.IMAGE, "command": "httpd -f -p 8080 -h /site", "stop_signal": "SIGKILL",
               "ports": [f"127.0.0.1:{port}:8080"], "environment": {"VERSION": str(number)}, "networks": ["front"],
               "volumes": ["./site:/site", "./single:/single", "./data:/data", "kept:/kept"]}
        back = {"image": harness.User.IMAGE, "command": command, "stop_signal": "SIGKILL", "restart": "no",
                "environment": {"VERSION": str(number)}, "networks": ["inner", f"net{number % 2}"],
                "depends_on": ["web"]}
        if build:
            back["build"] = "./image"
            back["image"] = "back"
        self.number = number
        self.body = f"version {number}\n"
        self.networks = {"front", "inner", f"net{number % 2}"}
        self.files = {
            "docker-compose.yml": "services:\n" + f"  web: {json.dumps(web)}\n  back: {json.dumps(back)}\n"
            + "volumes: {kept: {}}\n"
            + f"networks: {{front: {{}}, inner: {{internal: {json.dumps(number % 2 == 0)}}}, net{number % 2}: {{}}}}\n",
            "site/index.html": self.body, "single": self.body, f"only/in-{number}": self.body,
            "image/Containerfile": f"FROM {harness.User.IMAGE}\nENV BUILT={number}\n"}
        self.obsolete = [f"only/in-{number - 1}"] if number > 1 else []


class Service:
    """One service of one user under a pgod that may be killed. What goes wrong is an AssertionError."""

    def __init__(self, name, user, directory, daemon, key):
        self.name, self.user, self.daemon, self.key = name, user, daemon, key
        self.port = free_port()
        self.repository = Repository(directory, name)
        self.number = 0
        self.version = self.commit = None  # what has to serve
        self.path = daemon.state / "services" / name
        self.push(extra={"ssh/id.pub": pathlib.Path(f"{key}.pub").read_text()})
        daemon.service(name, user.name, self.repository.url, ports=[f"{self.port}/0"])

    def push(self, good=True, extra=None, **settings):
        self.number += 1
        version = Version(self.number, self.port, **settings)
        gone = [f"only/in-{n}" for n in range(1, self.number) if (self.repository.work / f"only/in-{n}").exists()]
        commit = self.repository.commit({**version.files, **(extra or {})}, remove=gone)
        if good:
            self.earlier = self.version, self.commit
            self.version, self.commit = version, commit
        return commit

    def go_back(self):
        self.version, self.commit = self.earlier

    def take_back(self, commit):
        """Upstream is at an earlier commit again."""
        self.repository.git("reset", "-q", "--hard", commit)
        self.repository.git("push", "-q", "--force", "origin", "HEAD:main")
        self.commit = commit

    def push_readme(self):
        self.commit = self.repository.commit({"README.md": f"{time.monotonic()}", "site/index.html": self.version.body,
                                              f"only/in-{self.number}": f"{time.monotonic()}"})
        return self.commit

    def status(self):
        try:
            return self.daemon.status(self.key, self.name)
        except (AssertionError, json.JSONDecodeError):
            return {}  # pgod has just been killed, or is starting

    def settles(self, what, **wanted):
        def settled():
            status = self.status()
            return status.get("phase") == "idle" and all(status.get(k) == v for k, v in wanted.items())

        try:
            patiently(what, settled)
        except AssertionError as problem:
            raise AssertionError(f"{self.name}: {problem}; status {self.status()}; "
                                 f"containers {self.user.podman('ps', '-a')}") from None

    def runs(self):
        self.settles(f"{self.commit[:8]} runs", running=self.commit, health="healthy", tip=self.head(),
                     outcome="ok")

    def head(self):
        return self.repository.git("rev-parse", "HEAD")

    def write_precious(self):
        """What no deployment may lose: in the bind mount, beside tracked files, in the volume."""
        self.user.podman("exec", self.container("web"), "sh", "-c",
                         "echo precious | cat - > /data/file; echo precious > /site/untracked; echo precious > /kept/file")

    def container(self, service):
        return next(n for n, c in self.containers().items() if c["Labels"]["pgod.compose-service"] == service)

    def containers(self):
        return {n: c for n, c in self.user.containers(all_states=True).items()
                if (c["Labels"] or {}).get("pgod.service") == self.name}

    def precious_is_there(self):
        for path in ("data/file", "site/untracked"):
            text = (self.path / "tree" / path).read_text()
            assert text == "precious\n", f"{self.name}: {path} holds {text!r}"
        volume = json.loads(self.user.podman("volume", "inspect", f"{self.name}_kept"))[0]["Mountpoint"]
        text = pathlib.Path(volume, "file").read_text()
        assert text == "precious\n", f"{self.name}: the volume's file holds {text!r}"

    def nothing_is_left(self):
        left = {p.name for p in self.path.iterdir()} - AT_REST
        left -= {n for n in left if re.fullmatch(r"crash-reached|kept-\d+", n)}
        left |= {str(p) for p in self.path.rglob("*") if ".pgod-" in p.name}
        left |= {str(p) for p in self.path.glob("record/*") if p.name not in ("files", "record.json")}
        assert not left, f"{self.name}: left behind: {sorted(left)}"

    def tree_is_the_commits(self):
        listed = self.repository.git("ls-tree", "-r", "--name-only", self.commit).splitlines()
        tree = self.path / "tree"
        for path in listed:
            want = self.repository.git("show", f"{self.commit}:{path}")
            assert (tree / path).read_text().rstrip("\n") == want, f"{self.name}: {path} is not the commit's"
        extra = {str(p.relative_to(tree)) for p in tree.rglob("*") if not p.is_dir()} - set(listed)
        assert extra == {"data/file", "site/untracked"}, f"{self.name}: beside the commit's files: {sorted(extra)}"

    def is_whole(self, same_containers=None):
        """The right commit serves; data is there; nothing of another commit is; nothing is left behind."""
        body = harness.wait_until(f"{self.name} serves", lambda: fetch(self.port))
        assert body == self.version.body, f"{self.name} serves {body!r}, not {self.version.body!r}"
        containers = self.containers()
        assert len(containers) == 2, f"{self.name}: {list(containers)}"
        if same_containers is not None:
            assert {c["Id"] for c in containers.values()} == same_containers, f"{self.name}: containers were touched"
        else:
            commits = {c["Labels"]["pgod.commit"] for c in containers.values()}
            assert commits == {self.commit}, f"{self.name}: containers of {commits}, not of {self.commit}"
        states = {c["State"] for c in containers.values()}
        assert states == {"running"}, f"{self.name}: {states}"
        record = json.loads((self.path / "record" / "record.json").read_text())
        assert record["commit"] == self.commit, f"{self.name}: the record says {record['commit']}"
        assert {c["id"] for c in record["containers"]} == {c["Id"] for c in containers.values()}, "ids of the record"
        listed = json.loads(self.user.podman("network", "ls", "--format", "json"))
        networks = {n["name"] for n in listed if (n.get("labels") or {}).get("pgod.service") == self.name}
        assert networks == {f"{self.name}_{n}" for n in self.version.networks}, f"{self.name}: networks {networks}"
        self.precious_is_there()
        self.tree_is_the_commits()
        self.nothing_is_left()


def kill(pid):
    os.kill(pid, signal.SIGKILL)
