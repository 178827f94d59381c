"""What pgod-work says about a commit before it is deployed, on real rootless podman; nothing may change."""

import json

import scene
from scene import compose, harness, service


class Checks(scene.ComposeTest):
    user_name = "pgcpreview"

    def check(self, svc, *args, **settings):
        before = svc.ids(), sorted(p.name for p in svc.path.iterdir() if p.name != "lock")
        result = svc.do("check", *args, **settings)
        self.assertEqual((svc.ids(), sorted(p.name for p in svc.path.iterdir() if p.name != "lock")), before)
        self.assertFalse(result.changed, result)
        self.assertIsNone(result.outcome, result)
        return result

    def test_a_commit_that_would_be_accepted(self):
        svc = self.service()
        svc.stage({"compose.yaml": compose(a=service(image="registry.invalid/none:1", volumes=["./d:/d"]))})
        result = self.check(svc)
        self.assertEqual((result.exit_status, result.stdout), (0, f"{svc.commit[:12]} would be accepted\n"), result)
        self.assertEqual(self.check(svc, svc.commit[:4]).exit_status, 0)
        given = json.loads(self.check(svc, json=True).stdout)
        self.assertEqual(given, {"commit": svc.commit, "accepted": True, "reason": ""})

    def test_all_the_reasons_for_which_it_would_be_rejected(self):
        svc = self.service(env=["WORD=sesame-open"])
        self.good(svc.deploy({"compose.yaml": compose(a=service())}))
        svc.stage({"compose.yaml": compose(a=service(privileged=True), b=service(network_mode="${WORD}"))})
        result = self.check(svc)
        self.assertEqual(result.exit_status, 65, result)
        self.assertIn("privileged", result.stderr)
        self.assertNotIn("sesame", result.stderr + result.error)
        self.assertEqual((result.stdout, result.health), ("", "healthy"))
        given = json.loads(self.check(svc, json=True).stdout)
        self.assertFalse(given["accepted"])
        self.assertNotIn("sesame", given["reason"])

    def test_a_name_that_somebody_else_holds(self):
        svc, name = self.service(), "pgcpreview-held"
        self.user.podman("create", "--name", name, harness.User.IMAGE, "sleep", "1")
        self.addCleanup(self.user.podman, "rm", name)
        svc.stage({"compose.yaml": compose(a=service(container_name=name))})
        result = self.check(svc)
        self.assertEqual(result.exit_status, 65, result)
        self.assertIn(f"the container name {name} is taken", result.stderr)

    def test_only_the_tip_can_be_checked(self):
        svc = self.service()
        svc.stage({"compose.yaml": compose(a=service())})
        for other in ("f" * 40, "000", "main"):
            result = self.check(svc, other)
            self.assertEqual(result.exit_status, 64, result)
            self.assertIn("only the tip of the branch can be checked", result.stderr)


if __name__ == "__main__":
    scene.main()
