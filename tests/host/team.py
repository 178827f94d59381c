"""What the people of a service do all day, on a booted host: an ssh upstream, an https upstream, a web server and the
database that it finds by name."""

PORT = "http://127.0.0.1:8088/"


class Team:
    """Tests of a HostCase. The number in a name is the place in their order."""

    def finds_its_database(self):
        done = self.ctl("localhost:shop//exec", "web", "wget", "-q", "-O", "-", "http://db:5432/")
        return (done.returncode, done.stdout) == (0, "rows\n")

    def serves(self, version):
        self.wait_until(f"version {version} is published", lambda: self.fetch(PORT) == f"{version}\n")
        self.wait_until("web finds db by its name", self.finds_its_database)

    def test_0_a_service_of_an_ssh_upstream_is_built_and_its_containers_find_each_other(self):
        self.serves(1)
        self.assertEqual(self.status("shop")["health"], "healthy")
        self.assertIn("serving 1\n", self.must_ctl("localhost:shop//logs", "web"))
        listed = self.must_ctl("localhost:shop//ps")
        self.assertRegex(listed, r"(?m)web .*running")
        self.assertRegex(listed, r"(?m)db .*running")
        done = self.ctl("localhost:shop//exec", "db", "sh", "-c", "echo bad >&2; exit 41")
        self.assertEqual((done.returncode, done.stderr), (41, "bad\n"))

    def test_1_a_service_of_an_https_upstream_follows_commits(self):
        self.runs("wiki", self.commit("wiki", 2))

    def test_1_a_commit_is_deployed_and_rolled_back(self):
        first = self.status("shop")["running"]
        self.runs("shop", self.commit("shop", 2))
        self.serves(2)
        self.must_ctl("localhost:shop//rollback")
        self.runs("shop", first)
        self.serves(1)
        self.runs("shop", self.commit("shop", 3))
        self.must_ctl("localhost:shop//down")
        self.assertEqual((self.fetch(PORT), set(self.host.containers("carol"))), ("", {"page"}))
        self.must_ctl("localhost:shop//up")
        self.serves(3)

    def test_1_a_container_that_dies_or_is_unhealthy_is_healed(self):
        before = self.host.containers("carol")
        self.host.as_user("carol", "podman", "kill", before["web"][0])
        self.wait_until("web runs again", lambda: self.host.containers("carol").get("web", before["web"])[1] != before["web"][1])
        self.wait_until("and is healthy", lambda: self.status("shop").get("health") == "healthy")
        self.assertEqual(self.host.containers("carol")["db"], before["db"])
        self.assertTrue(self.finds_its_database())
        self.must_ctl("localhost:shop//exec", "db", "rm", "/www/index.html")
        self.wait_until("the healthchecks fail", lambda: self.status("shop").get("health") == "degraded")
        self.must_ctl("localhost:shop//exec", "db", "sh", "-c", "echo rows > /www/index.html")
        self.wait_until("the healthchecks succeed", lambda: self.status("shop").get("health") == "healthy")
