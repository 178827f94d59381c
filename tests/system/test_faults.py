"""What breaks beneath a service: the disk, its repository, its user, podman, its files. Each is one sentence in the
status and the log, touches no container that runs, holds up no other service, and is over when its cause is gone."""

import contextlib
import json
import pathlib
import pwd
import shutil
import signal
import subprocess
import time
import unittest

from harness import (DEADLINE, ONE_AT_A_TIME, Repository, SystemTest, User, compose_web, end_processes_of, fetch, free_port,
                     main, make_key, require_root_and_podman, wait_until)

require_root_and_podman()

ANN = BOB = None
NOBODYS = range(60600, 61100)  # uids that useradd gives nobody by itself


def setUpModule():
    global ANN, BOB
    ANN, BOB = User("pgt-faults-ann"), User("pgt-faults-bob")
    for user in (ANN, BOB):
        unittest.addModuleCleanup(user.remove)
        user.import_image()


class Site:
    """One service with one container that serves a word, and the repository that it follows."""

    def __init__(self, test, name, user):
        self.daemon, self.key, self.name, self.user, self.port = test.daemon, test.key, name, user, free_port()
        self.repository = Repository(test.directory, name)
        self.body = "one"
        self.push("one")
        self.daemon.service(name, user.name, self.repository.url)
        self.path = self.daemon.state / "services" / name
        test.addCleanup(user.podman, "rm", "-fa", "-t", "0", check=False)

    def compose(self, body):
        return compose_web(self.port, body, extra="    volumes: [\"./site:/site\"]\n")

    def push(self, body):
        self.commit = self.repository.commit({"docker-compose.yml": self.compose(body), "site/tracked": f"{body}\n"})
        self.body = body
        return self.commit

    def status(self):
        return self.daemon.status(self.key, self.name)

    def polls(self):
        self.daemon.polls(self.key, self.name)

    def runs(self):
        def settled():
            status = self.status()
            return (status["outcome"], status["running"], status["phase"]) == ("ok", self.commit, "idle")

        try:
            wait_until(f"{self.name} runs {self.body}", settled, 2 * DEADLINE)  # some wait for a podman that hangs
        except AssertionError as problem:
            raise AssertionError(f"{problem}; {self.status()}") from None
        wait_until("it serves", lambda: fetch(self.port) == f"{self.body}\n")
        self.containers = self.user.container_ids()

    def write_data(self):
        """As its container would: what git does not know."""
        self.data = self.path / "tree" / "site" / "data"
        self.user.run(["sh", "-c", f"echo mine > {self.data}"])

    def is_untouched(self, serves="one"):
        assert self.user.container_ids() == self.containers, self.user.containers(all_states=True)
        assert fetch(self.port) == f"{serves}\n"
        assert self.data.read_text() == "mine\n"

    def says(self, *words):
        """One sentence of the status has these words, and so has a line of the log."""
        def said():
            return next((p for p in self.status()["problems"] if all(w in p for w in words)), None)

        try:
            sentence = wait_until(f"{self.name} says {words}", said)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; {self.status()}") from None
        assert "\n" not in sentence and len(sentence) < 400, sentence
        wait_until(f"the log says {words} of {self.name}", lambda: any(
            f"{self.name}: " in line and all(w in line for w in words) for line in self.daemon.log().splitlines()))
        return sentence

    def is_well(self):
        wait_until(f"{self.name} has no problem", lambda: self.status()["problems"] == [])


class Trouble(SystemTest):
    """A pgod with two services of two users, which an admin asks."""

    owner = None  # of `demo`, when it is not Ann

    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        (self.directory / "admin_keys").write_text((self.directory / "id.pub").read_text())
        self.daemon = self.pgod()
        self.demo = Site(self, "demo", self.owner or ANN)
        self.other = Site(self, "other", BOB)

    def begin(self):
        self.daemon.start()
        for site in (self.demo, self.other):
            site.runs()
            site.write_data()


