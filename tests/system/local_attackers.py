"""What a hostile user of this host does to a socket of pgod's.

usage: local_attackers.py KIND SOCKET      as that user; says "ready" once it has done its worst, and holds it until its
                                           standard input ends"""

import array
import contextlib
import os
import socket
import struct
import sys
import threading

ASK = b"\0" + struct.pack("<I", 10) + b"demo//ping" + b"\0"
EXEC = b"demo//exec nothing true"
STREAMS = b"\2"  # the first byte of that frame
LONGEST = 600  # seconds that a lingering socket takes to close
NOBODYS = 2_300_000_000
held = []


def lingering():
    """A socket whose last close takes LONGEST: what it has to send is taken by nobody."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    held.extend((server, peer))
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            client.send(b"x" * 65536)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LONGEST))
    return client


def connect(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(path)  # waits for its turn
    connection.settimeout(120)
    held.append(connection)
    return connection


def send_descriptor(connection, frame):
    descriptor = lingering()
    try:
        connection.sendmsg([frame], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor.fileno()]))])
    except OSError:
        held.append(descriptor)  # it was ended already; to close this would take the attacker's time
    else:
        # Left in the connection's queue alone. A thread's, for where that is gone already the close is the last one.
        threading.Thread(target=os.close, args=[descriptor.detach()], daemon=True).start()


def descriptors(path):
    """Before it is accepted, beside what it asks, and after that; each left in the queue or closed on top."""
    for closes in (False, True):
        for frames in ([ASK], [ASK, b"more", b"more"], [b"garbage"]):
            connection = connect(path)
            for frame in frames:
                send_descriptor(connection, frame)
            if closes:
                connection.close()


def silent(path):
    for _ in range(200):
        connect(path)


def garbage(path):
    for _ in range(100):
        connection = connect(path)
        with contextlib.suppress(OSError):
            for _ in range(20):
                connection.send(os.urandom(1 + os.urandom(1)[0] * 100))


def never_leaves(path):
    """As many connections as a user may have, and some more; each has asked, and none hangs up."""
    for _ in range(20):
        connection = connect(path)
        with contextlib.suppress(OSError):
            connection.send(ASK)


def never_reads(path):
    for _ in range(100):
        connection = connect(path)
        with contextlib.suppress(OSError):
            connection.send(ASK)


def keeps_streams(path):
    """Asks for what hands over descriptors, takes none of them, hangs up, and keeps them where only it can let go: more
    of them than the kernel lets user pgod have under way, if it gets so many."""
    frame = b"\0" + struct.pack("<I", len(EXEC)) + EXEC + b"\0"
    kept = 0
    for _ in range(100):
        some = [connect(path) for _ in range(16)]
        for connection in some:
            with contextlib.suppress(OSError):
                connection.send(frame)
        before = kept
        for connection in some:
            with contextlib.suppress(OSError):
                kept += connection.recv(1, socket.MSG_PEEK) == STREAMS
                connection.shutdown(socket.SHUT_RDWR)
        if kept > 400 or kept == before:
            return


def subordinates(path):
    """As root: a thousand uids that are nobody's, each with a connection; all are refused."""
    for uid in range(NOBODYS, NOBODYS + 1000):
        os.seteuid(uid)
        connect(path)
        os.seteuid(0)
    for uid, connection in zip(range(NOBODYS, NOBODYS + 1000), held):
        answer, end = connection.recv(1 << 17), connection.recv(1 << 17)
        if f"uid {uid} is neither root nor the user of a service".encode() not in answer or end != b"":
            sys.exit(f"uid {uid}: {answer}, {end}")


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)  # whose descriptors linger no more
