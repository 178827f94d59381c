"""The GitLab job of the README, run by npm's gitlab-ci-local against a real pgod: green and red, and what the log says."""

import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest

from harness import (BIN, SKIPPED, Repository, SystemTest, User, compose_web, fetch, free_port, gate, main,
                     make_key, require_root_and_podman, run, served, wait_until)

require_root_and_podman()

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GITLAB = shutil.which("gitlab-ci-local") or os.path.join(SOURCE, "build/npm/node_modules/.bin/gitlab-ci-local")
if not os.path.exists(GITLAB):
    print("needs gitlab-ci-local: scripts/install-gitlab-ci-local")
    sys.exit(SKIPPED)

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-control-ci")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


def readme_jobs(timeout):
    """The README's .gitlab-ci.yml, for the host and the service of this test, and without the image: here pgoctl is."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as readme:
        section = readme.read().split("## From GitLab CI")[1]
    jobs = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)[1]
    assert "host.example.org:shop" in jobs and "--timeout 15m" in jobs, jobs
    jobs = jobs.replace("  image: registry.example.org/tools/pgoctl\n", "")
    return jobs.replace("host.example.org:shop", "localhost:demo").replace("--timeout 15m", f"--timeout {timeout}")


class Ci(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.port = free_port()
        self.repository = Repository(self.directory)
        self.commit("one", **{"ssh/id.pub": (self.directory / "id.pub").read_text()})
        self.daemon = self.pgod()
        # The job comes before the poll; and what is held by a gate waits for its opening.
        self.daemon.service("demo", ANN.name, self.repository.url, interval="10m", start_timeout="10m")
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it serves", lambda: fetch(self.port) == "one\n")
        wait_until("it is settled", lambda: self.daemon.status(self.key, "demo")["phase"] == "idle")
        # What a runner has: pgoctl in its PATH. Here pgod listens on another port than 2222.
        tools = self.directory / "tools"
        tools.mkdir()
        (tools / "pgoctl").write_text(f'#!/bin/sh\nexec "{BIN}/pgoctl" -p {self.daemon.port} "$@"\n')
        (tools / "pgoctl").chmod(0o755)
        shown = run(["ssh-keygen", "-lf", self.directory / "host_key"]).stdout.split()[1]
        self.env = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(self.directory), "LANG": "C.UTF-8",
                    "PGOCTL_HOST_KEY": shown}
        self.repository.git("remote", "set-url", "--push", "origin", str(self.repository.bare))
        self.repository.git("remote", "set-url", "origin", "git@gitlab.example.org:ann/demo.git")

    def commit(self, body, timeout="15m", compose=None, push=True, **files):
        return self.repository.commit({"compose.yaml": compose or compose_web(self.port, body),
                                       ".gitlab-ci.yml": readme_jobs(timeout), ".gitignore": ".gitlab-ci-local/\n",
                                       **files}, push=push)

    def job(self, name, variable=None):
        """gitlab-ci-local with DEPLOY_KEY as a variable of type File, or with that text."""
        kind = "file" if variable is None else "variable"
        text = "".join(f"      {line}\n" for line in (variable or self.key.read_text()).splitlines())
        store = self.directory / ".gitlab-ci-local"
        store.mkdir(exist_ok=True)
        (store / "variables.yml").write_text(
            f"global:\n  PGOCTL_HOST_KEY: {self.env['PGOCTL_HOST_KEY']}\n"
            f"  DEPLOY_KEY:\n    type: {kind}\n    values:\n     '*': |\n{text}")
        return subprocess.Popen([GITLAB, name], cwd=self.repository.work, env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def run_job(self, name, variable=None):
        return self.end_of(self.job(name, variable))

    @staticmethod
    def end_of(job):
        said = job.communicate(timeout=180)[0]
        return job.returncode, re.sub(r"\x1b\[[0-9;]*m", "", said)

    def red(self, status, *reasons):
        code, said = self.run_job("deploy")
        self.assertNotEqual(code, 0, said)
        self.assertIn(f"FAIL {status}", said)
        for reason in reasons:
            self.assertRegex(said, reason)
        return said

    def test_green_on_deploy_and_on_stop(self):
        commit = self.commit("two")
        code, said = self.run_job("deploy")
        self.assertEqual(code, 0, said)
        self.assertEqual(served(self.port), "two\n")
        steps = ["asking upstream", "staging", "planning", "deploying", "switching", "verifying", "deployed",
                 f"ok: commit {commit[:8]}, after"]
        self.assertEqual(sorted(steps, key=said.index), steps, said)
        code, said = self.run_job("deploy")  # the same pipeline again
        self.assertEqual(code, 0, said)
        code, said = self.run_job("stop")
        self.assertEqual(code, 0, said)
        self.assertIsNone(fetch(self.port))
        self.assertEqual(ANN.containers(all_states=True), {})

    def test_red_on_a_commit_that_fails(self):
        commit = self.commit("two", compose=compose_web(self.port, command="sh -c 'echo no such table; exit 3'",
                                                        extra="    restart: \"no\"\n"))
        self.red(80, "no such table", "exited with status 3", f"rolled-back: commit {commit[:8]}, after")
        self.assertEqual(served(self.port), "one\n")

    def test_red_on_a_commit_that_is_rejected(self):
        commit = self.commit("two", compose=compose_web(self.port, extra="    privileged: true\n"))
        self.red(65, "privileged", f"rejected: commit {commit[:8]}, after")
        self.assertEqual(fetch(self.port), "one\n")

    def test_red_on_a_commit_that_is_not_on_the_branch(self):
        commit = self.commit("two", push=False)
        self.red(65, f"commit {commit} is not in the repository")
        self.repository.git("push", "-q", "origin", "HEAD:aside")
        self.red(65, f"commit {commit} is not ")
        self.assertEqual(fetch(self.port), "one\n")

    def held(self, **settings):
        return self.commit("two", compose=compose_web(self.port, "two", extra=gate("two")), **settings)

    def works(self):
        wait_until("it is being deployed", lambda: self.daemon.status(self.key, "demo")["phase"] == "working")

    def ends_well(self, commit):
        self.daemon.open_gate("demo", "two")
        wait_until("it is deployed", lambda: (lambda s: (s["commit"], s["outcome"]) == (commit, "ok"))(
            self.daemon.status(self.key, "demo")))
        self.assertEqual(served(self.port), "two\n")

    def test_red_on_a_timeout_and_the_deployment_goes_on(self):
        commit = self.held(timeout="2s")
        self.red(75, "goes on at the server", rf"timed out: commit {commit[:8]}, after \d")
        self.works()
        self.ends_well(commit)

    def test_a_job_that_is_cancelled_leaves_the_deployment_alone_and_another_attaches_to_it(self):
        commit = self.held()
        job = self.job("deploy")
        self.works()
        os.killpg(job.pid, signal.SIGTERM)
        job.communicate(timeout=180)
        asked = self.daemon.log().count("//up")
        other = self.job("deploy")
        wait_until("the other has asked", lambda: self.daemon.log().count("//up") > asked)
        self.daemon.open_gate("demo", "two")
        code, said = self.end_of(other)
        self.assertEqual(code, 0, said)
        for part in ("is being deployed already", "planning", "switching", "verifying", f"ok: commit {commit[:8]}"):
            self.assertIn(part, said)
        self.assertEqual(served(self.port), "two\n")
        self.assertEqual(self.daemon.status(self.key, "demo")["deployment"], 2)

    def test_key_text_unquoted_is_refused_and_quoted_works(self):
        text = self.key.read_text()
        _, said = self.run_job("stop", variable=text)  # which may fail without failing the pipeline
        self.assertIn("WARN 64", said)
        self.assertRegex(said, "quote")
        self.assertEqual(fetch(self.port), "one\n")
        jobs = readme_jobs("15m").replace("-i $DEPLOY_KEY", "-i '$DEPLOY_KEY'")
        self.repository.commit({".gitlab-ci.yml": jobs})
        code, said = self.run_job("stop", variable=text)
        self.assertEqual(code, 0, said)
        self.assertIsNone(fetch(self.port))

    def test_log_follows_what_another_began(self):
        commit = self.held()
        done = self.daemon.ctl(self.key, "demo//up", "--no-wait")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("accepted", done.stderr)
        self.works()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            following = pool.submit(self.daemon.ctl, self.key, "demo//log", "-f")
            wait_until("the log is followed", lambda: "demo//log" in self.daemon.log())
            self.ends_well(commit)
            followed = following.result()
        self.assertEqual(followed.returncode, 0, followed.stderr)
        for part in ("deployment 2 of demo", "switching", "verifying", "deployed"):
            self.assertIn(part, followed.stdout)
        self.assertEqual(followed.stdout, self.daemon.ctl(self.key, "demo//log").stdout)
        self.assertEqual(self.daemon.ctl(self.key, "demo//log", "-f", "soon").returncode, 64)


if __name__ == "__main__":
    main()
