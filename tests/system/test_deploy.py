"""A commit becomes running containers under the right user, and only what must change changes."""

import os
import stat
import unittest

from harness import (DEADLINE, Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key,
                     require_root_and_podman, served, wait_until)

require_root_and_podman()

ANN = BOB = None


def setUpModule():
    global ANN, BOB
    ANN, BOB = User("pgt-dep-ann"), User("pgt-dep-bob")
    unittest.addModuleCleanup(ANN.remove)
    unittest.addModuleCleanup(BOB.remove)
    ANN.import_image()
    BOB.import_image()


class Deploy(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()

    def begin(self, user, files, name="demo", **settings):
        """A pgod with one service whose first commit is deployed."""
        self.repository = Repository(self.directory)
        self.repository.commit({"ssh/id.pub": self.public, **files})
        self.daemon = self.pgod()
        self.daemon.service(name, user.name, self.repository.url, **settings)
        self.daemon.start()
        self.addCleanup(lambda: user.podman("rm", "-fa", "-t", "0", check=False))
        wait_until("the first deployment", lambda: self.daemon.alive() and self.outcome(name) is not None)

    def outcome(self, name="demo"):
        try:
            status = self.daemon.status(self.key, name)
        except AssertionError:
            return None
        return status["outcome"] if status["phase"] == "idle" and status["running"] else None

    def deployed(self, commit, name="demo"):
        def settled():
            status = self.daemon.status(self.key, name)
            return status["running"] == commit and status["phase"] == "idle"

        wait_until(f"{commit[:8]} runs", settled)

    def test_two_services_of_two_users_are_apart(self):
        ports = free_port(), free_port()
        ann, bob = Repository(self.directory, "ann"), Repository(self.directory, "bob")
        ann.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(ports[0], "ann")})
        bob.commit({"ssh/id.pub": self.public, "docker-compose.yml": compose_web(ports[1], "bob")})
        self.daemon = self.pgod()
        self.daemon.service("one", ANN.name, ann.url)
        self.daemon.service("two", BOB.name, bob.url)
        self.addCleanup(lambda: [u.podman("rm", "-fa", "-t", "0", check=False) for u in (ANN, BOB)])
        self.daemon.start()
        wait_until("both serve", lambda: fetch(ports[0]) == "ann\n" and fetch(ports[1]) == "bob\n")
        wait_until("both are settled", lambda: self.outcome("one") == self.outcome("two") == "ok")  # no file moves any more
        for name, user in (("one", ANN), ("two", BOB)):
            directory = self.daemon.state / "services" / name
            for path in (directory, *directory.iterdir()):
                self.assertEqual(path.stat().st_uid, user.uid, path)
            self.assertEqual(stat.S_IMODE(directory.stat().st_mode), 0o700)
            listed = list(user.containers())
            self.assertEqual(len(listed), 1, listed)
            pid = int(user.podman("inspect", "--format", "{{.State.Pid}}", listed[0]))
            self.assertEqual(os.stat(f"/proc/{pid}").st_uid, user.uid)
        self.assertFalse(set(ANN.containers()) & set(BOB.containers()))

    def test_a_commit_to_the_compose_file_replaces_the_container(self):
        port = free_port()
        self.begin(ANN, {"docker-compose.yml": compose_web(port, "one")})
        wait_until("it serves", lambda: fetch(port) == "one\n")
        old = ANN.container_ids()
        self.repository.commit({"docker-compose.yml": compose_web(port, "two")})
        wait_until("the new one serves", lambda: fetch(port) == "two\n")
        new = ANN.containers(all_states=True)
        self.assertEqual(len(new), 1)
        self.assertFalse(set(old.values()) & {c["Id"] for c in new.values()})

    def test_a_compose_service_that_a_commit_removes_is_gone(self):
        port = free_port()
        both = compose_web(port) + f"  extra:\n    image: {User.IMAGE}\n    command: sleep 10000\n    stop_signal: SIGKILL\n"
        self.begin(ANN, {"docker-compose.yml": both})
        wait_until("two containers", lambda: len(ANN.containers()) == 2)
        commit = self.repository.commit({"docker-compose.yml": compose_web(port)})
        self.deployed(commit)
        wait_until("one container", lambda: len(ANN.containers(all_states=True)) == 1)

    def test_a_readme_only_commit_touches_no_container(self):
        port = free_port()
        self.begin(ANN, {"docker-compose.yml": compose_web(port), "README.md": "one"})
        wait_until("it serves", lambda: fetch(port) == "one\n")
        before = ANN.container_ids()
        commit = self.repository.commit({"README.md": "two"})
        self.deployed(commit)
        self.assertEqual(ANN.container_ids(), before)
        tree = self.daemon.state / "services" / "demo" / "tree"
        self.assertEqual((tree / "README.md").read_text(), "two")

    def test_a_bind_mounted_directory_follows_in_place(self):
        port = free_port()
        compose = compose_web(port, command="httpd -f -p 8080 -h /site",
                              extra="    volumes: [\"./site:/site:ro\", \"./data:/data\"]\n")
        self.begin(ANN, {"docker-compose.yml": compose, "site/index.html": "first\n"})
        wait_until("it serves", lambda: fetch(port) == "first\n")
        before = ANN.container_ids()
        ANN.podman("exec", next(iter(before)), "touch", "/data/untracked")
        self.repository.commit({"site/index.html": "second\n"})
        wait_until("the container sees it", lambda: fetch(port) == "second\n")
        self.assertEqual(ANN.container_ids(), before)
        self.assertTrue((self.daemon.state / "services" / "demo" / "tree" / "data" / "untracked").exists())

    def test_a_bind_mounted_single_file_redeploys(self):
        port = free_port()
        compose = compose_web(port, command="httpd -f -p 8080 -h /www",
                              extra="    volumes: [\"./page.html:/www/index.html:ro\"]\n")
        self.begin(ANN, {"docker-compose.yml": compose, "page.html": "first\n"})
        wait_until("it serves", lambda: fetch(port) == "first\n")
        before = ANN.container_ids()
        self.repository.commit({"page.html": "second\n"})
        wait_until("the container sees it", lambda: fetch(port) == "second\n")
        self.assertNotEqual(ANN.container_ids(), before)

    def test_x_gpo_version_forces_a_redeploy(self):
        port = free_port()
        self.begin(ANN, {"docker-compose.yml": "x-gpo-version: 1\n" + compose_web(port)})
        wait_until("it serves", lambda: fetch(port) == "one\n")
        before = ANN.container_ids()
        self.repository.commit({"docker-compose.yml": "x-gpo-version: 2\n" + compose_web(port)})
        wait_until("another container", lambda: ANN.container_ids() and ANN.container_ids() != before)

    def test_an_image_that_the_repository_builds(self):
        port = free_port()
        compose = compose_web(port, command="httpd -f -p 8080 -h /site").replace(
            f"image: {User.IMAGE}", "build: ./image")
        container = f"FROM {User.IMAGE}\nCOPY site /site\n"
        self.begin(ANN, {"docker-compose.yml": compose, "image/Containerfile": container,
                         "image/site/index.html": "built one\n"})
        wait_until("it serves", lambda: fetch(port) == "built one\n")
        before = ANN.container_ids()
        commit = self.repository.commit({"README.md": "nothing that is built"})
        self.deployed(commit)
        self.assertEqual(ANN.container_ids(), before)
        self.repository.commit({"image/site/index.html": "built two\n"})
        wait_until("the new image serves", lambda: fetch(port) == "built two\n")

    def test_the_admins_env_wins_over_the_repositorys(self):
        port = free_port()
        compose = compose_web(port, "$WHO")
        self.begin(ANN, {"docker-compose.yml": compose.replace("echo $WHO", "echo ${WHO}"), ".env": "WHO=repository\n"},
                   env=["WHO=admin"])
        wait_until("it serves", lambda: fetch(port) == "admin\n")

    def test_down_stays_down_until_up(self):
        port = free_port()
        self.begin(ANN, {"docker-compose.yml": compose_web(port)})
        wait_until("it serves", lambda: fetch(port) == "one\n")
        down = self.daemon.ctl(self.key, "demo//down")
        self.assertEqual(down.returncode, 0, down.stderr)
        self.assertEqual(ANN.containers(all_states=True), {})
        commit = self.repository.commit({"docker-compose.yml": compose_web(port, "two")})
        wait_until("the commit is seen", lambda: self.daemon.status(self.key, "demo")["tip"] == commit)
        self.daemon.stop()
        self.daemon.start()
        wait_until("it is polled", lambda: self.daemon.status(self.key, "demo")["tip"] == commit)
        self.daemon.polls(self.key)
        self.assertEqual(ANN.containers(all_states=True), {})
        self.assertEqual(self.daemon.status(self.key, "demo")["desired"], "stopped")
        up = self.daemon.ctl(self.key, "demo//up")
        self.assertEqual(up.returncode, 0, up.stderr)
        self.assertEqual(served(port), "two\n")

    def test_operations(self):
        port = free_port()
        self.begin(ANN, {"docker-compose.yml": compose_web(port)})
        wait_until("it serves", lambda: fetch(port) == "one\n")
        ctl = lambda *arguments: self.daemon.ctl(self.key, *arguments)

        self.assertRegex(ctl("demo//ps").stdout, r"web .*running")
        for operation in ("stop", "start", "restart", "pull", "build", "sync", "up"):
            done = ctl(f"demo//{operation}")
            self.assertEqual(done.returncode, 0, f"{operation}: {done.stderr}")
            if operation == "stop":
                self.assertIsNone(fetch(port))
            if operation in ("start", "restart"):
                wait_until("it serves again", lambda: fetch(port) == "one\n")
        logs = ctl("demo//logs")
        self.assertEqual(logs.returncode, 0, logs.stderr)
        self.assertEqual(ctl("demo//stop", "nosuch").returncode, 64)
        listed = ctl("//list")
        self.assertRegex(listed.stdout, r"demo +running +healthy")
        status = ctl("demo//status").stdout
        self.assertRegex(status, r"(?m)^health +healthy$")

    def test_an_image_that_cannot_be_pulled_leaves_the_old_running(self):
        port = free_port()
        self.begin(ANN, {"docker-compose.yml": compose_web(port)})
        wait_until("it serves", lambda: fetch(port) == "one\n")
        before = ANN.container_ids()
        self.repository.commit({"docker-compose.yml": compose_web(port).replace(
            User.IMAGE, "127.0.0.1:1/no/such:image")})
        wait_until("the failure is told", lambda: any(
            "no/such" in p for p in self.daemon.status(self.key, "demo")["problems"]))
        self.assertEqual(ANN.container_ids(), before)
        self.repository.commit({"docker-compose.yml": compose_web(port, "fixed")})
        wait_until("the next good commit serves", lambda: fetch(port) == "fixed\n")

    def test_a_container_that_ends_at_once_is_rolled_back(self):
        port = free_port()
        self.begin(ANN, {"docker-compose.yml": compose_web(port)})
        wait_until("it serves", lambda: fetch(port) == "one\n")
        bad = self.repository.commit({"docker-compose.yml": compose_web(
            port, command="sh -c 'echo why it failed >&2; exit 3'", extra="    restart: \"no\"\n")})
        wait_until("it is rolled back", lambda: self.daemon.status(self.key, "demo")["outcome"] == "rolled-back")
        wait_until("the old serves again", lambda: fetch(port) == "one\n")
        self.assertNotEqual(self.daemon.status(self.key, "demo")["running"], bad)


if __name__ == "__main__":
    main()
