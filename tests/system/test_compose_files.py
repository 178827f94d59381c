"""Which files of a repository, and which of its services, the admin's `compose` and `profiles` choose; what the team reads
about the choice, and about a commit that is refused."""

import signal
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key, require_root_and_podman,
                     wait_until)

require_root_and_podman()

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-files-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class ComposeFiles(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()
        self.port = free_port()
        self.server = self.git_daemon()
        self.server.start()
        self.repository = Repository(self.directory)
        self.daemon = self.pgod()
        self.addCleanup(ANN.podman, "rm", "-fa", "-t", "0", check=False)

    def begin(self, files, **settings):
        self.repository.commit({"ssh/id.pub": self.public, **files})
        self.follow(**settings)
        self.daemon.start(write=False)

    def follow(self, **settings):
        self.daemon.services.clear()
        self.daemon.service("demo", ANN.name, self.server.url(self.repository), **settings)
        self.daemon.write_config()

    def reload(self, **settings):
        self.follow(**settings)
        self.daemon.process.send_signal(signal.SIGHUP)

    def status(self):
        try:
            return self.daemon.status(self.key, "demo")
        except AssertionError:
            return {}

    def runs(self, *services):
        wait_until(f"{services} run", lambda: sorted(
            one.split()[0] for one in self.status().get("containers", ())) == sorted(services))

    def test_profiles_choose_services_and_a_reload_follows_them(self):
        web = compose_web(self.port)
        image = f"    image: {User.IMAGE}\n    command: [sleep, '1000000']\n    init: true\n"
        self.begin({"compose.yaml": f"{web}  debug:\n{image}    profiles: [debug]\n"
                                    f"  trace:\n{image}    profiles: [trace]\n", ".env": "COMPOSE_PROFILES=trace\n"})
        self.runs("trace", "web")
        wait_until("the deployment is through", lambda: self.status().get("notes"))
        left_out = [one for one in self.status()["notes"] if one.endswith("debug: runs only with the profile debug")]
        self.assertEqual(len(left_out), 1, self.status()["notes"])
        self.assertRegex(left_out[0], r"^compose\.yaml:\d+: ")
        self.assertIn(left_out[0], self.daemon.ctl(self.key, "demo//log").stdout)
        self.assertRegex(self.daemon.ctl(self.key, "demo//status").stdout, r"note +compose.yaml:\d+: debug: runs only with")
        self.reload(profiles=["debug"])
        self.runs("debug", "web")
        wait_until("the notes follow", lambda: [one.split(": ")[1] for one in self.status()["notes"]] == ["trace"])
        self.reload(profiles=["*"])
        self.runs("debug", "trace", "web")
        wait_until("there is nothing to note", lambda: self.status()["notes"] == [])

    def test_several_files_and_what_is_said_of_a_missing_one(self):
        self.begin({"deploy/base.yaml": compose_web(self.port), "deploy/prod.yaml":
                    f"services: {{extra: {{image: {User.IMAGE}, command: [sleep, '1000000'], init: true}}}}\n",
                    "deploy/compose.override.yaml": "services: {web: {privileged: true}}\n"},
                   compose=["deploy/base.yaml", "deploy/prod.yaml"])
        self.runs("extra", "web")
        self.assertEqual(fetch(self.port), "one\n")
        self.reload()
        wait_until("the missing file is reported", lambda: any(
            'deploy/compose.override.yaml is there: ask the admin for compose = "deploy/compose.override.yaml"' in one
            for one in self.status().get("problems", ())))
        self.assertEqual(fetch(self.port), "one\n")

    def test_a_file_without_services_takes_nothing_down(self):
        self.begin({"compose.yaml": compose_web(self.port)})
        self.runs("web")
        before = ANN.container_ids()
        for text in ("services:\n", "services: {}\n", "x-a: 1\n"):
            with self.subTest(text):
                commit = self.repository.commit({"compose.yaml": text})
                refused = self.daemon.ctl(self.key, "demo//up", "--commit", commit)
                self.assertEqual(refused.returncode, 65, refused)
                self.assertIn("services", refused.stdout + refused.stderr)
                self.assertEqual(ANN.container_ids(), before)
        self.runs("web")

    def test_all_reasons_of_a_refusal_are_in_the_log_and_the_worst_in_status(self):
        self.begin({"compose.yaml": compose_web(self.port)})
        self.runs("web")
        self.repository.commit({"compose.yaml": """services:
  a: &bad
    image: busybox
    privileged: true
    ports: ["x:80"]
  b: *bad
  c:
    image: busybox
    network_mode: host
"""})
        wait_until("it is rejected", lambda: self.status().get("outcome") == "rejected")
        log = self.daemon.ctl(self.key, "demo//log").stdout
        self.assertIn('compose.yaml:5: a, b: ports: "x:80": the port of the host is not a number', log)
        self.repository.commit({"compose.yaml": """services:
  a: &bad
    image: busybox
    privileged: true
  b: *bad
  c:
    image: busybox
    network_mode: host
"""})
        worst = 'compose.yaml:4: a, b: privileged: "true" is not allowed; nothing permits it (and 1 more reason)'
        wait_until("the worst is in status", lambda: any(one.endswith(worst) for one in self.status()["problems"]))
        log = self.daemon.ctl(self.key, "demo//log").stdout
        self.assertIn("compose.yaml:8: c: network_mode: \"host\" is not allowed; the admin can grant it with"
                      ' allow = ["host-network"]', log)
        self.assertNotIn("Traceback", log)
        check = self.daemon.ctl(self.key, "demo//check")
        self.assertEqual(check.returncode, 65)
        self.assertIn(worst, check.stderr)


if __name__ == "__main__":
    main()
