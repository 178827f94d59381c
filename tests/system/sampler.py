"""Looks for secrets where they must not be, while the programs run."""

import os
import pathlib
import threading
import time


class Sampler:
    """Looks at every argv of the host, and at the environment of those that are not `user`'s, until it is stopped."""

    def __init__(self, secrets, user):
        self.secrets, self.user, self.found, self.rounds = [s.encode() for s in secrets], user, [], 0
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.end.is_set():
            for process in os.listdir("/proc"):
                if not process.isdigit() or int(process) == os.getpid():
                    continue
                try:
                    text = pathlib.Path("/proc", process, "cmdline").read_bytes()
                    if os.stat(f"/proc/{process}").st_uid != self.user.uid:
                        text += pathlib.Path("/proc", process, "environ").read_bytes()
                except OSError:
                    continue
                self.found += [(process, text) for secret in self.secrets if secret in text]
            self.rounds += 1
            time.sleep(0.002)

    def stop(self):
        self.end.set()
        self.thread.join(timeout=60)
