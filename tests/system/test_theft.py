#!/usr/bin/env python3
"""A user's process cannot take the descriptors of pgod's programs that run as the same user. Needs root: the real
pidfd_getfd(2), against the built programs, from the very first instruction after execve(2)."""

import ctypes
import errno
import os
import pathlib
import signal
import stat
import sys
import unittest

SKIPPED = 77
BIN = pathlib.Path(os.environ["PGOD_BIN"])
PIDFD_OPEN, PIDFD_GETFD = 434, 438
NOBODY = 65534
LIBC = ctypes.CDLL(None, use_errno=True)


def theft(program):
    """The errno of taking descriptor 0 of a process that execve(2) has just made `program`, as its own user; or 0."""
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        os.kill(os.getpid(), signal.SIGSTOP)  # the thief is ready before there is something to take
        os.execv(program, [program])
    os.waitpid(pid, os.WUNTRACED)
    LIBC.ptrace(0x4206, pid, 0, 0x10 | 0x100000)  # PTRACE_SEIZE: stop at exec, die with us
    os.kill(pid, signal.SIGCONT)
    for _ in range(10):  # until it stops at its first instruction
        _, status = os.waitpid(pid, 0)
        if status >> 8 == signal.SIGTRAP | 4 << 8:  # PTRACE_EVENT_EXEC
            break
        LIBC.ptrace(7, pid, 0, 0)  # PTRACE_CONT
    else:
        raise RuntimeError(f"{program} did not come to its first instruction")
    thief = os.fork()
    if thief == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        pidfd = LIBC.syscall(PIDFD_OPEN, pid, 0)
        taken = LIBC.syscall(PIDFD_GETFD, pidfd, 0, 0)
        os._exit(0 if taken >= 0 else ctypes.get_errno())
    _, status = os.waitpid(thief, 0)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


class Theft(unittest.TestCase):
    def test_a_role_gives_its_descriptors_to_no_other_process_of_its_user(self):
        self.assertEqual(theft("/bin/true"), 0, "the thief itself does not work here")
        for role in ("pgod-git", "pgod-metrics", "pgod-relay", "pgod-ssh", "pgod-work"):
            with self.subTest(role):
                self.assertEqual(theft(str(BIN / role)), errno.EPERM)
                self.assertEqual(stat.S_IMODE((BIN / role).stat().st_mode), 0o711)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
