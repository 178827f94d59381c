"""exec on real podman, with pgoctl and with OpenSSH's client: exit status, streams both ways, terminals, and that nothing
is left inside a container when the client goes."""

import hashlib
import os
import pathlib
import random
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

from harness import (BIN, Repository, SystemTest, User, main, make_key, require_root_and_podman, sanitized,
                     wait_until)

require_root_and_podman()
if shutil.which("tmux") is None:
    print("needs tmux")
    sys.exit(77)

MEGABYTE = 1 << 20
SIZE = (2048 if os.environ.get("PGOD_LONG") == "1" else 64) * MEGABYTE
MEMORY_BOUND = 60 * MEGABYTE  # of one process of pgod's, resident; a session with a full window takes a few
GROWTH = 2 * MEGABYTE  # from the first half of a stream to the second: nothing is kept of what passed
COMPOSE = f"""services:
  web:
    image: {User.IMAGE}
    stop_signal: SIGKILL
    command: sleep 1000000
  done:
    image: {User.IMAGE}
    command: "true"
"""


def setUpModule():
    global EVE
    EVE = User("pgt-exec-eve")
    unittest.addModuleCleanup(EVE.remove)
    EVE.import_image()


class Block:
    """A stream of any length of which no megabyte is like its neighbour, made as it is read, and its checksum."""

    def __init__(self, size):
        self.size = size
        self.block = random.Random(7).randbytes(1_000_003)
        digest = hashlib.sha256()
        for part in self.parts():
            digest.update(part)
        self.digest = digest.hexdigest()

    def parts(self):
        left = self.size
        while left > 0:
            part = self.block[:min(left, len(self.block))]
            left -= len(part)
            yield part


def feed(process, parts):
    """Writes the parts to a process's standard input in a thread of its own, then closes it."""
    def write():
        try:
            for part in parts:
                process.stdin.write(part)
            process.stdin.close()
        except OSError:
            pass  # it ended before; the test sees why

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def digest_of(stream, pause=None, look=None):
    """The checksum and the length of what a stream brings; with a pause, the reader stops for it after a tenth, and with a
    look it looks, with the length so far, at every thirtieth."""
    digest, length, looked = hashlib.sha256(), 0, 0
    while part := stream.read(MEGABYTE):
        digest.update(part)
        length += len(part)
        if pause and length > SIZE // 10:
            pause()
            pause = None
        if look and length - looked > SIZE // 30:
            look(length)
            looked = length
    return digest.hexdigest(), length


class Tmux:
    """A terminal of 80 by 24 with a shell in it, driven by keys, whose screen can be read."""

    def __init__(self, directory, name):
        self.socket = directory / f"tmux-{name}"
        self.run("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-c", directory,
                 "env", "-i", "PATH=/usr/bin:/bin", "TERM=screen", "PS1=outside> ", f"HOME={directory}", "sh")

    def run(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, *map(str, words)], capture_output=True, text=True, timeout=180,
                              check=True).stdout

    def type(self, text):
        self.run("send-keys", "-l", "--", text)

    def enter(self, text):
        self.type(text)
        self.key("Enter")

    def key(self, *names):
        self.run("send-keys", *names)

    def resize(self, columns, rows):
        self.run("resize-window", "-x", columns, "-y", rows)

    def screen(self):
        return [line.rstrip() for line in self.run("capture-pane", "-p").split("\n")]

    def shows(self, line):
        wait_until(f"the screen shows {line!r}", lambda: line in self.screen())

    def end(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, timeout=180)


