"""pgod's worker, or pgod and its worker, killed at every step of a deployment: after a restart the right commit serves,
data is intact, no container of another commit is left and nothing else either.

The steps are the crash points in lib/compose; they are read from the sources, so a new one cannot be forgotten. In
scripts/test each is tried in one of the two ways, with --long in both."""

import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys

import crash_scene
import harness
from crash_scene import LONG, Service, patiently
from harness import SystemTest, User, main, make_key, require_root_and_podman

require_root_and_podman()
WORKER = os.environ.get("PGOD_CRASHING_WORKER")
if not WORKER:
    print("needs the worker with crash points: PGOD_CRASHING_WORKER")
    sys.exit(harness.SKIPPED)

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "lib" / "compose"
USERS = []

# What is done to reach a point; the others are reached by the deployment of a good commit.
REACHED_BY = {
    "rollback-prepared": "by_hand", "failure-shown": "bad", "rollback-": "bad", "follow": "readme", "image-built": "build", "down-": "down",
    "state-": "stop",
}
# Points at which files of a commit stand in the work tree that upstream then takes back.
TAKEN_BACK = ("file-beside", "follow-recorded", "file-in-place", "followed")
# Points that are passed several times in one deployment: also the second passage.
REPEATED = ("file-beside", "file-in-place", "container-run")


def points():
    names = []
    for source in sorted(SOURCES.glob("*.cpp")):
        names += re.findall(r'crash_point\("([^"]+)"\)', source.read_text())
    assert len(names) == len(set(names)) and len(names) > 30, names
    return names


def setUpModule():
    global USERS
    USERS = [User(f"pgt-crash-{n}") for n in ("ann", "bob", "cy")]
    for user in USERS:
        unittest_cleanup(user)
        user.import_image()


def unittest_cleanup(user):
    import unittest
    unittest.addModuleCleanup(user.remove)


