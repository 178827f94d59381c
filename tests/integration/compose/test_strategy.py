"""x-pgo: {strategy: changed} by pgod-work on real rootless podman: which containers stay the same ones."""

import scene
from scene import compose, harness, service, web

CHANGED = "x-pgo: {strategy: changed}\n"


class Strategy(scene.ComposeTest):
    user_name = "pgcstrat"

    def files(self, port, word="one", **more):
        """A web server with a page of its own, a file that it has by content, and a database."""
        text = compose(web=web(port, volumes=["./page:/www/index.html"], environment={"WORD": word}),
                       db=service(volumes=["data:/d"], stop_signal="SIGTERM"), **more)
        return {"compose.yaml": text + "volumes: {data: {}}\n" + CHANGED, "page": word}

    def ids(self, svc):
        return {name.removeprefix(svc.name + "_"): id for name, id in svc.ids().items() if name.startswith(svc.name)}

    def test_the_database_beside_the_web_server_stays_up(self):
        svc, port = self.service(), harness.free_port()
        self.good(svc.deploy(self.files(port)), changed=True)
        first = self.ids(svc)
        second = self.good(svc.deploy(self.files(port, "two", extra=service())), changed=True)
        ids = self.ids(svc)
        self.assertEqual((ids["db_1"], harness.served(port)), (first["db_1"], "two"))
        self.assertNotEqual(ids["web_1"], first["web_1"])
        self.assertIn("what web asks of podman changed; extra is new", second.stderr)
        labels = {name: c["Labels"]["pgod.deployment"] for name, c in self.user.containers().items()
                  if name.startswith(svc.name)}
        self.assertEqual(labels, {f"{svc.name}_web_1": "2", f"{svc.name}_db_1": "1", f"{svc.name}_extra_1": "2"})
        recorded = {c["name"]: (c["id"], c["deployment"]) for c in svc.record()["containers"]}
        self.assertEqual(recorded, {name: (ids[name.removeprefix(svc.name + "_")], int(number))
                                    for name, number in labels.items()})
        # nothing but a comment, a mounted file, one container less
        self.good(svc.deploy({**self.files(port, "two", extra=service()), "README": "x"}), changed=False)
        mounted = self.files(port, "two", extra=service())
        self.assertIn("page changed, which web has", self.good(svc.deploy({**mounted, "page": "three"})).stderr)
        self.assertEqual((self.ids(svc)["db_1"], harness.served(port)), (first["db_1"], "three"))
        web_before = self.ids(svc)["web_1"]
        less = self.good(svc.deploy({**self.files(port, "two"), "page": "three"}), changed=True)
        self.assertIn("extra is not in it any more", less.stderr)
        self.assertEqual(self.ids(svc), {"web_1": web_before, "db_1": first["db_1"]})
        self.good(svc.do("deploy"), changed=False)

    def test_a_failure_leaves_the_untouched_one_alone(self):
        svc, port = self.service(), harness.free_port()
        good = self.good(svc.deploy(self.files(port))).commit
        first = self.ids(svc)
        bad = self.files(port, "two")
        bad["compose.yaml"] = bad["compose.yaml"].replace("httpd -f", "false httpd -f")
        result = svc.deploy(bad)
        self.assertEqual((result.exit_status, result.outcome, result.commit), (80, "rolled_back", good), result)
        self.assertEqual((self.ids(svc)["db_1"], harness.served(port)), (first["db_1"], "one"))
        self.assertEqual(result.containers, ["db running", "web running"])
        self.good(svc.deploy(self.files(port, "three")), changed=True)
        self.assertEqual((self.ids(svc)["db_1"], harness.served(port)), (first["db_1"], "three"))
        back = self.good(svc.do("rollback", deployment=9, commit=""), changed=True)
        self.assertEqual((back.commit, harness.served(port)), (good, "one"))

    def test_what_died_is_made_anew_and_force_means_all(self):
        svc, port = self.service(), harness.free_port()
        self.good(svc.deploy(self.files(port)))
        first = self.ids(svc)
        self.user.podman("rm", "-f", "-t", "0", f"{svc.name}_web_1")
        self.assertIn("web has no container", self.good(svc.do("deploy"), changed=True).stderr)
        self.assertEqual(self.ids(svc)["db_1"], first["db_1"])
        self.good(svc.do("deploy", force=True), changed=True)
        self.assertFalse(set(first.values()) & set(self.ids(svc).values()))

    def test_a_network_that_is_made_anew_takes_its_containers_along(self):
        svc = self.service()
        text = ("services:\n  a: " + service(networks=["inner"]) + "\n  b: " + service(networks=["outer"]) +
                "\nnetworks: {inner: {internal: %s}, outer: {}}\n" + CHANGED)
        self.good(svc.deploy({"compose.yaml": text % "false"}))
        first = self.ids(svc)
        self.good(svc.deploy({"compose.yaml": text % "true"}), changed=True)
        ids = self.ids(svc)
        self.assertEqual(ids["b_1"], first["b_1"])
        self.assertNotEqual(ids["a_1"], first["a_1"])
        self.user.podman("rm", "-f", "-t", "0", f"{svc.name}_a_1")
        self.user.podman("network", "rm", f"{svc.name}_inner")
        self.user.podman("network", "create", "--label", f"pgod.service={svc.name}", f"{svc.name}_inner")
        self.good(svc.do("deploy"), changed=True)
        self.assertEqual(self.ids(svc)["b_1"], first["b_1"])
        self.assertIn('"internal": true', self.user.podman("network", "inspect", f"{svc.name}_inner"))

    def test_settings_that_do_not_exist(self):
        svc = self.service()
        text = compose(a=service())
        for given, problem in (("{strategy: rolling}", 'strategy "rolling" is unknown'), ("[changed]", "and not a list"),
                               ("{speed: 1}", '"speed" is not a setting')):
            self.rejected(svc.deploy({"compose.yaml": f"{text}x-pgo: {given}\n"}), problem)


if __name__ == "__main__":
    scene.main()
