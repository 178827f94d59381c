"""Upstream in trouble, hostile commits, crashes: what runs goes on running, the reason is one sentence, and the next
good commit deploys."""

import json
import os
import signal
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key,
                     require_root_and_podman, wait_until)

require_root_and_podman()

ANN = None
BEN = None


def setUpModule():
    global ANN, BEN
    ANN, BEN = User("pgt-tro-ann"), User("pgt-tro-ben")
    unittest.addModuleCleanup(BEN.remove)
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Upstreams(SystemTest):
    def test_upstreams_of_one_user_that_hang_do_not_hold_up_another_user(self):
        key = make_key(self.directory)
        hanging = self.git_daemon()
        hanging.hang()
        repository = Repository(self.directory)
        repository.commit({"ssh/id.pub": (self.directory / "id.pub").read_text(), "compose.yaml": compose_web(free_port())})
        daemon = self.pgod()
        for i in range(20):  # more than there are places for git jobs
            daemon.service(f"ann{i}", ANN.name, hanging.url(repository))
        daemon.service("ben", BEN.name, repository.url, auto=False)
        daemon.start()
        wait_until("the key in ben's repository works", lambda: daemon.ctl(key, "ben//ping").returncode == 0)
        # No upstream of Ann's was given up yet: Ben did not get the place of a job that had ended.
        self.assertNotIn("127.0.0.1", "".join(l for l in daemon.log().splitlines() if ": ann" in l or " ann" in l))


