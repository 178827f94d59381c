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
        self.assertEqual(given, {"commit": svc.commit, "accepted": True, "reason": "", "reasons": []})

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

    def test_the_reasons_of_all_checks_come_together_with_their_places(self):
        svc = self.service(ports=[(5000, 5009)])
        svc.stage({"compose.yaml": f"""services:
  a: &a
    image: {harness.User.IMAGE}
    privileged: true
    ports: ["80:80"]
  b: *a
  c: *a
  d: *a
  e:
    image: {harness.User.IMAGE}
    userns_mode: host
    cpus: 1
    cpu_quota: 1000
    volumes:
      - ./x:/x
      - ../../elsewhere:/y
x-pgo: {{urls: {{"blog.example.org": ":5007"}}}}
"""})
        result = self.check(svc)
        self.assertEqual(result.exit_status, 65, result)
        lines = result.stderr.splitlines()
        for expected in (
                'compose.yaml:4: a, b, c, d: privileged: "true" is not allowed; nothing permits it',
                "compose.yaml:11: e: userns_mode: nothing permits this: it would reach containers, namespaces or groups outside"
                " of this service; remove it",
                "compose.yaml:12: e: cpus stands beside cpu_quota or cpu_period; keep one of the two",
                'compose.yaml:5: a, b, c, d: ports: host port 80 is outside 5000-5009; the admin can grant it with'
                ' ports = ["80/0"]',
                "compose.yaml:17: x-pgo: url \"blog.example.org\" is not a name that this service was given; the admin can grant"
                ' it with domains = ["*.example.org"]'):
            self.assertIn(expected, lines)
        self.assertTrue(any(line.startswith('compose.yaml:16: e: volumes: "../../elsewhere", which leads to ') for line in lines), lines)
        self.assertNotIn(str(svc.path), result.stderr)
        rank = [next(n for n, line in enumerate(lines) if word in line) for word in ("privileged", "e: volumes", "ports", "cpus")]
        self.assertEqual(rank, sorted(rank), lines)
        self.assertRegex(result.error, r"privileged.* \(and \d more reasons\)$|userns_mode.* \(and \d more reasons\)$")
        given = json.loads(self.check(svc, json=True).stdout)
        self.assertEqual(given["reason"], result.error)
        self.assertIn({
            "place": "compose.yaml:5", "services": ["a", "b", "c", "d"], "setting": "ports", "value": "",
            "problem": "host port 80 is outside 5000-5009", "grant": 'ports = ["80/0"]', "advice": ""}, given["reasons"])

    def test_a_commit_without_a_compose_file(self):
        svc = self.service()
        svc.stage({"docker/docker-compose.yml": compose(a=service())})
        result = self.check(svc)
        self.assertEqual(result.exit_status, 65, result)
        self.assertEqual(result.error, "compose.yaml does not exist in this commit (nor compose.yml, docker-compose.yml,"
                         " docker-compose.yaml); docker/docker-compose.yml is there: ask the admin for compose ="
                         ' "docker/docker-compose.yml"')

    def test_several_files_and_profiles(self):
        svc = self.service(compose=["base.yaml", "deploy/over.yaml"], profiles=["b"])
        svc.stage({"base.yaml": compose(a=service(), b=service(profiles=["b"]), c=service(profiles=["c"])),
                   "deploy/over.yaml": "services: {a: {privileged: true}, b: {privileged: true}, c: {privileged: true}}",
                   "compose.override.yaml": "services: {d: {image: x, privileged: true}}"})
        result = self.check(svc)
        self.assertEqual(result.exit_status, 65, result)
        self.assertIn('deploy/over.yaml:1: a, b: privileged: "true" is not allowed', result.stderr)
        self.assertIn("c: runs only with the profile c", result.stderr)
        svc.settings["compose"] = ["base.yaml", "deploy/gone.yaml"]
        self.assertIn('"deploy/gone.yaml", which the admin names, does not exist in this commit', self.check(svc).error)

    def test_a_name_that_somebody_else_holds(self):
        svc, name = self.service(), "pgcpreview-held"
        self.user.podman("create", "--name", name, harness.User.IMAGE, "sleep", "1")
        self.addCleanup(self.user.podman, "rm", name)
        svc.stage({"compose.yaml": compose(a=service(container_name=name))})
        result = self.check(svc)
        self.assertEqual(result.exit_status, 65, result)
        self.assertIn(f'"{name}" is taken', result.stderr)

    def test_only_the_tip_can_be_checked(self):
        svc = self.service()
        svc.stage({"compose.yaml": compose(a=service())})
        for other in ("f" * 40, "000", "main"):
            result = self.check(svc, other)
            self.assertEqual(result.exit_status, 64, result)
            self.assertIn("only the tip of the branch can be looked at", result.stderr)


