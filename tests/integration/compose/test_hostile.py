"""Hostile and broken repositories: rejected in one sentence that names file or setting, with the old version running."""

import json
import os
import pathlib

import scene
from scene import compose, harness, service, web

BOMB = "services:\n  a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"  {chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9))

# name → (files, links, words of the sentence)
CASES = {
    "not yaml": ({"compose.yaml": "services:\n  a: [\n"}, {}, ["compose.yaml:3"]),
    "not a mapping": ({"compose.yaml": "- 1\n"}, {}, ["compose.yaml"]),
    "no compose file": ({"README.md": "x"}, {}, ["compose.yaml does not exist"]),
    "services of another type": ({"compose.yaml": "services: 7\n"}, {}, ["compose.yaml"]),
    "image as a flag": ({"compose.yaml": compose(a=service(image="--privileged"))}, {}, ["a", "image"]),
    "container name as a flag": ({"compose.yaml": compose(a=service(container_name="--all"))}, {}, ["a", "name"]),
    "privileged": ({"compose.yaml": compose(a=service(privileged=True))}, {}, ["a", "privileged"]),
    "device": ({"compose.yaml": compose(a=service(devices=["/dev/fuse"]))}, {}, ["a", "devices"]),
    "host network": ({"compose.yaml": compose(a=service(network_mode="host"))}, {}, ["a", "network"]),
    "host directory": ({"compose.yaml": compose(a=service(volumes=["/etc:/d"]))}, {}, ["a", "volumes", "/etc"]),
    "home directory": ({"compose.yaml": compose(a=service(volumes=["~/.ssh:/d"]))}, {}, ["a", "volumes"]),
    "link to the host": ({"compose.yaml": compose(a=service(volumes=["./l:/d"]))}, {"l": "/etc"}, ["volumes", "/etc"]),
    "long form link": ({"compose.yaml": compose(a=service(volumes=[
        {"type": "bind", "source": "./l", "target": "/d"}]))}, {"l": "/etc"}, ["volumes", "/etc"]),
    "env file outside": ({"compose.yaml": compose(a=service(env_file="/etc/hostname"))}, {}, ["a", "env_file"]),
    "env file by a link": ({"compose.yaml": compose(a=service(env_file="e"))}, {"e": "/etc/hostname"}, ["env_file"]),
    "env file missing": ({"compose.yaml": compose(a=service(env_file="nope"))}, {}, ["env_file"]),
    ".env by a link": ({"compose.yaml": compose(a=service())}, {".env": "/etc/hostname"}, ["/etc/hostname"]),
    "extends of the host": ({"compose.yaml": compose(
        a='{extends: {file: /etc/hostname, service: x}}')}, {}, ["/etc/hostname", "outside of the repository"]),
    "extends above": ({"compose.yaml": compose(a='{extends: {file: ../record/record.json, service: x}}')}, {},
                      ["outside of the repository"]),
    "log path": ({"compose.yaml": compose(a=service(logging={
        "driver": "k8s-file", "options": {"path": "/tmp/pgc-log"}}))}, {}, ["a", "logging"]),
    "init path": ({"compose.yaml": compose(a=service(**{"init-path": "/bin/sh"}))}, {}, ["a", "init-path"]),
    "foreign label": ({"compose.yaml": compose(a=service(labels={"pgod.service": "other"}))}, {}, ["a", "label"]),
    "foreign volume": ({"compose.yaml": compose(a=service(volumes=["d:/d"])) +
                        "volumes: {d: {name: other_data}}\n"}, {}, ["other_data"]),
    "foreign network": ({"compose.yaml": compose(a=service(networks=["n"])) +
                         "networks: {n: {name: podman}}\n"}, {}, ["podman"]),
    "build context outside": ({"compose.yaml": compose(a=service(image="x", build="/etc"))}, {}, ["compose.yaml"]),
    "build context by a link": ({"compose.yaml": compose(a=service(image="x", build="./ctx"))}, {"ctx": "/usr"},
                                ["compose.yaml"]),
    "Dockerfile by a link": ({"compose.yaml": compose(a=service(image="x", build="."))}, {"Dockerfile": "/etc/passwd"},
                             ["build"]),
    "build context as a flag": ({"compose.yaml": compose(a=service(image="x", build="--volume=/etc:/x")),
                                 "--volume=/etc:/x/Dockerfile": "FROM scratch\n"}, {}, ["build"]),
    "port outside": ({"compose.yaml": compose(a=service(ports=["80:80"]))}, {}, ["a", "port", "80"]),
    "random port": ({"compose.yaml": compose(a=service(ports=["80"]))}, {}, ["a", "port"]),
    "too many containers": ({"compose.yaml": compose(a=service(deploy={"replicas": 101}))}, {}, ["from 0 to 100"]),
    "far too many containers": ({"compose.yaml": compose(a=service(deploy={"replicas": 10**9}))}, {}, ["compose.yaml"]),
    "yaml bomb": ({"compose.yaml": BOMB}, {}, ["compose.yaml"]),
    "undeclared network": ({"compose.yaml": compose(a=service(networks=["zz"]))}, {}, ["compose.yaml"]),
    "external network": ({"compose.yaml": compose(a=service()) + "networks: {default: {external: true, name: n}}\n"},
                         {}, ["a", "networks", 'networks = ["n"]']),
    "capability": ({"compose.yaml": compose(a=service(cap_add=["SYS_ADMIN"]))}, {}, ["a", 'allow = ["cap:SYS_ADMIN"]']),
    "security option": ({"compose.yaml": compose(a=service(security_opt=["seccomp:unconfined"]))}, {},
                        ["a", "security_opt", 'allow = ["security-opt:seccomp=unconfined"]']),
    "seccomp profile": ({"compose.yaml": compose(a=service(security_opt=["seccomp=/etc/passwd"]))}, {},
                        ["a", "security_opt", "is not allowed"]),
    "sysctl": ({"compose.yaml": compose(a=service(sysctls={"net.core.somaxconn": 1024}))}, {},
               ["a", "sysctls", 'allow = ["sysctl:net.core.somaxconn"]']),
    "network namespace": ({"compose.yaml": compose(a=service(network_mode="ns:/proc/1/ns/net"))}, {}, ["network_mode"]),
    "host network beside others": ({"compose.yaml": compose(a=service(network_mode="host", networks=["default"]))}, {},
                                   ["network_mode", "stands beside networks"]),
    "volume that is a host directory": ({"compose.yaml": compose(a=service(volumes=["d:/d"])) + json.dumps(
        {"volumes": {"d": {"driver_opts": {"type": "none", "o": "bind", "device": "/etc"}}}})[1:-1] + "\n"}, {},
        ["a", "volumes", '"/etc" is outside']),
    "volume that is a share of the network": ({"compose.yaml": compose(a=service(volumes=["d:/d"])) + json.dumps(
        {"volumes": {"d": {"driver_opts": {"type": "nfs", "o": "addr=h", "device": ":/x"}}}})[1:-1] + "\n"}, {},
        ["compose.yaml:", "volumes.d.driver_opts", "cannot mount nfs"]),
    "socket of docker": ({"compose.yaml": compose(a=service(volumes=["/var/run/docker.sock:/s"]))}, {},
                         ["a", "/var/run/docker.sock", "nothing permits this"]),
    "unknown key of a long volume": ({"compose.yaml": compose(a=service(volumes=[
        {"type": "volume", "source": "d", "target": "/d", "volume": {"frobnicate": 1}}])) + "volumes: {d: {}}\n"}, {},
        ["a", "volumes.volume", "frobnicate"]),
    "secret within a name with a star": ({"compose.yaml": compose(a=service(environment={"X*": "y"}))}, {},
                                         ["a", "environment", "X*"]),
    "network driver": ({"compose.yaml": compose(a=service()) + "networks: {default: {driver: macvlan}}\n"}, {},
                       ["networks", "default", "macvlan"]),
    "fixed address": ({"compose.yaml": compose(a=service(networks={"default": {"ipv4_address": "10.89.0.9"}})) +
                       "networks: {default: {}}\n"}, {}, ["a", "ipv4_address", "in no subnet"]),
    "gpu": ({"compose.yaml": compose(a=service(deploy={"resources": {"reservations": {"devices": [
        {"capabilities": ["gpu"]}]}}}))}, {}, ["a", "deploy.resources.reservations.devices"]),
    "build context of another place": ({"compose.yaml": compose(a=service(image="x", build={
        "context": ".", "additional_contexts": {"x": "/etc"}})), "Dockerfile": "FROM x\n"}, {},
        ["a", "build.additional_contexts"]),
    "variable that must be set": ({"compose.yaml": compose(a=service(hostname="${A:?say who}")), ".env": "A=\n"}, {},
                                  ["compose.yaml:2", "say who"]),
    "bind in another bind": ({"compose.yaml": compose(a=service(
        volumes=["./shared:/s", "./shared/sub:/x"], restart="always"))}, {}, ["a", "volumes", "shared/sub"]),
    "image of another service": ({"compose.yaml": compose(a=service(image="localhost/pgod/b:1"))}, {}, ["a", "image"]),
    "host pid namespace": ({"compose.yaml": compose(a=service(pid="host"))}, {}, ["a", "pid"]),
}


