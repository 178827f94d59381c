"""Two users do their worst for a minute: builds that hang and poison shared caches, theft of descriptors, connections that
they hold and connections that ask for nothing. Another team works on as if they were not there."""

import pathlib
import shutil
import statistics
import subprocess
import threading
import time
import unittest

from harness import Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key, require_root_and_podman, \
    wait_until

require_root_and_podman()

HERE = pathlib.Path(__file__).parent
MINUTE = 60
POLL = 10  # seconds between two polls of the good team's service
SERVICES = 6  # of each attacker
CACHE = "RUN --mount=type=cache,id=neighbours,target=/c,mode=0777"
POISON = f"FROM {User.IMAGE}\n{CACHE} touch /c/poison && sleep 100000\n"
HONEST = f"FROM {User.IMAGE}\n{CACHE} test ! -e /c/poison\n"

GOOD = None
EVIL = []


def setUpModule():
    global GOOD
    GOOD = User("pgt-nei-good")
    unittest.addModuleCleanup(GOOD.remove)
    for name in ("pgt-nei-eve", "pgt-nei-mal"):
        EVIL.append(User(name))
        unittest.addModuleCleanup(EVIL[-1].remove)
    for user in (GOOD, *EVIL):
        user.import_image()


def p99(times):
    return sorted(times)[min(len(times) - 1, len(times) * 99 // 100)]


class Neighbours(SystemTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.pgod()
        self.over = threading.Event()
        self.pings, self.failures = [], []

    def begin_attacker(self, *argv, **options):
        """A process that attacks until end_attackers(). It stands for another machine and takes no processor from this
        one when anybody else wants it."""
        process = subprocess.Popen(["nice", "-n", "19", *map(str, argv)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, **options)
        for cleanup in (process.wait, process.stdout.close, process.kill, process.stdin.close):
            self.addCleanup(cleanup)
        return process

    def add_team(self, user, names, **settings):
        """Services of that user with a repository and a key of their own; returns the repositories and the key."""
        key = make_key(self.directory, user.name)
        repositories = []
        for name in names:
            repositories.append(Repository(self.directory, f"repo-{name}"))
            repositories[-1].commit({"ssh/id.pub": pathlib.Path(f"{key}.pub").read_text(), "compose.yaml": "services: {}\n"})
            self.daemon.service(name, user.name, repositories[-1].url, **settings)
        self.addCleanup(lambda: user.podman("rm", "-fa", "-t", "0", check=False))
        return repositories, key

    def ping_once(self):
        begun = time.monotonic()
        done = self.daemon.ctl(self.key, "good//ping")
        if done.returncode != 0:
            self.failures.append(f"ping: {done.returncode}: {done.stderr.strip()}")
        return time.monotonic() - begun

    def ping(self):
        while not self.over.is_set():
            self.pings.append(self.ping_once())
            time.sleep(0.05)

    def deploy_and_heal(self):
        """What the good team does meanwhile, again and again: a container dies, `up` is asked, a commit builds."""
        heals, ups, deployments = [], 0, 0
        end = time.monotonic() + MINUTE
        while time.monotonic() < end:
            GOOD.podman("kill", "good_web_1")
            begun = time.monotonic()
            wait_until("the container that died is healed", lambda: fetch(self.web) is not None)
            heals.append(time.monotonic() - begun)
            done = self.daemon.ctl(self.key, "good//up")
            if done.returncode != 0:
                self.failures.append(f"up: {done.returncode}: {done.stderr.strip()}")
            ups += 1
            deployments += 1
            self.commit(f"body{deployments}")
            wait_until("the commit is deployed", lambda: fetch(self.web) == f"body{deployments}\n")
            wait_until("it is settled", lambda: self.daemon.status(self.key, "good")["phase"] == "idle")
        return heals, ups, deployments

    def commit(self, body):
        compose = compose_web(self.web, body).replace(f"image: {User.IMAGE}", "build: .")
        self.repository.commit({"compose.yaml": compose, "Containerfile": f"{HONEST}RUN echo {body}\n"})

    def test_an_attack_of_two_users_holds_up_no_other_team(self):
        self.web = free_port()
        (self.repository,), self.key = self.add_team(GOOD, ["good"], interval=f"{POLL}s")
        self.commit("body0")
        evil = [self.add_team(user, [f"{user.name}{i}" for i in range(SERVICES)]) for user in EVIL]
        self.daemon.start()
        wait_until("the good team's service runs", lambda: fetch(self.web) == "body0\n")

        alone = statistics.median(self.ping_once() for _ in range(20))

        thief = shutil.copy(HERE / "thief.py", self.directory)  # where every user may read it
        thieves = []
        for user, (repositories, key) in zip(EVIL, evil):
            for repository in repositories:
                repository.commit({"compose.yaml": "services: {x: {build: .}}\n", "Containerfile": POISON})
            thieves.append(self.begin_attacker(
                "/usr/bin/python3", thief, self.daemon.process.pid, user=user.uid, group=user.gid,
                extra_groups=[]))
            for scenario, count, *command in (("follow", 32, f"{user.name}0//log -f"), ("mute", 35)):
                attacker = self.begin_attacker("/usr/bin/python3", "-W", "ignore", HERE / "attackers.py", scenario,
                                               self.daemon.port, count, key, *command)
                self.assertEqual(attacker.stdout.readline(), "held\n")

        pinging = threading.Thread(target=self.ping)
        pinging.start()
        try:
            heals, ups, deployments = self.deploy_and_heal()
        finally:
            self.over.set()
            pinging.join()
        robbed = [thief.communicate("")[0].split() for thief in thieves]
        print(f"  {len(self.pings)} pings: p50 {statistics.median(self.pings) * 1000:.0f} ms, p99 "
              f"{p99(self.pings) * 1000:.0f} ms; {len(heals)} heals, at most {max(heals):.1f} s; {ups} times up, "
              f"{deployments} commits deployed; {sum(int(tried) for tried, _ in robbed)} processes attacked, "
              f"{sum(int(taken) for _, taken in robbed)} descriptors taken", flush=True)
        self.assertEqual(self.failures, [])
        self.assertLess(p99(self.pings), max(1, 20 * alone))  # seconds; more on a machine that is slow by itself
        self.assertLess(max(heals), 2 * POLL)
        for tried, taken in robbed:
            self.assertGreater(int(tried), 0)
            self.assertEqual(int(taken), 0)


if __name__ == "__main__":
    main()
