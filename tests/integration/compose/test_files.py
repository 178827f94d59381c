"""Secrets and configs of compose files on real podman: what a container reads, and what makes it anew."""

import os
import pathlib
import subprocess
import tempfile

import scene
from scene import compose, harness, service

import crash_scene  # beside the harness


def with_files(secrets="", configs="", **services):
    return compose(**services) + f"secrets: {{{secrets}}}\nconfigs: {{{configs}}}\n"


class Files(scene.ComposeTest):
    user_name = "pgcfiles"

    def inside(self, svc, *command, name="a"):
        return self.user.podman("exec", f"{svc.name}_{name}_1", *command)

    def test_files_of_the_repository_are_mounted_and_a_changed_one_redeploys(self):
        svc = self.service()
        files = {"compose.yaml": with_files(
            "token: {file: ./token}", "conf: {file: ./conf}",
            a=service(secrets=["token", {"source": "token", "target": "/etc/other"}], configs=["conf"])),
                 "token": "one", "conf": "c"}
        self.good(svc.deploy(files))
        self.assertEqual(self.inside(svc, "cat", "/run/secrets/token", "/etc/other", "/conf"), "oneonec")
        self.assertEqual(self.inside(svc, "sh", "-c", "echo x 2>&- > /run/secrets/token || echo no"), "no\n")
        before = svc.ids()
        self.good(svc.deploy({**files, "README": "1"}), changed=False)
        self.assertEqual(svc.ids(), before)
        self.assertIn("token changed", self.good(svc.deploy({**files, "token": "two"}), changed=True).stderr)
        self.assertEqual(self.inside(svc, "cat", "/run/secrets/token"), "two")

    def test_a_file_of_the_host_needs_a_grant(self):
        granted = self.user.home / "granted"
        granted.mkdir()
        (granted / "token").write_text("of the host")
        svc = self.service()
        files = {"compose.yaml": with_files(f"token: {{file: {granted}/token}}", a=service(secrets=["token"]))}
        self.rejected(svc.deploy(files), str(granted))
        self.good(svc.deploy(files, volumes=[str(granted)]))
        self.assertEqual(self.inside(svc, "cat", "/run/secrets/token"), "of the host")

    def test_a_file_that_is_not_in_the_repository_is_refused(self):
        svc = self.service()
        self.rejected(svc.deploy({"compose.yaml": with_files("token: {file: ./token}", a=service(secrets=["token"]))}),
                      "compose.yaml:2: a: secrets: the repository holds no token")


