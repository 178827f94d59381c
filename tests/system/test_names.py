"""Containers of a compose file find each other by name: by the name of the service, of the container and of an alias, and
still do when the one that is asked for is another container than before."""

import json
import unittest

from harness import (Repository, SystemTest, User, compose_web, free_port, main, make_key, require_root_and_podman,
                     wait_until)

require_root_and_podman()

ANN = None
DATABASE = "pgt-names-database"


def setUpModule():
    global ANN
    ANN = User("pgt-names-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Names(SystemTest):
    def setUp(self):
        super().setUp()
        key = make_key(self.directory)
        self.key = key
        self.port = free_port()
        self.repository = Repository(self.directory)
        self.repository.write("ssh/id.pub", key.with_suffix(".pub").read_text())
        self.daemon = self.pgod()
        self.daemon.service("demo", ANN.name, self.repository.url)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))

    def push(self, body, internal=False):
        """A web server, and a database that says `body` to whoever finds it, on an internal network and with an alias if
        `internal`."""
        serve = f"sh -c 'mkdir -p /www && echo {body} > /www/index.html && exec httpd -f -p 5432 -h /www'"
        database = (f"  db:\n    image: {User.IMAGE}\n    stop_signal: SIGKILL\n    container_name: {DATABASE}\n"
                    f"    command: {json.dumps(serve)}\n")
        of_db, of_web, all_of_them = "", "", ""
        if internal:
            of_db = "    networks: {back: {aliases: [data]}}\n"
            of_web = "    networks: [front, back]\n"
            all_of_them = "networks: {front: {}, back: {internal: true}}\n"
        text = compose_web(self.port, extra=of_web) + database + of_db + all_of_them
        return self.repository.commit({"compose.yaml": text})

    def runs(self, commit):
        """Verified: whatever happens to a container before that is the new version's fault."""
        def settled():
            status = self.daemon.status(self.key, "demo")
            return status["running"] == commit and status["health"] == "healthy" and status["phase"] == "idle"

        # pgod knows the key once it has the commit.
        wait_until("the repository is there", lambda: self.daemon.answer(self.key, "demo//status").returncode == 0)
        wait_until(f"{commit} runs", settled)

    def asked(self, name):
        """What web hears from the database under that name."""
        return ANN.run(["podman", "exec", "demo_web_1", "wget", "-q", "-O", "-", f"http://{name}:5432/"],
                       check=False).stdout.strip()

    def finds(self, body, names):
        for name in names:
            wait_until(f"web hears {body} from {name}", lambda: self.asked(name) == body)

    def test_by_each_name_through_a_redeployment_a_healing_and_down_and_up(self):
        names = ("db", DATABASE, "data")
        first = self.push("one", internal=True)
        self.daemon.start()
        self.runs(first)
        self.finds("one", names)
        for network in ("demo_front", "demo_back"):
            inspected = json.loads(ANN.podman("network", "inspect", network))[0]
            self.assertTrue(inspected["dns_enabled"], network)

        before = ANN.container_ids()
        self.runs(self.push("two", internal=True))
        self.finds("two", names)
        self.assertNotEqual(ANN.container_ids()[DATABASE], before[DATABASE])

        before = ANN.container_ids()
        ANN.podman("rm", "-f", "-t", "0", DATABASE)
        self.finds("two", names)
        self.assertEqual(ANN.container_ids()["demo_web_1"], before["demo_web_1"], "web was not touched")

        for operation in ("down", "up"):
            done = self.daemon.answer(self.key, f"demo//{operation}")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.finds("two", names)

    def test_on_the_network_that_every_compose_file_has(self):
        first = self.push("one")
        self.daemon.start()
        self.runs(first)
        self.finds("one", ("db", DATABASE))
        self.assertEqual(self.asked("data"), "", "a name that nobody has")
        # The database finds web as well, and the name server of one network knows nothing of another's.
        self.assertEqual(ANN.podman("exec", DATABASE, "wget", "-q", "-O", "-", "http://web:8080/").strip(), "one")
        ANN.podman("network", "create", "elsewhere")
        self.addCleanup(ANN.podman, "network", "rm", "-f", "elsewhere", check=False)
        stranger = ANN.run(["podman", "run", "--rm", "--network", "elsewhere", User.IMAGE, "wget", "-q", "-O", "-",
                            "http://db:5432/"], check=False)
        self.assertNotEqual(stranger.returncode, 0)
        self.assertEqual(stranger.stdout, "")

    def test_a_network_without_dns_is_no_failure_but_is_named_until_down_and_up_renew_it(self):
        ANN.podman("network", "create", "--disable-dns", "--label", "pgod.service=demo", "demo_default")
        first = self.push("one")
        self.daemon.start()
        self.runs(first)
        said = "network demo_default has no DNS, so containers do not find each other by name"
        self.assertIn(f"warning: {said}", self.daemon.answer(self.key, "demo//log").stdout)
        wait_until("the status says it",
                   lambda: any(said in problem for problem in self.daemon.status(self.key, "demo")["problems"]))
        self.assertEqual(self.daemon.log().count(said), 1, "once, and not at every poll")
        for operation in ("down", "up"):
            done = self.daemon.answer(self.key, f"demo//{operation}")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.finds("one", ("db", DATABASE))
        wait_until("nothing is wrong any more", lambda: not self.daemon.status(self.key, "demo")["problems"])


if __name__ == "__main__":
    main()
