"""Deployments that must not succeed: what keeps running, what is brought back, and what is said."""

import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import time

import scene
import worker
from scene import compose, harness, service, web


TRANSIENT, PERMANENT = 0, 1  # the order of Code in base/result.hpp


class Failures(scene.ComposeTest):
    user_name = "pgcfail"

    def running_web(self, **settings):
        svc, port = self.service(**settings), harness.free_port()
        files = {"compose.yaml": compose(web=web(port, volumes=["./html:/www"])), "html/index.html": "good"}
        self.good(svc.deploy(files))
        return svc, port, files

    def assert_untouched(self, svc, port, before):
        self.assertEqual((svc.ids(), harness.fetch(port)), (before, "good"))

    def test_missing_image_touches_nothing(self):
        svc, port, files = self.running_web()
        before, commit = svc.ids(), svc.commit
        files["compose.yaml"] = compose(web=web(port, image="127.0.0.1:1/no/such:1"))
        result = svc.deploy({**files, "html/index.html": "bad"})
        self.assertEqual((result.exit_status, result.outcome, result.changed), (1, "failed", False), result)
        self.assertIn("web: pull 127.0.0.1:1/no/such:1", result.error)
        self.assertEqual((result.commit, result.health), (commit, "healthy"))
        self.assert_untouched(svc, port, before)

    def test_broken_build_touches_nothing(self):
        svc, port, files = self.running_web()
        before = svc.ids()
        files.update({"compose.yaml": compose(web=web(port, image="broken", build=".")),
                      "Containerfile": f"FROM {scene.IMAGE}\nRUN echo to-the-client; false\n"})
        result = svc.deploy(files)
        self.assertEqual((result.exit_status, result.outcome), (1, "failed"), result)
        self.assertIn("web: build failed", result.error)
        self.assertIn("to-the-client", result.stdout)
        self.assert_untouched(svc, port, before)

    def test_crash_at_once_is_rolled_back_with_its_last_lines(self):
        svc, port, files = self.running_web()
        good = svc.commit
        bad = {"compose.yaml": compose(web=web(port, volumes=["./html:/www"]),
                                       db=service("sh -c 'echo no disk in drive B; exit 3'")),
               "html/index.html": "bad", "new": "x"}
        result = svc.deploy(bad)
        self.assertEqual((result.exit_status, result.outcome), (80, "rolled_back"), result)
        self.assertEqual(result.error, "db exited with status 3")
        self.assertIn("db | no disk in drive B", result.stderr)
        self.assertEqual((result.commit, result.health, result.containers), (good, "healthy", ["web running"]))
        self.assertEqual((harness.served(port), svc.tree("new").exists()), ("good", False))
        again = self.good(svc.deploy(files), changed=False)  # the record is that of what runs
        self.assertEqual(again.commit, svc.commit)

    def test_restart_loop_is_seen(self):
        svc, port, files = self.running_web()
        for lives in ("0", "1.2"):  # the second one is hardly ever seen to have ended
            result = svc.deploy({"compose.yaml": compose(
                web=service(f"sh -c 'echo again; sleep {lives}; exit 1'", restart="always"))})
            self.assertEqual((result.exit_status, result.outcome), (80, "rolled_back"), result)
            self.assertIn("web ", result.error)
            self.assertEqual(harness.served(port), "good")

    def test_port_in_use_touches_nothing(self):
        svc, port, _ = self.running_web()
        before = svc.ids()
        other, taken, _ = self.running_web()
        for published in (f"127.0.0.1:{taken}:80", f"{taken}:80", f"{taken - 1}-{taken}:80-81"):
            result = svc.deploy({"compose.yaml": compose(web=service(ports=[published]))})
            self.assertEqual((result.exit_status, result.outcome, result.changed), (1, "failed", False), result)
            self.assertIn(f"{taken} is in use by another program", result.error)
        self.assertEqual((harness.fetch(port), harness.fetch(taken)), ("good", "good"))
        self.assertEqual({k: v for k, v in svc.ids().items() if k in before}, before)
        low = svc.deploy({"compose.yaml": compose(web=service(ports=["80:80"]))})
        if "users of this host may bind" not in (low.error or ""):  # a host may allow it
            self.assertEqual(low.outcome, "ok", low)
        del other

    def test_start_that_podman_refuses_is_rolled_back(self):
        svc, port, _ = self.running_web()
        result = svc.deploy({"compose.yaml": compose(web=service("/no/such/program"), other=service())})
        self.assertEqual((result.exit_status, result.outcome), (80, "rolled_back"), result)
        self.assertIn("web: start", result.error)
        self.assertEqual((result.containers, harness.served(port)), (["web running"], "good"))

    def test_failing_healthcheck_is_rolled_back_and_a_passing_one_waited_for(self):
        svc, port, files = self.running_web()
        check = {"test": "test -e /tmp/ready", "interval": "1s", "timeout": "1s", "retries": 1}
        result = self.good(svc.deploy({"compose.yaml": compose(
            web=service("sh -c 'sleep 3; touch /tmp/ready; sleep 1000'", healthcheck=check))}))
        self.assertEqual(result.containers, ["web running (healthy)"])
        started = time.monotonic()
        result = svc.deploy({"compose.yaml": compose(web=service("sleep 1000", healthcheck=check))})
        self.assertEqual((result.exit_status, result.outcome), (80, "rolled_back"), result)
        self.assertEqual(result.error, "web does not pass its healthcheck within 60s")
        self.assertGreaterEqual(time.monotonic() - started, 60)

    def test_one_shot_that_ends_well_is_fine(self):
        svc = self.service()
        result = self.good(svc.deploy({"compose.yaml": compose(migrate=service("true"), web=service())}))
        self.assertEqual(result.containers, ["migrate exited 0", "web running"])
        self.good(svc.do("deploy"), changed=False)

    def test_first_deployment_that_fails_is_left_down(self):
        svc = self.service()
        result = svc.deploy({"compose.yaml": compose(a=service("false")), "f": "1", "dropped": "1"})
        self.assertEqual((result.exit_status, result.outcome, result.health), (81, "failed", "missing"), result)
        self.assertEqual(result.commit, "")
        self.assertNotIn(svc.name, self.user.podman("network", "ls", "--format", "{{.Name}}"))
        self.good(svc.deploy({"compose.yaml": compose(a=service()), "f": "2"}))
        self.assertEqual(sorted(p.name for p in svc.tree(".").iterdir()), ["compose.yaml", "f"])

    def test_name_held_by_somebody_else(self):
        svc, port, files = self.running_web()
        before = svc.ids()
        name = f"{svc.name}_db_1"
        self.user.podman("run", "-d", "--name", name, "--stop-signal", "KILL", scene.IMAGE, "sleep", "1000")
        self.addCleanup(self.user.podman, "rm", "-f", "-t", "0", name)
        result = svc.deploy({**files, "compose.yaml": files["compose.yaml"] + f"  db: {service()}\n"})
        self.rejected(result, "db", name, "podman rm")
        self.assertEqual(svc.ids(), before | {name: svc.ids()[name]})

    def test_the_last_good_version_comes_back_although_the_tip_is_rejected(self):
        svc, port, files = self.running_web()
        good = svc.commit
        self.rejected(svc.deploy({"compose.yaml": "services: [", "html/index.html": "bad"}))
        self.user.podman("rm", "-f", "-t", "0", f"{svc.name}_web_1")  # as a reboot does
        for outcome, bad in (("rejected", {"compose.yaml": "services: ["}),
                             ("failed", {"compose.yaml": compose(web=web(port, image="localhost/no/such:1"))})):
            result = svc.deploy({**bad, "html/index.html": "bad"})
            self.assertEqual((result.outcome, result.commit, result.health), (outcome, good, "healthy"), result)
            self.assertTrue(result.error and result.changed, result)
            self.assertIn("bringing back", result.stderr)
            self.assertEqual(harness.served(port), "good")
            before = svc.ids()
            again = svc.do("deploy")
            self.assertEqual((again.outcome, again.changed, svc.ids()), (outcome, False, before), again)
            self.user.podman("rm", "-f", "-t", "0", f"{svc.name}_web_1")
        narrow = svc.do("deploy", ports=[(1, 2)])  # nothing comes back that is not granted any more
        self.assertEqual((narrow.outcome, narrow.health), ("rejected", "missing"), narrow)
        self.good(svc.deploy(files))

    def test_no_switch_begins_that_could_not_be_ended(self):
        svc, port, files = self.running_web()
        before = svc.ids()
        result = svc.deploy({**files, "compose.yaml": files["compose.yaml"] + "# 2\n"}, deadline=25 * 60)
        self.assertEqual((result.outcome, result.code, result.changed), ("failed", TRANSIENT, False), result)
        self.assertIn("less than 1560s", result.error)
        self.assert_untouched(svc, port, before)

    def test_a_build_that_takes_too_long_ends_with_all_its_processes(self):
        svc, port, files = self.running_web()
        before = svc.ids()
        files.update({"compose.yaml": compose(web=web(port, image="slow", build=".")),
                      "Containerfile": f"FROM {scene.IMAGE}\nRUN trap '' TERM; sleep 98765 & sleep 98764\n"})
        result = svc.deploy(files, deadline=26 * 60 + 20)
        self.assertEqual((result.outcome, result.code, result.changed), ("failed", PERMANENT, False), result)
        self.assertIn("web: build failed: podman build did not end within", result.error)
        harness.wait_until("all that it began has ended",
                           lambda: subprocess.run(["pgrep", "-u", self.user.name, "-f", "sleep 9876[45]"]).returncode == 1)
        self.assert_untouched(svc, port, before)

    def test_what_was_cut_off_is_undone_by_the_record_alone(self):
        svc, port, files = self.running_web()
        running = svc.commit
        # It goes on until it is cut off.
        files["compose.yaml"] = compose(web=web(port, volumes=["./html:/www"], environment={"NEW": "1"},
                                                healthcheck={"test": "false", "interval": "1s", "retries": 1000}))
        files["html/index.html"] = "new"
        svc.stage(files)
        cut_off = worker.Worker(self.user, svc.job("deploy", start_timeout=600))
        harness.wait_until("the old container is gone or replaced",
                           lambda: (svc.path / "incoming" / "record.json").exists())
        cut_off.process.send_signal(signal.SIGKILL)
        cut_off.finish()
        healed = svc.do("heal")
        self.assertEqual((healed.exit_status, healed.commit, healed.health), (0, running, "healthy"), healed)
        self.assertEqual(harness.served(port), "good")
        self.assertFalse((svc.path / "incoming").exists())
        ids = svc.ids()
        self.assertFalse(svc.do("heal").changed)
        self.assertEqual(svc.ids(), ids)

    def test_killed_at_any_moment_converges(self):
        svc, port, files = self.running_web()
        svc.tree("html/data").write_text("precious")
        for delay in (0.05, 0.3, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5):
            files["html/index.html"], files["page"] = f"at {delay}", f"{delay}"
            files["compose.yaml"] = compose(web=web(port, volumes=["./html:/www", "./page:/www/page"]))
            svc.stage(files)
            killed = worker.Worker(self.user, svc.job("deploy"))
            time.sleep(delay)
            killed.process.send_signal(signal.SIGKILL)
            killed.finish()
        files["html/index.html"] = "good"
        result = self.good(svc.deploy(files))
        self.assertEqual((result.commit, harness.served(port)), (svc.commit, "good"))
        self.assertEqual(svc.tree("html/data").read_text(), "precious")
        self.assertEqual(len([n for n in self.user.containers(True) if n.startswith(svc.name)]), 1)
        self.assertFalse([p for p in svc.path.rglob("*") if ".pgod-" in p.name or "unfinished" in p.name])

    def test_outlives_supervisor_and_a_client_that_does_not_read(self):
        svc = self.service()
        svc.stage({"compose.yaml": compose(web=service(image="own2", build=".")),
                   "Containerfile": f"FROM {scene.IMAGE}\nRUN seq 1 40000\n"})
        read_end, write_end = os.pipe()  # never read; far more than a pipe holds
        job = worker.Worker(self.user, svc.job("deploy"), stdout=write_end, stderr=subprocess.DEVNULL)
        os.close(write_end)
        os.close(job.reports)  # the supervisor is gone
        self.assertEqual(job.process.wait(timeout=harness.DEADLINE), 0)
        os.close(read_end)
        self.assertEqual(svc.do("observe").commit, svc.commit)

    def shared_namespace(self):
        """Of podman's bridged containers of the user: its name, and whether it is podman 5's."""
        runtime = pathlib.Path(self.user.env()["XDG_RUNTIME_DIR"])
        names = [*(runtime / "netns").glob("rootless-netns-*"),
                 *(runtime / "containers/networks/rootless-netns").glob("rootless-netns")]
        self.assertEqual(len(names), 1, names)
        return names[0], names[0].name == "rootless-netns"

    def test_a_network_namespace_that_a_killed_podman_left_half_there_is_made_anew(self):
        svc = self.service()
        files = {"compose.yaml": compose(a=service())}
        self.good(svc.deploy(files))
        name, podman5 = self.shared_namespace()

        def leave_half():
            """The namespace by its name, and none of its directories."""
            self.user.podman("kill", "-a")
            harness.wait_until("podman has removed it", lambda: not name.exists())
            if podman5:  # which makes by itself what is missing
                self.user.podman("unshare", "sh", "-c", f"mkdir -p {name.parent} && touch {name}")
                return
            self.user.podman("unshare", "sh", "-c", f"touch {name} && unshare -n mount --bind /proc/self/ns/net {name}")
            with self.assertRaisesRegex(AssertionError, "failed to mount runtime directory for rootless netns"):
                self.user.podman("run", "--rm", "--network", "podman", harness.User.IMAGE, "true")

        for mend in (lambda: svc.deploy(force=True), lambda: svc.do("start"), lambda: svc.do("heal")):
            leave_half()
            result = mend()
            self.assertEqual((result.exit_status, result.error), (0, None), result)
            self.assertEqual(svc.do("observe").health, "healthy")

    def test_what_a_killed_podman_left_in_its_storage_does_not_hold_a_name(self):
        svc = self.service()
        svc.stage({"compose.yaml": compose(a=service())})
        name = f"{svc.name}_a_1"
        self.user.podman("create", "--name", name, harness.User.IMAGE, "true")
        # Now podman knows no container; its storage does.
        storage = self.user.home / ".local/share/containers/storage"
        database, = (path for path in (storage / "db.sql", storage / "libpod/bolt_state.db") if path.exists())
        database.unlink()
        self.assertEqual(self.user.podman("ps", "-aq"), "")
        with self.assertRaisesRegex(AssertionError, "already in use"):
            self.user.podman("create", "--name", name, harness.User.IMAGE, "true")
        self.good(svc.deploy(), changed=True)

    def test_podmans_network_namespace_is_left_alone_while_a_container_is_in_it(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(a=service())}))
        name, podman5 = self.shared_namespace()
        if podman5:
            self.user.podman("unshare", "rm", "-rf", name.parent / "run")
        else:
            shutil.rmtree(pathlib.Path(self.user.env()["XDG_RUNTIME_DIR"]) / "libpod/tmp/rootless-netns")
        before = name.stat()
        other = self.service()
        self.assertEqual(other.deploy({"compose.yaml": compose(a=service())}).exit_status, 0 if podman5 else 81)
        self.assertEqual((name.stat().st_ino, name.stat().st_mtime), (before.st_ino, before.st_mtime))

    def test_busy_service_is_waited_for_until_the_deadline(self):
        svc, port, files = self.running_web()
        before = svc.ids()
        with open(svc.path / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            late = svc.do("down", deadline=0.2)
        self.assertEqual(late.exit_status, 75, late)
        self.assert_untouched(svc, port, before)
        holder = worker.Worker(self.user, svc.job("deploy", force=True))
        harness.wait_until("the lock is held", lambda: subprocess.run(
            ["flock", "-n", svc.path / "lock", "true"]).returncode == 1)
        self.good(svc.do("deploy"), changed=False)  # waits, then finds nothing to do
        self.good(holder.finish())


if __name__ == "__main__":
    scene.main()
