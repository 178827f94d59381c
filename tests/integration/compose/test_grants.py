"""Ordinary needs that reach a little beyond the service: the host's time, and what an admin grants by name."""

import scene
from scene import compose, service

TIME = ["/etc/localtime:/etc/localtime", "/etc/timezone:/etc/timezone:ro", "/usr/share/zoneinfo:/zones:ro"]


class Grants(scene.ComposeTest):
    user_name = "pgt-c-grants"

    def inside(self, made, command):
        return self.user.podman("exec", f"{made.name}_a_1", "sh", "-c", command).strip()

    def test_the_time_of_the_host_is_read_only(self):
        made = self.service()
        made.stage({"compose.yaml": compose(a=service(volumes=TIME))})
        result = self.good(made.deploy(), changed=True)
        self.assertIn("pgod mounts /etc/localtime read-only", result.stdout + result.stderr)
        self.assertIn("TZif", self.inside(made, "head -c 4 /etc/localtime"))
        self.assertRegex(self.inside(made, "grep ' /etc/localtime ' /proc/mounts"), r"\bro\b")
        self.assertIn("Etc", self.inside(made, "ls /zones"))


if __name__ == "__main__":
    scene.main()
