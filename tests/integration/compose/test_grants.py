"""Ordinary needs that reach a little beyond the service: the host's time, what an admin grants by name, nested binds."""

import json
import pathlib
import shutil

import scene
from scene import compose, service

TIME = ["/etc/localtime:/etc/localtime", "/etc/timezone:/etc/timezone:ro", "/usr/share/zoneinfo:/zones:ro"]


def top(**sections):
    return "".join(f"{name}: {json.dumps(entries)}\n" for name, entries in sections.items())


class Grants(scene.ComposeTest):
    user_name = "pgt-c-grants"

    def inside(self, made, command, name="a"):
        return self.user.podman("exec", f"{made.name}_{name}_1", "sh", "-c", command).strip()

    def said(self, result):
        return result.stdout + result.stderr

    def test_the_time_of_the_host_is_read_only(self):
        made = self.service()
        result = self.good(made.deploy({"compose.yaml": compose(a=service(volumes=TIME))}), changed=True)
        self.assertIn("pgod mounts /etc/localtime read-only", self.said(result))
        self.assertIn("TZif", self.inside(made, "head -c 4 /etc/localtime"))
        self.assertRegex(self.inside(made, "grep ' /etc/localtime ' /proc/mounts"), r"\bro\b")
        self.assertIn("Etc", self.inside(made, "ls /zones"))

    def test_an_external_volume_is_granted_by_its_name_and_kept(self):
        files = {"compose.yaml": compose(a=service(volumes=["d:/d"])) + top(
            volumes={"d": {"external": True, "name": "pgt_shared"}})}
        self.rejected(self.service().deploy(files), '"d", which podman calls "pgt_shared",', 'volumes = ["pgt_shared"]')
        made = self.service(volumes=["pgt_shared"])
        result = made.deploy(files)
        self.assertIn("podman volume create pgt_shared", result.error)
        self.assertFalse(result.changed)
        self.user.podman("volume", "create", "pgt_shared")
        self.addCleanup(self.user.podman, "volume", "rm", "pgt_shared", check=False)
        self.good(made.deploy(files), changed=True)
        self.inside(made, "echo kept > /d/f")
        made.do("down")
        self.good(made.deploy(files))
        self.assertEqual(self.inside(made, "cat /d/f"), "kept")
        made.do("down")

    def test_what_pgod_makes_by_a_granted_name_outlives_the_service(self):
        files = {"compose.yaml": compose(a=service(volumes=["d:/d"], networks=["n"])) + top(
            volumes={"d": {"name": "pgt_named"}}, networks={"n": {"name": "pgt_net"}})}
        first, second = (self.service(volumes=["pgt_named"], networks=["pgt_net"]) for _ in range(2))
        self.addCleanup(self.user.podman, "volume", "rm", "pgt_named", check=False)
        self.addCleanup(self.user.podman, "network", "rm", "pgt_net", check=False)
        self.good(first.deploy(files), changed=True)
        self.good(second.deploy(files), changed=True)
        self.inside(first, "echo both > /d/f")
        self.assertEqual(self.inside(second, "cat /d/f"), "both")
        for made in (second, first):
            made.do("down")
        self.assertIn("pgt_net", self.user.podman("network", "ls", "--format", "{{.Name}}"))
        self.good(first.do("deploy"), changed=True)
        self.assertEqual(self.inside(first, "cat /d/f"), "both")
        self.good(first.deploy({"compose.yaml": compose(a=service())}), changed=True)
        self.assertIn("pgt_net", self.user.podman("network", "ls", "--format", "{{.Name}}"))
        self.assertIn("pgt_named", self.user.podman("volume", "ls", "--format", "{{.Name}}"))

    def test_volumes_as_their_driver_options_say(self):
        made = self.service()
        self.good(made.deploy({"compose.yaml": compose(a=service(volumes=["mem:/m", "dir:/d"])) + top(volumes={
            "mem": {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=3m,mode=0700"}},
            "dir": {"driver": "local", "driver_opts": {"type": "none", "o": "bind", "device": "./d"}}}),
            "d/f": "of the commit"}), changed=True)
        self.assertRegex(self.inside(made, "grep ' /m ' /proc/mounts"), "^tmpfs .*size=3072k,mode=700")
        self.assertEqual(self.inside(made, "cat /d/f"), "of the commit")
        self.assertNotIn(made.name, self.user.podman("volume", "ls", "--format", "{{.Name}}"))
        outside = {"compose.yaml": compose(a=service(volumes=["dir:/d"])) + top(volumes={
            "dir": {"driver_opts": {"type": "none", "o": "bind", "device": "/srv/pgt"}}})}
        self.rejected(made.deploy(outside), 'volumes = ["/srv/pgt"]')

    def test_a_file_within_a_writable_directory_is_a_copy_that_no_link_replaces(self):
        made = self.service()
        files = {"compose.yaml": compose(a=service(volumes=[".:/app", "./conf:/etc/conf:ro"])), "conf": "of the commit"}
        result = self.good(made.deploy(files), changed=True)
        self.assertIn("mounts a copy", self.said(result))
        secret = self.user.home / "secret"
        secret.write_text("of the user")
        shutil.chown(secret, self.user.uid, self.user.gid)
        self.inside(made, f"rm /app/conf && ln -s {secret} /app/conf")
        self.user.podman("restart", "-t", "0", f"{made.name}_a_1")
        self.assertEqual(self.inside(made, "cat /etc/conf"), "of the commit")
        self.user.podman("rm", "-f", "-t", "0", f"{made.name}_a_1")  # a restored container gets the copy again
        (made.path / "tree/conf").unlink()
        healed = made.do("heal")
        self.assertEqual((healed.exit_status, healed.health), (0, "healthy"), healed)
        self.assertEqual(self.inside(made, "cat /etc/conf"), "of the commit")
        self.assertFalse(made.tree("conf").exists())
        before = self.copies(made)
        self.assertEqual(len(before), 1)
        self.good(made.deploy({**files, "conf": "of the next"}), changed=True)
        self.assertEqual(self.inside(made, "cat /etc/conf"), "of the next")
        self.assertEqual((len(self.copies(made)), before[0].exists()), (1, False))
        now = self.copies(made)
        broken = {**files, "compose.yaml": files["compose.yaml"].replace("sleep 1000", "false"), "conf": "of the last"}
        self.assertEqual(made.deploy(broken, start_timeout=5).outcome, "rolled_back")
        self.assertEqual(self.inside(made, "cat /etc/conf"), "of the next")
        self.assertEqual(self.copies(made), now)
        self.assertEqual(made.do("down").exit_status, 0)
        self.assertEqual(list((made.path / "mounted").iterdir()), [])
        first = self.service(start_timeout=5)
        self.assertEqual(first.deploy(broken).outcome, "failed")
        self.assertEqual(self.copies(first), [])

    @staticmethod
    def copies(made):
        return sorted(path for path in (made.path / "mounted").rglob("*") if path.is_file())

    def test_copies_of_containers_with_long_names_are_two(self):
        made = self.service()
        one, other = ("n" * 240 + end for end in "ab")
        self.good(made.deploy({"compose.yaml": compose(
            a=service(volumes=[".:/app"]), b=service(volumes=["./one:/f:ro"], container_name=one),
            c=service(volumes=["./other:/f:ro"], container_name=other)), "one": "1", "other": "2"}), changed=True)
        self.assertEqual([self.user.podman("exec", name, "cat", "/f") for name in (one, other)], ["1", "2"])

    def test_a_granted_volume_that_went_is_not_made_again(self):
        self.user.podman("volume", "create", "pgt_gone")
        made = self.service(volumes=["pgt_gone"])
        self.good(made.deploy({"compose.yaml": compose(a=service(volumes=["pgt_gone:/d"])) + top(
            volumes={"pgt_gone": {"external": True}})}), changed=True)
        self.user.podman("rm", "-f", "-t", "0", f"{made.name}_a_1")
        self.user.podman("volume", "rm", "pgt_gone")
        healed = made.do("heal")
        self.assertEqual((healed.exit_status, healed.health), (1, "missing"), healed)
        self.assertIn("a: volumes: podman has no volume pgt_gone", healed.error)
        self.assertNotIn("pgt_gone", self.user.podman("volume", "ls", "--format", "{{.Name}}"))
        self.user.podman("volume", "create", "pgt_gone")
        self.assertEqual(made.do("heal").health, "healthy")

    def test_a_restored_container_gets_its_copy_although_another_one_has_the_outer_bind(self):
        made = self.service()
        files = {"compose.yaml": compose(a=service(volumes=[".:/app"]), b=service(volumes=["./conf:/etc/conf:ro"]),
                                         c=service(volumes=["./other:/etc/other:ro"])), "conf": "one", "other": "two"}
        self.good(made.deploy(files), changed=True)
        secret = self.user.home / "secret"
        secret.write_text("of the user")
        self.user.podman("rm", "-f", "-t", "0", f"{made.name}_b_1")
        healed = made.do("heal")
        self.assertEqual((healed.exit_status, healed.health), (0, "healthy"), healed)
        self.inside(made, f"rm /app/conf /app/other && ln -s {secret} /app/conf && ln -s {secret} /app/other")
        for name, path, text in (("b", "conf", "one"), ("c", "other", "two")):
            self.user.podman("restart", "-t", "0", f"{made.name}_{name}_1")
            self.assertEqual(self.inside(made, f"cat /etc/{path}", name), text)

    def test_a_link_that_a_container_left_where_pgod_mounts_a_copy_or_nothing_stops_no_deployment(self):
        made = self.service()
        files = {"compose.yaml": compose(a=service(volumes=[".:/app", "./conf:/etc/conf:ro", "./d:/app/d"])), "conf": "1", "d/f": "1"}
        self.good(made.deploy(files), changed=True)
        self.inside(made, "ln -s /etc/passwd /app/next && /bin/busybox mv /app/next /app/conf; "
                          "/bin/busybox rm -r /app/d; ln -s /etc /app/d")
        self.good(made.deploy({**files, "conf": "2"}), changed=True)
        self.assertEqual(self.inside(made, "cat /etc/conf"), "2")
        self.inside(made, "ln -s /etc/passwd /app/next && /bin/busybox mv /app/next /app/conf")
        self.user.podman("rm", "-f", "-t", "0", f"{made.name}_a_1")
        healed = made.do("heal")
        self.assertEqual((healed.exit_status, healed.health), (0, "healthy"), healed)

    def test_a_directory_within_a_writable_one_needs_the_grant(self):
        files = {"compose.yaml": compose(a=service(volumes=[".:/app"]), b=service(volumes=["./public:/www:ro"])),
                 "public/index": "1"}
        self.rejected(self.service().deploy(files), '"./public" lies in "."', 'allow = ["nested-binds"]')
        made = self.service(allow=["nested-binds"])
        self.good(made.deploy(files), changed=True)
        self.inside(made, "echo 2 > /app/public/index")
        self.assertEqual(self.inside(made, "cat /www/index", "b"), "2")

    def test_a_bind_that_repeats_another_is_left_out_although_the_image_has_a_volume_there(self):
        self.user.podman("create", "--name", "pgt-grants-image", scene.IMAGE, "true")
        self.user.podman("commit", "-q", "--format", "docker", "--change", "VOLUME /data/sub", "--change", "VOLUME /own",
                         "pgt-grants-image", "localhost/pgt-volumes:1")
        self.user.podman("rm", "pgt-grants-image")
        made = self.service()
        self.good(made.deploy({"compose.yaml": compose(a=service(
            image="localhost/pgt-volumes:1", volumes=["./data:/data", "./data/sub:/data/sub"]))}), changed=True)
        self.inside(made, "echo here > /data/sub/f")
        self.assertEqual(made.tree("data/sub/f").read_text(), "here\n")
        mounts = json.loads(self.user.podman("inspect", f"{made.name}_a_1"))[0]["Mounts"]
        self.assertEqual({(one["Type"], one["Destination"]) for one in mounts}, {("bind", "/data"), ("volume", "/own")})

    def test_a_grant_is_followed_through_a_link_of_root(self):
        target, link = pathlib.Path("/srv/pgt-grants-target"), pathlib.Path("/srv/pgt-grants-link")
        (target / "sub").mkdir(parents=True)
        self.addCleanup(shutil.rmtree, target)
        link.symlink_to(target.name)
        self.addCleanup(link.unlink)
        (target / "sub/f").write_text("granted")
        (target / "out").symlink_to("/etc")
        files = {"compose.yaml": compose(a=service(volumes=[f"{link}/sub:/d:ro"]))}
        result = self.rejected(self.service().deploy(files), f'"{link}/sub", which leads to "{target}/sub",')
        self.assertIn(f'volumes = ["{target}/sub"]', result.error)
        made = self.service(volumes=[str(link)])
        self.good(made.deploy(files), changed=True)
        self.assertEqual(self.inside(made, "cat /d/f"), "granted")
        self.rejected(made.deploy({"compose.yaml": compose(a=service(volumes=[f"{link}/out:/d:ro"]))}), "/etc")

    def test_services_that_share_a_directory_and_what_lies_in_it_need_the_grant_both(self):
        shared = pathlib.Path("/srv/pgt-grants-shared")
        (shared / "sub").mkdir(parents=True)
        self.addCleanup(shutil.rmtree, shared)
        outer = {"compose.yaml": compose(a=service(volumes=[f"{shared}:/d"]))}
        inner = {"compose.yaml": compose(a=service(volumes=[f"{shared}/sub:/d"]))}
        first = self.service(volumes=[str(shared)])
        self.good(first.deploy(outer))
        second = self.service(volumes=[str(shared)])
        self.rejected(second.deploy(inner), "lies in", 'allow = ["nested-binds"] of both services')
        self.rejected(second.do("deploy", allow=["nested-binds"]), "lies in", f"of service {first.name} too")
        self.rejected(second.do("deploy", nesting=[first.name]), "lies in", f"as for service {first.name}")
        self.good(second.do("deploy", allow=["nested-binds"], nesting=[first.name]), changed=True)
        self.user.podman("rm", "-f", "-t", "0", f"{first.name}_a_1")
        healed = first.do("heal", allow=["nested-binds"], nesting=[second.name])
        self.assertEqual((healed.exit_status, healed.health), (0, "healthy"), healed)

    def test_nothing_permits_the_socket_of_an_engine(self):
        made = self.service(volumes=["/run", "/var/run"])
        self.rejected(made.deploy({"compose.yaml": compose(a=service(volumes=["/var/run/docker.sock:/s"]))}),
                      '"/var/run/docker.sock", which leads to "/run/docker.sock",', "nothing permits this")


if __name__ == "__main__":
    scene.main()