class Case:
    """One point and one way to be killed there, tried on one service."""

    def __init__(self, point, how, count=1, reached_by=None):
        self.point, self.how, self.count = point, how, count
        self.reached_by = reached_by or next(
            (r for prefix, r in REACHED_BY.items() if point.startswith(prefix)), "commit")

    def __str__(self):
        count = f" ({self.count})" if self.count > 1 else ""
        return f"{self.how} at {self.point}{count}, reached by {self.reached_by}"

    def reach(self, service):
        (service.path / "crash-reached").unlink(missing_ok=True)
        if self.reached_by in ("down", "stop", "by_hand"):
            self.have_good_tip(service)
        (service.path / "crash-at").write_text(f"{self.point} {self.how} {self.count}\n")
        (service.path / "crash-at").chmod(0o644)
        self.before = {c["Id"] for c in service.containers().values()}
        getattr(self, f"begin_{self.reached_by}")(service)
        patiently(f"{service.name}: {self} is reached", lambda: (service.path / "crash-reached").exists())

    def begin_commit(self, service):
        service.push()

    def begin_build(self, service):
        service.push(build=True)

    def begin_readme(self, service):
        service.push_readme()

    def begin_taken_back(self, service):
        self.kept = service.commit
        service.push_readme()

    def meanwhile(self, service):
        """While pgod is dead."""
        if self.reached_by == "taken_back":
            service.take_back(self.kept)

    def begin_bad(self, service):
        service.push(good=False, command="sh -c 'echo no good; exit 3'")

    def begin_by_hand(self, service):
        self.client = self.call(service, "rollback")

    def begin_down(self, service):
        self.client = self.call(service, "down")

    def begin_stop(self, service):
        self.client = self.call(service, "stop")

    @staticmethod
    def have_good_tip(service):
        if service.head() != service.commit:
            service.push()
            service.runs()

    def call(self, service, operation):
        daemon = service.daemon
        return subprocess.Popen(
            [harness.BIN / "pgoctl", "-i", service.key, "-p", str(daemon.port), "--known-hosts",
             daemon.directory / "known_hosts", f"localhost:{service.name}//{operation}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def converges(self, service):
        getattr(self, f"ends_{self.reached_by}")(service)
        (service.path / "crash-reached").unlink(missing_ok=True)

    def ends_commit(self, service):
        service.runs()
        service.is_whole()

    ends_build = ends_commit

    def ends_readme(self, service):
        service.runs()
        service.is_whole(same_containers=self.before)

    ends_taken_back = ends_readme

    def ends_bad(self, service):
        service.settles("it is rolled back", running=service.commit, health="healthy", outcome="rolled-back",
                        tip=service.head())
        service.is_whole()

    def ends_by_hand(self, service):
        """Gone back or not, but one of them wholly."""
        self.client.wait(timeout=harness.DEADLINE)
        service.settles("one of them runs", health="healthy", outcome="ok")
        if service.status()["running"] != service.commit:
            service.go_back()
        service.is_whole()

    def ends_down(self, service):
        self.client.wait(timeout=harness.DEADLINE)
        service.settles("it is down", desired="stopped", health="missing")
        assert not service.containers(), service.containers()
        self.up_again(service)

    def ends_stop(self, service):
        self.client.wait(timeout=harness.DEADLINE)
        service.settles("it is stopped", desired="stopped")
        patiently("nothing runs", lambda: {c["State"] for c in service.containers().values()} <= {"exited"})
        self.up_again(service)

    def up_again(self, service):
        done = service.daemon.ctl(service.key, f"{service.name}//up")
        assert done.returncode == 0, f"up: {done.returncode} {done.stderr}"
        service.runs()
        service.is_whole()


class Crash(SystemTest):
    def setUp(self):
        super().setUp()
        self.problems = []
        built = harness.BIN
        harness.BIN = crash_scene.programs_with(self.directory, WORKER)
        self.addCleanup(setattr, harness, "BIN", built)
        key = make_key(self.directory)
        self.daemon = self.pgod()
        self.services = [Service(f"crash{n}", user, self.directory, self.daemon, key) for n, user in enumerate(USERS)]
        for user in USERS:
            self.addCleanup(user.podman, "rm", "-fa", "-t", "0", check=False)
        self.daemon.start()
        self.pool = self.enterContext(concurrent.futures.ThreadPoolExecutor(len(USERS))) \
            if hasattr(self, "enterContext") else concurrent.futures.ThreadPoolExecutor(len(USERS))
        self.addCleanup(self.pool.shutdown)
        self.each(self.services, self.begin)

    @staticmethod
    def begin(service):
        service.runs()
        service.write_precious()
        service.is_whole()

    def each(self, *rows_and_function):
        *rows, function = rows_and_function
        return list(self.pool.map(function, *rows))

    def cases(self):
        chosen = os.environ.get("CRASH_POINTS")  # by hand: a few of them
        names = [n for n in points() if not chosen or re.fullmatch(chosen, n)]
        cases = [Case(n, how) for i, n in enumerate(names) for j, how in enumerate(("kill", "stop"))
                 if LONG or chosen or i % 2 == j]
        cases += [Case(n, "stop", 2) for n in names if n in REPEATED]
        return cases + [Case(n, "stop", 1, "taken_back") for n in names if n in TAKEN_BACK]

    def test_killed_at_every_step(self):
        cases = self.cases()
        queues = [[c for c in cases if c.how == "kill"][n::len(USERS)] for n in range(len(USERS))]
        self.each(self.services, queues, self.kill_workers)
        together = [c for c in cases if c.how == "stop"]
        for begin in range(0, len(together), len(USERS)):
            self.kill_pgod_and_workers(together[begin:begin + len(USERS)])
        self.assertEqual(self.problems, [], "\n" + "\n".join(self.problems))
        print(f"{len(cases)} crashes converged", file=sys.stderr)

    def kill_workers(self, service, cases):
        for case in cases:
            self.watched(case, case.reach, service)
            self.watched(case, case.converges, service)

    def kill_pgod_and_workers(self, cases):
        services = self.services[:len(cases)]
        self.each(cases, services, lambda case, service: self.watched(case, case.reach, service))
        self.daemon.stop(signal.SIGKILL)
        for service in services:
            if (service.path / "crash-reached").exists():
                crash_scene.kill(int((service.path / "crash-reached").read_text()))
        for case, service in zip(cases, services):
            self.watched(case, case.meanwhile, service)
        self.daemon.start()
        self.each(cases, services, lambda case, service: self.watched(case, case.converges, service))

    # What went wrong is kept: the other points are tried all the same.
    def watched(self, case, step, service):
        try:
            step(service)
        except Exception as problem:  # pylint: disable=broad-except
            self.problems.append(f"{case}: {problem!r}")
            (service.path / "crash-at").unlink(missing_ok=True)
            service.daemon.ctl(service.key, f"{service.name}//up")


if __name__ == "__main__":
    main()
