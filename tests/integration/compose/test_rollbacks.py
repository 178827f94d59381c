"""Kept releases and rollbacks by pgod-work on real rootless podman: neither git nor a registry is there."""

import scene
from scene import compose, harness, service, web


class Rollbacks(scene.ComposeTest):
    user_name = "pgcrollbk"

    def kept(self, svc):
        return sorted(p.name for p in svc.path.glob("kept-*"))

    def version(self, svc, port, text, **more):
        """A commit that shows `text` and has it in its argv, its image and a file."""
        build = f"FROM {scene.IMAGE}\nRUN echo {text} > /built\n"
        return svc.deploy({"compose.yaml": compose(web=web(port, volumes=["./html:/www"], build=".", image="own",
                                                           environment={"WORD": text})),
                           "Containerfile": build, "html/index.html": text, ".dockerignore": "html\n", **more})

    def number(self, svc):
        svc.commits += 1
        return svc.commits

    def test_back_and_forth_between_what_is_kept(self):
        svc, port = self.service(), harness.free_port()
        commits = [self.good(self.version(svc, port, word)).commit for word in ("one", "two", "three", "four", "five")]
        self.assertEqual(self.kept(svc), ["kept-2", "kept-3", "kept-4"])
        (svc.path / "tree" / "html" / "data").write_text("precious")
        tags = self.user.podman("image", "ls", "--format", "{{.Tag}}", f"localhost/pgod/{svc.name}").split()
        self.assertEqual(len(tags), 4, tags)
        for path in ("stage", "repo.git"):
            harness.run(["rm", "-rf", svc.path / path])

        back = self.good(svc.do("rollback", "2", deployment=self.number(svc), commit=""), changed=True)
        self.assertEqual((back.commit, harness.served(port)), (commits[1], "two"), back)
        name = f"{svc.name}_web_1"
        self.assertEqual(self.user.podman("exec", name, "cat", "/built"), "two\n")
        self.assertIn("WORD=two", self.user.podman("exec", name, "env"))
        self.assertEqual((svc.path / "tree" / "html" / "data").read_text(), "precious")
        self.assertEqual(self.kept(svc), ["kept-3", "kept-4", "kept-5"])

        newest = self.good(svc.do("rollback", deployment=self.number(svc), commit=""), changed=True)
        self.assertEqual((newest.commit, harness.served(port)), (commits[4], "five"))
        by_commit = svc.do("rollback", commits[2][:40], deployment=self.number(svc), commit="")
        self.assertEqual((self.good(by_commit, changed=True).commit, harness.served(port)), (commits[2], "three"))
        self.assertIn("rolling back to", by_commit.stderr)
        self.assertEqual(svc.do("observe").commit, commits[2])

    def test_what_is_not_kept_touches_nothing(self):
        svc, port = self.service(), harness.free_port()
        first = self.rejected(svc.do("rollback", deployment=1, commit=""), "there is nothing to roll back to")
        self.assertEqual(first.health, "missing")
        self.good(self.version(svc, port, "one"))
        self.good(self.version(svc, port, "two"))
        before = svc.ids()
        self.rejected(svc.do("rollback", "9", deployment=3, commit=""), "9 is not kept; kept are: 000000000000 (deployment 1)")
        self.rejected(svc.do("rollback", "2", deployment=3, commit=""), "2 is what runs")
        image = self.user.podman("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"localhost/pgod/{svc.name}")
        running = svc.record()["images"]["own"][:12]
        old = next(tag for tag in image.split() if not tag.endswith(running))
        self.user.podman("rmi", old)
        self.rejected(svc.do("rollback", deployment=3, commit=""), "was removed from this host")
        self.assertEqual((svc.ids(), harness.served(port)), (before, "two"))

    def test_a_rollback_that_fails_leads_back_to_what_ran(self):
        svc = self.service()
        self.good(svc.deploy({"compose.yaml": compose(
            a=service("sh -c 'test ! -e /d/flag && exec sleep 1000'", volumes=["./d:/d"]))}))
        two = self.good(svc.deploy({"compose.yaml": compose(a=service())})).commit
        (svc.path / "tree" / "d" / "flag").write_text("what the old version cannot work with")
        result = svc.do("rollback", deployment=3, commit="")
        self.assertEqual((result.exit_status, result.outcome, result.commit), (80, "rolled_back", two), result)
        self.assertEqual(result.containers, ["a running"])
        self.assertEqual(self.kept(svc), ["kept-1"])

    def test_files_alone_make_a_release_too(self):
        svc, port = self.service(), harness.free_port()
        files = {"compose.yaml": compose(web=web(port, volumes=["./html:/www"])), "html/index.html": "one"}
        one = self.good(svc.deploy(files)).commit
        self.good(svc.deploy({**files, "html/index.html": "two"}), changed=False)
        self.assertEqual(harness.served(port), "two")
        back = self.good(svc.do("rollback", deployment=3, commit=""), changed=True)
        self.assertEqual((back.commit, harness.served(port)), (one, "one"))


if __name__ == "__main__":
    scene.main()