class InMemory(scene.ComposeTest):
    user_name = "pgcfilesm"
    TEXT = with_files(
        "token: {external: true}, password: {environment: DB_PASSWORD}, key: {file: ./key.example}, word: {environment: WORD}",
        'conf: {content: "user = ${WHO}\\npassword = ${DB_PASSWORD}\\n"}, word: {environment: WORD}',
        a=service(secrets=["token", "password", {"source": "key", "target": "/etc/key"}, "word"],
                  configs=["conf", {"source": "word", "target": "/etc/word", "mode": 0o440, "uid": "7", "gid": "8"}]),
        b=service(user="33", secrets=["token"]))
    FILES = {"compose.yaml": TEXT, ".env": "WORD=of the repository\nWHO=x\n"}
    SECRETS = {"token": b"one\0token of some bytes\xff\n", "key": b"a private key", "unused": b"nobody has me"}

    def deployed(self, secrets=None, env="first password", **settings):
        svc = self.service(secrets=secrets or self.SECRETS, secret_env={"DB_PASSWORD": env}, **settings)
        self.good(svc.deploy(self.FILES))
        return svc

    def read(self, svc, path, name="a"):
        return subprocess.run(["podman", "exec", f"{svc.name}_{name}_1", "cat", path], env=self.user.env(), cwd="/",
                              user=self.user.uid, group=self.user.gid, extra_groups=[], capture_output=True, check=True,
                              timeout=harness.DEADLINE).stdout

    def runtime(self, svc):
        return self.user.runtime / "pgod" / svc.name

    def test_containers_read_what_the_admin_and_the_repository_give(self):
        svc = self.deployed()
        for path, wanted in (("/run/secrets/token", self.SECRETS["token"]), ("/etc/key", b"a private key"),
                             ("/run/secrets/password", b"first password"), ("/run/secrets/word", b"of the repository"),
                             ("/conf", b"user = x\npassword = first password\n"), ("/etc/word", b"of the repository")):
            self.assertEqual(self.read(svc, path), wanted)
        self.assertEqual(self.read(svc, "/run/secrets/token", "b"), self.SECRETS["token"])
        rights = self.user.podman("exec", f"{svc.name}_a_1", "busybox", "stat", "-c", "%a %u:%g", "/run/secrets/token", "/conf", "/etc/word")
        self.assertEqual(rights.splitlines(), ["400 0:0", "444 0:0", "440 7:8"])

    def test_the_user_of_an_image_owns_its_secrets(self):
        made = self.user.podman("create", scene.IMAGE, "true").strip()
        self.user.podman("commit", "-q", "--change", "USER 7:8", made, "localhost/of-seven:latest")
        self.user.podman("rm", made)
        svc = self.service(secrets=self.SECRETS)
        self.good(svc.deploy({"compose.yaml": with_files(
            "token: {external: true}", a=service(image="localhost/of-seven:latest", secrets=["token"]),
            b=service(image="localhost/of-seven:latest", user="0", secrets=["token"]))}))
        for name, owner in (("a", "7:8"), ("b", "0:0")):
            self.assertEqual(self.read(svc, "/run/secrets/token", name), self.SECRETS["token"])
            self.assertEqual(self.user.podman("exec", f"{svc.name}_{name}_1", "busybox", "stat", "-c", "%u:%g",
                                              "/run/secrets/token").strip(), owner)

    def test_no_value_is_on_a_disk(self):
        svc = self.deployed()
        store = self.user.home / ".local/share/containers"
        self.assertIn("config.json", self.user.podman("unshare", "grep", "-rlaF", "/run/secrets/token", str(store)))
        for place in (store, svc.path):
            for value in (b"first password", b"token of some bytes", b"a private key", b"nobody has me"):
                found = self.user.run(["podman", "unshare", "grep", "-rlaF", value.decode(), str(place)], check=False).stdout
                self.assertEqual(found, "", place)
        shown = self.user.podman("container", "inspect", f"{svc.name}_a_1") + svc.do("plan").stdout
        self.assertNotIn("first password", shown)
        self.assertNotIn("private key", shown)

    def test_a_value_that_nothing_provides_is_refused(self):
        svc = self.service(secrets={"token": b"x", "key": b"y"})
        result = self.rejected(svc.deploy(self.FILES), "a: secrets: \"password\": the variable DB_PASSWORD is not set",
                               'or secrets = { password = "FILE" }')
        self.assertIn("compose.yaml:2", result.error)
        self.good(svc.deploy(secrets={**self.SECRETS, "password": b"p"}, env=["DB_PASSWORD=for the config"]))
        self.assertEqual(self.read(svc, "/run/secrets/password"), b"p")
        self.rejected(svc.deploy({"compose.yaml": with_files("gone: {external: true}", a=service(secrets=["gone"]))}),
                      'compose.yaml:2: a: secrets: \"gone\": nothing provides it; ask the admin for secrets')

    def test_a_value_that_changed_redeploys(self):
        svc = self.deployed()
        before = svc.ids()
        again = self.good(svc.do("deploy"), changed=False)
        self.assertEqual(svc.ids(), before)
        self.assertIn("compose.yaml:2: a: secrets: the admin gives key, in place of the file of the repository", again.stderr)
        result = self.good(svc.do("deploy", secrets={**self.SECRETS, "token": b"two"}), changed=True)
        self.assertIn("the secret in /run/secrets/token of a changed", result.stderr)
        self.assertEqual(self.read(svc, "/run/secrets/token", "b"), b"two")

    def test_a_start_of_what_runs_does_not_hide_a_value_that_changed(self):
        svc = self.deployed()
        later = {**self.SECRETS, "token": b"two"}
        self.assertEqual(svc.do("start", "a", secrets=later).exit_status, 0)
        self.assertEqual(svc.do("heal", secrets=later).exit_status, 0)
        self.assertEqual([self.read(svc, "/run/secrets/token", name) for name in "ab"], [self.SECRETS["token"]] * 2)
        self.good(svc.do("deploy", secrets=later), changed=True)
        self.assertEqual([self.read(svc, "/run/secrets/token", name) for name in "ab"], [b"two", b"two"])

    def test_only_the_container_whose_value_changed_is_made_anew(self):
        svc = self.service(env=["PLAIN=a value of env"])
        text = with_files("p: {environment: DB_PASSWORD}, plain: {environment: PLAIN}", a=service(secrets=["p"]),
                          b=service(secrets=["plain"])) + "x-pgo: {strategy: changed}\n"
        self.good(svc.deploy({"compose.yaml": text}, secret_env={"DB_PASSWORD": "one"}))
        self.assertEqual(self.read(svc, "/run/secrets/plain", "b"), b"a value of env")
        self.assertNotIn("a value of env", (svc.path / "record/record.json").read_text())
        before = svc.ids()
        result = self.good(svc.do("deploy", secret_env={"DB_PASSWORD": "two"}), changed=True)
        self.assertIn("the secret in /run/secrets/p of a changed", result.stderr)
        same = {name for name, number in svc.ids().items() if before[name] == number}
        self.assertEqual(same, {f"{svc.name}_b_1"})
        self.assertEqual(self.read(svc, "/run/secrets/p"), b"two")

    def test_files_come_back_when_the_runtime_directory_was_lost(self):
        svc = self.deployed()
        names = [f"{svc.name}_{name}_1" for name in "ab"]
        for bring_back in ("start", "heal", "deploy", "restart"):
            with self.subTest(bring_back):
                self.user.podman("stop", "-t", "0", *names)
                harness.run(["rm", "-r", self.runtime(svc)])
                self.assertNotEqual(self.user.run(["podman", "start", *names], check=False).returncode, 0)
                result = svc.do(bring_back)
                self.assertEqual((result.exit_status, result.health), (0, "healthy"), result)
                self.assertEqual(self.read(svc, "/run/secrets/token"), self.SECRETS["token"])
                self.assertEqual(self.read(svc, "/run/secrets/token", "b"), self.SECRETS["token"])

    def test_a_start_without_the_values_says_so(self):
        svc = self.deployed()
        names = [f"{svc.name}_{name}_1" for name in "ab"]
        self.user.podman("stop", "-t", "0", *names)
        self.assertEqual(svc.do("start", secrets=None, secret_env=None).exit_status, 0)  # the files are there
        self.user.podman("stop", "-t", "0", *names)
        harness.run(["rm", "-r", self.runtime(svc)])
        result = svc.do("start", secrets=None, secret_env=None)
        self.assertEqual(result.exit_status, 1)
        self.assertIn('a: secrets: /run/secrets/token: the admin\'s secrets must have token, and does not', result.error)

    def test_a_rollback_has_the_values_of_now(self):
        svc = self.deployed()
        self.good(svc.deploy({"compose.yaml": compose(a=service())}))
        self.assertEqual(list(self.runtime(svc).glob("*/*")), [])
        result = svc.do("rollback", secrets={**self.SECRETS, "token": b"later"}, deployment=3)
        self.assertEqual((result.exit_status, result.outcome), (0, "ok"), result)
        self.assertEqual(self.read(svc, "/run/secrets/token"), b"later")

    def test_a_failed_deployment_leaves_the_values_of_before(self):
        svc = self.deployed(start_timeout=5)
        broken = {**self.FILES, "compose.yaml": self.TEXT.replace("sleep 1000", "false")}
        result = svc.deploy(broken)
        self.assertEqual(result.outcome, "rolled_back", result)
        self.assertEqual(self.read(svc, "/run/secrets/token", "b"), self.SECRETS["token"])

    def test_a_value_that_the_admin_took_away_is_there_when_the_next_commit_fails(self):
        svc = self.service(secrets=self.SECRETS, secret_env={"DB_PASSWORD": "first password"}, start_timeout=5)
        text = self.TEXT.replace('"sleep 1000"', '"sleep 1000", "environment": {"PW": "${DB_PASSWORD}"}')
        self.good(svc.deploy({**self.FILES, "compose.yaml": text}))
        svc.settings.update(secrets={"unused": b"x"}, secret_env=None)

        def is_as_before():
            self.assertEqual([self.read(svc, "/run/secrets/token", name) for name in "ab"], [self.SECRETS["token"]] * 2)
            self.assertEqual(self.read(svc, "/conf"), b"user = x\npassword = first password\n")
            self.assertEqual(self.user.podman("exec", f"{svc.name}_a_1", "sh", "-c", "echo $PW"), "first password\n")

        broken = {"compose.yaml": compose(a=service("false"))}
        result = svc.deploy(broken)
        self.assertEqual(result.outcome, "rolled_back", result)
        is_as_before()
        self.assertEqual(svc.deploy(broken).outcome, "rolled_back")  # what was rolled back to is kept as well
        is_as_before()
        with self.subTest("a crash in the middle"):
            svc.stage(broken)
            self.cut_off(svc, "containers-removed", "deploy")
            healed = svc.do("heal")
            self.assertEqual((healed.exit_status, healed.health), (0, "healthy"), healed)
            is_as_before()
        with self.subTest("a container that went"):
            self.user.podman("rm", "-f", "-t", "0", f"{svc.name}_a_1")
            healed = svc.do("heal")
            self.assertEqual((healed.exit_status, healed.health), (0, "healthy"), healed)
            is_as_before()
        with self.subTest("nothing that runs has it any more"):
            self.good(svc.deploy({"compose.yaml": compose(a=service())}))
            self.assertNotIn(b"first password", self.kept(svc))
            result = svc.do("rollback", deployment=9)
            self.assertEqual((result.exit_status, result.outcome), (65, "rejected"), result)

    def cut_off(self, svc, point, *job, **settings):
        """The worker is killed at this crash point."""
        (svc.path / "crash-at").write_text(f"{point} kill 1\n")
        (svc.path / "crash-at").chmod(0o644)
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            programs = crash_scene.programs_with(pathlib.Path(directory), os.environ["PGOD_CRASHING_WORKER"])
            self.assertFalse(svc.do(*job, **settings, program=programs / "pgod-work").done)
        self.assertTrue((svc.path / "crash-reached").exists())

    def kept(self, svc):
        return b"".join(path.read_bytes() for path in self.runtime(svc).rglob("*") if path.is_file())

    def test_a_value_that_nobody_has_any_more_keeps_what_runs(self):
        svc = self.deployed()
        before = svc.ids()
        harness.run(["rm", "-r", self.runtime(svc)])
        result = svc.deploy({"compose.yaml": compose(a=service("false"))}, secrets=None, start_timeout=5)
        self.assertEqual((result.outcome, result.changed), ("failed", False), result)
        self.assertIn("token", result.error)
        self.assertEqual(svc.ids(), before)

    def test_no_line_of_a_value_is_in_the_log_of_a_deployment(self):
        lines = ["-----BEGIN KEY-----", "first line of the key", "second line of the key"]
        svc = self.service(secrets={"key": "\n".join(lines).encode() + b"\n"}, start_timeout=5)
        result = svc.deploy({"compose.yaml": with_files("key: {external: true}", a=service(
            "sh -c 'cat /run/secrets/key; echo the end; exit 1'", secrets=["key"]))})
        self.assertEqual(result.outcome, "failed", result)
        said = result.stderr + result.stdout + (svc.path / "log/1").read_text()
        self.assertIn("the end", said)
        for line in lines:
            self.assertNotIn(line, said)

    def test_a_restart_that_was_cut_off_does_not_hide_a_value_that_changed(self):
        svc = self.deployed()
        later = {**self.SECRETS, "token": b"two"}
        self.cut_off(svc, "state-to-change", "restart", secrets=later)
        self.assertEqual(self.read(svc, "/run/secrets/token"), self.SECRETS["token"])
        self.good(svc.do("deploy", secrets=later), changed=True)
        self.assertEqual([self.read(svc, "/run/secrets/token", name) for name in "ab"], [b"two", b"two"])
        self.assertEqual(svc.do("restart", secrets=self.SECRETS).exit_status, 0)
        self.assertEqual(self.read(svc, "/run/secrets/token"), self.SECRETS["token"])
        self.good(svc.do("deploy"), changed=False)

    def test_down_removes_the_files(self):
        svc = self.deployed()
        self.assertTrue(self.runtime(svc).exists())
        svc.do("down")
        self.assertFalse(self.runtime(svc).exists())


if __name__ == "__main__":
    scene.main()
