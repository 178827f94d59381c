"""SSH clients of other makes, run by test_clients.py with Debian's Python: other_clients.py asyncssh|paramiko PORT KEY COMMAND

A NUL in COMMAND is written as \\0. Prints one JSON object: exit status, what came on standard output and on standard error.
Standard input is handed on."""

import asyncio
import json
import sys


def with_paramiko(port, key, command):
    import paramiko

    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect("127.0.0.1", port, "someone", key_filename=key, look_for_keys=False, allow_agent=False, timeout=60)
    channel_in, out, errors = client.exec_command(command, timeout=60)
    channel_in.write(sys.stdin.read())
    channel_in.channel.shutdown_write()
    answer = {"out": out.read().decode(), "errors": errors.read().decode()}
    return {"status": out.channel.recv_exit_status(), **answer}


def with_asyncssh(port, key, command):
    import asyncssh

    async def ask():
        async with asyncssh.connect("127.0.0.1", port, username="someone", client_keys=[key], known_hosts=None,
                                    agent_path=None, config=None) as connection:
            done = await connection.run(command, input=sys.stdin.read(), timeout=60)
            return {"status": done.exit_status, "out": done.stdout, "errors": done.stderr}

    return asyncio.run(ask())


if __name__ == "__main__":
    _, make, port, key, command = sys.argv
    print(json.dumps(globals()[f"with_{make}"](int(port), key, command.replace("\\0", "\0"))))
