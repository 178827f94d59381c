"""`pgod --doctor` finds nothing wrong where nothing is, and names each planted fault with the command that mends it. Faults
of the host are planted in a mount namespace of the doctor's own."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from harness import BIN, Repository, SystemTest, User, compose_web, free_port, main, require_root_and_podman, run

require_root_and_podman()

# The program for the network of containers, and its package.
NETWORK = (("slirp4netns", "slirp4netns") if subprocess.run(["podman", "--version"], capture_output=True, text=True)
           .stdout.startswith("podman version 4") else ("pasta", "passt"))

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-doc-ann")
    unittest.addModuleCleanup(ANN.remove)


class Doctor(SystemTest):
    def setUp(self):
        super().setUp()
        self.repository = Repository(self.directory)
        self.repository.commit({"compose.yaml": compose_web(free_port())})
        self.git = self.git_daemon()
        self.git.start()
        self.config = self.pgod()

    def examine(self, *planted):
        """The checks by what they are about and their name, with the mounts of `planted`, (what, where), in place."""
        self.config.write_config()
        mounts = "".join(f"mount {how} && " for how in planted)
        done = run(["unshare", "-m", "--propagation", "private", "sh", "-c",
                    f"{mounts}exec {BIN}/pgod -c {self.config.config} --doctor --json"], env={**os.environ})
        self.assertIn(done.returncode, (0, 1), done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["good"], done.returncode == 0)
        return {(check["about"], check["check"]): check for check in answer["checks"]}

    def examine_anew(self, *planted):
        """As examine(), without the process that keeps the mounts as the user's podman first saw them."""
        ANN.podman("system", "migrate")
        return self.examine(*planted)

    def file(self, name, text="", mode=0o755):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def bind(self, name, target, text="", mode=0o755):
        return f"--bind {self.file(name, text, mode)} {target}"

    def check_planted(self, checks, about, check, problem, remedy):
        found = checks[(about, check)]
        self.assertFalse(found["good"], (about, check))
        self.assertIn(problem, found["problem"])
        self.assertIn(remedy, found["remedy"])

    def test_a_good_host_and_service_have_nothing(self):
        self.config.service("demo", ANN.name, self.git.url(self.repository), urls={"localhost": ":8080"},
                            ports=["8080/9"])
        checks = self.examine()
        # The clock and /dev/net/tun are the host's own.
        bad = [c for key, c in checks.items() if not c["good"] and key[1] not in ("clock", "/dev/net/tun", "user pgod")]
        self.assertEqual(bad, [])
        for about, check in (("host", "podman"), ("host", "podman-compose"), (f'user "{ANN.name}"', "podman"),
                             (f'user "{ANN.name}"', "podman-compose"), (f'user "{ANN.name}"', "cgroups"),
                             (f'user "{ANN.name}"', "storage"), (f'user "{ANN.name}"', "builds"),
                             (f'user "{ANN.name}"', "name resolution"),
                             ('service "demo"', "repository"), ('service "demo"', "urls")):
            self.assertTrue(checks[(about, check)]["good"], (about, check))
        self.assertFalse((self.config.state).exists(), "nothing is made")

    def test_ten_planted_faults_are_named_with_their_remedies(self):
        user, url = f'user "{ANN.name}"', self.git.url(self.repository)
        token = self.file("token", "ci:tok-5e1d0f", 0o644)
        subprocess.run(["git", "init", "-q", "--bare", self.directory / "empty.git"], check=True)
        self.config.service("demo", ANN.name, url, branch="gone", ports=["80/1", "8080/9"],
                            urls={"nowhere.invalid": ":8080"}, env_file=str(token), secrets={"key": str(token)})
        self.config.service("away", ANN.name, f"git://127.0.0.1:{free_port()}/repo.git")
        self.config.service("nobodys", "pgt-doc-none", url)
        subids = "".join(line for line in pathlib.Path("/etc/subuid").read_text().splitlines(True)
                         if not line.startswith(f"{ANN.name}:"))
        checks = self.examine(
            self.bind("subuid", "/etc/subuid", subids, 0o644),
            self.bind("subgid", "/etc/subgid", "root:100000:65536\n", 0o644),
            self.bind("newuidmap", "/usr/bin/newuidmap"),
            self.bind("compose", "/usr/lib/python3/dist-packages/podman_compose.py", '__version__ = "1.0.2"\n', 0o644),
            self.bind("tun", "/dev/net/tun", "", 0o600),
            self.bind("network", f"/usr/bin/{NETWORK[0]}", "", 0o644),
            f"-t tmpfs -o mode=700,uid=0,gid=0 none {ANN.runtime}")
        from_ids = max([100_000] + [int(line.split(":")[1]) + int(line.split(":")[2]) for line in subids.split()])
        for about, check, problem, remedy in (
                ("host", "podman-compose", 'this is "1.0.2"', "apt-get install podman-compose"),
                ("host", "newuidmap", "it is not set-user-ID root", "apt-get install --reinstall uidmap"),
                ("host", "/dev/net/tun", "mode 600", "chmod 666 /dev/net/tun"),
                ("host", NETWORK[0], "not installed", f"apt-get install {NETWORK[1]}"),
                (user, "subuid", "has 0 subordinate ids in /etc/subuid",
                 f"usermod --add-subuids {from_ids}-{from_ids + 65535} {ANN.name}"),
                (user, "subgid", "has 0 subordinate ids", f"usermod --add-subgids 165536-231071 {ANN.name}"),
                (user, "runtime directory", "does not belong to the user", f"install -d -m 700 -o {ANN.uid}"),
                ('user "pgt-doc-none"', "user", "does not exist on this host", "useradd --create-home pgt-doc-none"),
                ('service "demo"', "ports", "ports allows 80",
                 "echo net.ipv4.ip_unprivileged_port_start=80 > /etc/sysctl.d/50-pgod.conf"),
                ('service "demo"', "env_file", "its mode 644 lets others at them", f"chmod 600 {token}"),
                ('service "demo"', "secrets", f"key: {token} holds secrets, but its mode 644", f"chmod 600 {token}"),
                ('service "demo"', "urls", "nowhere.invalid cannot be resolved", "getent ahosts nowhere.invalid"),
                ('service "demo"', "repository", 'has no branch "gone"', f"set repository and branch of service \"demo\" to what exists (now {url}, gone)"),
                ('service "away"', "repository", "Connection refused", "make git://127.0.0.1")):
            with self.subTest(check=check):
                self.check_planted(checks, about, check, problem, remedy)
        self.assertNotIn("tok-5e1d0f", json.dumps([*checks.values()]))

    def test_a_host_on_which_builds_cannot_be_confined(self):
        user = f'user "{ANN.name}"'
        self.config.service("demo", ANN.name, self.git.url(self.repository))
        networks = [name for name in ("pasta", "slirp4netns") if pathlib.Path(f"/usr/bin/{name}").exists()]
        for programs, reason in ((networks, "install the package passt or slirp4netns"),
                                 (["newuidmap"], "is the package uidmap installed")):
            with self.subTest(missing=programs):
                # podman's own namespaces are there already; the jail makes its own.
                ANN.podman("info")
                checks = self.examine(*(self.bind(program, f"/usr/bin/{program}", "", 0o644) for program in programs))
                self.check_planted(checks, user, "builds", "builds cannot be confined, so pgod refuses them: ",
                                   f"apt-get install --reinstall uidmap {NETWORK[1]} && modprobe tun")
                self.assertIn(reason, checks[(user, "builds")]["problem"])
        self.assertEqual(list(ANN.runtime.glob("pgod-doctor-*")), [])

    def test_a_host_on_which_containers_do_not_find_each_other(self):
        self.config.service("demo", ANN.name, self.git.url(self.repository))
        kept = self.directory / "podman"
        shutil.copytree("/usr/lib/podman", kept, ignore=shutil.ignore_patterns("aardvark-dns"))
        pathlib.Path("/run/systemd").mkdir(exist_ok=True)  # a place to mount at, where no systemd runs
        # Debian 12's netavark runs iptables, and Debian 13's, which does not know CNI any more, nft.
        older = ANN.podman("--version").startswith("podman version 4")
        runs = "iptables" if older else "nft"
        for what, planted, problem, remedy in (
                (runs, self.bind(runs, os.path.realpath(f"/usr/sbin/{runs}"), "", 0o644),
                 "iptables is not installed" if older else "netavark: nftables error: unable to execute nft",
                 "apt-get install iptables" if older else "apt-get install nftables"),
                ("a session", "-t tmpfs none /run/systemd && mkdir /run/systemd/system",
                 f"aardvark-dns needs the systemd session of user {ANN.name}, and there is none",
                 f"loginctl enable-linger {ANN.name}"),
                ("aardvark-dns", f"--bind {kept} /usr/lib/podman", "aardvark-dns is not installed",
                 "apt-get install aardvark-dns")):
            with self.subTest(missing=what):
                self.check_planted(self.examine_anew(planted), f'user "{ANN.name}"', "name resolution", problem, remedy)
        with self.subTest(missing="a session and its runtime directory"):
            checks = self.examine_anew("-t tmpfs none /run/systemd && mkdir /run/systemd/system",
                                       "-t tmpfs none /run/user")
            for check in ("runtime directory", "podman"):
                self.check_planted(checks, f'user "{ANN.name}"', check, f"{ANN.runtime} is missing",
                                   f"loginctl enable-linger {ANN.name}")
        if older:
            with self.subTest(missing="the plugin of CNI"):
                (self.directory / "cni").write_text(
                    (ANN.home / ".config/containers/containers.conf").read_text() + '[network]\nnetwork_backend = "cni"\n')
                checks = self.examine_anew(f"--bind {self.directory}/cni {ANN.home}/.config/containers/containers.conf")
                self.check_planted(checks, f'user "{ANN.name}"', "name resolution",
                                   "podman uses CNI here, without its plugin dnsname",
                                   "apt-get install golang-github-containernetworking-plugin-dnsname")
        self.assertTrue(self.examine_anew()[(f'user "{ANN.name}"', "name resolution")]["good"], "nothing is missing any more")
        self.assertEqual(ANN.containers(all_states=True), {})
        self.assertEqual(list(ANN.runtime.glob("pgod-doctor-*")), [])

    def test_networks_without_dns_and_those_of_a_doctor_that_was_killed(self):
        self.config.service("demo", ANN.name, self.git.url(self.repository))
        ended = subprocess.Popen(["true"])
        ended.wait()
        left = f"pgod-doctor-{ended.pid}"
        ANN.podman("network", "create", left)
        (ANN.runtime / left).mkdir()
        os.chown(ANN.runtime / left, ANN.uid, ANN.gid)
        ANN.podman("network", "create", "--disable-dns", "--label", "pgod.service=demo", "demo_default")
        ANN.podman("network", "create", "--disable-dns", "anns_own")
        self.addCleanup(ANN.podman, "network", "rm", "demo_default", "anns_own")
        checks = self.examine()
        self.check_planted(checks, f'user "{ANN.name}"', "network demo_default",
                           'containers of service "demo" do not find each other by name',
                           "pgoctl :demo//down && pgoctl :demo//up")
        self.assertNotIn("anns_own", json.dumps([*checks.values()]))
        names = {network["name"] for network in json.loads(ANN.podman("network", "ls", "--format", "json"))}
        self.assertEqual(names - {"podman"}, {"demo_default", "anns_own"})
        self.assertEqual(list(ANN.runtime.glob("pgod-doctor-*")), [])

    def test_podman_that_is_old_or_does_not_work_and_a_full_disk(self):
        user = f'user "{ANN.name}"'
        self.config.service("demo", ANN.name, self.git.url(self.repository))
        fake = '#!/bin/sh\n[ "$1" = --version ] && { echo podman version 3.4.4; exit; }\necho "Error: the store is broken" >&2\nexit 125\n'
        checks = self.examine(self.bind("podman", "/usr/bin/podman", fake))
        self.check_planted(checks, "host", "podman", 'this is "3.4.4"', "apt-get install podman")
        self.check_planted(checks, user, "podman", "podman info: the store is broken", f"runuser -l {ANN.name} -s /bin/sh -c")
        storage = ANN.home / ".local/share/containers"
        ANN.run(["mkdir", "-p", storage])
        checks = self.examine(
            f"-t tmpfs -o size=16m,mode=700,uid={ANN.uid},gid={ANN.gid} none {storage} && "
            f"runuser -u {ANN.name} -- mkdir {storage}/storage && "
            f"{{ dd if=/dev/zero of={storage}/full bs=4k status=none 2>/dev/null || true; }}")
        self.check_planted(checks, user, "storage", "the disk is full", "podman image prune --all")
        # As root types it who logged in at the host, with a session of root's own.
        done = subprocess.run(["sh", "-c", checks[(user, "storage")]["remedy"]], input="y\n", capture_output=True, text=True,
                              env={**os.environ, "XDG_RUNTIME_DIR": "/run/user/0"}, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_podman_compose_that_nobody_knows(self):
        self.config.service("demo", ANN.name, self.git.url(self.repository))
        checks = self.examine(self.bind("compose", "/usr/lib/python3/dist-packages/podman_compose.py",
                                        '__version__ = "9.9.9"\n', 0o644))
        self.assertTrue(checks[("host", "podman-compose")]["good"])
        self.check_planted(checks, f'user "{ANN.name}"', "podman-compose", "podman-compose 9.9.9 fails pgod's self-test (",
                           "apt-get install podman-compose")

    def test_as_text(self):
        self.config.service("demo", "pgt-doc-none", self.repository.url)
        self.config.write_config()
        done = run([BIN / "pgod", "-c", self.config.config, "--doctor"])
        self.assertEqual(done.returncode, 1)
        self.assertIn('BAD  user "pgt-doc-none": user: user "pgt-doc-none" does not exist on this host\n'
                      "     mend it with:  useradd --create-home pgt-doc-none\n", done.stdout)
        self.assertRegex(done.stdout, r"\n\d+ of \d+ checks failed\n$")


if __name__ == "__main__":
    main()
