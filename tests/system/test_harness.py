"""The tests end only what is theirs."""

import os
import subprocess
import sys
import unittest

from harness import SKIPPED, end_processes_of, main

if os.geteuid() != 0:
    print("needs root")
    sys.exit(SKIPPED)

UID = 64_321  # of nobody


def as_user(*prefix):
    """A process of UID; `prefix` puts it into namespaces. It ends with its input."""
    process = subprocess.Popen([*prefix, "setpriv", f"--reuid={UID}", "--clear-groups", "sh", "-c", "echo here; exec cat"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/")
    process.stdout.readline()
    return process


class Harness(unittest.TestCase):
    def test_processes_of_the_same_uid_in_other_containers_live_on(self):
        ours = as_user()
        theirs = as_user("unshare", "--pid", "--fork", "--mount-proc")
        try:
            end_processes_of(UID)
            self.assertEqual(ours.wait(timeout=60), -9)
            with self.assertRaises(subprocess.TimeoutExpired):
                theirs.wait(timeout=2)
        finally:
            for process in (ours, theirs):
                process.stdin.close()
                process.wait(timeout=60)
                process.stdout.close()


if __name__ == "__main__":
    main()
