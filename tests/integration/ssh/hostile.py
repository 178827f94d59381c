"""SSH clients that do what no honest one does, by way of paramiko. hostile.py SCENARIO PORT KEYFILE

Each scenario prints what became of it, one line, and exits 0; a failure of the scenario itself is a traceback.
"""
import os
import socket
import sys
import time

import paramiko
from paramiko.ssh_exception import AuthenticationException, ChannelException, SSHException

USER = "someone"


def transport(port, **options):
    sock = socket.create_connection(("127.0.0.1", port))
    made = paramiko.Transport(sock, **options)
    made.start_client(timeout=60)
    return made


def logged_in(port, keyfile, **options):
    made = transport(port, **options)
    made.auth_publickey(USER, paramiko.Ed25519Key.from_private_key_file(keyfile))
    return made


def second_exec(port, keyfile):
    channel = logged_in(port, keyfile).open_session()
    channel.exec_command("hang")
    try:
        channel.exec_command("ping")
        print("accepted")
    except SSHException:
        print("refused")


def run(channel, command):
    channel.exec_command(command)
    print(channel.recv(4096).decode() or channel.recv_stderr(4096).decode(), channel.recv_exit_status())


def nul(port, keyfile):
    run(logged_in(port, keyfile).open_session(), b"ping\0garbage")


def nul_at_the_end(port, keyfile):
    run(logged_in(port, keyfile).open_session(), b"ping\0")


def nul_behind_other_packets(port, keyfile):
    made = logged_in(port, keyfile)
    channel = made.open_session()
    channel.set_environment_variable("LANG", "C")
    for size in (1, 7, 8, 200):
        made.send_ignore(size)
    run(channel, b"ping\0garbage")


def other_packets(port, keyfile):
    made = logged_in(port, keyfile)
    channel = made.open_session()
    for size in (1, 7, 8, 200):
        made.send_ignore(size)
        channel.set_environment_variable("LANG", "C" * size)
    run(channel, b"ping")


def second_channel(port, keyfile):
    made = logged_in(port, keyfile)
    channel = made.open_session()
    channel.exec_command("hang")
    try:
        made.open_session()
        print("accepted")
    except ChannelException:
        print("refused")


def forwarding(port, keyfile):
    made = logged_in(port, keyfile)
    try:
        made.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1))
        print("accepted")
    except ChannelException:
        print("refused")


class WrongSignature(paramiko.Ed25519Key):
    """A key whose signatures are of something else."""

    def sign_ssh_data(self, data, algorithm=None):
        return super().sign_ssh_data(b"something else", algorithm)


def wrong_signature(port, keyfile):
    made = transport(port)
    made.auth_timeout = 60
    try:
        made.auth_publickey(USER, WrongSignature.from_private_key_file(keyfile))
        print("accepted")
    except (AuthenticationException, SSHException, EOFError):
        print("refused")


def passwords(port, _):
    """How many passwords may be tried on one connection."""
    made = transport(port)
    tried = 0
    try:
        while tried < 2000:
            tried += 1
            try:
                made.auth_password(USER, "secret", fallback=False)
                print("accepted")
                return
            except (paramiko.BadAuthenticationType, AuthenticationException):
                if not made.is_active():
                    break
    except SSHException:
        pass
    print(tried)


def flood(port, keyfile):
    """Input beyond every window; prints the megabytes that the server let come before it ended it."""
    channel = logged_in(port, keyfile).open_session()
    channel.exec_command("hang")
    channel.out_window_size = 1 << 40
    chunk = b"x" * 32768
    sent = 0
    try:
        while sent < 300 << 20:
            sent += channel.send(chunk)
        print("all")
    except (OSError, EOFError, SSHException):
        print(sent >> 20)


def reads_nothing(port, keyfile):
    """A window of gigabytes and a client that stops reading its socket; the caller stops this process."""
    made = logged_in(port, keyfile, default_window_size=2**31 - 1)
    channel = made.open_session()
    channel.exec_command("endless")
    channel.recv(1)
    print("reading", flush=True)
    os.kill(os.getpid(), 19)
    time.sleep(120)


def leaves_channel(port, keyfile):
    """Closes its channel and nothing else."""
    made = logged_in(port, keyfile)
    channel = made.open_session()
    channel.exec_command("endless")
    channel.recv(1)
    channel.close()
    while made.is_active():
        time.sleep(0.05)
    print("disconnected")


def silent_after_login(port, keyfile):
    made = logged_in(port, keyfile)
    while made.is_active():
        time.sleep(0.05)
    print("disconnected")


def ping(port, keyfile):
    channel = logged_in(port, keyfile).open_session()
    channel.exec_command("ping")
    text = channel.makefile().read().decode()
    print(text.strip(), channel.recv_exit_status())


if __name__ == "__main__":
    globals()[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
    sys.stdout.flush()
    os._exit(0)  # paramiko's threads are not waited for
