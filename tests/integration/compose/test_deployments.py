"""Deployments by pgod-work on real rootless podman: what is touched, what is not, and what the tree holds."""

import json
import os


import scene
from scene import compose, harness, service, web


class Deployments(scene.ComposeTest):
    user_name = "pgcdeploy"

    def test_first_deployment_and_redeployment(self):
        svc, port = self.service(), harness.free_port()
        files = {"compose.yaml": compose(web=web(port, volumes=["./html:/www"]), db=service()),
                 "html/index.html": "one"}
        first = self.good(svc.deploy(files), changed=True)
        self.assertEqual(harness.served(port), "one")
        self.assertEqual(first.commit, svc.commit)
        self.assertEqual(first.containers, ["db running", "web running"])
        self.assertEqual(first.steps, ["plan", "switch", "verify"])
        before = svc.ids()
        files["compose.yaml"] += "x-gpo-version: 2\n"
        self.good(svc.deploy(files), changed=True)
        self.assertFalse(set(before.values()) & set(svc.ids().values()))
        self.assertEqual(svc.record()["commit"], svc.commit)

    def test_service_removed_by_a_commit_is_gone(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(a=service(), b=service())}))
        result = self.good(svc.deploy({"compose.yaml": compose(a=service())}))
        self.assertEqual(result.containers, ["a running"])
        self.assertNotIn(f"{svc.name}_b_1", self.user.containers(all_states=True))

    def test_readme_only_and_bound_directory_touch_no_container(self):
        svc, port = self.service(), harness.free_port()
        files = {"compose.yaml": compose(web=web(port, volumes=["./html:/www"])), "html/index.html": "one",
                 "html/old.html": "old", "README.md": "1"}
        self.good(svc.deploy(files))
        before = svc.ids()
        result = self.good(svc.deploy({**files, "README.md": "2"}), changed=False)
        self.assertEqual((svc.ids(), result.commit), (before, svc.commit))
        self.assertEqual(svc.tree("README.md").read_text(), "2")
        files["html/index.html"], files["html/new/x.html"] = "two", "deep"
        del files["html/old.html"]
        self.good(svc.deploy(files), changed=False)
        self.assertEqual(svc.ids(), before)
        self.assertEqual([harness.served(port), harness.served(port, "/new/x.html"), harness.fetch(port, "/old.html")],
                         ["two", "deep", None])

    def test_bound_directory_survives_the_loss_of_its_last_file(self):
        svc, port = self.service(), harness.free_port()
        files = {"compose.yaml": compose(web=web(port, volumes=["./html:/www"])), "html/index.html": "one"}
        self.good(svc.deploy(files))
        before = svc.ids()
        self.good(svc.deploy({"compose.yaml": files["compose.yaml"]}), changed=False)
        self.good(svc.deploy({**files, "html/index.html": "again"}), changed=False)
        self.assertEqual((harness.served(port), svc.ids()), ("again", before))

    def test_single_bound_file_and_env_file_redeploy(self):
        svc, port = self.service(), harness.free_port()
        files = {"compose.yaml": compose(web=web(port, volumes=["./page:/www/index.html"], env_file="vars")),
                 "page": "one", "vars": "A=1\n"}
        self.good(svc.deploy(files))
        self.assertEqual(harness.served(port), "one")
        files["page"] = "two"
        self.assertIn("page changed", self.good(svc.deploy(files), changed=True).stderr)
        self.assertEqual(harness.served(port), "two")
        files["vars"] = "A=2\n"
        self.assertIn("vars changed", self.good(svc.deploy(files), changed=True).stderr)
        name = f"{svc.name}_web_1"
        self.assertIn("A=2", self.user.podman("exec", name, "env"))

    def test_same_commit_again_does_nothing_unless_forced_or_broken(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(a=service())}))
        before = svc.ids()
        self.good(svc.do("deploy"), changed=False)
        self.assertEqual(svc.ids(), before)
        self.good(svc.do("deploy", force=True), changed=True)
        self.assertNotEqual(svc.ids(), before)
        self.user.podman("rm", "-f", "-t", "0", f"{svc.name}_a_1")
        self.assertEqual(svc.do("observe").health, "missing")
        self.assertIn("a has no container", self.good(svc.do("deploy"), changed=True).stderr)

    def test_untracked_data_stays_and_local_changes_are_kept_aside(self):
        svc = self.service()
        files = {"compose.yaml": compose(a=service(volumes=["./data:/data"])), "config": "1", "gone": "1",
                 "data/tracked": "1"}
        self.good(svc.deploy(files))
        self.user.podman("exec", f"{svc.name}_a_1", "sh", "-c", "echo precious > /data/db; echo mine > /data/tracked")
        svc.tree("config").write_text("edited")
        svc.tree("gone").write_text("edited too")
        svc.tree("later").write_text("untracked")
        files = {"compose.yaml": files["compose.yaml"] + "# 2\n", "config": "2", "data/tracked": "2", "later": "new"}
        result = self.good(svc.deploy(files), changed=True)
        self.assertEqual(svc.tree("data/db").read_text(), "precious\n")
        self.assertEqual([svc.tree(p).read_text() for p in ("config", "data/tracked", "later")], ["2", "2", "new"])
        saved = {p: svc.tree(f"{p}.pgod-saved-1").read_text() for p in ("config", "gone", "data/tracked", "later")}
        self.assertEqual(saved, {"config": "edited", "gone": "edited too", "data/tracked": "mine\n",
                                 "later": "untracked"})
        self.assertFalse(svc.tree("gone").exists())
        self.assertIn("config was changed in the work tree; it is kept as config.pgod-saved-1", result.stderr)

    def test_a_directory_that_becomes_a_file_and_back(self):
        svc = self.service()
        text = compose(a=service())
        self.good(svc.deploy({"compose.yaml": text, "x/y": "1", "f": "1"}))
        self.good(svc.deploy({"compose.yaml": text, "x": "file", "f/g": "2"}))
        self.assertEqual((svc.tree("x").read_text(), svc.tree("f/g").read_text()), ("file", "2"))
        self.good(svc.deploy({"compose.yaml": text, "x/y": "1", "f": "1"}))
        self.assertEqual(svc.tree("x/y").read_text(), "1")
        self.assertEqual(sorted(p.name for p in svc.tree(".").iterdir()), ["compose.yaml", "f", "x"])

    def test_environment_wins_and_stays_out_of_argv(self):
        svc = self.service(env=["WHO=the-admin"])
        text = compose(a=service("sleep 1000", environment={"WHO": "${WHO}", "MULTI": "a\nb"}))
        result = self.good(svc.deploy({"compose.yaml": text, ".env": "WHO=the-repository\n"}))
        shown = self.user.podman("exec", f"{svc.name}_a_1", "env")
        self.assertIn("WHO=the-admin", shown)
        self.assertIn("MULTI=a\nb", shown)
        made = json.loads(self.user.podman("inspect", f"{svc.name}_a_1"))[0]["Config"]["CreateCommand"]
        self.assertFalse([word for word in made if "the-admin" in word], made)
        self.assertFalse(list(svc.path.glob("env-*")))
        self.assertNotIn("the-admin", result.stderr)

    def test_build_is_by_image_id(self):
        svc, port = self.service(), harness.free_port()
        files = {"compose.yaml": compose(web=web(port, image="own", build=".")),
                 "Containerfile": f"FROM {scene.IMAGE}\nCOPY index.html /www/index.html\n", "index.html": "one",
                 ".dockerignore": "README.md\n"}
        result = self.good(svc.deploy(files))
        self.assertIn("COPY index.html", result.stdout)
        before = svc.ids()
        self.good(svc.deploy({**files, "README.md": "not in the context"}), changed=False)
        self.assertEqual((harness.served(port), svc.ids()), ("one", before))
        files["index.html"] = "two"
        self.assertIn("the image of web changed", self.good(svc.deploy(files), changed=True).stderr)
        self.assertEqual(harness.served(port), "two")
        tags = self.user.podman("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
        self.assertEqual(tags.count(f"localhost/pgod/{svc.name}:"), 2, f"what runs and the one before: {tags}")

    def test_a_build_replaces_no_image_of_another_service(self):
        victim = self.service()
        build = {"Containerfile": f"FROM {scene.IMAGE}\nRUN echo mine > /who\n"}
        self.good(victim.deploy({"compose.yaml": compose(web=service(image="shared_name", build=".")), **build}))
        self.user.podman("tag", scene.IMAGE, "docker.io/library/nginx:1")
        self.addCleanup(self.user.podman, "rmi", "docker.io/library/nginx:1")
        inspect = ("image", "inspect", "--format", "{{.Id}}", "docker.io/library/nginx:1")
        before = self.user.podman(*inspect)
        other, evil = self.service(), {"Containerfile": f"FROM {scene.IMAGE}\nRUN echo evil > /who\n"}
        text = compose(a=service(image="shared_name", build="."), b=service(image="docker.io/library/nginx:1", build="."))
        other.stage({"compose.yaml": text, **evil})
        self.assertEqual(other.do("build").exit_status, 0)
        self.good(other.do("deploy"), changed=True)
        self.assertEqual(self.user.podman("exec", f"{other.name}_b_1", "cat", "/who"), "evil\n")
        self.assertEqual(self.user.podman(*inspect), before)
        self.assertNotIn("shared_name", self.user.podman("image", "ls"))
        self.good(victim.do("deploy", force=True), changed=True)
        self.assertEqual(self.user.podman("exec", f"{victim.name}_web_1", "cat", "/who"), "mine\n")

    def test_state_behind_a_link_and_a_name_as_long_as_may_be(self):
        svc = self.service()
        link = self.user.home / "link"
        link.symlink_to(self.user.home)
        self.addCleanup(link.unlink)
        name = "n" * 253
        svc.stage({"compose.yaml": compose(a=service(container_name=name, environment={"A": "b"}, volumes=["./d:/d"]))})
        svc.path = link / svc.name
        self.good(svc.do("deploy"), changed=True)
        self.assertIn("A=b", self.user.podman("exec", name, "env"))

    def test_networks_and_volumes_of_the_project(self):
        svc = self.service()
        text = ("services:\n  a: " + service("sh -c 'echo kept >> /d/f; sleep 1000'", volumes=["data:/d"],
                                             networks=["inner"]) +
                "\nvolumes: {data: {}}\nnetworks: {inner: {internal: %s}}\n")
        self.good(svc.deploy({"compose.yaml": text % "false"}))
        self.good(svc.deploy({"compose.yaml": text % "true"}))
        network = json.loads(self.user.podman("network", "inspect", f"{svc.name}_inner"))[0]
        self.assertTrue(network["internal"], "an internal network that stayed open")
        harness.wait_until("both containers wrote", lambda: self.user.podman(
            "exec", f"{svc.name}_a_1", "cat", "/d/f") == "kept\nkept\n")
        svc.do("down")
        self.assertNotIn(f"{svc.name}_inner", self.user.podman("network", "ls"))
        self.assertIn(f"{svc.name}_data", self.user.podman("volume", "ls"))

    def test_deployment_log_is_written_and_bounded_in_number(self):
        svc = self.service()
        for _ in range(52):
            svc.deploy({"compose.yaml": "services: ["})
        logs = sorted((svc.path / "log").iterdir(), key=lambda p: int(p.name))
        self.assertEqual([p.name for p in logs], [str(n) for n in range(3, 53)])
        self.assertIn("compose.yaml:2: not YAML", logs[-1].read_text())
        self.assertEqual(os.stat(logs[-1]).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    scene.main()
