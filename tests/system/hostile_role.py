#!/usr/bin/python3
"""Stands in for the program of pgod's whose name it has, and attacks root over every descriptor that it was given: sends
three sockets that linger beside a frame, and frames that are none. What the kernel said to each goes into a file of the
directory "said" beside it; how it goes on is in the file "NAME.does":

behave   after the attack it becomes the real program, NAME.real
again    it sends up what is no frame; root ends and restarts it
crowd    as pgod-ssh it announces connections without end, and keeps what root makes for each
lines    it also attacks every descriptor that root then sends down; as pgod-ssh it announces connections for that"""

import array
import contextlib
import errno
import os
import pathlib
import select
import signal
import socket
import stat
import struct
import sys
import time

BESIDE = pathlib.Path(sys.argv[0]).parent
NAME = pathlib.Path(sys.argv[0]).name
LINGER = 12  # seconds
DOWN, UP = 3, 4
held = []


def say(what):
    with open(BESIDE / "said" / f"{NAME}-{os.getpid()}", "a") as said:
        said.write(f"{what}\n")


def lingering():
    """A socket whose last close takes LINGER seconds: the test listens, and reads nothing."""
    client = socket.create_connection(("127.0.0.1", int((BESIDE / "sink").read_text())))
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            client.send(b"x" * 65536)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER))
    return client


def attack(descriptor):
    """In a process of its own: where root has closed a socket before the attacker does, the attacker is who waits."""
    done, ours = os.pipe()
    if os.fork() == 0:
        send_descriptors(descriptor)
        os._exit(0)
    os.close(ours)
    select.select([done], [], [], 1)
    os.close(done)


def send_descriptors(descriptor):
    sockets = [lingering() for _ in range(3)]
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [one.fileno() for one in sockets]))]
    result = "sent"
    try:
        channel = socket.socket(fileno=descriptor)
        channel.sendmsg([b"\0"], rights, socket.MSG_DONTWAIT)
    except OSError as refused:
        result = errno.errorcode[refused.errno]
    else:
        for one in sockets:
            one.close()
    say(f"{descriptor} {result}")


def is_open(descriptor):
    with contextlib.suppress(OSError):
        return bool(os.fstat(descriptor))
    return False


def frame(message):
    return struct.pack("<I", len(message)) + message


def text(string):
    return struct.pack("<I", len(string)) + string


def write(descriptor, rest):
    with contextlib.suppress(OSError):
        while rest:
            try:
                rest = rest[os.write(descriptor, rest):]
            except BlockingIOError:
                time.sleep(0.01)


def rubbish(descriptor):
    write(descriptor, frame(b"\x7f nonsense") + b"\xff" * 1000)


def lies():
    """What a worker reports at its end: a sentence of 126 KB as the error, and a commit that is none."""
    error = b"\1" + struct.pack("<i", 1) + text(b"x" * 126_000)
    return frame(b"\1" + struct.pack("<i", 1) + b"\0" + b"\0" + error + text(b"zzz") + struct.pack("<Q", 1)
                 + struct.pack("<i", 0) + struct.pack("<I", 0) + struct.pack("<I", 0))


def received(channel):
    _, control, _, _ = channel.recvmsg(1 << 17, socket.CMSG_SPACE(4 * 8))
    fds = array.array("i")
    for _, _, data in control:
        fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
    return list(fds)


def attack_lines():
    channel = socket.socket(fileno=DOWN)
    if NAME == "pgod-ssh":
        received(channel)
        os.write(UP, frame(b"\0" + text(b"SHA256:none")))
    for number in range(1, 1000):
        if NAME == "pgod-ssh":
            os.write(UP, frame(b"\1" + struct.pack("<Q", number) + text(b"192.0.2.1:1")))
        for descriptor in received(channel):
            os.dup2(descriptor, 100)
            kind = os.fstat(descriptor).st_mode
            if stat.S_ISSOCK(kind) and socket.socket(fileno=os.dup(descriptor)).getsockname() == "":
                attack(descriptor)
            elif stat.S_ISFIFO(kind):
                attack(descriptor)
                rubbish(descriptor)
            held.append(descriptor)
        time.sleep(0.2)


def crowd():
    channel = socket.socket(fileno=DOWN)
    received(channel)
    os.write(UP, frame(b"\0" + text(b"SHA256:none")))
    say("began")
    for number in range(1, 5000):
        write(UP, frame(b"\1" + struct.pack("<Q", number) + text(b"192.0.2.1:1")))
        mine = received(channel)
        if not mine:
            return
        held.extend(mine)
        if number % 100 == 0:  # a process has so many descriptors; another one can keep these
            keeper = os.getpid()
            if os.fork() == 0:
                while os.getppid() == keeper:
                    time.sleep(0.1)
                os._exit(0)
            while held:
                os.close(held.pop())


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    given = [descriptor for descriptor in range(16) if is_open(descriptor)]
    if NAME == "pgod-work":
        for descriptor in given:
            attack(descriptor)
        for descriptor in given[3:]:
            write(descriptor, lies() if os.getpid() % 2 else frame(b"\x7f nonsense"))
        os._exit(0)
    does = (BESIDE / f"{NAME}.does").read_text()
    if DOWN in given and stat.S_ISSOCK(os.fstat(DOWN).st_mode):
        for descriptor in (DOWN, UP):
            attack(descriptor)
        if does == "again":
            rubbish(UP)
            time.sleep(60)
        if does == "crowd":
            crowd()
        if does == "lines":
            attack_lines()
    real = str(BESIDE / f"{NAME}.real")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.execv(real, [NAME, *sys.argv[1:]])


main()