class Exec(SystemTest):
    def setUp(self):
        super().setUp()
        self.repository = Repository(self.directory)
        self.key = make_key(self.directory)
        self.repository.commit({"compose.yaml": COMPOSE, "ssh/id.pub": self.key.with_suffix(".pub").read_text()})
        self.daemon = self.pgod()
        self.daemon.service("demo", EVE.name, self.repository.url, ops=["read", "deploy", "exec"])
        self.addCleanup(lambda: EVE.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it is deployed", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0 and
                   self.daemon.status(self.key, "demo")["outcome"] == "ok")

    # The clients' command lines.
    def ssh(self, *words, options=()):
        return [str(w) for w in ["ssh", "-F", "/dev/null", "-p", self.daemon.port, "-o", "IdentitiesOnly=yes", "-o",
                                 "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                                 f"UserKnownHostsFile={self.directory}/known_ssh", "-o", "LogLevel=ERROR", "-i", self.key,
                                 *options, "localhost", *words]]

    def ctl(self, *words, options=()):
        return [str(w) for w in [BIN / "pgoctl", "-i", self.key, "-p", self.daemon.port, "--accept-new", "--known-hosts",
                                 self.directory / "known_hosts", *options, f"localhost:{words[0]}", *words[1:]]]

    def clients(self):
        return {"ssh": self.ssh, "pgoctl": self.ctl}.items()

    def run_client(self, argv, given=b""):
        return subprocess.run(argv, input=given, capture_output=True, timeout=180)

    def inside(self, marker):
        """The processes with this word on their command line, wherever they run, that belong to the service's user."""
        listed = subprocess.run(["pgrep", "-u", EVE.name, "-fx", marker], capture_output=True, text=True)
        return listed.stdout.split()

    def server_processes(self):
        """pgod, its listener and the children of that: {pid: resident bytes}."""
        found, todo = {}, [self.daemon.process.pid]
        while todo:
            pid = todo.pop()
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except OSError:
                continue
            name = status.split("\n", 1)[0].split("\t")[1]
            if name.startswith("pgod"):
                resident = [line for line in status.split("\n") if line.startswith("VmRSS:")]
                if resident:
                    found[f"{name} {pid}"] = int(resident[0].split()[1]) * 1024
                todo += [int(child) for child in children]
        return found

    def test_status_and_streams(self):
        for name, client in self.clients():
            with self.subTest(name):
                for status in (0, 1, 77, 255):
                    done = self.run_client(client("demo//exec", "web", "sh", "-c", f"'exit {status}'" if name == "ssh"
                                                  else f"exit {status}"))
                    self.assertEqual(done.returncode, status, done.stderr)
                script = "read a; echo out $a; echo err >&2; cat"
                done = self.run_client(client("demo//exec", "web", "sh", "-c", f"'{script}'" if name == "ssh" else script),
                                       b"one\ntwo\nthree")
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"out one\ntwo\nthree", b"err\n"))

    def test_a_command_that_prints_a_refusal_runs_once(self):
        script = "echo run >> /runs; echo 'Unauthorized: x' >&2; exit 77"
        done = self.run_client(self.ctl("demo//exec", "web", "sh", "-c", script, options=["-i", self.key]))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (77, b"", b"Unauthorized: x\n"))
        runs = self.run_client(self.ctl("demo//exec", "web", "cat", "/runs"))
        self.assertEqual(runs.stdout, b"run\n", runs.stderr)

    def test_what_cannot_be_run(self):
        for words, status, says in (
                (["demo//exec", "web", "nosuchprogram"], 127, b"nosuchprogram"),
                (["demo//exec", "db", "ls"], 64, b"db is no compose service that has a container here; there are: done, web"),
                (["demo//exec", "done", "ls"], 1, b"done has no running container"),
                (["demo//exec", "web"], 64, b"exec needs a compose service and a command"),
                (["demo//exec", "-t", "web", "ls"], 64, b"needs a terminal")):
            for name, client in self.clients():
                with self.subTest(f"{name} {words}"):
                    done = self.run_client(client(*words))
                    self.assertEqual((done.returncode, done.stdout), (status, b""), done.stderr)
                    self.assertIn(says, done.stderr)

    def test_only_where_it_is_granted_and_input_reaches_the_key_that_may(self):
        stranger = make_key(self.directory, "stranger")
        second = Repository(self.directory, "second")
        second.commit({"ssh/stranger.pub": stranger.with_suffix(".pub").read_text(), "compose.yaml": COMPOSE})
        self.daemon.service("second", EVE.name, second.url)
        self.daemon.write_config()
        wait_until("the other key is known", lambda: self.daemon.ctl(stranger, "second//ping").returncode == 0)
        refused = self.run_client(self.ctl("second//exec", "web", "ls", options=["-i", stranger]))
        self.assertEqual(refused.returncode, 77, refused.stderr)
        own = self.daemon.ctl(stranger, "second//exec", "web", "ls")
        self.assertEqual((own.returncode, own.stdout), (77, ""))
        self.assertIn("exec is not among the ops", own.stderr)
        given = b"x" * (3 * MEGABYTE)
        argv = self.ctl("demo//exec", "web", "cat")
        argv[1:3] = ["-i", str(stranger), "-i", str(self.key)]
        done = self.run_client(argv, given)
        self.assertEqual((done.returncode, done.stdout == given), (0, True), done.stderr)

    def test_whoami(self):
        done = self.daemon.ctl(self.key, "//whoami")
        fingerprint = subprocess.run(["ssh-keygen", "-lf", self.key], capture_output=True, text=True).stdout.split()[1]
        self.assertEqual(done.stdout.split(), ["key", fingerprint, "SERVICE", "NAME", "MAY", "demo", "id", "read", "deploy",
                                               "exec"], done.stderr)
        one = self.daemon.ctl(self.key, "demo//whoami", "--json")
        self.assertIn('"may": [', one.stdout)

    def test_bulk_both_ways(self):
        """Bit for bit through cat in the container, also with new keys every megabyte and with a reader that stops; and no
        process of pgod grows by it."""
        block = Block(SIZE)
        rekeying = ("-o", "RekeyLimit=1M")
        runs = {"pgoctl": (self.ctl, ()), "ssh": (self.ssh, ()), "ssh, new keys": (self.ssh, rekeying)}
        for name, (client, options) in runs.items():
            with self.subTest(name):
                process = subprocess.Popen(client("demo//exec", "web", "cat", options=options), stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                writer = feed(process, block.parts())
                sizes = {"begin": {}, "second half": {}}  # {when: {process: bytes}}

                def look(length):
                    when = sizes["begin" if length < SIZE // 2 else "second half"]
                    for which, size in self.server_processes().items():
                        when[which] = max(size, when.get(which, 0))

                def pause():
                    """Until nothing moves any more: everything that buffers is full."""
                    for _ in range(10):
                        time.sleep(0.3)
                        look(0)

                begin = time.monotonic()
                digest, length = digest_of(process.stdout, pause, look)
                writer.join(timeout=180)
                self.assertEqual(process.wait(timeout=180), 0, process.stderr.read())
                process.stderr.close()
                self.assertEqual((digest, length), (block.digest, SIZE))
                print(f"{name}: {SIZE // MEGABYTE} MiB there and back in {time.monotonic() - begin:.1f} s with a pause of 3 s; "
                      "all processes, largest: " + ", ".join(
                          f"{when} {sum(each.values()) / MEGABYTE:.1f}, {max(each.values()) / MEGABYTE:.1f} MiB of {len(each)}"
                          for when, each in sizes.items()), file=sys.stderr)
                if sanitized():  # its run-time library keeps what was freed
                    continue
                for which, size in sizes["second half"].items():
                    self.assertLess(size, MEMORY_BOUND, which)
                    self.assertLess(size, sizes["begin"].get(which, MEMORY_BOUND) + GROWTH, f"{which} grows")

    def test_a_reader_that_is_slow_and_one_that_stops_stop_the_producer(self):
        for name, client in self.clients():
            with self.subTest(name):
                process = subprocess.Popen(client("demo//exec", "web", "seq", "100000000"), stdin=subprocess.DEVNULL,
                                           stdout=subprocess.PIPE)
                self.assertTrue(process.stdout.readline())
                wait_until("seq runs", lambda: self.inside("seq 100000000"))
                seq = self.inside("seq 100000000")[0]

                def written():
                    return pathlib.Path(f"/proc/{seq}/io").read_text().split("wchar: ")[1].split()[0]

                def stalled():
                    before = written()
                    time.sleep(1)
                    return written() == before

                wait_until("seq is held up", stalled)
                process.kill()
                process.wait()
                process.stdout.close()
                wait_until("seq is gone", lambda: not self.inside("seq 100000000"))

    def test_a_client_that_vanishes_leaves_nothing_inside(self):
        """One that reads, one that ignores hanging up, and a tree of which the first process has ended."""
        scripts = {"sleep 777001": "sleep 777001", "sleep 777002": "trap '' HUP TERM; sleep 777002; sleep 777002",
                   "sleep 777003": "(sleep 777003 &); sleep 777003"}
        for name, client in self.clients():
            for marker, script in scripts.items():
                with self.subTest(f"{name}: {script}"):
                    process = subprocess.Popen(client("demo//exec", "web", "sh", "-c",
                                                      f'"{script}"' if name == "ssh" else script), stdin=subprocess.PIPE,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    count = 2 if marker.endswith("3") else 1
                    wait_until("it runs", lambda: len(self.inside(marker)) == count)
                    begin = time.monotonic()
                    process.kill()
                    process.wait()
                    process.stdin.close()
                    wait_until("nothing of it is left", lambda: not self.inside(marker))
                    print(f"{name}: {script!r} gone after {time.monotonic() - begin:.1f} s", file=sys.stderr)
        wait_until("no podman is left", lambda: not self.inside("podman exec.*"))
        self.assertIn("demo_web_1", EVE.containers())

    def test_pgod_that_stops_ends_it_too(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                process = subprocess.Popen(self.ctl("demo//exec", "web", "sleep", "777004"), stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                wait_until("it runs", lambda: self.inside("sleep 777004"))
                self.daemon.stop(number)
                self.assertEqual(process.wait(timeout=180), 69)
                wait_until("nothing of it is left", lambda: not self.inside("sleep 777004"))
                for stream in (process.stdin, process.stdout, process.stderr):
                    stream.close()
                self.daemon.start()
                wait_until("it answers", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)

    def terminal(self, name):
        terminal = Tmux(self.directory, name)
        self.addCleanup(terminal.end)
        terminal.shows("outside>")
        return terminal

    def terminal_clients(self):
        return {"ssh": self.ssh("demo//exec", "web", "sh", options=["-t"]), "pgoctl": self.ctl("demo//exec", "-t", "web", "sh")
                }.items()

    def test_vi_looks_as_it_does_at_home(self):
        """The same keys to busybox vi in the container and in a terminal here: the same screens, and the same file."""
        for name, argv in self.terminal_clients():
            with self.subTest(name):
                far, near = self.terminal(f"{name}-far"), self.terminal(f"{name}-near")
                far.enter("clear; " + shlex.join(argv))
                wait_until("the prompt of the container", lambda: any(l.endswith("#") for l in far.screen()))
                near.enter("clear; PS1='/ # ' busybox sh")
                near.shows("/ #")
                file = self.directory / f"notes-{name}"
                far.enter("cd /tmp; busybox rm -f notes; PS1='> '; busybox clear; vi notes")
                near.enter(f"ln -sf {file} notes; PS1='> '; busybox clear; busybox vi notes")
                for terminal in (far, near):
                    wait_until("vi has drawn", lambda: terminal.screen().count("~") == 22)
                self.maxDiff = None
                for keys, sees in (("ihello, world", "hello, world"), ("\nsecond", "second"), (None, None), ("dd", None)):
                    for terminal in (far, near):
                        terminal.key("Escape") if keys is None else terminal.type(keys)
                        if sees:
                            terminal.shows(sees)
                        if keys is None:  # what follows an escape at once would be taken for a key's sequence
                            wait_until("vi is in command mode", lambda: terminal.screen()[23].startswith("- "))
                    wait_until(f"both look alike after {keys!r}", lambda: far.screen()[:23] == near.screen()[:23])
                for terminal in (far, near):
                    terminal.enter(":wq")
                    wait_until("the screen from before vi is back", lambda: "~" not in terminal.screen())
                self.assertEqual(EVE.podman("exec", "demo_web_1", "cat", "/tmp/notes"), file.read_text())

    def test_control_keys_jobs_and_size(self):
        for name, argv in self.terminal_clients():
            with self.subTest(name):
                terminal = self.terminal(name)
                terminal.enter("stty -g > before; clear; " + shlex.join(argv) + "; echo ended with $?; stty -g > after")
                wait_until("the prompt of the container", lambda: any(l.endswith("#") for l in terminal.screen()))
                terminal.enter("PS1='inside> '; busybox clear; busybox stty size; echo $TERM")
                terminal.shows("24 80")
                terminal.shows("screen")
                terminal.resize(111, 33)
                wait_until("the size follows", lambda: self.size_inside(terminal) == "33 111")
                terminal.enter("busybox clear; sleep 777005")
                wait_until("it runs", lambda: self.inside("sleep 777005"))
                terminal.key("C-c")
                wait_until("control-C ends it", lambda: not self.inside("sleep 777005"))
                terminal.enter("busybox clear; sleep 777006")
                wait_until("it runs", lambda: self.inside("sleep 777006"))
                terminal.key("C-z")
                wait_until("control-Z stops it", lambda: any("Stopped" in l and "sleep 777006" in l for l in terminal.screen()))
                terminal.enter("kill %1; fg; busybox clear; exit 7")
                terminal.shows("ended with 7")
                terminal.shows("outside>")
                wait_until("the terminal is as it was", lambda: (self.directory / "after").exists())
                self.assertEqual((self.directory / "before").read_text(), (self.directory / "after").read_text())
                (self.directory / "after").unlink()

    def size_inside(self, terminal):
        terminal.enter("busybox clear; busybox stty size")
        time.sleep(0.3)
        return next((l for l in terminal.screen() if l and l[0].isdigit()), "")

    def test_a_client_that_is_ended_gives_the_terminal_back(self):
        terminal = self.terminal("ended")
        terminal.enter("stty -g > before; clear; " + shlex.join(self.ctl("demo//exec", "-t", "web", "sleep", "777007")) +
                       "; echo ended with $?; stty -g > after")
        wait_until("it runs", lambda: self.inside("sleep 777007"))
        client = subprocess.run(["pgrep", "-f", f"pgoctl.*{self.daemon.port}.*777007"], capture_output=True, text=True)
        os.kill(int(client.stdout.split()[-1]), signal.SIGTERM)
        terminal.shows("ended with 143")
        after = self.directory / "after"
        wait_until("the terminal is looked at again", lambda: after.exists() and after.read_text())
        self.assertEqual((self.directory / "before").read_text(), (self.directory / "after").read_text())
        wait_until("nothing of it is left", lambda: not self.inside("sleep 777007"))

    def test_a_terminal_without_a_person(self):
        done = self.run_client(self.ssh("demo//exec", "web", "sh", options=["-tt"]), b"echo a$((1+1))b; exit 3\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"\na2b\r\n", done.stdout)

    def test_top_in_a_terminal(self):
        terminal = self.terminal("top")
        terminal.enter("clear; " + shlex.join(self.ctl("demo//exec", "-t", "web", "top")))
        wait_until("top shows", lambda: any("sleep 1000000" in l for l in terminal.screen()))
        terminal.type("q")
        terminal.shows("outside>")


if __name__ == "__main__":
    main()