class Hostile(scene.ComposeTest):
    user_name = "pgchost"

    def test_every_hostile_file_is_rejected_while_the_old_version_runs(self):
        port = harness.free_port()
        svc = self.service(ports=[(port, port)])
        good = {"compose.yaml": compose(web=web(port, volumes=["./html:/www"])), "html/index.html": "good"}
        self.good(svc.deploy(good))
        svc.tree("html/data").write_text("untracked")
        before, commit, tree = svc.ids(), svc.commit, sorted(p.name for p in svc.tree(".").rglob("*"))
        for name, (files, links, words) in CASES.items():
            with self.subTest(name):
                result = self.rejected(svc.deploy(files, links), *words)
                self.assertEqual((result.commit, result.health), (commit, "healthy"))
                self.assertEqual((svc.ids(), harness.fetch(port)), (before, "good"))
                self.assertEqual(sorted(p.name for p in svc.tree(".").rglob("*")), tree)
                self.assertEqual(len(result.error.splitlines()), 1)
        self.good(svc.deploy({**good, "compose.yaml": good["compose.yaml"] + "# 2\n"}), changed=True)

    def test_containers_of_another_service_are_not_reached_by_address(self):
        served = service("sh -c 'echo inside > /www/index.html; exec httpd -f -p 8080 -h /www'")
        one, other = self.service(), self.service()
        for svc in (one, other):
            self.good(svc.deploy({"compose.yaml": compose(a=served, b=service())}))
        address = self.user.podman("inspect", f"{other.name}_a_1", "--format",
                                   "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}").strip()

        def asked_from(container):
            return self.user.podman("exec", container, "sh", "-c",
                                    f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 {address} 8080", check=False)

        harness.wait_until("its own service reaches it", lambda: "inside" in asked_from(f"{other.name}_b_1"))
        self.assertNotIn("inside", asked_from(f"{one.name}_b_1"))

    def test_images_of_others_are_not_run_by_their_id(self):
        svc = self.service()
        image = self.user.podman("image", "inspect", harness.User.IMAGE, "--format", "{{.Id}}").strip()
        for name in (image, image[:12], image[:4], f"sha256:{image}"):
            self.rejected(svc.deploy({"compose.yaml": compose(a=service(image=name))}), "a", "image", "id of an image")

    def test_labels_of_the_image_do_not_let_podman_auto_update_act(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(a=service(image="own", build=".")),
                              "Containerfile": f"FROM {harness.User.IMAGE}\nLABEL io.containers.autoupdate=registry "
                                               "PODMAN_SYSTEMD_UNIT=other.service\n"}))
        labels = json.loads(self.user.podman("inspect", f"{svc.name}_a_1"))[0]["Config"]["Labels"]
        self.assertEqual((labels["io.containers.autoupdate"], labels["PODMAN_SYSTEMD_UNIT"]), ("disabled", ""))
        self.assertNotIn(f"{svc.name}_a_1", self.user.podman("auto-update", "--dry-run", check=False))

    def test_fifo_as_env_file_does_not_hang(self):
        svc = self.service()
        svc.stage({"compose.yaml": compose(a=service())})
        os.mkfifo(svc.path / "stage" / ".env")
        os.chown(svc.path / "stage" / ".env", self.user.uid, self.user.gid)
        self.rejected(svc.do("deploy"), ".env is not a file")

        svc.stage({"compose.yaml": compose(a="{extends: {file: pipe, service: x}}")})
        os.mkfifo(svc.path / "stage" / "pipe")
        os.chown(svc.path / "stage" / "pipe", self.user.uid, self.user.gid)
        self.rejected(svc.do("deploy"), "pipe is not a file")

    def test_python_modules_of_the_repository_do_not_run(self):
        svc = self.service()
        trap = "open('/tmp/pgc-trap', 'w').write('ran')\n"
        self.good(svc.deploy({"compose.yaml": compose(a=service()), "yaml.py": trap, "podman_compose.py": trap,
                              "dotenv/__init__.py": trap, "json.py": trap, "sitecustomize.py": trap}))
        self.assertFalse(pathlib.Path("/tmp/pgc-trap").exists())

    def test_a_link_made_by_a_container_is_not_followed(self):
        svc = self.service()
        text = compose(a=service(volumes=["./data:/data"]))
        self.good(svc.deploy({"compose.yaml": text}))
        self.user.podman("exec", f"{svc.name}_a_1", "ln", "-s", str(self.user.home), "/data/y")
        before = svc.ids()
        for source in ("./data/y", "./data/y/.config"):
            for volume in (f"{source}:/y", {"type": "bind", "source": source, "target": "/y"}):
                result = svc.deploy({"compose.yaml": compose(a=service(volumes=[volume]))})
                self.rejected(result, "a: volumes", "link")
                self.assertEqual(svc.ids(), before)
        # The same, of a version that was deployed: what is started again is looked at again.
        self.good(svc.deploy({"compose.yaml": compose(a=service(volumes=["./data/sub:/s"]))}))
        svc.tree("data/sub").rename(svc.tree("data/was"))
        svc.tree("data/sub").symlink_to(self.user.home)
        result = svc.do("restart")
        self.assertEqual(result.exit_status, 1, result)
        self.assertIn("link", result.error)
        # A tracked file where the container put a link: the link goes aside, nothing is written through it.
        svc.tree("data/inner").symlink_to(self.user.home)
        self.good(svc.deploy({"compose.yaml": text, "data/inner/f": "tracked", "data/plain": "1"}))
        self.assertEqual(svc.tree("data/inner/f").read_text(), "tracked")
        self.assertFalse((self.user.home / "f").exists())

    def test_valid_files_that_podman_compose_alone_gets_wrong(self):
        check = {"test": ["CMD", "test", "-e", "/bin/a b"], "interval": "1s", "retries": 2}
        port = harness.free_port()
        svc = self.service()
        for name, text in {
            "a network that nobody uses": compose(a=service()) + "networks: {zz: {}, default: {}}\n",
            "networks as a map": compose(a=service(networks={"front": {"aliases": ["other"]}, "back": None})) +
                                 "networks: {front: {}, back: {}}\n",
            "no network": compose(a=service(network_mode="none")),
            "capabilities that are dropped and given back": compose(a=service(cap_drop=["ALL"], cap_add=["CHOWN"])),
            "no new privileges": compose(a=service(security_opt=["no-new-privileges:true"])),
            "a check without a shell": compose(a=service(
                "sh -c 'touch \"/bin/a b\"; exec sleep 1000'", healthcheck=check, deploy={"replicas": 2})),
            "a check of one word": compose(a=service(healthcheck={"test": ["CMD", "true"], "interval": "1s"})),
            "a check that is disabled": compose(a=service(healthcheck={"disable": True, "test": ["CMD", "false"]})),
            "a driver that is the default": compose(a=web(port, volumes=["v:/v"])) +
                                            "networks: {default: {driver: bridge}}\nvolumes: {v: {driver: local}}\n",
        }.items():
            with self.subTest(name):
                self.good(svc.deploy({"compose.yaml": text}), changed=True)
        self.good(svc.deploy({"compose.yaml": compose(a=service(networks={"default": {"aliases": ["other"]}}),
                                                      b=service()) + "networks: {default: {}}\n"}))
        aliases = json.loads(self.user.podman("inspect", f"{svc.name}_a_1"))[0]["NetworkSettings"]["Networks"]
        self.assertIn("other", aliases[f"{svc.name}_default"]["Aliases"])
        result = svc.deploy({"compose.yaml": compose(a=service(hostname="x${NOBODY_SETS_IT}"))})
        self.good(result)
        self.assertIn("NOBODY_SETS_IT is not set", result.stderr)

    def test_what_the_admin_allows(self):
        svc = self.service()
        missing = svc.deploy({"compose.yaml": compose(a=service(networks=["s"])) +
                              "networks: {s: {external: true, name: pgcshared}}\n"}, networks=["pgcshared"])
        self.assertEqual((missing.exit_status, missing.changed, svc.ids()), (1, False, {}))
        self.assertIn("podman has no network pgcshared", missing.error)
        self.user.podman("network", "create", "pgcshared")
        self.addCleanup(self.user.podman, "network", "rm", "-f", "pgcshared")
        for name, text, settings, seen in (
                ("capability", compose(a=service(cap_add=["NET_RAW"])), {"allow": ["cap:NET_RAW"]},
                 lambda a: "CAP_NET_RAW" in a["EffectiveCaps"]),
                ("device", compose(a=service(devices=["/dev/null:/dev/mine"])), {"allow": ["device:/dev/null"]},
                 lambda a: self.user.podman("exec", a["Id"], "test", "-e", "/dev/mine") == ""),
                ("security option", compose(a=service(security_opt=["seccomp:unconfined"])),
                 {"allow": ["security-opt:seccomp=unconfined"]},
                 lambda a: "seccomp=unconfined" in a["HostConfig"]["SecurityOpt"]),
                ("sysctl", compose(a=service(sysctls={"net.core.somaxconn": 77})),
                 {"allow": ["sysctl:net.core.somaxconn"]},
                 lambda a: self.user.podman("exec", a["Id"], "cat", "/proc/sys/net/core/somaxconn") == "77\n"),
                ("host network", compose(a=service(network_mode="host")), {"allow": ["host-network"]},
                 lambda a: a["HostConfig"]["NetworkMode"] == "host"),
                ("network", compose(a=service(networks=["s"])) + "networks: {s: {external: true, name: pgcshared}}\n",
                 {"networks": ["pgcshared"]}, lambda a: list(a["NetworkSettings"]["Networks"]) == ["pgcshared"])):
            with self.subTest(name):
                svc.stage({"compose.yaml": text})
                self.rejected(svc.do("deploy"), "a: ", "the admin can grant it with")
                self.good(svc.do("deploy", **settings), changed=True)
                self.assertTrue(seen(json.loads(self.user.podman("inspect", f"{svc.name}_a_1"))[0]))
        self.assertIn("pgcshared", self.user.podman("network", "ls"))

    def test_granted_volumes(self):
        granted = self.user.home / "granted"
        (granted / "sub").mkdir(parents=True)
        (granted / "escape").symlink_to("/etc")
        os.chown(granted, self.user.uid, self.user.gid)
        svc = self.service(volumes=[str(granted)])
        for source, good in ((granted, True), (granted / "sub", True), (granted / "escape", False),
                             (granted / "missing", False), (f"{granted}-other", False), (self.user.home, False)):
            with self.subTest(str(source)):
                result = svc.deploy({"compose.yaml": compose(a=service(volumes=[f"{source}:/d"]))})
                self.good(result) if good else self.rejected(result, "volumes")
        self.assertFalse((granted / "missing").exists())

    def test_two_services_that_mount_within_each_others_directories(self):
        shared = self.user.home / "shared"
        (shared / "sub").mkdir(parents=True)
        for path in (shared, shared / "sub"):
            os.chown(path, self.user.uid, self.user.gid)
        first, second = self.service(volumes=[str(shared)]), self.service(volumes=[str(shared)])
        mounts = lambda source, mode="": {"compose.yaml": compose(a=service(volumes=[f"{source}:/d{mode}"]))}
        self.good(first.deploy(mounts(shared)))
        before = first.ids()
        self.rejected(second.deploy(mounts(shared / "sub")), 'a: volumes: ', "lies in", f"service {first.name}")
        self.good(second.deploy(mounts(shared)))
        self.good(first.deploy(mounts(shared, ":ro")))
        self.assertNotEqual(first.ids(), before)
        second.do("down")
        self.good(second.deploy(mounts(shared / "sub")))
        self.rejected(first.deploy(mounts(shared)), 'a: volumes: ', "holds", f"service {second.name}")


if __name__ == "__main__":
    scene.main()
