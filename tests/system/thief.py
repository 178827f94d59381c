"""Takes every descriptor of every program of pgod's that runs as the thief's own user, until standard input ends; then
prints how many it got. It runs as that user, with Debian's Python: thief.py PARENT, the pid of the pgod."""

import ctypes
import os
import pathlib
import select
import sys

PIDFD_OPEN, PIDFD_GETFD = 434, 438
LIBC = ctypes.CDLL(None, use_errno=True)


def children(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def main():
    parent = sys.argv[1]
    tried, taken = set(), 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        for pid in children(parent):
            pidfd = LIBC.syscall(PIDFD_OPEN, int(pid), 0)
            if pidfd < 0:
                continue
            for number in range(10):
                got = LIBC.syscall(PIDFD_GETFD, pidfd, number, 0)
                if got >= 0:
                    taken += 1
                    os.close(got)
            tried.add(pid)
            os.close(pidfd)
    print(len(tried), taken)


if __name__ == "__main__":
    main()
