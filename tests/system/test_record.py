"""What pgod remembers: the deployments of a service and what they said, why it did what it did, and what operators asked
for; also when state.db cannot be read or written, and after pgod was killed."""

import contextlib
import json
import pathlib
import signal
import sqlite3
import subprocess
import time
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, gate, main, make_key,
                     require_root_and_podman, served, wait_until)

require_root_and_podman()

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-store-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Recorded(SystemTest):
    """One service that serves, and an admin."""

    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.admin = make_key(self.directory, "admin")
        (self.directory / "admin_keys").write_text((self.directory / "admin.pub").read_text())
        (self.directory / "admin_keys").chmod(0o600)
        self.port = free_port()
        self.repository = Repository(self.directory)
        self.good = compose_web(self.port)
        self.first = self.repository.commit({"ssh/id.pub": (self.directory / "id.pub").read_text(),
                                             "docker-compose.yml": self.good})
        self.daemon = self.pgod()
        self.daemon.service("demo", ANN.name, self.repository.url, env=["TOKEN=hunter2-long"],
                            start_timeout="10m")
        self.daemon.service("other", ANN.name, self.repository.url, branch="nowhere")
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))

    def begin(self):
        self.daemon.start()
        wait_until("it serves", lambda: fetch(self.port) == "one\n")
        wait_until("it is settled", lambda: self.status()["outcome"] == "ok")

    def status(self):
        return self.daemon.status(self.admin, "demo")

    def said(self, *command, status=0, key=None):
        done = self.daemon.ctl(key or self.admin, *command)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def history(self, service="demo", *args):
        return json.loads(self.said(f"{service}//history", *args, "--json"))

    def trouble(self, word):
        return any(word in problem for problem in self.status()["problems"])


class Operations(Recorded):
    def test_history_log_and_why(self):
        self.begin()
        bad = self.repository.commit({"docker-compose.yml": self.good.replace(
            "echo one", "echo this is $TOKEN; exit 3; echo")})
        wait_until("the bad commit was judged", lambda: self.history()[0]["commit"] == bad and
                   self.history()[0]["ended"])
        rows = self.history()
        self.assertIn(rows[0]["outcome"], ("rolled-back", "failed"))
        self.assertTrue(rows[0]["reason"])
        self.assertTrue(rows[0]["cause"])
        self.assertEqual(rows[-1]["commit"], self.first)
        self.assertEqual((rows[-1]["deployment"], rows[-1]["outcome"], rows[-1]["reason"]), (1, "ok", ""))
        self.assertEqual(list(rows[0]), ["deployment", "commit", "trigger", "by", "started", "ended", "outcome",
                                         "cause", "reason"])
        self.assertEqual([row["deployment"] for row in rows], sorted((r["deployment"] for r in rows), reverse=True))
        self.assertEqual(len(self.history("demo", "1")), 1)

        # As text: one line each below the heading, nothing foreign drives the terminal.
        text = self.said("demo//history", key=self.key)
        self.assertEqual(len(text.splitlines()), len(rows) + 1)
        self.assertIn(bad[:8], text)

        # What each one said, without the admin's secrets.
        newest = rows[0]["deployment"]
        log = self.said("demo//log", str(newest), key=self.key)
        self.assertIn(f"deployment {newest} of demo at {bad}", log)
        self.assertNotIn("hunter2", log)
        self.assertIn(f"deployment 1 of demo at {self.first}", self.said("demo//log", "1"))
        as_json = json.loads(self.said("demo//log", "1", "--json"))
        self.assertEqual(as_json["deployment"], 1)
        self.assertIn(self.first, as_json["log"])
        self.assertIn(f"deployment {self.history()[0]['deployment']} of demo", self.said("demo//log"))
        for wrong, status in (("x", 64), ("0", 1), ("4711", 1)):
            self.assertTrue(self.said("demo//log", wrong, status=status))
        self.assertTrue(self.said("demo//history", "many", status=64))
        self.assertTrue(self.said("demo//history", "0", status=64))

        # Why, in three lines, and the same as JSON.
        why = self.said("demo//why", key=self.key)
        self.assertEqual(len(why.splitlines()), 3, why)
        self.assertIn(self.first[:8], why)
        told = json.loads(self.said("demo//why", "--json"))
        self.assertEqual(list(told), ["decision", "decided", "desired", "health", "running", "tip", "last_good",
                                      "next_poll", "next_retry"])
        self.assertEqual((told["desired"], told["running"], told["tip"]), ("running", self.first, bad))
        self.assertIn(f"{bad[:8]} is quarantined since", told["decision"])
        self.assertIn(told["decision"], why)
        self.assertTrue(told["decided"])

        # The whole vocabulary on one screen.
        screen = self.said("demo//status")
        for word in ("desired", "health", "running", "upstream", "last good", "last", "next", "problem"):
            self.assertIn(f"\n{word} ", screen)
        self.assertLessEqual(len(screen.splitlines()), 24)
        status = self.status()
        self.assertEqual((status["last_good"], status["running"], status["tip"]), (self.first, self.first, bad))
        for name in ("suspended", "waiting", "quarantined", "reason", "next_poll", "next_retry", "decision"):
            self.assertIn(name, status)

        # Who asked is in the record.
        self.repository.commit({"docker-compose.yml": self.good.replace("echo one", "echo two")})
        self.said("demo//up", key=self.key)
        asked = [row for row in self.history() if row["trigger"] == "command"]
        if asked:  # a poll may have been first
            self.assertTrue(asked[0]["by"].startswith("id (SHA256:"), asked[0]["by"])

    def test_a_removed_service_has_a_history(self):
        self.begin()
        last = self.history()[0]["deployment"]
        self.daemon.services = self.daemon.services[1:]
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("it was removed", lambda: "demo: it was removed" in self.daemon.log())
        rows = self.history()
        self.assertEqual((rows[0]["outcome"], rows[0]["deployment"]), ("removed", last + 1))
        self.assertEqual(rows[-1]["commit"], self.first)
        self.assertIn("removed", self.said("demo//history"))
        self.said("demo//history", key=self.key, status=77)  # its keys went with it
        self.said("never//history", status=64)
        self.assertIsNone(fetch(self.port))


