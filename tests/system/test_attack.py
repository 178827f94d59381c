"""An attack from 127.0.0.1, all kinds of it one after the other, while a good key pings from the same address, a commit is
deployed and memory is watched. Reduced counts here; the whole with PGOD_LONG. It prints the figures of docs/benchmarks.md."""

import json
import os
import pathlib
import statistics
import subprocess
import threading
import time
import unittest

from harness import Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key, require_root_and_podman, \
    wait_until

require_root_and_podman()

WHOLE = bool(os.environ.get("PGOD_LONG"))
SCENARIOS = [("idle", 10_000, 400), ("garbage", 1000, 100), ("half_handshakes", 1000, 100), ("resets", 1000, 100),
             ("bad_signatures", 100, 3), ("key_probes", 2000, 60), ("window_floods", 10, 2), ("non_readers", 10, 2)]
MOST_MEMORY = 200 << 20  # of pgod and all its processes of the SSH endpoint together; 65 connections are most

EVE = None


def setUpModule():
    global EVE
    EVE = User("pgt-att-eve")
    unittest.addModuleCleanup(EVE.remove)
    EVE.import_image()


def children(pid):
    try:
        return [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:  # one of pgod's workers, which has ended
        return ""


def pss(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:")), 0)


class Attack(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.web = free_port()
        self.repository = Repository(self.directory)
        self.repository.commit({"ssh/id.pub": (self.directory / "id.pub").read_text(),
                                "docker-compose.yml": compose_web(self.web)})
        self.daemon = self.pgod()
        self.daemon.debug = False
        self.daemon.service("demo", EVE.name, self.repository.url, ops=["read", "deploy", "exec"])
        self.addCleanup(lambda: EVE.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it serves", lambda: fetch(self.web) == "one\n")
        self.times, self.failures, self.most_memory = [], [], 0
        self.over = threading.Event()

    def ssh_processes(self):
        """The listener and, of it, one process for each connection and the one that waits."""
        listener = next(pid for pid in children(self.daemon.process.pid) if name_of(pid) == "pgod-ssh")
        return [listener, *children(listener)]

    def ping(self):
        while not self.over.is_set():
            begun = time.monotonic()
            done = self.daemon.ctl(self.key, "demo//ping")
            self.times.append(time.monotonic() - begun)
            if done.returncode != 0:
                self.failures.append(f"{done.returncode}: {done.stderr.strip()}")
            time.sleep(0.02)

    def watch_memory(self):
        while not self.over.is_set():
            self.most_memory = max(self.most_memory, sum(map(pss, [self.daemon.process.pid, *self.ssh_processes()])))
            time.sleep(0.5)

    def attack(self, scenario, count):
        begun = len(self.times)
        done = subprocess.run(["/usr/bin/python3", "-W", "ignore", pathlib.Path(__file__).parent / "attackers.py", scenario,
                               str(self.daemon.port), str(count), self.key], capture_output=True, text=True, timeout=900)
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until("somebody pinged", lambda: len(self.times) > begun + 2)
        times = sorted(self.times[begun:])
        print(f"  {done.stdout.strip()}; ping p50 {statistics.median(times) * 1000:.0f} ms, p99 "
              f"{times[min(len(times) - 1, len(times) * 99 // 100)] * 1000:.0f} ms of {len(times)}", flush=True)

    def test_a_good_key_is_served_and_nothing_is_left_behind(self):
        threads = [threading.Thread(target=self.ping), threading.Thread(target=self.watch_memory)]
        for thread in threads:
            thread.start()
        try:
            for number, (scenario, whole, reduced) in enumerate(SCENARIOS):
                self.attack(scenario, whole if WHOLE else reduced)
                if number == 0:
                    self.repository.commit({"docker-compose.yml": compose_web(self.web, "two")})
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        times = sorted(self.times)
        print(f"  {len(times)} pings: p50 {statistics.median(times) * 1000:.0f} ms, p99 "
              f"{times[len(times) * 99 // 100] * 1000:.0f} ms, {len(self.failures)} failed; memory at most "
              f"{self.most_memory / 2**20:.1f} MiB", flush=True)
        self.assertEqual(self.failures, [])
        self.assertLess(self.most_memory, MOST_MEMORY)
        wait_until("the commit made meanwhile is deployed", lambda: fetch(self.web) == "two\n")
        wait_until("only the listener and its next child are left", lambda: len(self.ssh_processes()) == 2)
        left = lambda: subprocess.run(["pgrep", "-u", EVE.name, "-fc", "podman.* exec"], capture_output=True,
                                      text=True).stdout.strip()
        wait_until("no command is left", lambda: left() == "0")
        self.assertIsNone(self.daemon.process.poll())
        self.daemon.stop()
        probes = dict((name, whole if WHOLE else reduced) for name, whole, reduced in SCENARIOS)["key_probes"]
        refused = [json.loads(line) for line in (self.daemon.state / "refused.log").read_text().splitlines()]
        self.assertGreaterEqual(sum(line["unknown_keys"] for line in refused), probes // 2)
        self.assertEqual({line["from"] for line in refused}, {"127.0.0.1"})


if __name__ == "__main__":
    main()