class Plans(scene.ComposeTest):
    user_name = "pgcplan"

    def plan(self, svc, **settings):
        before = svc.ids(), sorted(p.name for p in svc.path.iterdir() if p.name != "lock")
        result = svc.do("plan", **settings)
        self.assertEqual((svc.ids(), sorted(p.name for p in svc.path.iterdir() if p.name != "lock")), before)
        self.assertEqual((result.changed, result.outcome), (False, None), result)
        return result

    def test_nothing_runs_yet(self):
        svc = self.service()
        svc.stage({"compose.yaml": compose(a=service(image="registry.invalid/none:1"))})
        result = self.plan(svc)
        self.assertEqual(result.exit_status, 0, result)
        self.assertEqual(result.stdout.splitlines(), [
            f"{svc.commit[:12]}, where nothing runs yet", "container a: added", f"network {svc.name}_default: added",
            "image registry.invalid/none:1: would be pulled", "file compose.yaml: added",
            "containers would be made anew: nothing was deployed yet"])

    def test_every_kind_of_change(self):
        svc = self.service(env=["WORD=sesame-open"])
        files = {"compose.yaml": compose(same=service(), other=service(environment={"A": "1"}), old=service()),
                 "data/a": "1", "data/b": "1"}
        self.good(svc.deploy(files))
        running = svc.commit
        svc.stage({"compose.yaml": compose(same=service(), other=service(environment={"A": "${WORD}"}), new=service()),
                   "data/a": "2", "data/c": "1"})
        result = self.plan(svc)
        self.assertEqual(result.exit_status, 0, result)
        self.assertEqual(result.stdout.splitlines(), [
            f"{svc.commit[:12]}, where {running[:12]} runs",
            "container same: unchanged, made anew",
            "container other: changed, made anew", "    - --env=A=1", "    + --env=A=[redacted]",
            "container new: added", "container old: removed",
            "file data/c: added", "file compose.yaml: changed", "file data/a: changed", "file data/b: removed",
            "containers would be made anew: compose.yaml changed"])
        given = json.loads(self.plan(svc, json=True).stdout)
        self.assertNotIn("sesame", json.dumps(given))
        self.assertEqual([(c["service"], c["change"], c["made_anew"]) for c in given["containers"]],
                         [("same", "unchanged", True), ("other", "changed", True), ("new", "added", True),
                          ("old", "removed", False)])
        self.assertEqual(given["files"]["removed"], {"count": 1, "paths": ["data/b"]})

    def test_with_the_strategy_changed_the_others_go_on(self):
        svc = self.service()
        some = "x-pgo: {strategy: changed}\n"
        self.good(svc.deploy({"compose.yaml": some + compose(same=service(), other=service(environment={"A": "1"}))}))
        svc.stage({"compose.yaml": some + compose(same=service(), other=service(environment={"A": "2"}))})
        lines = self.plan(svc).stdout.splitlines()
        self.assertIn("container same: unchanged, goes on running", lines)
        self.assertIn("container other: changed, made anew", lines)
        self.assertEqual(lines[-1], "containers would be made anew: what other asks of podman changed")

    def test_a_commit_that_touches_no_container(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(a=service()), "README": "1"}))
        svc.stage({"compose.yaml": compose(a=service()), "README": "2"})
        self.assertEqual(self.plan(svc).stdout.splitlines()[1:], [
            "container a: unchanged, goes on running", "file README: changed", "no container would be touched"])
        self.assertIsNone(json.loads(self.plan(svc, json=True).stdout)["need"])

    def test_an_image_that_the_repository_builds(self):
        svc = self.service()
        files = {"compose.yaml": compose(a=service(image="pgcplan-built", build=".")),
                 "Dockerfile": f"FROM {harness.User.IMAGE}\nCOPY page /page\n", "page": "1"}
        self.good(svc.deploy(files))
        svc.stage({**files, "page": "2"})
        lines = self.plan(svc).stdout.splitlines()
        self.assertTrue(any(line.startswith("image ") and line.endswith(": would be built") for line in lines), lines)

    def test_one_that_would_be_rejected(self):
        svc = self.service()
        svc.stage({"compose.yaml": compose(a=service(privileged=True))})
        result = self.plan(svc)
        self.assertEqual((result.exit_status, result.stdout), (65, ""), result)
        self.assertIn("privileged", result.stderr)
        self.assertFalse(json.loads(self.plan(svc, json=True).stdout)["accepted"])


if __name__ == "__main__":
    scene.main()
