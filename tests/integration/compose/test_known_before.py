"""What this host would refuse at the switch is known before: `check`, `plan` and the deployment say it, and what runs
goes on."""

import ctypes
import json
import resource
import socket
import subprocess
import threading

import scene
from scene import compose, harness, service


CLONE_NEWNS = 0x20000


def hide(program):
    """From this thread and what it starts."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", "/dev/null", program], check=True)


class KnownBefore(scene.ComposeTest):
    user_name = "pgcknown"

    def running(self):
        svc = self.service(allow=[])
        self.good(svc.deploy({"compose.yaml": compose(web=service())}))
        return svc

    def refused(self, svc, text, *words, status=65, files=(), **settings):
        """By `check`, `plan` and the deployment, with the same words."""
        before = self.user.container_ids()
        svc.stage({**dict(files), "compose.yaml": text})
        for kind in ("check", "plan", "deploy"):
            with self.subTest(kind):
                result = svc.do(kind, **settings)
                self.assertEqual((result.exit_status, result.changed), (status, False), result)
                for word in words:
                    self.assertIn(word, result.error)
                self.assertEqual(self.user.container_ids(), before)

    def test_a_port_below_the_first_one_of_users(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as text:
            first = int(text.read())
        if first < 2:
            self.skipTest("users may bind all ports here")
        self.refused(self.running(), compose(web=service(ports=[f"{first - 1}:80"])),
                     f'web: ports: host port {first - 1}: users of this host may bind ports from {first} on',
                     f"net.ipv4.ip_unprivileged_port_start={first - 1} into /etc/sysctl.d/")

    def test_a_ulimit_above_that_of_the_worker(self):
        svc, hard = self.running(), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.refused(svc, compose(web=service(ulimits={"nofile": hard + 1})),
                     f'web: ulimits: nofile={hard + 1} is above {hard}', "LimitNOFILE")
        self.refused(svc, compose(web=service(ulimits={"nofile": {"soft": 9, "hard": 8}})), "soft is above hard")
        self.refused(svc, compose(web=service(ulimits={"wings": 1})), "wings is no limit that podman knows")

    def test_as_much_as_there_is(self):
        svc, hard = self.service(), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.good(svc.deploy({"compose.yaml": compose(web=service(
            "sh -c 'ulimit -Hn; ulimit -Sn; sleep 1000'",
            ulimits={"nofile": {"soft": 100, "hard": -1}, "memlock": {"soft": -1, "hard": -1}, "nproc": hard // 2}))}))
        harness.wait_until("it prints its limits", lambda: svc.do("logs").stdout == f"{hard}\n100\n")
        self.good(svc.do("deploy"), changed=False)

    def test_init_runs_with_its_program_only(self):
        svc = self.service()
        text = compose(web=service(init=True))
        self.good(svc.deploy({"compose.yaml": text}))
        seen = []
        # The mounts of one thread, which its children inherit.
        thread = threading.Thread(target=lambda: (hide("/usr/bin/catatonit"), seen.append(svc.do("check"))))
        thread.start()
        thread.join()
        self.assertEqual((seen[0].exit_status, seen[0].error),
                         (65, 'compose.yaml:2: web: init: "true": podman finds no catatonit on this host; the admin can install it with '
                              "apt install catatonit"), seen[0])

    def test_host_gateway_is_where_containers_reach_this_host(self):
        svc = self.service()
        with socket.create_server(("0.0.0.0", 0)) as server:
            text = compose(web=service(extra_hosts=["gateway.example:host-gateway"]))
            self.good(svc.deploy({"compose.yaml": text}))
            inside = self.user.podman("exec", f"{svc.name}_web_1", "cat", "/etc/hosts")
            address = next(line.split()[0] for line in inside.splitlines() if "gateway.example" in line)
            caller = threading.Thread(target=scene.greet, args=(server,))
            caller.start()
            port = str(server.getsockname()[1])
            self.assertEqual(self.user.podman("exec", f"{svc.name}_web_1", "nc", "-w", "20", address, port), "hello")
            caller.join()
        self.assertIn('"gateway.example:host-gateway"', (svc.path / "record/record.json").read_text())
        self.good(svc.do("deploy"), changed=False)

    def test_host_gateway_without_an_address(self):
        svc = self.running()
        settings = self.user.home / ".config/containers/containers.conf"
        before = settings.read_text()
        self.addCleanup(settings.write_text, before)
        settings.write_text(before + '[containers]\nhost_containers_internal_ip = "none"\n')
        self.refused(svc, compose(web=service(extra_hosts=["gateway.example:host-gateway"])),
                     'web: extra_hosts', '"host-gateway" has no address')

    def test_an_image_of_this_host_that_is_not_there(self):
        self.refused(self.running(), compose(web=service(image="localhost/no/such:1")),
                     'web: image: podman of this user has no localhost/no/such:1', status=1)

    def stranger_in(self, network):
        self.user.podman("run", "-d", "--name", "stranger", "--network", network, scene.IMAGE, "sleep", "1000")
        self.addCleanup(self.user.podman, "rm", "-f", "-t", "0", "stranger")

    def test_a_network_of_somebody_else(self):
        svc = self.running()
        name = f"{svc.name}_inner"
        self.user.podman("network", "create", name)
        text = compose(web=service(networks=["inner"])) + "networks: {inner: {}}\n"
        self.refused(svc, text, f"networks: podman of this user has a network {name}", f"podman network rm {name}")
        self.user.podman("network", "rm", name)
        self.good(svc.do("deploy"), changed=True)

    def test_a_network_that_must_be_recreated_and_holds_another_container(self):
        svc = self.service()
        text = compose(web=service(networks=["inner"])) + "networks: {inner: {}}\n"
        self.good(svc.deploy({"compose.yaml": text}))
        name = f"{svc.name}_inner"
        self.stranger_in(name)
        inner = text.replace("{inner: {}}", "{inner: {internal: true}}")
        self.refused(svc, inner, f"networks: {name} must be recreated", f"podman network disconnect {name} stranger")
        self.user.podman("network", "disconnect", name, "stranger")
        self.good(svc.do("deploy"), changed=True)

    def test_a_network_whose_subnet_changes_and_that_holds_another_container(self):
        svc = self.service()
        text = compose(web=service(networks=["inner"])) + "networks: {inner: {ipam: {config: [{subnet: 10.213.7.0/24}]}}}\n"
        self.good(svc.deploy({"compose.yaml": text}))
        name = f"{svc.name}_inner"
        self.stranger_in(name)
        self.refused(svc, text.replace("10.213.7.0", "10.213.8.0"), f"networks: {name} must be recreated",
                     f"podman network disconnect {name} stranger")
        self.user.podman("network", "disconnect", name, "stranger")
        self.good(svc.do("deploy"), changed=True)
        self.assertIn("10.213.8.0/24", self.user.podman("network", "inspect", name))

    def last_uid(self):
        with open("/etc/subuid", encoding="ascii") as text:
            return sum(int(line.split(":")[2]) for line in text if line.startswith(self.user_name + ":"))

    def test_an_image_whose_user_containers_of_this_user_do_not_have(self):
        svc, last = self.running(), self.last_uid()
        for name, user in (("high", last + 1), ("highest", last)):
            made = self.user.podman("create", scene.IMAGE, "true").strip()
            self.user.podman("commit", "-q", "--change", f"USER {user}", made, f"localhost/{name}:latest")
            self.user.podman("rm", made)
        before = self.user.container_ids()
        high = compose(web=service(image="localhost/high:latest"))
        self.rejected(svc.deploy({"compose.yaml": high}), f"web: image: USER: uid {last + 1} is above {last}", "/etc/subuid")
        self.assertEqual(self.user.container_ids(), before)
        self.good(svc.deploy({"compose.yaml": compose(
            web=service(image="localhost/highest:latest"), other=service(image="localhost/high:latest", user="0"))}))

    def test_ids_that_containers_of_this_user_do_not_have(self):
        svc, last = self.running(), self.last_uid()
        owned = [{"source": "s", "uid": str(last + 1), "gid": "0", "mode": 0o400}]
        self.refused(svc, compose(web=service(secrets=owned)) + "secrets: {s: {environment: WORD}}\n",
                     f"web: secrets: /run/secrets/s: uid {last + 1} is above {last}", "/etc/subuid", env=["WORD=x"])
        self.refused(svc, compose(web=service(user=str(last + 1))), f"uid {last + 1} is above {last}", "/etc/subuid")
        owned[0]["uid"] = str(last)
        svc.stage({"compose.yaml": compose(web=service(user=str(last), secrets=owned)) + "secrets: {s: {environment: WORD}}\n"})
        self.good(svc.do("deploy", env=["WORD=x"]), changed=True)
        self.assertEqual(self.user.podman("exec", f"{svc.name}_web_1", "cat", "/run/secrets/s"), "x")

    def test_a_volume_of_another_service(self):
        svc = self.running()
        name = f"{svc.name}_data"
        self.user.podman("volume", "create", "--label", "pgod.service=other", name)
        text = compose(web=service(volumes=["data:/data"])) + "volumes: {data: {}}\n"
        self.refused(svc, text, f"volumes: {name} belongs to service other")
        self.user.podman("volume", "rm", name)
        self.user.podman("volume", "create", name)  # one that the user made by hand holds data to go on with
        self.good(svc.do("deploy"), changed=True)

    def test_all_that_is_in_the_way_is_said_at_once(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(web=service(volumes=["./d:/d"])), "d/a": "1", "d/b": "1"}))
        for name in ("a", "b"):
            svc.tree(f"d/{name}").unlink()
            svc.tree(f"d/{name}").symlink_to("/etc")
        network, volume = f"{svc.name}_inner", f"{svc.name}_data"
        for other in ("inner", "other"):
            self.user.podman("network", "create", f"{svc.name}_{other}")
            self.addCleanup(self.user.podman, "network", "rm", f"{svc.name}_{other}")
        self.user.podman("volume", "create", "--label", "pgod.service=other", volume)
        self.addCleanup(self.user.podman, "volume", "rm", volume)
        for held in ("pgc-held-1", "pgc-held-2"):
            self.user.podman("create", "--name", held, scene.IMAGE, "true")
            self.addCleanup(self.user.podman, "rm", held)
        svc.stage({"d/a": "1", "d/b": "1", "compose.yaml": compose(
            web=service(container_name="pgc-held-1", networks=["inner", "other"], volumes=["./d/a:/a", "./d/b:/b", "data:/data"]),
            db=service(container_name="pgc-held-2", networks=["inner"])) + "networks: {inner: {}, other: {}}\nvolumes: {data: {}}\n"})
        before = self.user.container_ids()
        result = svc.do("check", json=True)
        found = json.loads(result.stdout)
        self.assertEqual({(tuple(one["services"]), one["setting"]) for one in found["reasons"]},
                         {(("web",), "container_name"), (("db",), "container_name"), ((), "networks"), ((), "volumes"),
                          (("web",), "volumes")}, found)
        self.assertEqual(len(found["reasons"]), 7, found)
        deployed = self.rejected(svc.do("deploy"), "(and 6 more reasons)")
        for words in ('web: container_name: "pgc-held-1" is taken', 'db: container_name: "pgc-held-2" is taken', network,
                      f"{svc.name}_other", f"volumes: {volume} belongs to service other", "web: volumes: ./d/a", "web: volumes: ./d/b"):
            self.assertIn(words, deployed.stderr)
        self.assertEqual(self.user.container_ids(), before)

    def test_all_granted_objects_that_podman_lacks_are_said_at_once(self):
        svc = self.service(networks=["pgc-net"], volumes=["pgc-one", "pgc-two"])
        svc.stage({"compose.yaml": compose(web=service(networks=["net"], volumes=["one:/one", "two:/two"])) + (
            "networks: {net: {external: true, name: pgc-net}}\n"
            "volumes: {one: {external: true, name: pgc-one}, two: {external: true, name: pgc-two}}\n")})
        result = svc.do("check")
        self.assertEqual(result.exit_status, 1, result)
        self.assertIn("(and 2 more reasons)", result.error)
        for words in ("podman network create pgc-net", "podman volume create pgc-one", "podman volume create pgc-two"):
            self.assertIn(words, result.stderr)

    def test_values_that_podman_would_refuse(self):
        svc = self.running()
        self.refused(svc, compose(web=service(stop_signal="FOO")), "web: stop_signal", '"FOO" is not a signal; write one such as SIGTERM')
        self.refused(svc, compose(web=service(ipc="none", shm_size="64m")), 'web: shm_size', 'beside "ipc: none"')
        self.refused(svc, compose(web=service(mac_address="02:42:ac:11:65:43", networks={"n": {
            "mac_address": "02:42:ac:11:65:44"}})) + "networks: {n: {}}\n", "web: mac_address", "differs from networks.n.mac_address")
        name = f"{svc.name}_one"
        self.refused(svc, compose(web=service(networks=["a", "b"]))
                     + f"networks: {{a: {{name: {name}}}, b: {{name: {name}, internal: true}}}}\n",
                     f"networks.b has the name of networks.a, '{name}', and other settings")

    def test_two_networks_and_volumes_of_one_name(self):
        svc = self.service()
        name = f"{svc.name}_one"
        self.good(svc.deploy({"compose.yaml": compose(web=service(networks=["a", "b"], volumes=["a:/a", "b:/b"])) + "".join(
            f"{key}: {{a: {{name: {name}}}, b: {{name: {name}}}}}\n" for key in ("networks", "volumes"))}), changed=True)
        self.good(svc.do("deploy"), changed=False)

    def test_services_whose_names_begin_with_any_character(self):
        svc = self.service()
        names = {"_x": "first", "-y": "second", ".z": "third"}
        self.good(svc.deploy({"compose.yaml": compose(**{f"'{name}'": service(f"sh -c 'echo {text}; sleep 1000'")
                                                         for name, text in names.items()})}), changed=True)
        self.assertEqual(set(svc.ids()), {f"{svc.name}_{name}_1" for name in names})
        harness.wait_until("it logs", lambda: svc.do("logs", "_x").stdout == "first\n")
        self.good(svc.do("deploy"), changed=False)

    def test_places_where_podman_can_mount_nothing(self):
        svc = self.running()
        configs = "configs: {c: {content: text}}\n"
        files = {"conf/a": "1"}

        def refused(text, *words):
            self.refused(svc, text, *words, files=files)

        refused(compose(web=service(volumes=["./conf:/conf:ro"], configs=[{"source": "c", "target": "/conf/b"}])) + configs,
                'nothing can be mounted at "/conf/b": "./conf" is mounted read-only around it, and holds no "b"')
        refused(compose(web=service(volumes=["./conf:/conf:ro", "cache:/conf/cache"])) + "volumes: {cache: {}}\n",
                'web: volumes: nothing can be mounted at "/conf/cache"')
        refused(compose(web=service(configs=[{"source": "c", "target": "/proc/c"}])) + configs, '"/proc/c" belongs to the kernel')
        refused(compose(web=service(configs=[{"source": "c", "target": "/c"}], tmpfs=["/c/d"])) + configs,
                'nothing can be mounted at "/c/d": "/c" is a file')
        self.good(svc.deploy({**files, "compose.yaml": compose(web=service(
            volumes=["./conf:/conf:ro", "./conf/made:/conf/made", "./other:/other"],
            configs=[{"source": "c", "target": "/conf/a"}, {"source": "c", "target": "/other/b"}])) + configs}), changed=True)
        self.assertEqual(self.user.podman("exec", f"{svc.name}_web_1", "cat", "/conf/a", "/other/b"), "texttext")
        # A place that the version before has, and this commit has no more.
        place = {"conf/old/file": "1"}
        self.good(svc.deploy({**files, **place, "compose.yaml": compose(web=service(volumes=["./conf:/conf:ro"]))}), changed=True)
        refused(compose(web=service(volumes=["./conf:/conf:ro", "cache:/conf/old"])) + "volumes: {cache: {}}\n",
                'nothing can be mounted at "/conf/old"')


if __name__ == "__main__":
    scene.main()
