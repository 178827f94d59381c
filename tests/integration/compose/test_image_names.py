"""Names of images without a registry, by pgod-work on real rootless podman: which image each means, in the compose file and
in a Containerfile, and that a record from before names were completed changes nothing."""

import json

import scene
from scene import compose, harness, service
import hub

PERMANENT = 1  # Code in base/result.hpp


class ImageNames(scene.ComposeTest):
    user_name = "pgcimag"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = hub.Hub(cls.user)
        cls.addClassCleanup(cls.hub.close)

    def images_of(self, svc):
        """compose service → id of what it runs; name in the record → id."""
        record = svc.record()
        return ({container["Labels"]["com.docker.compose.service"]: container["ImageID"]
                 for container in self.user.containers().values() if container["Labels"].get("pgod.service") == svc.name},
                record["images"])

    def environment(self, svc, name, variable):
        return self.user.podman("exec", f"{svc.name}_{name}_1", "sh", "-c", f"echo ${variable}").strip()

    def test_a_name_without_a_registry_is_pulled_from_docker_hub(self):
        one, team = self.hub.publish("library/pgodone", A="1"), self.hub.publish("team/app:2", A="2")
        svc = self.service()
        svc.stage({"compose.yaml": compose(a=service(image="pgodone"), b=service(image="team/app:2"),
                                           c=service(image="index.docker.io/pgodone"))})
        plan = svc.do("plan", json=True)
        self.assertEqual(json.loads(plan.stdout)["to_pull"], ["docker.io/library/pgodone", "docker.io/team/app:2"], plan)
        self.good(svc.do("deploy"), changed=True)
        self.assertEqual(self.images_of(svc), ({"a": one, "b": team, "c": one},
                                               {"docker.io/library/pgodone": one, "docker.io/team/app:2": team}))
        shown = svc.do("ps").stdout
        self.assertIn("docker.io/library/pgodone", shown)
        newer = self.hub.publish("library/pgodone", A="3")
        self.assertEqual(svc.do("pull").exit_status, 0)
        self.good(svc.do("deploy"), changed=True)
        self.assertEqual(self.images_of(svc)[0], {"a": newer, "b": team, "c": newer})

    def test_an_image_of_this_host_is_taken_first_and_never_pulled(self):
        self.hub.publish("library/pgodlocal", A="1")
        self.user.podman("tag", harness.User.IMAGE, "localhost/pgodlocal:latest")
        self.addCleanup(self.user.podman, "untag", harness.User.IMAGE, "localhost/pgodlocal:latest", check=False)
        svc = self.service()
        svc.stage({"compose.yaml": compose(a=service(image="pgodlocal"))})
        self.good(svc.do("deploy"), changed=True)
        self.assertEqual(svc.do("pull").exit_status, 0)
        self.assertEqual(list(self.images_of(svc)[1]), ["localhost/pgodlocal"])
        self.assertEqual(self.hub.pulls("library/pgodlocal"), 0)
        self.user.podman("pull", "-q", "docker.io/library/pgodlocal")
        self.addCleanup(self.user.podman, "rmi", "docker.io/library/pgodlocal", check=False)
        harness.wait_until("the registry tells of a pull", lambda: self.hub.pulls("library/pgodlocal") > 0)

    def test_an_image_that_another_service_builds_is_not_pulled(self):
        self.hub.publish("team/own", A="stranger")
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(a=service(image="team/own", build="."), b=service(image="team/own:latest"),
                                                      c=service(image="localhost/team/own")),
                              "Containerfile": f"FROM {scene.IMAGE}\nENV A=ours\n"}))
        self.assertEqual([self.environment(svc, name, "A") for name in "abc"], ["ours"] * 3)

    def test_a_build_starts_from_the_image_of_docker_hub(self):
        self.hub.publish("library/fedora:1", A="1")
        self.hub.publish("team/tools", B="2")
        svc = self.service()
        # Debian's shortnames.conf gives "fedora" to this registry, and the next build sees what this one starts from.
        other = "registry.fedoraproject.org/fedora:1"
        self.user.podman("tag", harness.User.IMAGE, other)
        self.addCleanup(self.user.podman, "untag", harness.User.IMAGE, other, check=False)
        self.good(svc.deploy({"compose.yaml": compose(web=service(build=".")), "Containerfile": f"FROM {other}\n"}))
        files = {"compose.yaml": compose(web=service(image="fedora:1", build=".")),
                 "Containerfile": "FROM fedora:1\nCOPY --from=team/tools /bin/busybox /tool\nRUN test -x /tool && echo built\n"}
        self.good(svc.deploy(files))
        self.assertEqual(self.environment(svc, "web", "A"), "1")
        self.user.podman("tag", harness.User.IMAGE, "localhost/fedora:1")
        self.addCleanup(self.user.podman, "untag", harness.User.IMAGE, "localhost/fedora:1", check=False)
        self.good(svc.deploy({**files, "more": ""}), changed=True)
        self.assertEqual(self.environment(svc, "web", "A"), "", "it starts from the image of this host")

    def test_a_name_that_only_the_build_finds_is_one_of_docker_hub(self):
        # pgod's own reader of Containerfiles takes nothing that is nested.
        svc = self.service()
        result = svc.deploy({"compose.yaml": compose(web=service(build=".")),
                             "Containerfile": "ARG A=pgodnested\nFROM ${B:-${A}}\n"})
        self.assertEqual((result.exit_status, result.outcome), (1, "failed"), result)
        self.assertIn("registry-1.docker.io", result.error)

    def test_a_build_never_starts_from_a_strangers_image_of_the_name_of_another_build(self):
        self.hub.publish("team/base", A="stranger")
        svc = self.service()
        self.hub.publish("team/base:2", A="stranger")
        files = {"compose.yaml": compose(base=service(image="team/base", build="base"), web=service(build="web")),
                 "base/Containerfile": f"FROM {scene.IMAGE}\n"}
        for more in ("", "COPY --from=team/base:2 /bin/busybox /tool\n"):  # an alias holds for all tags
            with self.subTest(more):
                result = svc.deploy({**files, "web/Containerfile": f"FROM team/base\n{more}RUN echo built\n"})
                self.assertEqual((result.exit_status, result.outcome, result.code), (1, "failed", PERMANENT), result)
                self.assertIn("web: build failed: it starts from team/base, which another build of the compose file makes",
                              result.error)

    def test_a_build_starts_from_no_image_of_another_service(self):
        self.user.podman("tag", harness.User.IMAGE, "localhost/pgod/another:1")
        self.addCleanup(self.user.podman, "untag", harness.User.IMAGE, "localhost/pgod/another:1", check=False)
        svc = self.service()
        for name in ("localhost/pgod/another:1", "pgod/another:1"):
            for line in (f"FROM {name}\n", f"FROM {scene.IMAGE}\nCOPY --from={name} /bin/busybox /tool\n"):
                with self.subTest(line):
                    result = svc.deploy({"compose.yaml": compose(web=service(build=".")), "Containerfile": line})
                    self.assertEqual((result.exit_status, result.outcome, result.code), (1, "failed", PERMANENT), result)
                    self.assertIn(f"it starts from {name}, a name that pgod keeps for itself", result.error)

    def test_a_record_from_before_names_were_completed_changes_nothing(self):
        self.hub.publish("library/pgodold", A="1")
        self.user.podman("tag", harness.User.IMAGE, "localhost/pgodhere:1")
        self.addCleanup(self.user.podman, "untag", harness.User.IMAGE, "localhost/pgodhere:1", check=False)
        for strategy in ("all", "changed"):
            with self.subTest(strategy):
                svc = self.service()
                files = {"compose.yaml": compose(a=service(image="pgodold"), b=service(image="pgodhere:1"),
                                                 c=service(image="own", build="own")) + f"x-pgo: {{strategy: {strategy}}}\n",
                         "own/Containerfile": f"FROM {scene.IMAGE}\n"}
                self.good(svc.deploy(files))
                before = svc.ids()
                path = svc.path / "record" / "record.json"
                text = path.read_text()
                for written, complete in (("pgodold", "docker.io/library/pgodold"), ("pgodhere:1", "localhost/pgodhere:1")):
                    self.assertIn(f'"{complete}"', text)
                    text = text.replace(f'"{complete}"', f'"{written}"')
                path.write_text(text)
                svc.stage({**files, "README.md": "changed"})
                plan = svc.do("plan")
                self.assertIn("no container would be touched", plan.stdout, plan)
                self.assertNotIn("- image", plan.stdout, plan)
                self.good(svc.do("deploy"), changed=False)
                self.assertEqual(svc.ids(), before)
                self.assertIn("docker.io/library/pgodold", svc.record()["images"])


if __name__ == "__main__":
    scene.main()
