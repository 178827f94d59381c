"""What Prometheus reads of pgod, through deployments, failures and refusals; and what a hostile client of that port can
do, which is nothing."""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from harness import (Repository, SystemTest, User, compose_web, connects, fetch, free_port, main, make_key,
                     require_root_and_podman, run, sanitized, wait_until)

require_root_and_podman()

ANN = None
PLENTY = 200  # connections of the flood


def setUpModule():
    global ANN
    ANN = User("pgt-met-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


def get(port, path="/metrics"):
    """The status and the body; 0 where nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError:
        return 0, ""


def exchange(port, request, patience=60):
    """What comes back for these bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        answer = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                answer += part
        return answer


def children_of(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class MetricsTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()
        self.port = free_port()
        self.daemon = self.pgod()
        self.daemon.extra = f'metrics = "127.0.0.1:{self.port}"'

    def role(self):
        """The pid of pgod-metrics, or None."""
        for child in children_of(self.daemon.process.pid):
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "pgod-metrics":
                    return child
        return None

    def opened(self):
        """What its descriptors are: "socket", "/dev/null" …"""
        found = []
        for entry in pathlib.Path(f"/proc/{self.role()}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found.append(os.readlink(entry).split(":")[0])
        return found

    def ready(self):
        wait_until("it is ready", lambda: get(self.port, "/readyz")[0] == 200)

    def series(self):
        status, text = get(self.port)
        self.assertEqual(status, 200, text)
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if line and not line.startswith("#")}

    def value(self, series):
        found = self.series()
        self.assertIn(series, found)
        return found[series]

    def becomes(self, series, value):
        wait_until(f"{series} is {value}", lambda: get(self.port)[0] == 200 and self.series().get(series) == value)


class Seeing(MetricsTest):
    def test_deployments_failures_rejections_and_refusals_are_counted(self):
        http = free_port()
        repository = Repository(self.directory)
        repository.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(http, "one")})
        self.daemon.service("demo", ANN.name, repository.url)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        self.ready()
        self.becomes('pgod_deployments_total{service="demo",outcome="ok"}', 1)
        self.becomes('pgod_service_health{service="demo",health="healthy"}', 1)
        found = self.series()
        self.assertEqual(found['pgod_service_last_outcome{service="demo",outcome="ok"}'], 1)
        self.assertEqual(found['pgod_deployment_duration_seconds_count{outcome="ok"}'], 1)
        self.assertGreater(found['pgod_deployment_duration_seconds_sum{outcome="ok"}'], 0)
        self.assertEqual(found['pgod_service_desired{service="demo",desired="running"}'], 1)
        self.assertEqual(found['pgod_service_poll_interval_seconds{service="demo"}'], 1)
        self.assertEqual(found["pgod_services"], 1)
        self.assertEqual(found["pgod_config_last_reload_successful"], 1)
        self.assertLess(abs(found["pgod_snapshot_timestamp_seconds"] - time.time()), 60)
        self.assertLess(abs(found['pgod_service_last_sync_timestamp_seconds{service="demo"}'] - time.time()), 60)
        self.assertGreater(found['pgod_syncs_total{result="ok"}'], 0)
        self.judged_by_promtool()

        repository.commit({"compose.yaml": compose_web(http, command="sh -c 'exit 3'")})
        self.becomes('pgod_deployments_total{service="demo",outcome="rolled-back"}', 1)
        self.becomes('pgod_service_quarantined_commits{service="demo"}', 1)
        self.assertEqual(self.value('pgod_service_last_outcome{service="demo",outcome="rolled-back"}'), 1)
        repository.commit({"compose.yaml": compose_web(http) + "    privileged: true\n"})
        self.becomes('pgod_deployments_total{service="demo",outcome="rejected"}', 1)
        self.assertEqual(fetch(http), "one\n")

        self.assertEqual(self.daemon.ctl(self.key, "demo//down").returncode, 0)
        self.becomes('pgod_service_desired{service="demo",desired="stopped"}', 1)
        self.assertEqual(self.daemon.ctl(self.key, "nothing//ps").returncode, 77)
        self.becomes('pgod_ssh_refusals_total{reason="unauthorized"}', 1)
        stranger = make_key(self.directory, "stranger")
        self.assertNotEqual(self.daemon.ssh(stranger, "demo//ping").returncode, 0)
        self.becomes('pgod_ssh_refusals_total{reason="unknown_key"}', 1)
        self.assertGreaterEqual(self.value("pgod_ssh_connections_total"), 3)

        repository.bare.rename(self.directory / "away")
        wait_until("syncs fail", lambda: self.value('pgod_service_sync_failures{service="demo"}') >= 2)
        self.assertGreaterEqual(self.value('pgod_syncs_total{result="failed"}'), 2)
        self.judged_by_promtool()

    def judged_by_promtool(self):
        judged = subprocess.run(["promtool", "check", "metrics"], input=get(self.port)[1], capture_output=True, text=True,
                                timeout=60)
        self.assertEqual((judged.returncode, judged.stdout, judged.stderr), (0, "", ""))

    def test_the_setting_is_followed_and_the_process_comes_back(self):
        self.daemon.start()
        self.ready()
        first = self.role()
        os.kill(first, signal.SIGKILL)
        wait_until("another serves", lambda: self.role() not in (None, first) and get(self.port, "/healthz")[0] == 200)

        bad = free_port()
        self.daemon.extra += f'\nmetrix = ":{bad}"'
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.becomes("pgod_config_last_reload_successful", 0)

        old, self.port = self.port, free_port()
        self.daemon.extra = f'metrics = ":{self.port}"'
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.ready()
        wait_until("the old port is left", lambda: not connects(old))
        self.becomes("pgod_config_last_reload_successful", 1)
        bound = run(["ss", "-Hltn", f"sport = :{self.port}"]).stdout
        self.assertEqual(re.findall(r"(\S+):\d+ +\S+:\*", bound.replace("[::1]", "127.0.0.1")),
                         ["127.0.0.1"] * len(bound.splitlines()))

        self.daemon.extra = ""
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("it is off", lambda: not connects(self.port))
        wait_until("its process is gone", lambda: self.role() is None)

    def test_more_services_than_a_frame_holds(self):
        services = 2000
        for number in range(services):
            self.daemon.service(f"s{number}", "pgt-met-none", f"file://{self.directory}/none")
        self.daemon.start()
        self.ready()
        found = self.series()
        self.assertEqual(found["pgod_services"], services)
        self.assertEqual({found[f'pgod_service_available{{service="s{number}"}}'] for number in range(services)}, {0})
        with socket.socket() as reader:  # of an answer that no socket holds, and it takes none of it
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            reader.connect(("127.0.0.1", self.port))
            reader.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            wait_until("it is being answered", lambda: self.opened().count("socket") == 3)
            wait_until("it is closed", lambda: self.opened().count("socket") == 2)

    def test_a_taken_port_keeps_nothing_from_working(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.port))
            other.listen(1)
            self.daemon.start()
            wait_until("it is said", lambda: "pgod goes on without metrics" in self.daemon.log())
            self.assertTrue(connects(self.daemon.port))
            self.assertIsNone(self.role())
        self.ready()

    def test_a_supervisor_that_hangs_is_not_healthy(self):
        self.daemon.start()
        self.ready()
        self.daemon.process.send_signal(signal.SIGSTOP)
        try:
            for path in ("/healthz", "/readyz", "/metrics"):
                wait_until(f"{path} says so", lambda: get(self.port, path)[0] == 503)
        finally:
            self.daemon.process.send_signal(signal.SIGCONT)
        self.ready()
        self.assertEqual(get(self.port)[0], 200)


