"""What a key may do: the options before it in ssh/*.pub and admin_keys, and the audit log of what was asked for."""

import json
import os
import stat
import time
import unittest

from harness import (Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key,
                     require_root_and_podman, wait_until)

require_root_and_podman()

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-control-gr")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Grants(SystemTest):
    def setUp(self):
        super().setUp()
        self.keys = {name: make_key(self.directory, name) for name in ("id", "ci", "far", "old", "auditor", "stranger")}
        self.port = free_port()
        self.repository = Repository(self.directory)
        tomorrow = time.strftime("%Y%m%d%H%MZ", time.gmtime(time.time() + 86400))
        yesterday = time.strftime("%Y%m%d", time.localtime(time.time() - 86400))
        self.repository.commit({
            "compose.yaml": compose_web(self.port),
            "ssh/id.pub": self.public("id"),
            "ssh/ci.pub": f'pgo-ops="ps,logs,ping,exec,whoami",expiry-time="{tomorrow}",from="127.0.0.0/8,::1" ' + self.public("ci"),
            "ssh/far.pub": 'from="192.0.2.0/24" ' + self.public("far"),
            "ssh/old.pub": f'expiry-time="{yesterday}" ' + self.public("old"),
            "ssh/wrong.pub": 'command="true",pgo-ops="ps" ' + self.public("stranger"),
        })
        (self.directory / "admin_keys").write_text('pgo-ops="read,admin" ' + self.public("auditor"))
        self.daemon = self.pgod()
        self.daemon.service("demo", ANN.name, self.repository.url)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        self.daemon.start()
        wait_until("it serves", lambda: fetch(self.port) == "one\n")

    def public(self, name):
        return (self.directory / f"{name}.pub").read_text()

    def status_of(self, key, operation, *args):
        return self.daemon.ctl(self.keys[key], f"demo//{operation}", *args).returncode

    def test_what_each_key_may_do(self):
        self.assertEqual([self.status_of("ci", op) for op in ("ps", "ping", "status", "down")], [0, 0, 77, 77])
        refused = self.daemon.ctl(self.keys["ci"], "demo//up").stderr
        self.assertIn("up is not among what your key may do with demo", refused)
        self.assertIn("audit is for keys of admin_keys", self.daemon.ctl(self.keys["id"], "demo//audit").stderr)
        self.assertEqual(self.status_of("ci", "exec", "web", "true"), 77)  # its option names it, the service's ops do not
        for key in ("far", "old", "stranger"):
            self.assertEqual(self.status_of(key, "ping"), 77, key)
        self.assertIn('"command" before the key is not known', self.daemon.log())
        self.assertEqual([self.status_of("auditor", op) for op in ("ps", "status", "down", "restart")], [0, 0, 77, 77])
        self.assertEqual(fetch(self.port), "one\n")
        self.assertEqual(self.daemon.ssh(self.keys["ci"], "demo//ps").returncode, 0)
        self.assertEqual(self.daemon.ssh(self.keys["ci"], "demo//stop").returncode, 77)
        mine = json.loads(self.daemon.ctl(self.keys["ci"], "//whoami", "--json").stdout)
        self.assertEqual(mine["services"], [{"name": "demo", "key_name": "ci", "may": ["ping", "ps", "logs", "whoami"]}])
        self.assertIn("read deploy\n", self.daemon.ctl(self.keys["id"], "//whoami").stdout)

    def test_grants_hold_over_a_restart_without_upstream_and_follow_the_tip(self):
        self.daemon.stop()
        gone = self.repository.bare.rename(self.repository.bare.with_suffix(".gone"))
        self.daemon.start()
        wait_until("the keys are back", lambda: self.status_of("ci", "ps") == 0)
        self.assertEqual([self.status_of("ci", "down"), self.status_of("far", "ping")], [77, 77])
        gone.rename(self.repository.bare)
        self.repository.commit({"ssh/ci.pub": 'pgo-ops="read" ' + self.public("ci")})
        wait_until("the grant is wider", lambda: self.status_of("ci", "status") == 0)
        self.assertEqual(self.status_of("ci", "down"), 77)

    def test_a_key_in_two_services_has_the_grant_of_each(self):
        second = Repository(self.directory, "second")
        second.commit({"ssh/ci.pub": self.public("ci"), "compose.yaml": "services: {}\n"})
        self.daemon.services.append(("second", ANN.name, second.url, {}))
        self.daemon.write_config()
        wait_until("it is served", lambda: self.daemon.ctl(self.keys["ci"], "second//ping").returncode == 0)
        self.assertEqual(self.daemon.ctl(self.keys["ci"], "second//status").returncode, 0)
        self.assertEqual(self.status_of("ci", "status"), 77)

    def test_all_that_is_asked_for_is_in_the_audit_log(self):
        self.status_of("ci", "ps")
        self.status_of("ci", "down")
        self.status_of("ci", "exec", "web", "sh", "-c", "echo hunter2")
        self.daemon.ssh(self.keys["id"], "demo//nosuch")
        self.daemon.ssh(self.keys["id"], "demo//restart", "web")
        self.daemon.ctl(self.keys["id"], "foreign//ping")
        asked = self.daemon.ctl(self.keys["auditor"], "//audit")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        lines = [json.loads(line) for line in asked.stdout.splitlines()]
        seen = [(e["name"], e["service"], e["operation"], e["args"], e["outcome"], e["status"]) for e in lines]
        for entry in (("ci", "demo", "ps", [], "done", 0), ("ci", "demo", "down", [], "refused", 77),
                      ("ci", "demo", "exec", ["web", "sh", "[2 more]"], "refused", 77), ("", "", "", [], "refused", 64),
                      ("id", "demo", "restart", ["web"], "done", 0), ("", "foreign", "ping", [], "refused", 77)):
            self.assertIn(entry, seen)
        for entry in lines:
            self.assertRegex(entry["key"], "^SHA256:")
            self.assertRegex(entry["from"], r"^(127\.0\.0\.1|\[::1\]):\d+$")
            self.assertGreaterEqual(entry["milliseconds"], 0)
        file = self.daemon.state / "audit.log"
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        self.assertNotIn("hunter2", file.read_text())
        of_demo = self.daemon.ctl(self.keys["auditor"], "demo//audit", "-n", "2").stdout.splitlines()
        self.assertEqual([json.loads(line)["operation"] for line in of_demo], ["exec", "restart"])
        self.assertEqual(self.daemon.ctl(self.keys["id"], "//audit").returncode, 77)
        self.assertEqual(self.status_of("id", "audit"), 77)
        self.assertEqual(self.daemon.ctl(self.keys["auditor"], "//audit", "-n", "many").returncode, 64)
        # What cannot be written stops nothing, and is said once.
        self.daemon.stop()
        file.unlink()
        file.mkdir()
        self.daemon.start()
        wait_until("it answers", lambda: self.status_of("id", "ping") == 0)
        self.status_of("id", "ping")
        self.assertEqual(self.daemon.log().count("is not recorded until it can be written"), 1)


if __name__ == "__main__":
    main()
