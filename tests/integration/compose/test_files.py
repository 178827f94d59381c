"""Secrets and configs of compose files on real podman: what a container reads, and what makes it anew."""

import scene
from scene import compose, service


def with_files(secrets="", configs="", **services):
    return compose(**services) + f"secrets: {{{secrets}}}\nconfigs: {{{configs}}}\n"


class Files(scene.ComposeTest):
    user_name = "pgcfiles"

    def inside(self, svc, *command, name="a"):
        return self.user.podman("exec", f"{svc.name}_{name}_1", *command)

    def test_files_of_the_repository_are_mounted_and_a_changed_one_redeploys(self):
        svc = self.service()
        files = {"compose.yaml": with_files(
            "token: {file: ./token}", "conf: {file: ./conf}",
            a=service(secrets=["token", {"source": "token", "target": "/etc/other"}], configs=["conf"])),
                 "token": "one", "conf": "c"}
        self.good(svc.deploy(files))
        self.assertEqual(self.inside(svc, "cat", "/run/secrets/token", "/etc/other", "/conf"), "oneonec")
        self.assertEqual(self.inside(svc, "sh", "-c", "echo x 2>&- > /run/secrets/token || echo no"), "no\n")
        before = svc.ids()
        self.good(svc.deploy({**files, "README": "1"}), changed=False)
        self.assertEqual(svc.ids(), before)
        self.assertIn("token changed", self.good(svc.deploy({**files, "token": "two"}), changed=True).stderr)
        self.assertEqual(self.inside(svc, "cat", "/run/secrets/token"), "two")

    def test_a_file_of_the_host_needs_a_grant(self):
        granted = self.user.home / "granted"
        granted.mkdir()
        (granted / "token").write_text("of the host")
        svc = self.service()
        files = {"compose.yaml": with_files(f"token: {{file: {granted}/token}}", a=service(secrets=["token"]))}
        self.rejected(svc.deploy(files), str(granted))
        self.good(svc.deploy(files, volumes=[str(granted)]))
        self.assertEqual(self.inside(svc, "cat", "/run/secrets/token"), "of the host")

    def test_a_file_that_is_not_in_the_repository_is_refused(self):
        svc = self.service()
        self.rejected(svc.deploy({"compose.yaml": with_files("token: {file: ./token}", a=service(secrets=["token"]))}),
                      "compose.yaml:2: a: secrets: token: the repository holds no token")


if __name__ == "__main__":
    scene.main()