class Faults(Trouble):
    def setUp(self):
        super().setUp()
        # What is mounted over a program is seen by this pgod and its workers alone.
        self.daemon.launcher = ["unshare", "--mount", "--propagation", "slave"]

    def state_on_a_disk_of_its_own(self, *disk):
        self.daemon.launcher = []  # it sees what is done to the disk
        self.daemon.state.mkdir(mode=0o711)
        self.mount(*(disk or ["-t", "tmpfs", "-o", "size=64m,mode=0711", "tmpfs"]), self.daemon.state)
        self.addCleanup(subprocess.run, ["umount", "-l", self.daemon.state], check=True)
        for user in (ANN, BOB):  # rootless podman keeps a namespace that does not see it
            user.podman("system", "migrate")

    def mount(self, *argv):
        subprocess.run(["mount", *argv], check=True)

    def mount_for_pgod(self, source, target):
        self.in_pgods_namespace("mount", "--bind", source, target)

    def in_pgods_namespace(self, *argv):
        subprocess.run(["nsenter", "--mount", "--target", str(self.daemon.process.pid), *argv], check=True)

    def test_the_disk_of_the_state_is_full(self):
        self.state_on_a_disk_of_its_own()
        self.begin()
        ballast = [self.daemon.state / "ballast", self.daemon.state / "crumbs"]
        for path, size in zip(ballast, (65536, 1)):
            with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
                while True:
                    file.write(bytes(size))
        self.demo.push("two")
        self.demo.says("No space left on device")
        self.demo.polls()
        self.demo.is_untouched()
        self.other.is_untouched()
        for path in ballast:
            path.unlink()
        self.demo.runs()
        self.demo.is_well()
        self.other.is_untouched()

    def test_the_state_is_read_only(self):
        self.state_on_a_disk_of_its_own()
        self.begin()
        self.daemon.stop()  # a disk with files open for writing cannot be made read-only by hand
        wait_until("it is read-only", lambda: subprocess.run(["mount", "-o", "remount,ro", self.daemon.state]).returncode == 0)
        self.daemon.start(write=False)
        self.demo.push("two")
        self.demo.says("Read-only file system")
        self.demo.polls()
        self.demo.is_untouched()
        self.other.is_untouched()
        self.mount("-o", "remount,rw", self.daemon.state)
        self.demo.runs()
        self.demo.is_well()
        self.other.is_untouched()

    def test_the_disk_of_the_state_fails_while_pgod_runs(self):
        """As the kernel makes a disk read-only for good that has errors; what is begun anew then needs another disk."""
        image = self.directory / "disk"
        subprocess.run(["truncate", "-s", "128M", image], check=True)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        self.state_on_a_disk_of_its_own("-o", "loop,errors=remount-ro", image)
        self.begin()
        device = subprocess.run(["findmnt", "-no", "SOURCE", self.daemon.state], capture_output=True, text=True,
                                check=True).stdout.strip()
        pathlib.Path("/sys/fs/ext4", pathlib.Path(device).name, "trigger_fs_error").write_text("1")
        self.demo.push("two")
        self.demo.says("Read-only file system")
        self.daemon.stop()
        self.daemon.start(write=False)
        self.demo.says("Read-only file system")
        self.demo.polls()
        self.demo.is_untouched()
        self.other.is_untouched()

    def test_a_corrupt_repository_is_fetched_anew(self):
        self.begin()
        repository = self.demo.path / "repo.git"

        def overwrite(*folders):
            for path in [p for folder in folders for p in (repository / folder).rglob("*") if p.is_file()]:
                with contextlib.suppress(FileNotFoundError):  # a poll may be at work in it
                    path.chmod(0o600)
                    path.write_bytes(b"\xa5" * 64)

        damages = {"objects": lambda: overwrite("objects"), "refs": lambda: overwrite("refs", "."),
                   "HEAD": (repository / "HEAD").unlink, "all of it": lambda: shutil.rmtree(repository)}
        for number, (what, damage) in enumerate(damages.items()):
            with self.subTest(damaged=what):
                damage()
                self.demo.push(f"after-{number}")
                self.demo.runs()
                checked = self.demo.repository.git("-C", repository, "fsck", "--full", cwd="/")
                self.assertNotIn("error", checked)
                if what != "all of it":
                    self.assertIn("demo: the local repository was damaged and was fetched anew", self.daemon.log())
        self.other.is_untouched()

    def test_a_commit_that_cannot_be_read_any_more_is_fetched_anew(self):
        """With nothing new upstream, and long before the next poll."""
        for number, service in enumerate(self.daemon.services):
            self.daemon.services[number] = (*service[:3], {"interval": "1h"})
        self.begin()
        for path in (self.demo.path / "repo.git" / "objects").rglob("*"):
            if path.is_file():
                path.chmod(0o600)
                path.write_bytes(b"\xa5" * 64)
        self.assertEqual(self.daemon.ctl(self.key, "demo//down").returncode, 0)
        self.daemon.ctl(self.key, "demo//up")
        self.demo.runs()
        self.assertIn("demo: the local repository was damaged and was fetched anew", self.daemon.log())
        self.other.is_untouched()

    def test_podman_is_missing(self):
        self.begin()
        podman = shutil.which("podman")
        self.mount_for_pgod("/dev/null", podman)
        self.demo.says("podman is not installed")
        self.other.says("podman is not installed")
        two = self.demo.push("two")
        wait_until("the commit was tried", lambda: self.status_says_of_last(two))
        self.demo.is_untouched()
        self.assertEqual(self.demo.status()["quarantined"], [])
        self.assertNotEqual(self.demo.status()["running"], "")
        self.in_pgods_namespace("umount", podman)
        self.demo.runs()
        self.demo.is_well()
        self.other.is_well()
        self.other.is_untouched()

    def status_says_of_last(self, commit):
        done = self.daemon.ctl(self.key, "demo//history", "--json")
        return any(row["commit"] == commit and row["ended"] for row in json.loads(done.stdout))

    def test_a_podman_that_hangs_is_ended_and_holds_up_its_service_alone(self):
        hang, real = self.directory / "hang", self.directory / "podman"
        shutil.copy2(shutil.which("podman"), real)
        wrapper = self.directory / "wrapper"
        wrapper.write_text(f"#!/bin/sh\n[ -e {hang}-$(id -u) ] && exec sleep 98765\nexec {real} \"$@\"\n")
        wrapper.chmod(0o755)
        self.begin()
        self.mount_for_pgod(wrapper, shutil.which("podman"))
        self.other.push("two")
        self.other.runs()  # by way of the wrapper
        flag = pathlib.Path(f"{hang}-{BOB.uid}")
        flag.touch()
        wait_until("podman hangs", self.sleepers)
        self.demo.push("two")
        self.demo.runs()
        begun = time.monotonic()
        self.assertEqual(self.daemon.ctl(self.key, "demo//ps").returncode, 0)
        self.assertLess(time.monotonic() - begun, 50)  # a call of podman that hangs is ended after 60
        self.other.says("podman ps did not end within")
        self.other.is_untouched("two")
        flag.unlink()
        self.other.push("three")
        self.other.runs()
        self.other.is_well()
        wait_until("nothing hangs any more", lambda: not self.sleepers())

    @staticmethod
    def sleepers():
        return subprocess.run(["pgrep", "-u", BOB.name, "-f", "sleep 98765"], capture_output=True, text=True).stdout

    def test_a_directory_of_the_work_tree_that_a_container_gave_to_another_uid(self):
        self.begin()
        (web,) = self.demo.containers
        for mode in ("755", "700"):
            with self.subTest(mode=mode):
                ANN.podman("exec", web, "sh", "-c", f"chown -R 1000:1000 /site && chmod {mode} /site")
                self.demo.push(f"for-{mode}")
                serves = fetch(self.demo.port).strip()
                sentence = self.demo.says("site/", "podman unshare chown")
                self.demo.is_untouched(serves)
                self.assertEqual(self.demo.status()["quarantined"], [])
                subprocess.run(sentence[sentence.index("podman unshare"):].split(" and ")[0], shell=True, check=False,
                               user=ANN.uid, group=ANN.gid, extra_groups=[], env=ANN.env(), cwd="/")
                self.demo.runs()
                (web,) = self.demo.containers
        self.demo.is_well()
        self.other.is_untouched()

    def test_a_file_of_the_work_tree_that_a_container_gave_to_another_uid(self):
        self.begin()
        (web,) = self.demo.containers
        ANN.podman("exec", web, "sh", "-c", "echo changed > /site/tracked; chown 1000:1000 /site/tracked; "
                                            "chmod 600 /site/tracked")
        self.demo.push("two")
        self.demo.runs()
        self.assertEqual((self.demo.path / "tree" / "site" / "tracked").read_text(), "two\n")
        self.assertEqual((self.demo.path / "tree" / "site" / "tracked.pgod-saved-1").read_text(), "changed\n")
        self.other.is_untouched()


