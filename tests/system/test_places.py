"""Committers who list many keys and take every place over SSH that they get: admins and other services are served all the
while, and what was evicted ends with 75."""

import json
import pathlib
import subprocess
import threading
import unittest

from harness import BIN, Repository, SystemTest, User, compose_web, fetch, free_port, gate, main, make_key, \
    require_root_and_podman, wait_until

require_root_and_podman()

HERE = pathlib.Path(__file__).parent
ANN = BEN = CID = None
OF_ONE_KEY = 16  # commands at a time
OF_ONE_SERVICE = 32


def setUpModule():
    global ANN, BEN, CID
    ANN, BEN, CID = (User(f"pgt-place-{name}") for name in ("ann", "ben", "cid"))
    for user in (ANN, BEN, CID):
        unittest.addModuleCleanup(user.remove)
    for user in (ANN, BEN):
        user.import_image()


class Places(SystemTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.pgod()
        self.admin = make_key(self.directory, "admin")
        (self.directory / "admin_keys").write_text((self.directory / "admin.pub").read_text())
        for user in (ANN, BEN):
            self.addCleanup(user.podman, "rm", "-fa", "-t", "0", check=False)

    def serve(self, name, user, keys, compose="services: {}\n", **settings):
        """Its repository, and its keys."""
        made = [make_key(self.directory, f"{name}-{number}") for number in range(keys)]
        repository = Repository(self.directory, name)
        repository.commit({f"ssh/{key.name}.pub": key.with_suffix(".pub").read_text() for key in made} |
                          {"compose.yaml": compose})
        self.daemon.service(name, user.name, repository.url, **settings)
        return repository, made

    def follow(self, keys, service):
        """Until the test ends; returns once each key has tried to hold as many as it may."""
        attackers = []
        for key in keys:
            attacker = subprocess.Popen(
                ["/usr/bin/python3", "-W", "ignore", HERE / "attackers.py", "follow", str(self.daemon.port),
                 str(OF_ONE_KEY), key, f"{service}//logs -f"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.addCleanup(attacker.wait)
            self.addCleanup(attacker.stdout.close)
            self.addCleanup(attacker.kill)
            self.addCleanup(attacker.stdin.close)
            attackers.append(attacker)
        for attacker in attackers:
            self.assertEqual(attacker.stdout.readline(), "held\n")

    def client(self, key, target, *args):
        process = subprocess.Popen(
            [BIN / "pgoctl", "-i", key, "-p", str(self.daemon.port), "--accept-new", "--known-hosts",
             self.directory / "known_hosts", f"localhost:{target}", *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def logs_running(user):
        listed = subprocess.run(["pgrep", "-u", user.name, "-fc", "podman.* logs"], capture_output=True, text=True)
        return int(listed.stdout or 0)

    def known(self, key, service):
        wait_until(f"the keys of {service} are known", lambda: self.daemon.ctl(key, f"{service}//ping").returncode == 0)

    def served(self, requests):
        """All at once, as often as five times each."""
        refused = []

        def ask(key, target):
            for _ in range(5):
                done = self.daemon.ctl(key, target)
                if done.returncode != 0:
                    refused.append((target, done.returncode, done.stderr))

        threads = [threading.Thread(target=ask, args=request) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(refused, [])

    def test_five_keys_of_one_service_leave_room_for_admins_and_other_services(self):
        web = free_port()
        _, [spare, *keys] = self.serve("demo", ANN, 6, compose_web(web))
        _, [other] = self.serve("shop", BEN, 1)
        _, [beside] = self.serve("docs", ANN, 1)
        self.daemon.start()
        wait_until("it serves", lambda: fetch(web) == "one\n")
        for key, service in ((other, "shop"), (beside, "docs")):
            self.known(key, service)
        self.follow(keys, "demo")
        self.served([(self.admin, "demo//ping"), (self.admin, "//list"), (self.admin, "demo//ps"), (other, "shop//ping"),
                     (other, "shop//status"), (beside, "docs//ping")])
        wait_until("the service has what it may have", lambda: self.logs_running(ANN) == OF_ONE_SERVICE)
        refused = self.daemon.ctl(spare, "demo//ping")
        self.assertEqual(refused.returncode, 75, refused.stderr)
        self.assertIn("32 requests of demo run already, which is the limit", refused.stderr)

    def test_on_a_full_host_the_largest_holder_loses_a_place_and_its_up_goes_on(self):
        web, docs_web, shop_web = free_port(), free_port(), free_port()
        repository, demo = self.serve("demo", ANN, 3, compose_web(web), auto=False, start_timeout="30m")
        _, docs = self.serve("docs", ANN, 2, compose_web(docs_web, name="docs"))
        _, shop = self.serve("shop", BEN, 2, compose_web(shop_web))
        _, [newcomer] = self.serve("mail", CID, 1)
        self.daemon.start()
        self.known(demo[0], "demo")
        self.known(newcomer, "mail")
        self.assertEqual(self.daemon.ctl(demo[0], "demo//up").returncode, 0)
        for port in (docs_web, shop_web):
            wait_until("it serves", lambda: fetch(port) == "one\n")
        repository.commit({"compose.yaml": compose_web(web, "two", extra=gate("open"))})
        waits = self.client(demo[0], "demo//up")
        wait_until("the deployment waits for a container to be healthy", lambda: fetch(web) == "two\n")
        looks = self.client(demo[0], "demo//logs", "-f")
        wait_until("it follows", lambda: self.logs_running(ANN) == 1)
        self.follow(demo[1:], "demo")
        self.follow(docs, "docs")
        self.follow(shop, "shop")

        def evicted(client):
            self.served([(newcomer, "mail//ping"), (self.admin, "//list"), (self.admin, "demo//status")])
            return client.poll() is not None

        for client, sentence in ((waits, "the operation goes on at the server"), (looks, "run it again later")):
            wait_until("the oldest request gave its place", lambda: evicted(client))
            self.assertEqual(client.returncode, 75)
            said = client.stderr.read()
            self.assertIn("gave your place to another service or an admin", said)
            self.assertIn(sentence, said)
        self.daemon.open_gate("demo", "open")
        history = lambda: json.loads(self.daemon.ctl(self.admin, "demo//history", options=["--json"]).stdout)
        wait_until("the deployment is done, and well", lambda: [row["outcome"] for row in history()] == ["ok", "ok"])


if __name__ == "__main__":
    main()