class Hostile(MetricsTest):
    def setUp(self):
        super().setUp()
        self.daemon.start()
        self.ready()
        self.pid = self.role()

    def test_the_process_holds_nothing_that_it_could_use(self):
        fields = dict(line.split(":\t", 1) for line in
                      pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines() if ":\t" in line)
        uid = pwd.getpwnam("pgod").pw_uid
        self.assertEqual(set(fields["Uid"].split()), {str(uid)})
        self.assertEqual(fields["Groups"].split(), [])
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(fields[name], 16), 0, name)
        self.assertEqual(fields["NoNewPrivs"], "1")
        self.assertEqual(fields["Threads"], "1")
        self.assertEqual(os.readlink(f"/proc/{self.pid}/root"), str(self.daemon.state / "empty"))
        self.assertEqual(os.stat(f"/proc/{self.pid}/mem").st_uid, 0)  # not dumpable
        wait_until("who asked whether it is ready has left", lambda: self.opened().count("socket") == 2)
        self.assertEqual(len(self.opened()), 6, self.opened())  # the port, both ways of the line, and the three of everybody
        if not sanitized():  # whose run-time library does as it likes
            self.assertEqual(fields["Seccomp"], "2")

    def test_requests_that_are_none(self):
        end = b"\r\n\r\n"
        for request, status in ((b"GET /nothing HTTP/1.1" + end, b"404"), (b"POST /metrics HTTP/1.1" + end, b"405"),
                                (b"GET /metrics HTTP/9" + end, b"400"), (b"\x16\x03\x01\x02\x00\x01\x00", b"400"),
                                (os.urandom(4096).replace(b"G", b"\0"), b"400"), (b"SSH-2.0-x\r\n", b"400"),
                                (b"GET / HTTP/1.1\r\nX: " + b"x" * 8000 + end, b"431"),
                                (b"GET /" + b"x" * 8000, b"431")):
            with self.subTest(request[:30]):
                answer = exchange(self.port, request)
                self.assertEqual(answer[9:12], status, answer[:200])
        exchange(self.port, b"GET / HTTP/1.1\r\nX: " + b"x" * (1 << 20) + end)  # answered, or cut off while it sends
        self.assertEqual(exchange(self.port, b"GET /metr"), b"")
        self.answers_as_before()

    def test_two_hundred_that_dawdle(self):
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            slow = []
            for _ in range(PLENTY):
                slow.append(stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=60)))
                with contextlib.suppress(ConnectionError):
                    slow[-1].sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            self.answers_as_before()  # although every place is taken
            self.assertEqual(self.daemon.ctl(self.key, "x//ping").returncode, 77)
            self.assertLess(len(self.opened()), 64)
            for connection in slow:  # each a byte now and then: the deadline is of the whole request
                with contextlib.suppress(ConnectionError):
                    while time.monotonic() - began < 60:
                        connection.sendall(b"x")
                        connection.settimeout(0.5)
                        with contextlib.suppress(TimeoutError):
                            if not connection.recv(4096):
                                break
            self.assertLess(time.monotonic() - began, 60, "somebody was served for longer than the deadline")
        self.answers_as_before()

    def test_who_reads_nothing_is_closed(self):
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                connection = stack.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
                connection.connect(("127.0.0.1", self.port))
                connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            self.answers_as_before()
            wait_until("they are closed", lambda: self.opened().count("socket") == 2)
        self.answers_as_before()

    def answers_as_before(self):
        for path, begins in (("/healthz", "ok\n"), ("/metrics", "# HELP")):
            # 503: the supervisor was not heard of for a while.
            answer = wait_until(f"{path} is answered", lambda: (lambda a: a[0] != 503 and a)(get(self.port, path)))
            self.assertEqual((answer[0], answer[1][:len(begins)]), (200, begins))
        self.assertEqual(self.role(), self.pid)
        self.assertTrue(self.daemon.alive())


if __name__ == "__main__":
    if shutil.which("promtool") is None:
        print("needs promtool")
        raise SystemExit(77)
    main()
