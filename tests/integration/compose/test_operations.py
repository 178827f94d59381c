"""ps, logs, start, stop, restart, down, pull, build, observe: straight through podman, with its real statuses."""

import json
import os
import shutil
import signal
import subprocess
import time

import scene
import worker
from scene import compose, harness, service


def alive(pid):
    return os.path.exists(f"/proc/{pid}")


class Operations(scene.ComposeTest):
    user_name = "pgcoper"

    def two(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(
            a=service("sh -c 'echo out of a; echo err of a >&2; sleep 1000'"),
            b=service("sh -c 'for i in 1 2 3; do echo line $$i; done; sleep 1000'"))}))
        harness.wait_until("both have printed", lambda: all(
            last in svc.do("logs", name).stdout + svc.do("logs", name).stderr for name, last in (("a", "err of a"), ("b", "line 3"))))
        return svc

    def states(self, svc):
        return {c["Labels"]["pgod.compose-service"]: c["State"] for n, c in self.user.containers(True).items()
                if n.startswith(svc.name)}

    def test_start_stop_restart(self):
        svc = self.two()
        before = svc.ids()
        stopped = svc.do("stop", "a")
        self.assertEqual((stopped.exit_status, stopped.health, stopped.stdout), (0, "degraded", "a stopped\n"), stopped)
        self.assertEqual(self.states(svc), {"a": "exited", "b": "running"})
        self.assertEqual(svc.do("stop").exit_status, 0)
        self.assertEqual(self.states(svc), {"a": "exited", "b": "exited"})
        started = svc.do("start")
        self.assertEqual((started.exit_status, started.health), (0, "healthy"), started)
        self.assertEqual(svc.ids(), before)
        pid = self.user.containers()[f"{svc.name}_b_1"]["Pid"]
        self.assertEqual(svc.do("restart", "b").exit_status, 0)
        self.assertNotEqual(self.user.containers()[f"{svc.name}_b_1"]["Pid"], pid)
        unknown = svc.do("restart", "zz")
        self.assertEqual(unknown.exit_status, 64, unknown)
        self.assertIn("there are: a, b", unknown.stderr)
        self.assertEqual((unknown.stdout, len(unknown.stderr.splitlines())), ("", 1))

    def test_a_container_that_shares_a_network_restarts_with_the_one_that_starts(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(
            a=service(), b=service(network_mode="service:a"), c=service(network_mode="service:a"), d=service())}))
        names = {name: f"{svc.name}_{name}_1" for name in "abcd"}

        def seen(what):
            return {name: self.user.containers(True)[names[name]][what] for name in "abcd"}

        def devices(name):
            return self.user.podman("exec", names[name], "ls", "/sys/class/net").split()

        before, ids = seen("Pid"), seen("Id")
        self.user.podman("stop", "-t", "0", names["c"])
        for started in (["a"], []):
            with self.subTest(started):
                self.assertEqual(svc.do("stop", "a").exit_status, 0)
                result = svc.do("start", *started)
                self.assertEqual(result.exit_status, 0, result)
                self.assertIn("b restarted", result.stdout)
                self.assertEqual(devices("b"), devices("a"))
                self.assertIn("eth0", devices("b"))
                self.assertNotEqual(seen("Pid")["b"], before["b"])
                self.assertEqual((seen("Pid")["d"], seen("Id")), (before["d"], ids))
                self.assertEqual(self.states(svc)["c"], "exited" if started else "running")
                before = seen("Pid")
        self.assertEqual(svc.do("start", "a").stdout, "a started\n")
        self.assertEqual(seen("Pid"), before)  # it runs: nothing is touched

    def test_a_podman_that_hangs_holds_up_nobody_who_only_reads(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(a=service())}))
        program = self.user.home / "podman"
        shutil.copy("/usr/bin/sleep", program)
        hanging = subprocess.Popen([program, "1000"], env={"PGOD_CHANGES": svc.name}, user=self.user.uid, cwd="/",
                                   group=self.user.gid, extra_groups=[])
        self.addCleanup(hanging.wait)
        self.addCleanup(hanging.kill)
        svc.stage({"compose.yaml": compose(a=service("sleep 2000"))})
        for kind in ("check", "plan", "ps", "logs"):
            self.assertEqual(svc.do(kind).exit_status, 0, kind)
        job = worker.Worker(self.user, svc.job("deploy"))
        log = svc.path / "log/2"
        harness.wait_until("it says what it waits for",
                           lambda: log.exists() and "waiting for podman 1000 of a worker that was killed" in log.read_text())
        self.assertIsNone(hanging.poll())
        hanging.kill()
        hanging.wait()
        self.good(job.finish(), changed=True)

    def test_what_a_container_runs_is_no_leftover_of_a_worker(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(a=service())}))
        program = self.user.home / "podman"
        shutil.copy("/usr/bin/sleep", program)
        # As root of a rootless container is seen from the host: the user's uid, and pids of its own.
        hostile = subprocess.Popen(["unshare", "-U", "-r", "-p", "-f", "--kill-child", program, "1000"], cwd="/",
                                   env={"PGOD_CHANGES": svc.name, "PATH": "/usr/bin:/bin"}, user=self.user.uid,
                                   group=self.user.gid, extra_groups=[])
        self.addCleanup(hostile.wait)
        self.addCleanup(hostile.kill)
        harness.wait_until("it runs", lambda: subprocess.run(["pgrep", "-u", str(self.user.uid), "-x", "podman"],
                                                             stdout=subprocess.DEVNULL).returncode == 0)
        down = svc.do("down")
        self.assertEqual(down.exit_status, 0, down)
        self.assertNotIn("waiting for podman", down.stdout + down.stderr)
        self.assertIsNone(hostile.poll())

    def test_a_start_that_fails_says_so(self):
        svc = self.service()
        port = harness.free_port()
        self.good(svc.deploy({"compose.yaml": compose(web=scene.web(port))}))
        self.assertEqual(svc.do("stop").exit_status, 0)
        with __import__("socket").create_server(("127.0.0.1", port)):
            result = svc.do("start")
        self.assertEqual(result.exit_status, 1, result)
        self.assertIn("address already in use", result.error)

    def test_down_keeps_data_and_up_brings_back(self):
        svc = self.two()
        svc.tree("data").write_text("kept")
        result = svc.do("down")
        self.assertEqual((result.exit_status, result.health, result.containers), (0, "missing", []), result)
        self.assertEqual(self.states(svc), {})
        again = svc.do("down")
        self.assertEqual((again.exit_status, again.changed), (0, False), again)
        self.assertEqual(svc.do("start").exit_status, 1)
        self.good(svc.do("deploy"), changed=True)
        self.assertEqual(svc.tree("data").read_text(), "kept")

    def test_what_ends_well_when_it_is_stopped_is_missed_and_a_one_shot_is_not(self):
        svc = self.service()
        obeys = 'sh -c \'trap "exit 0" TERM; while :; do sleep 1 & wait $$!; done\''
        self.good(svc.deploy({"compose.yaml": compose(web=service(obeys, stop_signal="SIGTERM"), once=service("true"))}))
        self.good(svc.do("deploy"), changed=False)
        self.assertEqual(svc.do("stop", "web").exit_status, 0)
        seen = svc.do("observe")
        self.assertEqual((seen.containers, seen.health), (["once exited 0", "web exited 0"], "degraded"), seen)
        again = self.good(svc.do("deploy"), changed=True)
        self.assertEqual(again.containers, ["once exited 0", "web running"])
        self.assertIn("web exited with status 0", again.stderr)

    def test_ps(self):
        svc = self.two()
        lines = svc.do("ps").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["NAME", "SERVICE", "STATE", "HEALTH", "PORTS", "IMAGE", "CREATED"])
        self.assertEqual([line.split()[1:3] for line in lines[1:]], [["a", "running"], ["b", "running"]])
        self.assertEqual(lines[0].index("STATE"), lines[1].index("running"))
        listed = json.loads(svc.do("ps", json=True).stdout)
        self.assertEqual([(c["service"], c["state"], c["image"], c["commit"]) for c in listed],
                         [(s, "running", scene.IMAGE, svc.commit) for s in "ab"])
        self.assertEqual(svc.do("ps", "b").stdout.count("\n"), 2)

    def test_logs(self):
        svc = self.two()
        one = svc.do("logs", "a")
        self.assertEqual((one.stdout, one.stderr), ("out of a\n", "err of a\n"))
        self.assertEqual(svc.do("logs", "--tail", "2", "b").stdout, "line 2\nline 3\n")
        self.assertEqual(svc.do("logs", "--tail=0", "b").stdout, "")
        both = sorted(svc.do("logs").stdout.splitlines())
        self.assertEqual(both, ["a | err of a", "a | out of a", "b | line 1", "b | line 2", "b | line 3"])
        for args in (["--tail", "-1"], ["--since", "--all"], ["--latest"], ["zz"]):
            self.assertEqual(svc.do("logs", *args).exit_status, 64, args)

    def test_following_logs_end_with_the_client_and_with_the_worker(self):
        svc = self.two()
        for args in (["-f", "b"], ["-f"]):
            for how in ("client leaves", "killed"):
                read_end, write_end = os.pipe()
                job = worker.Worker(self.user, svc.job("logs", *args), stdout=write_end)
                os.close(write_end)
                seen = b""
                while b"line 3" not in seen:
                    seen += os.read(read_end, 4096)
                children = harness.wait_until("podman logs runs", lambda: [
                    p for p in os.listdir("/proc") if p.isdigit() and follows(p, svc, self.user.uid)])
                if how == "killed":
                    job.process.send_signal(signal.SIGKILL)
                os.close(read_end)
                job.process.wait(timeout=180)
                harness.wait_until(f"{args}, {how}: no podman is left", lambda: not any(map(alive, children)))
                job.finish()

    def test_following_logs_stream_while_they_are_written(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(
            a=service("sh -c 'i=0; while true; do i=$$((i+1)); echo tick $$i; sleep 1; done'"), b=service())}))
        read_end, write_end = os.pipe()
        job = worker.Worker(self.user, svc.job("logs", "--follow"), stdout=write_end)
        os.close(write_end)
        seen, first = b"", None
        while b"tick 5" not in seen:
            seen += os.read(read_end, 4096)
            first = first or time.monotonic()
        self.assertTrue(seen.startswith(b"a | tick 1\n"), seen)
        os.close(read_end)
        job.finish()

    def test_pull_and_build_leave_what_runs(self):
        svc = self.service()
        files = {"compose.yaml": compose(a=service(image="built", build=".")), "f": "1",
                 "Containerfile": f"FROM {scene.IMAGE}\nCOPY f /f\n"}
        self.good(svc.deploy(files))
        before = svc.ids()
        svc.stage({**files, "f": "2", "Containerfile": files["Containerfile"] + r"RUN printf '\033[2J\033]0;title\a\n'" + "\n"})
        built = svc.do("build")
        self.assertEqual((built.exit_status, built.changed, svc.ids()), (0, False, before), built)
        self.assertIn("COPY f /f", built.stdout)
        self.assertIn("\n\\x1b[2J\\x1b]0;title\\x07\n", built.stdout)
        self.assertNotIn("\x1b", built.stdout)
        self.assertEqual(svc.do("pull").exit_status, 0)  # nothing to pull: its image is built
        self.good(svc.do("deploy"), changed=True)
        svc.stage({"compose.yaml": compose(a=service(image="127.0.0.1:1/no/such:1"))})
        pulled = svc.do("pull")
        self.assertEqual(pulled.exit_status, 1, pulled)
        self.assertIn("pull 127.0.0.1:1/no/such:1", pulled.error)
        svc.stage({"compose.yaml": "services: ["})
        self.assertEqual(svc.do("build").exit_status, 65)

    def test_observe(self):
        svc = self.service()
        self.assertEqual(svc.do("observe").health, "missing")
        self.good(svc.deploy({"compose.yaml": compose(a=service(), b=service())}))
        seen = svc.do("observe")
        self.assertEqual((seen.exit_status, seen.health, seen.commit, seen.containers, seen.stdout, seen.stderr),
                         (0, "healthy", svc.commit, ["a running", "b running"], "", ""))
        self.user.podman("rm", "-f", "-t", "0", f"{svc.name}_a_1")
        self.assertEqual(svc.do("observe").health, "degraded")
        self.assertEqual(svc.do("observe", wait=True).health, "degraded")


def follows(pid, svc, uid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as text:
            words = text.read().split(b"\0")
        return os.stat(f"/proc/{pid}").st_uid == uid and b"logs" in words and b"--follow" in words
    except OSError:
        return False


if __name__ == "__main__":
    scene.main()
