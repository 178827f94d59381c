"""podman-compose is upgraded under services that run, on real rootless podman: no container is touched, and the next
change is deployed from the newer one's plan. The packages are unpacked; this process has a mount namespace of its own,
in which one or the other stands where the host's is."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "translator"))
import packages  # noqa: E402
import scene  # noqa: E402
from scene import compose, harness, service, web  # noqa: E402

OWN_NAMESPACE = "PGOD_TEST_NAMESPACE"


def install(version):
    """Where the host has its own. Over one of before: nothing is unmounted while a worker may read it."""
    subprocess.run(["mount", "--bind", packages.unpacked(version) / "podman_compose.py", packages.INSTALLED], check=True)


class Upgrade(scene.ComposeTest):
    user_name = "pgcupgrade"

    def files(self, port, **more):
        """Most of what podman-compose's versions write in other words."""
        check = {"test": ["CMD", "test", "-d", "/data"], "interval": "1s"}
        return {"compose.yaml": compose(
            web=web(port, volumes=["./html:/www:ro", "data:/data:rw", {"type": "volume", "source": "data", "target": "/more"}],
                    networks={"front": {"aliases": ["www"]}, "back": None}, depends_on={"db": {"condition": "service_started"}},
                    healthcheck=check, environment={"A": "${WORD}", "B": "two words"}, env_file=["web.env"]),
            db=service("sh -c 'exec sleep 1000'", networks=["back"], deploy={"replicas": 2}, labels={"x": "y"},
                       volumes=["/var/cache"], ulimits={"nofile": {"soft": 100, "hard": 200}}, mem_reservation="8m"),
            alone=service(network_mode="none", healthcheck={"test": "true", "interval": "1s"}, init=True),
            made=service(image="made", build={"context": "made", "args": {"A": "1"}}, networks=["back"])) +
            "networks: {front: {}, back: {internal: true}, unused: {}}\nvolumes: {data: {labels: {a: b}}}\n",
            "html/index.html": "served", "web.env": "C=3\n", ".env": "WORD=said\n",
            "made/Containerfile": f"FROM {harness.User.IMAGE}\nARG A\n", **more}

    def test_no_container_is_touched_by_another_podman_compose(self):
        port = harness.free_port()
        svc = self.service(ports=[(port, port)])
        for first in ("1.0.3", "1.3.0"):
            install(first)
            self.good(svc.deploy(self.files(port, first=first, **{"html/index.html": first, "web.env": f"C={first}\n"})),
                      changed=True)
            before = svc.ids()
            self.assertEqual(len(before), 5)
            for version in packages.PACKAGES:
                with self.subTest(first=first, then=version):
                    install(version)
                    files = self.files(port, **{"html/index.html": version, "web.env": f"C={first}\n"})
                    plan = svc.stage(files) and svc.do("plan")
                    self.assertIn("no container would be touched", plan.stdout, plan)
                    self.good(svc.do("deploy"), changed=False)
                    self.assertEqual((svc.ids(), harness.fetch(port)), (before, version))

    def test_every_version_deploys_what_changed(self):
        port = harness.free_port()
        svc = self.service(ports=[(port, port)])
        for version in packages.PACKAGES:
            with self.subTest(version):
                install(version)
                before = set(svc.ids().values())
                files = self.files(port, **{"web.env": f"C={version}\n", "html/index.html": version})
                self.good(svc.deploy(files), changed=True)
                self.assertFalse(before & set(svc.ids().values()))
                self.assertEqual(harness.fetch(port), version)
                seen = self.user.podman("exec", f"{svc.name}_web_1", "sh", "-c", "echo $A/$B/$C; ls -d /data /more")
                self.assertEqual(seen, f"said/two words/{version}\n/data\n/more\n")

    def test_one_that_nobody_knows_and_that_fails_the_self_test_leaves_everything(self):
        port = harness.free_port()
        svc = self.service(ports=[(port, port)])
        install("1.3.0")
        self.good(svc.deploy(self.files(port)))
        before = svc.ids()
        text = (packages.unpacked("1.3.0") / "podman_compose.py").read_text()
        directory = pathlib.Path(tempfile.mkdtemp(prefix="pgod-upgrade-"))
        self.addCleanup(shutil.rmtree, directory)
        directory.chmod(0o755)
        module = directory / "podman_compose.py"
        module.touch(0o644)
        subprocess.run(["mount", "--bind", module, packages.INSTALLED], check=True)
        self.addCleanup(subprocess.run, ["umount", packages.INSTALLED], check=True)
        for wrong, changed in ((True, text.replace('podman_args.extend(["--restart", cnt["restart"]])', "pass")),
                               (False, text)):
            module.write_text(changed.replace('__version__ = "1.3.0"', '__version__ = "9.9.9"'))
            result = svc.deploy(self.files(port, **{"web.env": "C=4\n"}))
            if wrong:
                self.assertEqual((result.exit_status, result.changed, svc.ids()), (1, False, before), result)
                self.assertIn("podman-compose 9.9.9 fails pgod's self-test", result.error)
            else:
                self.good(result, changed=True)
        module.write_text(text.replace('__version__ = "1.3.0"', '__version__ = "1.0.2"'))
        result = svc.do("check")
        self.assertIn("podman-compose 1.0.3 or newer is needed", result.error or result.stderr, result)


if __name__ == "__main__":
    if OWN_NAMESPACE not in os.environ and os.geteuid() == 0:
        os.environ[OWN_NAMESPACE] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])
    scene.main()
