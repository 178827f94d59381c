"""Drives the built pgod-work as its supervisor would: the job in a sealed file, reports back on a pipe, the
client's pipes as stdout and stderr. The frames are those of lib/ipc/work_messages.hpp, written by hand here, so a
change of the contract shows up as a failing test."""

import fcntl
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system"))
import harness  # noqa: E402

ORDER, REPORT = 3, 6  # descriptors: lib/daemon/work_role.hpp
ENV_SECRETS, SECRETS = 4, 8  # …and secret_files.hpp

KINDS = ["deploy", "pull", "build", "down", "start", "stop", "restart", "ps", "logs", "exec", "log",
         "observe", "rollback", "plan", "check", "heal"]
OUTCOMES = ["ok", "rejected", "failed", "rolled_back", "superseded", "cancelled"]
HEALTH = ["healthy", "progressing", "degraded", "missing", "unknown"]


def text(value):
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def texts(values):
    return struct.pack("<I", len(values)) + b"".join(text(v) for v in values)


def encode_job(job):
    ports = job.get("ports")
    frame = struct.pack("<BB", 0, KINDS.index(job["kind"]))
    frame += text(job["service"]) + text(job["directory"]) + text(job.get("commit", ""))
    frame += struct.pack("<QBBBBB", job.get("deployment", 0), job.get("wait", False), job.get("force", False),
                         job.get("client", True), job.get("json", False), job.get("follow", False))
    frame += texts(job.get("compose", [])) + texts(job.get("profiles", []))
    frame += texts(job.get("env", []))
    frame += b"\0" if ports is None else b"\1" + struct.pack("<I", len(ports)) + b"".join(
        struct.pack("<HH", *port) for port in ports)
    frame += texts(job.get("volumes", [])) + texts(job.get("networks", [])) + texts(job.get("allow", []))
    frame += texts(job.get("domains", [])) + texts(job.get("taken", [])) + texts(job.get("neighbours", []))
    frame += texts(job.get("nesting", []))
    frame += texts(job.get("args", []))
    frame += struct.pack("<q", job.get("start_timeout", 60) * 1000) + text(job.get("terminal", ""))
    return frame + struct.pack("<q", int(job.get("deadline", 3000) * 1000))


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, pattern):
        size = struct.calcsize(pattern)
        value, self.data = struct.unpack(pattern, self.data[:size]), self.data[size:]
        return value[0]

    def text(self):
        size = self.take("<I")
        value, self.data = self.data[:size].decode(), self.data[size:]
        return value


class Result:
    """What a worker reported and printed."""

    def __init__(self):
        self.steps, self.done, self.stdout, self.stderr = [], False, "", ""
        self.exit_status = self.outcome = self.error = self.health = None  # when it ended without saying

    def report(self, frame):
        reader = Reader(frame)
        if reader.take("<B") == 0:
            self.steps.append(reader.text())
            return
        self.done = True
        self.exit_status, self.changed = reader.take("<i"), bool(reader.take("<B"))
        self.outcome = OUTCOMES[reader.take("<i")] if reader.take("<B") else None
        self.code, self.error = (reader.take("<i"), reader.text()) if reader.take("<B") else (None, None)
        self.commit, self.deployment, self.health = reader.text(), reader.take("<Q"), HEALTH[reader.take("<i")]
        self.containers = [reader.text() for _ in range(reader.take("<I"))]
        self.urls = {reader.text(): reader.take("<H") for _ in range(reader.take("<I"))}
        self.notes = [reader.text() for _ in range(reader.take("<I"))]
        assert not reader.data, "bytes left over in WorkDone"

    def __repr__(self):
        return f"<{self.__dict__}>"


class Worker:
    """One pgod-work that was started and not waited for."""

    def __init__(self, user, job, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
        order = os.memfd_create("order", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.write(order, encode_job(job))
        os.lseek(order, 0, os.SEEK_SET)
        fcntl.fcntl(order, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        self.reports, theirs = os.pipe()
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 1 << 20)  # nobody reads before the worker has ended
        # pass_fds keeps numbers, so both are put on theirs first; the caller's pipes may have these numbers.
        given = {ORDER: out_of_the_way(order), REPORT: out_of_the_way(theirs)}
        if job.get("secret_env"):
            given[ENV_SECRETS] = file_in_memory("".join(f"{name}={value}\0" for name, value in job["secret_env"].items()).encode())
        if job.get("secrets"):
            given[SECRETS] = file_in_memory(b"".join(b"%s\0%d\0%s" % (name.encode(), len(value), value)
                                                     for name, value in job["secrets"].items()))
        kept = {number: out_of_the_way(number) for number in given if fd_is_open(number)}
        stdout, stderr = (kept.get(stream, stream) for stream in (stdout, stderr))
        try:
            for number, fd in given.items():
                os.dup2(fd, number)
            self.process = subprocess.Popen(
                [job.get("program") or harness.BIN / "pgod-work", job["service"]], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                pass_fds=list(given), cwd="/", env=user.env(), user=user.uid, group=user.gid, extra_groups=[],
                start_new_session=True, umask=0o077)
        finally:
            for number, fd in given.items():
                os.close(number)
                os.close(fd)
            for number, fd in kept.items():
                os.dup2(fd, number, inheritable=False)
                os.close(fd)
        for fd in (order, theirs):
            os.close(fd)

    def finish(self, timeout=harness.DEADLINE):
        result = Result()
        out, err = self.process.communicate(timeout=timeout)
        result.stdout, result.stderr = (out or b"").decode(), (err or b"").decode()
        result.status = self.process.returncode
        with open(self.reports, "rb") as reports:
            while size := reports.read(4):
                result.report(reports.read(struct.unpack("<I", size)[0]))
        return result


def file_in_memory(data):
    fd = os.memfd_create("secrets", os.MFD_CLOEXEC)
    os.pwrite(fd, data, 0)
    moved = out_of_the_way(fd)
    os.close(fd)
    return moved


def out_of_the_way(fd):
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100)


def fd_is_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False


class Service:
    """A service's directory with the commits that git jobs would export to `stage`."""

    def __init__(self, user, name, **settings):
        self.user, self.name, self.settings, self.commits = user, name, settings, 0
        self.path = user.home / name
        self.path.mkdir(mode=0o700)
        os.chown(self.path, user.uid, user.gid)

    def stage(self, files, links=None):
        """Exports a commit: {path: text}; returns its id."""
        stage = self.path / "stage"
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        for path, content in files.items():
            target = stage / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        for path, to in (links or {}).items():
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).symlink_to(to)
        subprocess.run(["chown", "-Rh", f"{self.user.uid}:{self.user.gid}", stage], check=True)
        self.commits += 1
        self.commit = f"{self.commits:040x}"
        return self.commit

    def job(self, kind, *args, **settings):
        return {"kind": kind, "service": self.name, "directory": str(self.path), "commit": getattr(self, "commit", ""),
                "deployment": self.commits, "args": list(args), **self.settings, **settings}

    def do(self, kind, *args, **settings):
        return Worker(self.user, self.job(kind, *args, **settings)).finish()

    def deploy(self, files=None, links=None, **settings):
        if files is not None:
            self.stage(files, links)
        return self.do("deploy", **settings)

    def ids(self):
        return self.user.container_ids()

    def record(self):
        return json.loads((self.path / "record" / "record.json").read_text())

    def tree(self, path):
        return self.path / "tree" / path
