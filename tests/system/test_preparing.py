"""Fetching and building: a build that hangs holds up nobody else, ends when it is not wanted any more, and what waits to
switch after it survives pgod."""

import signal
import subprocess
import time
import unittest
import zlib

from harness import (BIN, Repository, SystemTest, User, compose_web, fetch, free_port, gate, main,
                     make_key, processes, require_root_and_podman, wait_until)

require_root_and_podman()

EVE = None  # whose builds hang
BOB = None


def setUpModule():
    global EVE, BOB
    EVE = User("pgt-pre-eve")
    unittest.addModuleCleanup(EVE.remove)
    BOB = User("pgt-pre-bob")
    unittest.addModuleCleanup(BOB.remove)
    for user in (EVE, BOB):
        user.import_image()


def sleep_of(name):
    """What its build runs, told from other sleepers of this machine."""
    return f"sleep {900_000 + zlib.crc32(name.encode()) % 90_000}"


class Preparing(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.daemon = self.pgod()
        self.daemon.extra = 'parallel = 2'
        (self.directory / "admin_keys").write_text((self.directory / "id.pub").read_text())
        (self.directory / "admin_keys").chmod(0o644)
        self.repositories = {}
        for user in (EVE, BOB):
            self.addCleanup(lambda user=user: user.podman("rm", "-fa", "-t", "0", check=False))

    def serve(self, name, user, files, **settings):
        self.repositories[name] = Repository(self.directory, name)
        commit = self.repositories[name].commit(files)
        self.daemon.service(name, user.name, self.repositories[name].url, start_timeout="10m", **settings)
        return commit

    def web(self, name, user, body="one", extra="", **settings):
        port = free_port()
        self.serve(name, user, {"compose.yaml": compose_web(port, body, name=name, extra=extra)}, **settings)
        return port

    def hang(self, name, **settings):
        """A service of EVE whose build hangs."""
        self.serve(name, EVE, {"compose.yaml": f"services:\n  {name}:\n    build: .\n",
                               "Containerfile": f"FROM {User.IMAGE}\nRUN {sleep_of(name)}\n"}, **settings)

    def processes_of_build(self, name):
        """All that name the service's directory (pgod-build, podman), and what the build itself runs."""
        words = (f"{self.daemon.state}/services/{name}/".encode(), "\0".join(sleep_of(name).split()).encode())
        found = []
        for process in processes():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if any(word in line for word in words):
                found.append((process.name, line))
        return found

    def builds(self, name):
        return any(line.startswith(b"sleep\0") for _, line in self.processes_of_build(name))

    def no_build_is_left(self, name, what):
        begin = time.monotonic()
        wait_until(f"{what} ends the build", lambda: not self.processes_of_build(name), 30)
        return time.monotonic() - begin

    def ctl(self, target, *args, status=0, deadline=60):
        """Those that would wait for somebody else's build are not waited for."""
        begin = time.monotonic()
        done = self.daemon.ctl(self.key, target, *args, options=())
        self.assertEqual(done.returncode, status, f"{target} {args}: {done.stdout}{done.stderr}")
        self.assertLess(time.monotonic() - begin, deadline)
        return done.stdout + done.stderr

    def status(self, name):
        return self.daemon.status(self.key, name)

    def told(self, name):
        return self.daemon.ctl(self.key, f"{name}//status").stdout

    def kill_container(self, user):
        [container] = user.container_ids()
        user.podman("kill", "-s", "KILL", container)

    def is_healed(self, port):
        begin = time.monotonic()
        wait_until("it is healed", lambda: fetch(port) == "one\n", 60)
        return time.monotonic() - begin

    def test_builds_that_hang_hold_up_no_other_user(self):
        port = self.web("bob", BOB)
        self.daemon.start()
        wait_until("bob serves", lambda: fetch(port) == "one\n")
        wait_until("bob's deployment ended", lambda: self.status("bob")["outcome"] == "ok")  # else it is what the kill fails
        names = [f"eve{number}" for number in range(6)]
        for name in names:
            self.hang(name)
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("two builds hang", lambda: sum(map(self.builds, names)) >= 2)

        self.kill_container(BOB)
        print(f"healed after {self.is_healed(port):.1f} s")
        for operation in ("restart", "stop", "start"):
            self.ctl(f"bob//{operation}")
        wait_until("bob serves", lambda: fetch(port) == "one\n")
        self.repositories["bob"].commit({"compose.yaml": compose_web(port, "two", name="bob")})
        self.ctl("bob//up")
        wait_until("bob serves two", lambda: fetch(port) == "two\n")
        self.assertEqual(sum(map(self.builds, names)), 2)
        for name in names:
            self.ctl(f"{name}//down")
        for name in names:
            self.no_build_is_left(name, "down")

    def test_a_service_whose_next_version_waits_for_a_build_is_healed_and_restarted(self):
        port = self.web("web", EVE)
        self.daemon.start()
        wait_until("it serves", lambda: fetch(port) == "one\n")
        for name in ("eve1", "eve2"):
            self.hang(name)
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("two builds hang", lambda: self.builds("eve1") and self.builds("eve2"))
        self.repositories["web"].commit({"compose.yaml": compose_web(port, "two", name="web")})
        wait_until("its commit waits", lambda: "leave room to fetch and build" in self.told("web"))
        self.kill_container(EVE)
        self.is_healed(port)
        self.ctl("web//restart")
        wait_until("it serves", lambda: fetch(port) == "one\n")
        self.ctl("eve1//suspend")
        wait_until("its turn came", lambda: fetch(port) == "two\n")

    def test_down_suspend_and_the_end_of_the_client_end_a_build(self):
        self.hang("eve", auto=False)
        self.daemon.start()
        client = self.client("eve//up")
        wait_until("its build hangs", lambda: self.builds("eve"))
        self.ctl("eve//down", deadline=30)
        print(f"down ended it after {self.no_build_is_left('eve', 'down'):.1f} s")
        self.assertEqual(client.wait(timeout=30), 1)
        status = self.status("eve")
        self.assertEqual(status["quarantined"], [])
        self.assertIn("cancelled", self.daemon.ctl(self.key, "eve//history").stdout)
        self.assertIn("down was asked for by", self.daemon.ctl(self.key, "eve//history").stdout)

        client = self.client("eve//up")
        wait_until("its build hangs", lambda: self.builds("eve"))
        self.ctl("eve//suspend", deadline=30)
        self.no_build_is_left("eve", "suspend")
        self.assertEqual(client.wait(timeout=30), 1)
        self.assertIn("cancelled: it is suspended by", client.stderr.read())
        self.ctl("eve//resume")

        client = self.client("eve//build")
        wait_until("its build hangs", lambda: self.builds("eve"))
        client.kill()
        print(f"the client's end ended it after {self.no_build_is_left('eve', 'the end of the client'):.1f} s")
        wait_until("the service is idle", lambda: self.status("eve")["phase"] != "preparing")
        wait_until("its network is gone", lambda: not subprocess.run(
            ["pgrep", "-u", EVE.name, "-x", r"slirp4netns|pasta(\.avx2)?"], capture_output=True).stdout, 30)

        # What is left of them is in nobody's way.
        port = free_port()
        self.repositories["eve"].commit({
            "compose.yaml": compose_web(port, name="eve", command="httpd -f -p 8080 -h /site").replace(
                f"image: {User.IMAGE}", "build: ."),
            "Containerfile": f"FROM {User.IMAGE}\nRUN mkdir /site && echo built > /site/index.html\n"})
        self.ctl("eve//up", deadline=170)
        wait_until("it serves", lambda: fetch(port) == "built\n")

    def client(self, target):
        client = subprocess.Popen(
            [BIN / "pgoctl", "-i", self.key, "-p", str(self.daemon.port), "--accept-new", "--known-hosts",
             self.directory / "known_hosts", f"localhost:{target}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True)
        self.addCleanup(client.stderr.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        return client

    def test_a_worker_that_waits_to_switch_goes_on_without_pgod(self):
        self.daemon.extra = "parallel = 1"
        self.web("bob", BOB, extra=gate("first"))
        port = self.web("eve", EVE, auto=False)
        self.daemon.start()
        wait_until("bob is at work", lambda: BOB.container_ids())
        client = self.client("eve//up")
        wait_until("eve waits at the gate", lambda: "waits for room on this host (parallel)" in self.told("eve"))
        self.assertFalse(EVE.container_ids())
        self.daemon.stop(signal.SIGKILL)
        wait_until("it serves", lambda: fetch(port) == "one\n")
        client.wait(timeout=60)
        self.daemon.start()
        self.daemon.open_gate("bob", "first")
        wait_until("pgod took it over", lambda: self.status("eve")["outcome"] == "ok"
                   and self.status("eve")["health"] == "healthy")
        self.assertIn("it ended while pgod did not run", self.daemon.ctl(self.key, "eve//history").stdout)
        self.repositories["eve"].commit({"compose.yaml": compose_web(port, "two", name="eve")})
        self.ctl("eve//up", deadline=170)
        wait_until("it serves two", lambda: fetch(port) == "two\n")

    def serve_while_bob_fills_the_only_place(self):
        """Eve's port, which serves, while Bob's deployment holds the one place to switch until its gate opens."""
        self.daemon.extra = "parallel = 1"
        port = self.web("eve", EVE)
        self.daemon.start()
        wait_until("it serves", lambda: fetch(port) == "one\n")
        self.web("bob", BOB, extra=gate("first"))
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("bob is at work", lambda: BOB.container_ids())
        return port

    def test_what_ends_while_its_next_version_waits_to_switch_does_not_wait_for_that(self):
        port = self.serve_while_bob_fills_the_only_place()
        self.repositories["eve"].commit({"compose.yaml": compose_web(port, "two", name="eve")})
        wait_until("eve waits at the gate", lambda: "waits for room on this host (parallel)" in self.told("eve"))
        self.kill_container(EVE)
        wait_until("its next version heals it", lambda: fetch(port) == "two\n", 60)
        self.assertEqual(self.status("bob")["phase"], "working")
        self.daemon.open_gate("bob", "first")

    def test_down_at_the_gate_touches_nothing_and_a_restart_does_not_wait_there(self):
        port = self.serve_while_bob_fills_the_only_place()
        before = EVE.container_ids()
        self.repositories["eve"].commit({"compose.yaml": compose_web(port, "two", name="eve")})
        wait_until("eve waits at the gate", lambda: "waits for room on this host (parallel)" in self.told("eve"))
        self.ctl("eve//suspend")
        wait_until("its worker ended", lambda: self.status("eve")["phase"] == "idle")
        self.assertEqual(EVE.container_ids(), before)
        self.ctl("eve//resume")
        wait_until("eve waits at the gate", lambda: "waits for room on this host (parallel)" in self.told("eve"))
        self.ctl("eve//restart", deadline=120)
        wait_until("it serves two", lambda: fetch(port) == "two\n")
        self.daemon.open_gate("bob", "first")


if __name__ == "__main__":
    main()
