"""Attackers of an SSH port of 127.0.0.1, run by the tests with Debian's Python: attackers.py SCENARIO PORT COUNT KEY [COMMAND]

Every scenario goes on until COUNT connections (or offers of keys) are through, never has more than 200 connections open
at a time, and prints one line: how many, in how many seconds."""

import os
import socket
import struct
import sys
import threading
import time

import paramiko
from paramiko.ssh_exception import SSHException

AT_A_TIME = 200
COMMAND_THAT_PRINTS = "demo//exec web yes"
COMMAND_THAT_READS_NOTHING = "demo//exec web sleep 30"


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def key_exchange_init():
    """A first packet as an honest client sends it."""
    names = [b"curve25519-sha256", b"ssh-ed25519", *[b"chacha20-poly1305@openssh.com"] * 2, *[b"hmac-sha2-256"] * 2,
             *[b"none"] * 2, b"", b""]
    payload = b"\x14" + os.urandom(16) + b"".join(struct.pack(">I", len(n)) + n for n in names) + b"\0" + b"\0" * 4
    padding = 8 - (5 + len(payload)) % 8 + 8
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + b"\0" * padding


def crowd(port, count, begin):
    """Connections that begin with `begin` and then do nothing; the oldest of those that are open is left to go."""
    open_ones = []
    for _ in range(count):
        try:
            one = connect(port)
            one.sendall(begin())
            open_ones.append(one)
        except OSError:  # thrown out, which is what is meant to happen
            pass
        if len(open_ones) >= AT_A_TIME:
            open_ones.pop(0).close()


def idle(port, count, _):
    crowd(port, count, lambda: b"")


def garbage(port, count, _):
    crowd(port, count, lambda: os.urandom(4096))


def half_handshakes(port, count, _):
    crowd(port, count, lambda: b"SSH-2.0-half\r\n" + key_exchange_init())


def resets(port, count, _):
    for _ in range(count):
        try:
            with connect(port) as one:
                one.sendall(b"SSH-2.0-reset\r\n" + key_exchange_init())
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass


def transport(port):
    made = paramiko.Transport(connect(port))
    made.auth_timeout = made.banner_timeout = 30
    made.start_client(timeout=30)
    return made


class WrongSignature(paramiko.Ed25519Key):
    def sign_ssh_data(self, data, algorithm=None):
        return super().sign_ssh_data(b"something else", algorithm)


def bad_signatures(port, count, keyfile):
    for _ in range(count):
        try:
            made = transport(port)
            made.auth_timeout = 1  # libssh answers a bad signature with silence
            made.auth_publickey("attacker", WrongSignature.from_private_key_file(keyfile))
            raise RuntimeError("a bad signature was accepted")
        except (SSHException, EOFError, OSError):
            made.close()


def key_probes(port, count, _):
    """20 keys on each connection, as many as are taken."""
    offered = 0
    while offered < count:
        try:
            made = transport(port)
        except (SSHException, EOFError, OSError):
            continue  # thrown out before its login
        try:
            for _ in range(20):
                offered += 1
                try:
                    made.auth_publickey("attacker", paramiko.ECDSAKey.generate())
                    raise RuntimeError("an unknown key was accepted")
                except paramiko.AuthenticationException:
                    if not made.is_active():
                        break
        except (SSHException, EOFError, OSError):
            pass
        made.close()


def logged_in(port, keyfile):
    while True:
        try:
            made = transport(port)
            made.auth_publickey("attacker", paramiko.Ed25519Key.from_private_key_file(keyfile))
            return made
        except (SSHException, EOFError, OSError):
            pass


def window_floods(port, count, keyfile):
    for _ in range(count):
        made = logged_in(port, keyfile)
        try:
            channel = made.open_session()
            channel.exec_command(COMMAND_THAT_READS_NOTHING)
            channel.out_window_size = 1 << 30  # whatever the server said
            for _ in range(1024):
                channel.sendall(b"\0" * 32768)
        except (SSHException, EOFError, OSError):
            pass  # ended for it
        made.close()


def non_readers(port, count, keyfile):
    held = []
    for _ in range(count):
        made = paramiko.Transport(connect(port), default_window_size=2**31 - 1)
        try:
            made.start_client(timeout=30)
            made.auth_publickey("attacker", paramiko.Ed25519Key.from_private_key_file(keyfile))
            channel = made.open_session()
            channel.exec_command(COMMAND_THAT_PRINTS)
            made.packetizer.read_message = lambda: time.sleep(3600)  # it reads no more
        except (SSHException, EOFError, OSError):
            pass
        held.append(made)
    time.sleep(5)
    for made in held:
        made.sock.close()


def hold(port, count, keyfile, command=None, pause=0.2):
    """Connections that log in and run `command` if there is one, each made again `pause` seconds after pgod ended it, until
    standard input ends. The line that it prints says that each was tried once."""
    key = paramiko.Ed25519Key.from_private_key_file(keyfile)
    over = threading.Event()
    tried_once = threading.Semaphore(0)

    def one_of_them():
        first = True
        while not over.is_set():
            one = channel = None
            try:
                one = transport(port)
                one.auth_publickey("attacker", key)
                if command:
                    channel = one.open_session()
                    channel.exec_command(command)
            except (SSHException, EOFError, OSError):
                pass
            if first:
                tried_once.release()
            first = False
            while one and one.is_active() and not (channel and channel.exit_status_ready()) and not over.wait(0.2):
                while channel and channel.recv_ready():
                    channel.recv(1 << 20)
            if one:
                one.close()
            over.wait(pause)

    for _ in range(count):
        threading.Thread(target=one_of_them, daemon=True).start()
    for _ in range(count):
        tried_once.acquire()
    print("held", flush=True)
    sys.stdin.read()
    over.set()


def mute(port, count, keyfile):
    hold(port, count, keyfile)


def follow(port, count, keyfile, command):
    hold(port, count, keyfile, command, pause=5)


def main():
    scenario, port, count, keyfile, *command = sys.argv[1:]
    begun = time.monotonic()
    globals()[scenario](int(port), int(count), keyfile, *command)
    print(f"{scenario}: {count} in {time.monotonic() - begun:.1f} s", flush=True)
    os._exit(0)  # not waiting for paramiko's threads


if __name__ == "__main__":
    main()
