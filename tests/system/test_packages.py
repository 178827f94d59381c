"""What scripts/package writes: a repository that apt reads, and the package from which the image of pgoctl is built."""

import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import (BIN, SKIPPED, Repository, SystemTest, User, compose_web, fetch, free_port, main, make_key,
                     require_root_and_podman, run, wait_until)

require_root_and_podman()
for needed in ("apt-get", "dpkg-buildpackage", "lintian", "mmdebstrap"):
    if shutil.which(needed) is None:
        print(f"needs {needed}")
        sys.exit(SKIPPED)

SOURCE = pathlib.Path(__file__).resolve().parents[2]
RELEASE = platform.freedesktop_os_release()
# netavark of Debian 12 calls iptables, later ones nft; podman 4 joins networks by slirp4netns, podman 5 by pasta.
NETWORK = {"iptables", "slirp4netns"} if RELEASE["VERSION_ID"] == "12" else {"nftables", "passt"}

PACKAGES = None  # the directory that scripts/package wrote


def setUpModule():
    global PACKAGES
    PACKAGES = pathlib.Path(tempfile.mkdtemp(prefix="pgod-packages-"))
    unittest.addModuleCleanup(shutil.rmtree, PACKAGES)
    PACKAGES.chmod(0o755)
    for stale in ("pgod_0.0.9_all.deb", "InRelease", "Release.gpg"):
        (PACKAGES / stale).touch()
    done = run([SOURCE / "scripts" / "package", PACKAGES], env={**os.environ, "PGOD_BUILD": str(BIN.parent)}, timeout=1200)
    if done.returncode != 0:
        raise AssertionError(f"scripts/package: {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def deb(name):
    found = list(PACKAGES.glob(f"{name}_*.deb"))
    assert len(found) == 1, found
    return found[0]


def field(name, which):
    return run(["dpkg-deb", "--field", deb(name), which], check=True).stdout.strip()


class AptReadsTheDirectory(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pgod-apt-"))
        self.addCleanup(shutil.rmtree, self.directory)
        (self.directory / "lists").mkdir()
        self.repository = self.directory / "repository"
        shutil.copytree(PACKAGES, self.repository)
        (self.directory / "sources.list").write_text(f"deb [trusted=yes] file:{self.repository} ./\n")

    def apt(self, program, *arguments):
        """apt with this source alone, and lists of its own; what is installed on the machine is what it sees as such."""
        options = {"Dir::Etc::sourcelist": self.directory / "sources.list", "Dir::Etc::sourceparts": "-",
                   "Dir::State::lists": self.directory / "lists", "Dir::Cache": self.directory / "cache",
                   "APT::Sandbox::User": "root", "APT::Get::List-Cleanup": "true"}
        (self.directory / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        return run([program, *(f"-o{name}={value}" for name, value in options.items()), *arguments], cwd=self.directory,
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"})

    def updated(self):
        done = self.apt("apt-get", "update")
        self.assertEqual((done.returncode, re.findall(r"^[WE]:.*", done.stdout + done.stderr, re.MULTILINE)), (0, []))

    def test_apt_offers_and_fetches_both_packages(self):
        self.updated()
        for name in ("pgod", "pgoctl"):
            policy = self.apt("apt-cache", "policy", name).stdout
            self.assertEqual(re.search(r"Candidate: (.*)", policy)[1], field(name, "Version"), policy)
        said = self.apt("apt-cache", "policy").stdout
        self.assertIn(f"o=pgod,a={RELEASE['VERSION_CODENAME']},n={RELEASE['VERSION_CODENAME']},l=pgod", said)
        done = self.apt("apt-get", "--quiet", "download", "pgod", "pgoctl")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.apt("apt-get", "--simulate", "install", "pgoctl")
        self.assertIn(f"Inst pgoctl ({field('pgoctl', 'Version')} pgod:{RELEASE['VERSION_CODENAME']}", done.stdout, done.stderr)

    def test_apt_notices_an_index_or_a_package_that_was_changed(self):
        self.updated()
        with open(self.repository / deb("pgoctl").name, "r+b") as package:
            package.seek(-1, os.SEEK_END)
            package.write(b"x")
        done = self.apt("apt-get", "download", "pgoctl")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "Hash Sum mismatch|Size mismatch|unexpected size")
        (self.directory / "lists").rename(self.directory / "lists-before")
        (self.directory / "lists").mkdir()
        for index in self.repository.glob("Packages*"):
            index.write_bytes(index.read_bytes() + b"\n")
        done = self.apt("apt-get", "update")
        self.assertRegex(done.stdout + done.stderr, "Hash Sum mismatch|unexpected size")

    def test_older_packages_and_signatures_are_gone(self):
        self.assertEqual({path.name for path in PACKAGES.iterdir()},
                         {deb("pgod").name, deb("pgoctl").name, "Packages", "Packages.gz", "Packages.xz", "Release"})

    def test_the_packages_are_those_of_this_release(self):
        for name in ("pgod", "pgoctl"):
            self.assertRegex(field(name, "Version"), rf"^[0-9.]+\+deb{RELEASE['VERSION_ID']}$")
        depends = {entry.split()[0] for entry in field("pgod", "Depends").split(",")}
        self.assertLessEqual({"podman", "podman-compose", "netavark", "aardvark-dns", "uidmap", *NETWORK}, depends)
        self.assertEqual(depends & {"iptables", "slirp4netns", "nftables", "passt"}, NETWORK)
        self.assertNotIn("<<", field("pgod", "Depends"))
        needed = {entry.split()[0] for entry in field("pgoctl", "Depends").split(",")}
        self.assertLessEqual({"libc6", "libssh-4"}, needed, "the distribution's updates reach what parses the network")


class ImageOfPgoctl(SystemTest):
    IMAGE = "localhost/pgoctl"

    @classmethod
    def setUpClass(cls):
        cls.user = User("pgt-packages-ci")
        cls.addClassCleanup(cls.user.remove)
        cls.user.import_image()
        cls.user.podman("import", "--quiet", str(cls.base()), "localhost/base")
        cls.user.podman("build", "--quiet", "--build-arg", "BASE=localhost/base", "--tag", cls.IMAGE,
                        "--file", str(cls.recipe()), str(PACKAGES))

    @staticmethod
    def base():
        """In the place of debian:NAME-slim, which is in a registry: with the libraries that pgoctl depends on, and without a
        source of packages, so that the image is made without a network. Made once for a build directory."""
        needed = sorted({re.split(r"[ :]", entry.strip())[0] for entry in field("pgoctl", "Depends").split(",")})
        tar = BIN.parent / "host" / f"base-{RELEASE['VERSION_CODENAME']}-{'-'.join(needed)}.tar"
        if not tar.exists():
            tar.parent.mkdir(exist_ok=True)
            part = tar.with_suffix(".part.tar")
            subprocess.run(["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(needed)}", "--skip=output/dev",
                            "--customize-hook=rm -rf \"$1\"/etc/apt/sources.list*", RELEASE["VERSION_CODENAME"], part],
                           check=True, timeout=1200)
            part.rename(tar)
        return tar

    @classmethod
    def recipe(cls):
        return shutil.copy(SOURCE / "packaging" / "pgoctl.Containerfile", cls.user.home)

    def in_image(self, *command, volume=None):
        return self.user.run(["podman", "run", "--rm", "--network", "host", *(["--volume", volume] if volume else []),
                              self.IMAGE, *command], check=False)

    def test_pgoctl_runs_in_it(self):
        done = self.in_image("sh", "-c", "pgoctl --version")  # as a runner does
        self.assertEqual((done.returncode, done.stdout), (0, run([BIN / "pgoctl", "--version"]).stdout), done.stderr)

    def test_pgoctl_in_it_drives_a_service(self):
        key, port = make_key(self.directory), free_port()
        repository = Repository(self.directory)
        repository.commit({"compose.yaml": compose_web(port, "one"), "ssh/id.pub": (self.directory / "id.pub").read_text()})
        pgod = self.pgod()
        pgod.service("demo", self.user.name, repository.url)
        self.addCleanup(lambda: self.user.podman("rm", "-fa", "-t", "0", check=False))
        pgod.start()
        wait_until("it serves", lambda: fetch(port) == "one\n")
        secret = self.user.home / "key"
        shutil.copy(key, secret)
        os.chown(secret, self.user.uid, self.user.gid)
        pinned = run(["ssh-keygen", "-lf", self.directory / "host_key"]).stdout.split()[1]
        done = self.in_image("pgoctl", "-i", "/key", "-p", str(pgod.port), "--host-key", pinned, "localhost:demo//ping",
                             volume=f"{secret}:/key:ro")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("pong!", done.stdout)


if __name__ == "__main__":
    main()
