"""pgod's Debian packages on a whole host of the suite that PGOD_SUITE names: installed, used, restarted, upgraded, killed and
rebooted, while the containers of ordinary users must not notice."""

import json
import re
import threading
import unittest

import host_case
from debian import SOURCE
from host_case import COMPOSE, CONFIG, HostCase
from team import Team


def setUpModule():
    host_case.require()


class PackagesOnAHost(Team, HostCase):
    def identities(self):
        return {name: found[:2] for name, found in self.host.containers("alice").items()}

    def test_1_the_service_is_up_and_its_containers_are_the_users(self):
        host = self.host
        self.assertEqual(host.must("systemctl", "is-active", "pgod", "pgod.socket").split(), ["active", "active"])
        self.assertEqual(host.must("systemctl", "is-enabled", "pgod", "pgod.socket").split(), ["enabled", "enabled"])
        uid = host.must("id", "-u", "alice").strip()
        self.assertTrue(host.run("test", "-e", "/var/lib/systemd/linger/alice").returncode == 0)
        containers = host.containers("alice")
        self.assertEqual(set(containers), {"quick", "slow"})
        for _, _, _, pid in containers.values():
            self.assertIn(f"/user.slice/user-{uid}.slice/user@{uid}.service/", host.must("cat", f"/proc/{pid}/cgroup"))
            self.assertEqual(host.must("stat", "-c", "%u", f"/proc/{pid}").strip(), uid)
        self.assertEqual(host.must("stat", "-c", "%a", "/etc/pgod/config.toml").strip(), "600")

    def test_1_what_comes_with_the_packages_works(self):
        host = self.host
        status = host.must("pgoctl", ":web//status", "--json")  # the control socket: root needs no key
        self.assertEqual(json.loads(status)["health"], "healthy")
        self.assertEqual(host.must("stat", "-c", "%a %U", "/run/pgod/control.sock").split(), ["600", "root"])
        # …and that of users: each has his own services.
        self.assertEqual(host.run("pgoctl", ":web//status", user="alice").returncode, 0)
        self.assertEqual(host.run("pgoctl", ":quiet//status", user="alice").returncode, 77)
        for place in ("bash-completion/completions/pgoctl", "zsh/vendor-completions/_pgoctl",
                      "fish/vendor_completions.d/pgoctl.fish"):
            host.must("test", "-s", f"/usr/share/{place}")
        doctor = host.run("pgod", "--doctor", "--json")
        found = json.loads(doctor.stdout)
        self.assertEqual((found["good"], doctor.returncode), (all(c["good"] for c in found["checks"]), int(not found["good"])))
        # Without a network the clock is nobody's.
        self.assertEqual([c for c in found["checks"] if not c["good"] and c["check"] != "clock"], [])
        self.assertLessEqual({("host", "podman"), ('user "alice"', "linger"), ('user "bob"', "cgroups"),
                              ('service "web"', "repository")}, {(c["about"], c["check"]) for c in found["checks"]})
        # The figure of the manual is the figure of the unit.
        judged = host.must("systemd-analyze", "security", "--offline=true", "/lib/systemd/system/pgod.service")
        figure = re.search(r"exposure level for pgod.service: ([0-9.]+)", judged)[1]
        release = host.must("sh", "-c", ". /etc/os-release && echo $VERSION_ID").strip()
        manual = re.search(rf"\.Ql systemd-analyze security[^\n]*\n+says [^\n]*?([0-9.]+) on Debian {release}\b",
                           (SOURCE / "man/pgod.8").read_text())
        self.assertEqual(manual[1], figure)

    def metrics(self, path):
        return self.fetch(f"http://localhost:9178{path}")

    def test_1_with_a_reverse_proxy_its_file_is_written_and_loaded(self):
        """Within the bounds of the unit; nginx answers 502 for a name that it was given and nobody listens to."""
        host = self.host
        urls = 'urls = { "web.example.org" = ":8080" }\n[[services]]\nname = "quiet"'
        host.write("/etc/pgod/config.toml",
                   CONFIG.replace('[[services]]\nname = "quiet"', urls) + '[proxy]\nkind = "nginx"\n', "600")
        host.must("systemctl", "start", "nginx")
        host.must("systemctl", "reload", "pgod")

        def answer():
            return host.run("python3", "-c", "import http.client\nc = http.client.HTTPConnection('127.0.0.1', 80, timeout=60)\n"
                            "c.request('GET', '/', headers={'Host': 'web.example.org'})\nprint(c.getresponse().status)").stdout
        self.wait_until("nginx knows the name", lambda: answer() == "502\n")
        self.assertIn("server_name web.example.org;", host.must("cat", "/etc/nginx/conf.d/pgod.conf"))

        def checks():
            found = json.loads(host.run("pgod", "--doctor", "--json").stdout)["checks"]
            return [c["good"] for c in found if c["check"].startswith("proxy")]
        self.wait_until("the doctor finds nothing wrong with it", lambda: checks() == [True, True, True])

    def test_1_with_metrics_a_process_of_the_system_user_serves_them(self):
        host = self.host
        self.assertNotEqual(host.run("pgrep", "-x", "pgod-metrics").returncode, 0)
        host.write("/etc/pgod/config.toml", 'metrics = ":9178"\n' + CONFIG, "600")
        host.must("systemctl", "reload", "pgod")
        self.wait_until("metrics are served", lambda: self.metrics("/readyz") == "ok\n")
        self.assertIn('pgod_service_health{service="web",health="healthy"} 1\n', self.metrics("/metrics"))
        self.assertEqual(host.must("ps", "-C", "pgod-metrics", "-o", "user=").split(), ["pgod"])
        host.must("test", "-s", "/usr/share/pgod/alerts.yml")

    def test_2_restart_upgrade_and_kill_leave_the_containers_alone(self):
        before = self.identities()
        for what in (("systemctl", "restart", "pgod"), ("sh", "-c", "dpkg --install /packages/*.deb"),
                     ("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "pgod"),
                     ("systemctl", "reload-or-restart", "pgod")):
            with self.subTest(what=what):
                pid = self.host.main_pid()
                self.host.must(*what)
                self.wait_until("pgod serves again", lambda: self.status("web").get("health") == "healthy")
                if what[1] != "reload-or-restart":
                    self.assertNotEqual(self.host.main_pid(), pid)
                self.assertEqual(self.identities(), before)
        self.assertIn("WatchdogUSec=1min", self.host.must("systemctl", "show", "pgod"))

    def test_3_a_restart_refuses_no_connection(self):
        refused, done = [], threading.Event()

        def knock():
            while not done.is_set():
                answer = self.host.run("python3", "-c", "import socket\nfor _ in range(200):\n"
                                       " s = socket.create_connection(('127.0.0.1', 2222), 60); s.close()")
                if answer.returncode != 0:
                    refused.append(answer.stderr)

        knocking = threading.Thread(target=knock)
        knocking.start()
        for _ in range(3):
            self.host.must("systemctl", "restart", "pgod")
        done.set()
        knocking.join()
        self.assertEqual(refused, [])

    def test_4_a_deployment_in_progress_survives_restart_upgrade_and_kill(self):
        for version, what in enumerate((("systemctl", "restart", "pgod"), ("sh", "-c", "dpkg --install /packages/*.deb"),
                                        ("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "pgod")), 2):
            with self.subTest(what=what):
                before = self.status("web")["deployment"]
                commit = self.commit("web", version)
                self.wait_until("the deployment has begun", lambda: self.status("web").get("deployment", 0) > before)
                self.host.must(*what)
                self.wait_until("the commit runs", lambda c=commit: self.status("web").get("running") == c
                           and self.status("web").get("health") == "healthy")
                found = self.host.containers("alice")
                self.assertEqual({labels["pgod.commit"] for _, _, labels, _ in found.values()}, {commit})
                self.assertEqual(set(found), {"quick", "slow"})

    def test_5_after_a_reboot_what_ran_runs_and_what_was_stopped_does_not(self):
        self.assertEqual(self.ctl("localhost:quiet//down").returncode, 0)
        self.host.reboot()
        self.wait_until("the service is back", lambda: self.status("web").get("health") == "healthy")
        self.assertEqual(set(self.host.containers("alice")), {"quick", "slow"})
        self.wait_until("metrics are served", lambda: self.metrics("/readyz") == "ok\n")
        self.wait_until("shop and wiki are back", lambda: all(self.status(s).get("health") == "healthy" for s in ("shop", "wiki")))
        self.wait_until("web finds db by its name", self.finds_its_database)
        self.wait_until("the other was looked at", lambda: self.status("quiet").get("phase") == "idle")
        self.assertEqual(self.status("quiet")["desired"], "stopped")
        self.assertEqual(self.host.containers("bob"), {})
        self.assertEqual(self.ctl("localhost:quiet//up").returncode, 0)

    def test_6_after_a_reboot_runs_too_what_is_suspended_and_what_holds_a_bad_commit_back(self):
        self.assertEqual(self.ctl("localhost:web//suspend", "maintenance").returncode, 0)
        good = self.status("quiet")["running"]
        bad = self.commit("quiet", "bad", COMPOSE.replace("sleep, \"100000\"", "sleep, nonsense"))
        self.wait_until("the bad commit is quarantined", lambda: f"{bad[:8]} is quarantined" in self.status("quiet").get("decision", "")
                        and self.status("quiet")["phase"] == "idle")
        self.assertEqual(self.status("quiet")["running"], good)
        before = {user: {name: found[0] for name, found in self.host.containers(user).items()}
                  for user in ("alice", "bob")}
        self.host.run("mv", "/srv/git", "/srv/away")  # what runs is brought back without upstream
        self.host.reboot()
        for service, user in (("web", "alice"), ("quiet", "bob")):
            self.wait_until(f"{service} is back", lambda s=service: self.status(s).get("health") == "healthy")
            self.assertEqual({name: found[0] for name, found in self.host.containers(user).items()}, before[user])
        self.assertEqual(self.status("web")["desired"], "suspended")
        self.assertEqual(self.status("quiet")["running"], good)

    def test_7_removal_leaves_the_containers_and_the_data(self):
        before = self.identities()
        self.host.must("dpkg", "--remove", "pgod")
        self.assertEqual(self.identities(), before)
        self.host.must("test", "-d", "/var/lib/pgod/services/web")


if __name__ == "__main__":
    unittest.main(verbosity=2)
