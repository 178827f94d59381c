#!/usr/bin/env python3
"""bash completes pgoctl's command line: an interactive bash on a real terminal, and the Tab key. Of zsh and fish the
scripts are parsed where those shells are installed."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ["PGOD_BIN"])
if shutil.which("tmux") is None:
    print("needs tmux")
    sys.exit(77)


class Completion(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="pgoctl-completion-"))
        self.addCleanup(shutil.rmtree, self.home)
        (self.home / ".ssh").mkdir()
        (self.home / ".ssh/known_hosts").write_text(
            "|1|aGFzaGVk|aGFzaGVk ssh-ed25519 AAAA\n[known.example.org]:2222 ssh-ed25519 AAAA\n"
            "plain.example.org ssh-ed25519 AAAA\n[two.example.org]:2222,[192.0.2.1]:2222 ssh-ed25519 AAAA\n")
        (self.home / ".config/pgoctl").mkdir(parents=True)
        (self.home / ".config/pgoctl/config.toml").write_text(
            '[hosts."mine.example.org"]\nport = 2022\n\n[hosts.short]\n\n[groups]\nshop = [ "short" ]\nbar-2 = [ "short" ]\n')
        (self.home / "keyfile").touch()
        self.server = ["tmux", "-L", f"pgoctl-{os.getpid()}", "-f", "/dev/null"]
        environment = {"HOME": str(self.home), "PATH": f"{BIN}:/usr/bin:/bin", "TERM": "screen", "LANG": "C.UTF-8",
                       "HISTFILE": "/dev/null"}
        subprocess.run([*self.server, "new-session", "-d", "-x", "150", "-y", "60",
                        "bash --noprofile --norc -i"], check=True, env=environment, cwd=self.home)
        self.addCleanup(lambda: subprocess.run([*self.server, "kill-server"], check=True))
        self.keys("PS1='$ '", "Enter", f"source {SOURCE}/completions/pgoctl.bash", "Enter", "clear", "Enter")

    def keys(self, *keys):
        subprocess.run([*self.server, "send-keys", *keys], check=True)

    def screen(self):
        return subprocess.run([*self.server, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout

    def completed(self, typed, expected, tabs=1):
        """Types, presses Tab, and waits until the screen shows what is expected; then a fresh line."""
        self.keys("-l", typed)
        for _ in range(tabs):
            self.keys("Tab")
        end = time.monotonic() + 60
        while expected not in (screen := self.screen()):
            self.assertLess(time.monotonic(), end, f"{typed!r} did not become {expected!r} in:\n{screen}")
            time.sleep(0.05)
        self.keys("C-a", "C-k", "C-l")
        while "pgoctl" in (screen := self.screen()):
            self.assertLess(time.monotonic(), end, screen)
            time.sleep(0.05)
        return screen

    def test_bash(self):
        self.completed("pgoctl --acc", "pgoctl --accept-new")
        self.completed("pgoctl kn", "pgoctl known.example.org:")
        self.completed("pgoctl two", "pgoctl two.example.org:")
        self.completed("pgoctl mi", "pgoctl mine.example.org:")
        self.completed("pgoctl @sh", "pgoctl @shop:")
        self.completed("pgoctl @b", "pgoctl @bar-2:")
        self.completed("pgoctl mine.example.org,sh", "pgoctl mine.example.org,short:")
        self.completed("pgoctl short:web", "pgoctl short:web//")
        self.completed("pgoctl short:web//who", "pgoctl short:web//whoami")
        self.completed("pgoctl -p 22 :web//hist", "pgoctl -p 22 :web//history")
        self.completed("pgoctl short:web//re", "web//restart  web//resume   web//retry", tabs=2)
        self.completed("pgoctl -i key", "pgoctl -i keyfile")
        # Behind the target nothing is pgoctl's own, and what is not there is not made up.
        self.keys("-l", "pgoctl short:web//logs --acc")
        self.keys("Tab")
        self.keys("-l", "x")
        self.completed("", "pgoctl short:web//logs --accx")
        self.keys("-l", "pgoctl plain")
        self.keys("Tab")
        self.keys("-l", "x")
        self.completed("", "pgoctl plainx")

    def test_the_other_shells_scripts_parse(self):
        for shell, name in (("zsh", "_pgoctl"), ("fish", "pgoctl.fish")):
            if shutil.which(shell):
                judged = subprocess.run([shell, "-n", SOURCE / "completions" / name], capture_output=True, text=True, timeout=60)
                self.assertEqual((judged.returncode, judged.stderr), (0, ""), shell)


if __name__ == "__main__":
    unittest.main(verbosity=2)