class Trouble(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()
        self.port = free_port()
        self.server = self.git_daemon()
        self.server.start()
        self.repository = Repository(self.directory)
        self.good = compose_web(self.port, extra="    volumes: [\"./data:/data\"]\n")
        self.repository.commit({"ssh/id.pub": self.public, "docker-compose.yml": self.good})
        self.daemon = self.pgod()
        self.daemon.service("demo", ANN.name, self.server.url(self.repository), ports=[f"{self.port}/0"])
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it serves", lambda: fetch(self.port) == "one\n")
        wait_until("it is settled", lambda: self.status()["outcome"] == "ok")
        self.before = ANN.container_ids()
        ANN.podman("exec", next(iter(self.before)), "touch", "/data/untracked")

    def status(self):
        return self.daemon.status(self.key, "demo")

    def next_poll(self, service):
        return json.loads(self.daemon.local(0, f":{service}//status", "--json").stdout)["next_poll"]

    def untouched(self):
        self.assertEqual(ANN.container_ids(), self.before)
        self.assertEqual(fetch(self.port), "one\n")
        self.assertTrue((self.daemon.state / "services" / "demo" / "tree" / "data" / "untracked").exists())
        self.assertEqual(self.daemon.ctl(self.key, "demo//ping").returncode, 0)

    def told(self, *words):
        def says():
            problems = self.status()["problems"]
            return any(all(w.lower() in p.lower() for w in words) for p in problems) and problems

        problems = wait_until(f"status says {words}", says)
        wait_until(f"the log says {words}, too", lambda: any(
            all(w.lower() in l.lower() for w in words) for l in self.daemon.log().splitlines()))
        self.assertFalse(any("\n" in p or "Traceback" in p for p in problems), problems)

    def recovers(self, body="two"):
        self.repository.commit({"docker-compose.yml": self.good.replace("echo one", f"echo {body}")})
        wait_until("the next good commit serves", lambda: fetch(self.port) == f"{body}\n")
        self.assertTrue((self.daemon.state / "services" / "demo" / "tree" / "data" / "untracked").exists())

    def test_a_force_push_is_a_normal_event(self):
        self.repository.commit({"docker-compose.yml": self.good.replace("one", "forced")}, amend=True)
        wait_until("the rewritten branch serves", lambda: fetch(self.port) == "forced\n")
        self.recovers()

    def test_an_unreachable_upstream(self):
        self.server.stop()
        self.told("refused")
        self.daemon.polls(self.key)
        self.untouched()
        self.server.start()
        self.recovers()

    def test_an_upstream_unreachable_at_the_start(self):
        self.server.stop()
        self.daemon.stop()
        self.daemon.start()
        wait_until("keys of the local repository work",
                   lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)
        self.told("refused")
        self.untouched()
        self.server.start()
        self.recovers()

    def test_an_upstream_that_hangs(self):
        self.server.hang()
        self.told("127.0.0.1")
        self.untouched()
        self.server.stop()
        self.server.start()
        self.recovers()

    def test_a_first_clone_that_fails_is_retried(self):
        self.daemon.stop()
        self.server.stop()
        second = Repository(self.directory, "second")
        port = free_port()
        second.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(port, "second")})
        self.daemon.service("second", ANN.name, self.server.url(second))
        self.daemon.start()
        wait_until("the first clone failed", lambda: "second: " in self.daemon.log())
        retry = self.next_poll("second")
        wait_until("it is tried again", lambda: self.next_poll("second") not in (None, retry))
        self.server.start()
        wait_until("it is deployed", lambda: fetch(port) == "second\n")

    def test_a_deleted_branch(self):
        self.repository.git("push", "-q", "origin", "HEAD:spare")
        self.repository.git("symbolic-ref", "HEAD", "refs/heads/spare", cwd=self.repository.bare)
        self.repository.git("push", "-q", "origin", ":main")
        self.told("main")
        self.untouched()
        self.recovers()

    def test_a_compose_file_that_is_not_yaml(self):
        self.repository.commit({"docker-compose.yml": "services: [\n  a: b: c\n"})
        self.told("docker-compose.yml")
        self.untouched()
        self.recovers()

    def test_a_compose_file_that_is_gone(self):
        self.repository.commit(remove=["docker-compose.yml"])
        self.told("compose")
        self.untouched()
        self.recovers()

    def test_hostile_and_refused_commits(self):
        web = self.good
        long_bind = web.replace('["./data:/data"]', '[{type: bind, source: ./link/y, target: /d}]')

        def service(**keys):
            lines = "".join(f"    {k}: {json.dumps(v)}\n" for k, v in keys.items())
            return web + lines

        rows = [  # what is committed, words that the reason must have
            ({"docker-compose.yml": service(privileged=True)}, ["web", "privileged"]),
            ({"docker-compose.yml": service(cap_add=["SYS_ADMIN"])}, ["web", "cap_add"]),
            ({"docker-compose.yml": service(devices=["/dev/fuse"])}, ["web", "devices"]),
            ({"docker-compose.yml": service(security_opt=["label=disable"])}, ["web", "security_opt"]),
            ({"docker-compose.yml": service(sysctls={"net.ipv4.ip_forward": "1"})}, ["web", "sysctls"]),
            ({"docker-compose.yml": service(network_mode="host")}, ["web", "network_mode"]),
            ({"docker-compose.yml": service(pid="host")}, ["web", "pid"]),
            ({"docker-compose.yml": service(userns_mode="host")}, ["web", "userns_mode"]),
            ({"docker-compose.yml": service(pod="other")}, ["pod"]),
            ({"docker-compose.yml": service(ipc="host")}, ["web", "ipc"]),
            ({"docker-compose.yml": service(network_mode="container:other")}, ["web", "network_mode"]),
            ({"docker-compose.yml": service(logging={"driver": "k8s-file", "options": {"path": "/tmp/x"}})},
             ["web", "log"]),
            ({"docker-compose.yml": service(env_file=["/etc/hostname"])}, ["/etc/hostname"]),
            ({"docker-compose.yml": service(labels={"pgod.service": "other"})}, ["web", "label"]),
            ({"docker-compose.yml": service(container_name="--all")}, ["--all"]),
            ({"docker-compose.yml": web.replace(User.IMAGE, "--privileged")}, ["web", "image"]),
            ({"docker-compose.yml": web.replace(f"{self.port}:8080", f"{free_port()}:8080")}, ["web", "ports", "outside"]),
            ({"docker-compose.yml": web.replace(f"127.0.0.1:{self.port}:8080", "8080")}, ["web", "ports"]),
            ({"docker-compose.yml": web.replace("./data:/data", "/etc:/data")}, ["web", "volumes", "/etc"]),
            ({"docker-compose.yml": web.replace("./data:/data", "../../..:/data")}, ["web", "volumes"]),
            ({"docker-compose.yml": web.replace("./data:/data", "other_data:/data")
              + "volumes: {other_data: {name: other_data, external: true}}\n"}, ["other_data"]),
            ({"docker-compose.yml": service(secrets=["x"]) + "secrets: {x: {external: true}}\n"}, ["secret"]),
            ({"docker-compose.yml": service(extends={"file": "/etc/hostname", "service": "a"})}, ["/etc/hostname"]),
            ({"docker-compose.yml": service(build={"context": "/etc"})}, ["/etc"]),
            ({"docker-compose.yml": service(**{"init-path": "/bin/sh"})}, ["web", "init-path"]),
            ({"docker-compose.yml": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
                f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)) + web},
             ["docker-compose.yml"]),
        ]
        for files, words in rows:
            with self.subTest(words=words):
                self.repository.commit(files)
                commit = self.repository.git("rev-parse", "HEAD")
                wait_until(f"{words} is judged", lambda: self.status()["commit"] == commit)
                self.assertEqual(self.status()["outcome"], "rejected", self.status()["problems"])
                self.told(*words)
                self.assertEqual(ANN.container_ids(), self.before)
        with self.subTest("a link out of the repository"):
            (self.repository.work / "data").symlink_to("/etc")
            self.repository.commit({"docker-compose.yml": web})
            self.told("volumes")
            (self.repository.work / "data").unlink()
        with self.subTest("modules of the repository are not imported"):
            evil = f"open('{self.directory}/evil', 'w').close()\n"
            os.chmod(self.directory, 0o777)
            self.repository.commit({"docker-compose.yml": web, "yaml.py": evil, "podman_compose.py": evil})
            wait_until("it is settled", lambda: self.status()["outcome"] == "ok")
            self.assertFalse((self.directory / "evil").exists())
        self.untouched()
        self.recovers()

    def test_kill_9_and_a_restart_touch_nothing(self):
        self.daemon.stop(signal.SIGKILL)
        self.assertEqual(fetch(self.port), "one\n")
        self.daemon.start()
        wait_until("it is polled", lambda: self.status()["synced"])
        self.daemon.polls(self.key)
        self.untouched()

    def test_a_commit_made_while_pgod_is_dead(self):
        self.daemon.stop(signal.SIGKILL)
        self.repository.commit({"docker-compose.yml": self.good.replace("echo one", "echo meanwhile")})
        self.daemon.start()
        wait_until("it is deployed", lambda: fetch(self.port) == "meanwhile\n")
        self.assertEqual(len(ANN.containers(all_states=True)), 1)

    def test_a_service_that_leaves_the_configuration(self):
        second = Repository(self.directory, "second")
        port = free_port()
        second.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(
            port, "second", extra="    volumes: [\"kept:/kept\"]\n") + "volumes: {kept: {}}\n"})
        self.daemon.service("second", ANN.name, second.url)
        self.daemon.write_config()
        wait_until("the file's change is seen and the new service runs", lambda: fetch(port) == "second\n")
        self.daemon.config.write_text("")  # caught half-written: nothing is removed
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("it is said", lambda: "left as it is" in self.daemon.log())
        self.daemon.services.pop()
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("it is taken down", lambda: fetch(port) is None and "second: it was removed" in self.daemon.log())
        self.untouched()
        tree = self.daemon.state / "services" / "second" / "tree" / "compose.yaml"
        self.assertTrue(tree.exists())
        self.assertIn("second_kept", ANN.podman("volume", "ls", "--format", "{{.Name}}").split())
        self.assertEqual(self.daemon.ctl(self.key, "second//ping").returncode, 77)

    def test_an_unknown_user_concerns_its_service_only(self):
        self.daemon.stop()
        self.daemon.service("ghost", "no-such-user", self.server.url(self.repository))
        (self.directory / "admin_keys").write_text(self.public)
        self.daemon.start()
        wait_until("the other runs", lambda: self.daemon.ctl(self.key, "demo//ping").returncode == 0)
        wait_until("it is said", lambda: "no-such-user" in " ".join(self.daemon.status(self.key, "ghost")["problems"]))
        self.untouched()

    def test_credentials_in_a_url_never_show(self):
        self.daemon.stop()
        self.daemon.service("private", ANN.name, f"http://robot:s3cr3t-t0ken@127.0.0.1:{self.server.port}/x.git")
        (self.directory / "admin_keys").write_text(self.public)
        self.daemon.start()
        wait_until("the failure is told", lambda: self.daemon.status(self.key, "private")["problems"])
        self.assertNotIn("s3cr3t", self.daemon.log())
        self.assertNotIn("s3cr3t", json.dumps(self.daemon.status(self.key, "private")))
        self.daemon.stop()  # files come and go while it polls
        for path in self.daemon.state.glob("**/*"):
            if path.is_file():
                self.assertNotIn(b"s3cr3t", path.read_bytes(), path)


if __name__ == "__main__":
    main()
