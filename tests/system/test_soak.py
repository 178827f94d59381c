"""Many deployments in a row: killed at random moments, and with data that containers wrote beside tracked files. A
reduced count in scripts/test; scripts/test --long takes the whole one."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import unittest

import crash_scene
from crash_scene import LONG, Service, patiently
from harness import SystemTest, User, main, make_key, require_root_and_podman, wait_until

require_root_and_podman()

KILLS = int(os.environ.get("PGOD_KILLS", 200 if LONG else 12))
DEPLOYMENTS = 50 if LONG else 8
ANN = BOB = None


def setUpModule():
    global ANN, BOB
    ANN, BOB = User("pgt-soak-ann"), User("pgt-soak-bob")
    for user in (ANN, BOB):
        unittest.addModuleCleanup(user.remove)
        user.import_image()


class Soak(SystemTest):
    def begin(self, *users):
        key = make_key(self.directory)
        self.daemon = self.pgod()
        services = [Service(f"soak{n}", user, self.directory, self.daemon, key) for n, user in enumerate(users)]
        for user in users:
            self.addCleanup(user.podman, "rm", "-fa", "-t", "0", check=False)
        self.daemon.start()
        for service in services:
            service.runs()
            service.write_precious()
        return services

    def victims(self):
        """pgod and every process that it started, but for what lives in or beside a container."""
        parents = {}
        for process in pathlib.Path("/proc").iterdir():
            try:
                pid, rest = process.name, (process / "stat").read_text()
                parents[int(pid)] = (int(rest.rpartition(")")[2].split()[1]), rest[rest.index("(") + 1:rest.rindex(")")])
            except (OSError, ValueError):
                continue
        found = [(self.daemon.process.pid, "pgod")]
        for pid, name in found:
            found += [(child, command) for child, (parent, command) in parents.items() if parent == pid
                      and command not in ("conmon", "slirp4netns", "pasta", "pasta.avx2", "aardvark-dns", "rootlessport",
                                          "exe", "catatonit")]
        return found

    def test_kill_9_at_random_moments_during_a_stream_of_commits(self):
        seed = int(os.environ.get("PGOD_SEED", time.time()))
        dice = random.Random(seed)
        services = self.begin(ANN, BOB)
        killed = {}
        for number in range(KILLS):
            for service in services:
                if dice.random() < 0.7:
                    service.push()
            time.sleep(dice.uniform(0, 3))
            victims = self.victims()
            # The deeper ones come and go by dozens: each kind has the same chance.
            kind = dice.choice(sorted({name for _, name in victims}))
            pid = dice.choice([p for p, name in victims if name == kind])
            try:
                os.kill(pid, signal.SIGKILL)
                killed[kind] = killed.get(kind, 0) + 1
            except ProcessLookupError:
                continue  # it ended meanwhile
            if pid == self.daemon.process.pid:
                self.daemon.process.wait()
                self.daemon.start()
            if number % 10 == 9:
                self.converge(services, f"seed {seed}, after {number + 1} kills")
        self.converge(services, f"seed {seed}")
        print(f"{sum(killed.values())} kills converged: {killed}", file=sys.stderr)

    def converge(self, services, when):
        for service in services:
            service.push()
        for service in services:
            try:
                service.runs()
                service.is_whole()
            except AssertionError as problem:
                raise AssertionError(f"{when}: {problem}") from None

    def test_untracked_data_survives_deployments_rollbacks_and_a_rebuilt_repository(self):
        (service,) = self.begin(ANN)
        for number in range(1, DEPLOYMENTS + 1):
            if number % 4 == 0:
                service.push(good=False, command="sh -c 'echo no good; exit 3'")
                service.settles("it is rolled back", running=service.commit, health="healthy", outcome="rolled-back",
                                tip=service.head())
            elif number % 4 == 2:
                self.damage(service)
                service.push()
                service.runs()
            else:
                service.push()
                service.runs()
            service.precious_is_there()
        service.is_whole()

    def damage(self, service):
        """The local repository is lost, or not one any more, as after a full disk."""
        repository = service.path / "repo.git"
        if service.number % 8 < 4:
            subprocess.run(["rm", "-rf", repository], check=True)
        else:
            (repository / "HEAD").write_bytes(b"\0" * 40)


if __name__ == "__main__":
    main()
