"""depends_on conditions, which podman-compose 1.0.3 drops, by pgod-work on real rootless podman."""

import scene
from scene import compose, service


class Conditions(scene.ComposeTest):
    user_name = "pgccond"

    @staticmethod
    def after(dependency, condition):
        return {"depends_on": {dependency: {"condition": condition}}}

    def test_healthy_and_ended_are_waited_for(self):
        svc = self.service()
        slow = service("sh -c 'sleep 3; touch /tmp/up; sleep 1000'",
                       healthcheck={"test": ["CMD-SHELL", "test -e /tmp/up"], "interval": "30s"})
        self.good(svc.deploy({"compose.yaml": compose(
            db=slow, migrate=service("sh -c 'sleep 2; echo done > /d/out'", volumes=["./d:/d"],
                                     **self.after("db", "service_healthy")),
            app=service("sh -c 'cat /d/out && sleep 1000'", volumes=["./d:/d"],
                        **self.after("migrate", "service_completed_successfully")))}), changed=True)
        self.assertEqual(self.user.podman("logs", f"{svc.name}_app_1"), "done\n")

    def test_a_condition_that_is_never_met(self):
        rows = (
            (service("sh -c 'exit 3'"), "service_completed_successfully", 60,
             "app waits for dep to end with 0, but it exited with status 3"),
            (service("sleep 1000"), "service_completed_successfully", 2,
             "app waits for dep to end with 0, which it was not within 2s"),
            (service(), "service_healthy", 2, "app waits for dep to be healthy, but it has no healthcheck"),
            (service(healthcheck={"test": ["CMD-SHELL", "echo not-yet-ready; false"], "interval": "30s"}),
             "service_healthy", 2, "app waits for dep to be healthy, which it was not within 2s"),
        )
        for dependency, condition, timeout, sentence in rows:
            with self.subTest(sentence):
                svc = self.service()
                good = self.good(svc.deploy({"compose.yaml": compose(a=service())})).commit
                result = svc.deploy({"compose.yaml": compose(
                    dep=dependency, app=service(**self.after("dep", condition)))}, start_timeout=timeout)
                self.assertEqual((result.exit_status, result.outcome, result.commit), (80, "rolled_back", good), result)
                self.assertIn(sentence, result.stderr)
                self.assertEqual(result.containers, ["a running"])
                if "not-yet-ready" in dependency:
                    self.assertIn("dep healthcheck | exit 1: not-yet-ready", result.stderr)
                    log = (svc.path / "log" / str(svc.commits)).read_text()
                    self.assertIn("dep healthcheck | exit 1: not-yet-ready", log)


if __name__ == "__main__":
    scene.main()
