"""A host of its own for one run of pgod-build: python3 outside.py UID HIDDEN COMMAND…, as root under `unshare -m -n`. It
has an address on a network, a service there and one on its loopback, and a resolver that listens on the loopback. HIDDEN
is a program that this host lacks, or empty. Says on stdout, after what the command printed, what was reached."""

import os
import pathlib
import pwd
import socket
import struct
import subprocess
import sys
import tempfile
import threading

OUTSIDE, PORT, RESOLVER = "198.51.100.7", 8081, "127.0.0.53"
SERVICES = ((OUTSIDE, PORT, "outside"), ("127.0.0.1", PORT + 1, "loopback"), ("127.0.0.1", 9, "loopback"))
reached = set()


def run(*argv):
    subprocess.run(argv, check=True)


def bind_over(path, text):
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    run("mount", "--bind", file.name, str(pathlib.Path(path).resolve()))


def serve_tcp(server, name):
    while True:
        server.accept()[0].close()
        reached.add(name)


def serve_udp(server, name):
    while True:
        server.recvfrom(2048)
        reached.add(name)


def resolve(server):
    """Every name has the address of this host."""
    while True:
        question, peer = server.recvfrom(2048)
        reached.add("resolver")
        name_end = question.index(b"\0", 12) + 1
        asked = question[12:name_end + 4]
        is_a = struct.unpack("!H", question[name_end:name_end + 2])[0] == 1
        answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(OUTSIDE) if is_a else b""
        server.sendto(question[:2] + struct.pack("!HHHHH", 0x8180, 1, int(is_a), 0, 0) + asked + answer, peer)


def start(target, *arguments):
    threading.Thread(target=target, args=arguments, daemon=True).start()


def main(uid, hidden, *command):
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "outside", "type", "veth", "peer", "name", "beyond")
    run("ip", "link", "set", "beyond", "up")
    run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "outside")
    run("ip", "link", "set", "outside", "up")
    run("ip", "route", "add", "default", "via", "198.51.100.1")
    bind_over("/etc/resolv.conf", f"nameserver {RESOLVER}\n")
    if hidden:
        bind_over(hidden, "")
    for address, port, name in SERVICES:
        start(serve_tcp, socket.create_server((address, port)), name)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((address, port))
        start(serve_udp, udp, name)
    resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver.bind((RESOLVER, 53))
    start(resolve, resolver)
    done = subprocess.run(command, user=int(uid), group=pwd.getpwuid(int(uid)).pw_gid, extra_groups=[], stdin=subprocess.DEVNULL)
    print("reached:", *sorted(reached), flush=True)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