class UserGone(Trouble):
    """A user who is deleted while pgod runs, and made again."""

    def setUp(self):
        self.owner = self.eve = User("pgt-faults-eve")
        self.addCleanup(self.remove_eve)
        self.eve.import_image()
        last = User("pgt-faults-last")  # useradd gives the uid above the highest: not hers, while she is gone
        self.addCleanup(last.remove)
        super().setUp()
        self.begin()
        self.ranges = [self.range_in(f"/etc/sub{kind}id") for kind in "ug"]

    def range_in(self, path):
        lines = pathlib.Path(path).read_text().splitlines()
        return next(line for line in lines if line.startswith(f"{self.eve.name}:")).split(":")

    def remove_eve(self):
        with contextlib.suppress(KeyError):
            if pwd.getpwnam(self.eve.name).pw_uid != self.eve.uid:
                self.delete()
        with contextlib.suppress(KeyError):
            pwd.getpwnam(self.eve.name)
            return self.eve.remove()
        end_processes_of(self.eve.uid)
        subprocess.run(["rm", "-rf", self.eve.home, self.eve.runtime], check=True)

    def delete(self):
        # -f: although processes of it run; home and mail stay
        subprocess.run([*ONE_AT_A_TIME, "userdel", "-f", self.eve.name], check=True, capture_output=True)

    def make(self, uid):
        subprocess.run([*ONE_AT_A_TIME, "useradd", "--no-create-home", "--home-dir", self.eve.home, "--uid", str(uid),
                        "--password", "*", self.eve.name], check=True)
        if uid == self.eve.uid:
            for letter, (_, first, count) in zip("vw", self.ranges):
                subprocess.run([*ONE_AT_A_TIME, "usermod", f"-{letter}", f"{first}-{int(first) + int(count) - 1}",
                                self.eve.name], check=True)

    def still_runs(self):
        """Its processes are nobody's now; podman cannot be asked as a user who does not exist."""
        self.assertEqual(fetch(self.demo.port), "one\n")
        self.other.is_untouched()

    def test_deleted_and_made_again(self):
        self.delete()
        self.demo.says("user \"pgt-faults-eve\" does not exist on this host")
        self.still_runs()
        refused = self.daemon.ctl(self.key, "demo//up")
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("does not exist", refused.stderr)
        self.assertEqual(self.daemon.ctl(self.key, "demo//ping").returncode, 0)

        another = next(uid for uid in NOBODYS if not self.taken(uid))
        self.make(another)
        self.demo.says(f"(uid {another}) but to uid {self.eve.uid}", f"chown -R {self.eve.name}: /")
        self.still_runs()
        self.assertEqual(self.demo.path.stat().st_uid, self.eve.uid)
        strangers = subprocess.run(["pgrep", "-u", str(another)], capture_output=True, text=True).stdout
        self.assertEqual(strangers, "")

        self.delete()
        self.make(self.eve.uid)
        self.demo.is_well()
        self.demo.runs()
        self.still_runs()
        self.demo.push("two")
        self.demo.runs()

    def test_made_again_with_another_uid_between_two_polls(self):
        """Nothing of it runs as the uid that is not the user's any more."""
        self.daemon.process.send_signal(signal.SIGSTOP)
        self.delete()
        another = next(uid for uid in NOBODYS if not self.taken(uid))
        self.make(another)
        before = self.processes_of_eve()
        self.demo.push("two")
        self.daemon.process.send_signal(signal.SIGCONT)
        self.demo.says(f"(uid {another}) but to uid {self.eve.uid}", f"chown -R {self.eve.name}: /")
        self.still_runs()
        self.assertEqual(self.demo.status()["tip"][:8], self.demo.status()["running"][:8])  # not even fetched
        wait_until("no process of its is left but those before", lambda: self.processes_of_eve() <= before)
        self.delete()

    def processes_of_eve(self):
        return set(subprocess.run(["pgrep", "-u", str(self.eve.uid)], capture_output=True, text=True).stdout.split())

    @staticmethod
    def taken(uid):
        with contextlib.suppress(KeyError):
            pwd.getpwuid(uid)
            return True
        return pathlib.Path(f"/run/user/{uid}").exists()


if __name__ == "__main__":
    main()