class Killed(Recorded):
    def test_a_deployment_whose_end_nobody_saw_is_closed(self):
        self.begin()
        commit = self.repository.commit({"docker-compose.yml": compose_web(self.port, "slow", extra=gate("slow"))})
        number = wait_until("it is under way", lambda: self.history()[0]["commit"] == commit and
                            self.history()[0]["deployment"])
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start(write=False)
        self.daemon.open_gate("demo", "slow")
        row = wait_until("it was closed", lambda: next(
            (row for row in self.history() if row["deployment"] == number and row["ended"]), None))
        self.assertIn(row["outcome"], ("ok", "failed"))
        self.assertIn("pgod", row["reason"])
        wait_until("and the commit serves", lambda: fetch(self.port) == "slow\n")


class StateTrouble(Recorded):
    @property
    def file(self):
        return self.daemon.state / "state.db"

    @contextlib.contextmanager
    def locked(self, *statements):
        other = sqlite3.connect(self.file, isolation_level=None)
        for statement in statements or ("BEGIN EXCLUSIVE",):
            other.execute(statement)
        try:
            yield
        finally:
            other.close()

    def test_locked_while_it_runs(self):
        self.begin()
        with self.locked():
            self.repository.commit({"docker-compose.yml": self.good.replace("echo one", "echo two")})
            wait_until("it goes on deploying", lambda: fetch(self.port) == "two\n")
            wait_until("and says so", lambda: self.trouble("locked"))
            self.assertIn("locked", self.daemon.log())
            self.said("demo//down")
        wait_until("it is over", lambda: not self.trouble("state.db"))
        self.daemon.stop()
        self.daemon.start(write=False)
        wait_until("what was asked for is known", lambda: self.status()["desired"] == "stopped")
        self.assertGreaterEqual(len(self.history()), 2)
        self.assertIsNone(fetch(self.port))

    def test_locked_at_a_start_brings_back_nothing_that_was_stopped(self):
        self.begin()
        self.said("demo//down")
        self.daemon.stop()
        with self.locked("PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE", "UPDATE known SET user = user"):
            self.daemon.start(write=False)
            wait_until("it says so", lambda: self.trouble("locked"))
            self.assertEqual(self.status()["phase"], "unavailable")
            time.sleep(2)  # two polls
            self.assertIsNone(fetch(self.port))
        wait_until("it is known again", lambda: self.status()["desired"] == "stopped")
        self.assertIsNone(fetch(self.port))
        self.said("demo//up")
        self.assertEqual(served(self.port), "one\n")

    def test_a_full_and_a_read_only_disk(self):
        self.daemon.state.mkdir(mode=0o711)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0711", "tmpfs", self.daemon.state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.daemon.state], check=True)
        self.begin()
        with contextlib.suppress(OSError), open(self.daemon.state / "ballast", "wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(65536))
        with contextlib.suppress(OSError), open(self.daemon.state / "crumbs", "wb", buffering=0) as ballast:
            while True:
                ballast.write(b"x")
        for _ in range(40):  # the write-ahead log has some room of its own
            self.said("demo//stop")
            self.said("demo//start")
            if self.trouble("state.db"):
                break
        self.assertTrue(self.trouble("state.db"))
        self.said("demo//down")
        for name in ("ballast", "crumbs"):
            (self.daemon.state / name).unlink()
        wait_until("it is over", lambda: not self.trouble("state.db"))
        self.daemon.stop()
        wait_until("it is read-only", lambda: subprocess.run(["mount", "-o", "remount,ro", self.daemon.state]).returncode == 0)
        self.daemon.start(write=False)
        wait_until("it says so", lambda: self.trouble("state.db"))
        self.assertEqual(self.status()["desired"], "stopped")
        self.assertEqual(self.history()[-1]["commit"], self.first)
        subprocess.run(["mount", "-o", "remount,rw", self.daemon.state], check=True)
        wait_until("it is over", lambda: not self.trouble("state.db"))
        self.said("demo//up")
        self.assertEqual(served(self.port), "one\n")

    def test_corrupt(self):
        self.begin()
        before = ANN.container_ids()
        self.daemon.stop()
        self.file.write_bytes(b"#" * 8192)
        self.daemon.start(write=False)
        wait_until("it says so", lambda: self.trouble("corrupt"))
        self.assertIn("corrupt", self.daemon.log())
        aside = list(self.daemon.state.glob("state.db.corrupt-*"))
        self.assertEqual([path.read_bytes()[:8] for path in aside if not path.name.endswith(("-wal", "-shm"))],
                         [b"#" * 8])
        wait_until("it is settled", lambda: self.status()["outcome"] == "ok")
        self.assertEqual(ANN.container_ids(), before)
        self.said("demo//history")


if __name__ == "__main__":
    main()
