"""Keys of the compose file by pgod-work on real rootless podman: what a container and a network have of them."""

import json
import time

import scene
from scene import compose, harness, service

CHANGED = "x-pgo: {strategy: changed}\n"


class Keys(scene.ComposeTest):
    user_name = "pgckeys"

    def inspected(self, name):
        return json.loads(self.user.podman("inspect", name))[0]

    def network(self, name):
        return json.loads(self.user.podman("network", "inspect", name))[0]

    def reads(self, container, address):
        return self.user.podman("exec", container, "wget", "-q", "-O", "-", f"http://{address}:8080/", check=False)

    def test_a_container_has_what_its_keys_say(self):
        svc = self.service()
        text = compose(
            a=service(networks={"n": {"ipv4_address": "172.30.7.9", "mac_address": "02:42:ac:11:65:43", "aliases": ["w"]},
                                "m": None},
                      dns=["192.0.2.1"], dns_search=["example.org"], dns_opt=["ndots:2"], oom_score_adj=700, ipc="shareable",
                      working_dir="/", group_add=["27"], init=False, hostname="h", extra_hosts={"far": "10.9.9.9"},
                      tmpfs=["/t:size=1m,mode=0700"], volumes=[{"type": "volume", "source": "v", "target": "/v",
                                                                "volume": {"nocopy": True}}],
                      ulimits={"nofile": {"soft": 100, "hard": 200}}, stop_grace_period="7s", tty=True, stdin_open=True,
                      logging={"driver": "json-file", "options": {"max-size": "1m", "labels": "x"}},
                      platform="linux", annotations={"run.oci.x": "y"}, pull_policy="daily"),
            b=service(networks={"n": None}, ipc="none"), c=service(network_mode="bridge"), d=service(deploy={"replicas": 0})
        ) + ("volumes: {v: }\nnetworks: {n: {ipam: {config: [{subnet: 172.30.7.0/24, gateway: 172.30.7.200, ip_range: "
             "172.30.7.64/26}]}}, m: }\n")
        done = self.good(svc.deploy({"compose.yaml": text}))
        for said in ("annotations: pgod ignores this", "logging.options.labels: pgod ignores this",
                     "pull_policy: pgod ignores this"):
            self.assertIn(said, done.stderr)
        found = self.inspected(f"{svc.name}_a_1")
        networks, host, config = found["NetworkSettings"]["Networks"], found["HostConfig"], found["Config"]
        own = networks[f"{svc.name}_n"]
        self.assertEqual((own["IPAddress"], own["MacAddress"], own["Gateway"]),
                         ("172.30.7.9", "02:42:ac:11:65:43", "172.30.7.200"))
        self.assertIn(f"{svc.name}_m", networks)
        self.assertIn("w", own["Aliases"])
        self.assertEqual((host["Dns"], host["DnsSearch"], host["DnsOptions"], host["OomScoreAdj"]),
                         (["192.0.2.1"], ["example.org"], ["ndots:2"], 700))
        self.assertEqual((host["IpcMode"], host["GroupAdd"], host["ExtraHosts"], host["LogConfig"]["Type"]),
                         ("shareable", ["27"], ["far:10.9.9.9"], "json-file"))
        self.assertEqual((config["WorkingDir"], config["Hostname"], config["Tty"], config["OpenStdin"]), ("/", "h", True, True))
        self.assertIn({"Name": "RLIMIT_NOFILE", "Soft": 100, "Hard": 200}, host["Ulimits"])
        self.assertIn("700", self.user.podman("exec", f"{svc.name}_a_1", "cat", "/proc/1/oom_score_adj"))
        self.assertNotIn("run.oci.x", json.dumps(config.get("Annotations")))
        address = self.inspected(f"{svc.name}_b_1")["NetworkSettings"]["Networks"][f"{svc.name}_n"]["IPAddress"]
        self.assertIn(int(address.rpartition(".")[2]), range(64, 128), address)
        self.assertEqual(list(self.inspected(f"{svc.name}_c_1")["NetworkSettings"]["Networks"]), [f"{svc.name}_default"])
        self.assertEqual(len(self.user.containers(True)), 3)
        # What podman had and what the file says are one: nothing is recreated.
        self.good(svc.deploy({"compose.yaml": text, "README": "x"}), changed=False)

    def test_options_of_a_tmpfs_and_ports_without_a_network_of_its_own(self):
        svc = self.service(allow=["host-network"])
        done = self.good(svc.deploy({"compose.yaml": compose(
            a=service(network_mode="none", ports=["127.0.0.1:8080:80"], tmpfs=["/ro:ro,size=1m", "/no:noexec,size=1m"]),
            b=service(network_mode="host", ports=["127.0.0.1:8080:80"]))}))
        self.assertIn("a: ports: pgod ignores this: the container has no network", done.stderr)
        self.assertIn("b: ports: pgod ignores this: the container has the ports of the host", done.stderr)
        self.assertEqual([one["Ports"] or [] for one in self.user.containers().values()], [[], []])
        mounts = {line.split()[1]: line.split()[3].split(",") for line in self.user.podman(
            "exec", f"{svc.name}_a_1", "cat", "/proc/mounts").splitlines()}
        self.assertIn("ro", mounts["/ro"])
        self.assertIn("noexec", mounts["/no"])
        self.assertIn("rw", mounts["/no"])

    def sharing(self, word="one"):
        return {"compose.yaml": compose(
            web=service("httpd -f -p 8080 -h /www", volumes=["./page:/www/index.html"], environment={"WORD": word}),
            side=service(network_mode="service:web"), last=service(network_mode="service:side"), far=service()) + CHANGED,
            "page": "of web"}

    def test_a_service_shares_the_network_of_another_one(self):
        svc = self.service()
        self.good(svc.deploy(self.sharing()))
        web, side, last, far = (f"{svc.name}_{one}_1" for one in ("web", "side", "last", "far"))
        first = svc.ids()
        self.assertEqual(self.reads(side, "127.0.0.1"), "of web")
        self.assertEqual(self.reads(last, "127.0.0.1"), "of web")
        done = self.good(svc.deploy(self.sharing("two")), changed=True)
        self.assertIn("side shares the network of web", done.stderr)
        ids = svc.ids()
        self.assertEqual(ids[far], first[far])
        self.assertTrue(all(ids[one] != first[one] for one in (web, side, last)), (first, ids))
        self.assertEqual(self.reads(last, "127.0.0.1"), "of web")
        restarted = svc.do("restart", "web")
        self.assertEqual(restarted.exit_status, 0, restarted)
        self.assertEqual((svc.ids(), self.reads(last, "127.0.0.1")), (ids, "of web"))
        # Somebody else restarts it: its network is another one from then on. podman says in which second that was.
        now = int(time.time())
        harness.wait_until("the next second", lambda: time.time() >= now + 1)
        self.user.podman("restart", "-t", "0", web)
        healed = svc.do("heal")
        self.assertEqual((healed.exit_status, healed.changed), (0, True), healed)
        self.assertIn("side lost the network that it shares with web", healed.stderr)
        self.assertEqual((svc.ids()[web], self.reads(last, "127.0.0.1")), (ids[web], "of web"))
        self.assertEqual(svc.do("heal").changed, False)
        down = svc.do("down")
        self.assertEqual((down.exit_status, svc.ids()), (0, {}), down)

    def test_what_cannot_share_a_network_is_refused(self):
        svc = self.service()
        for more, words in (({"ports": ["8080:80"]}, "ports: belongs to the service whose network"),
                            ({"extra_hosts": ["a:10.0.0.1"]}, "extra_hosts: belongs to"), ({"hostname": "h"}, "hostname: belongs")):
            self.rejected(svc.deploy({"compose.yaml": compose(a=service(), b=service(network_mode="service:a", **more))}), words)
        several = compose(a=service(scale=2), b=service(network_mode="service:a"))
        self.rejected(svc.deploy({"compose.yaml": several}), "has several containers")
        for mode, words in (("container:x", "write service:NAME"), ("service:none", "there is no service"),
                            ("host", '"host"'), ("ns:/proc/1/ns/net", "is not allowed")):
            self.rejected(svc.deploy({"compose.yaml": compose(a=service(network_mode=mode))}), words)

    def addressed(self, subnet, address, network="n"):
        return {"compose.yaml": compose(a=service(networks={network: {"ipv4_address": address}}))
                + f"networks: {{{network}: {{ipam: {{config: [{{subnet: {subnet}}}]}}}}}}\n" + CHANGED}

    def test_a_network_follows_its_subnet(self):
        svc = self.service()
        self.good(svc.deploy(self.addressed("172.31.7.0/24", "172.31.7.9")))
        first = svc.ids()
        done = self.good(svc.deploy(self.addressed("172.31.7.0/25", "172.31.7.9")), changed=True)
        self.assertIn("network", done.stderr)
        self.assertEqual(self.network(f"{svc.name}_n")["subnets"][0]["subnet"], "172.31.7.0/25")
        self.assertNotEqual(svc.ids(), first)
        # Another network with the same addresses comes in its place, and on a failure the first one again.
        self.good(svc.deploy(self.addressed("172.31.7.0/25", "172.31.7.9", "other")), changed=True)
        bad = self.addressed("172.31.7.0/25", "172.31.7.9", "third")
        bad["compose.yaml"] = bad["compose.yaml"].replace("sleep 1000", "false")
        result = svc.deploy(bad)
        self.assertEqual((result.exit_status, result.outcome), (80, "rolled_back"), result)
        own = self.inspected(f"{svc.name}_a_1")["NetworkSettings"]["Networks"]
        self.assertEqual({name: one["IPAddress"] for name, one in own.items()}, {f"{svc.name}_other": "172.31.7.9"})

    def test_addresses_that_somebody_else_has_are_named_before_anything_stops(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(a=service())}))
        before = svc.ids()
        self.user.podman("network", "create", "--subnet", "172.29.9.0/24", "pgckeys-foreign")
        self.addCleanup(self.user.podman, "network", "rm", "pgckeys-foreign")
        words = "overlaps 172.29.9.0/24 of the network pgckeys-foreign"
        self.rejected(svc.deploy(self.addressed("172.29.9.128/25", "172.29.9.130")), words)
        check = svc.do("check")
        self.assertEqual(check.exit_status, 65, check)
        self.assertIn(words, check.error)
        for subnet, address, words in (("8.8.8.0/24", "8.8.8.9", "is not private"), ("10.0.0.0/9", "10.1.1.1", "is too large"),
                                       ("10.0.2.0/24", "10.0.2.9", "podman itself needs"),
                                       ("172.29.8.0/24", "172.29.7.9", "is in no subnet of this network"),
                                       ("172.29.8.0/24", "172.29.8.1", "is the gateway of its network"),
                                       ("172.29.8", "172.29.8.1", "is neither an address nor a range")):
            self.rejected(svc.deploy(self.addressed(subnet, address)), words)
        self.assertEqual(svc.ids(), before)


if __name__ == "__main__":
    scene.main()
