"""What the tests on a booted host share: pgod's packages are installed in it as a user installs them, and the services of
four repositories run, each with another kind of upstream or another user."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import booted_host
import debian
from booted_host import wait_until

# Beyond the packages themselves and what they depend on: a whole system, git servers, a reverse proxy, and what the tests
# run in it. A package that pgod needs must not be here.
TESTS_NEED = "systemd systemd-sysv git openssh-client openssh-server nginx fcgiwrap procps python3 busybox-static".split()

# service → its user, where its repository is, and what its [[services]] says beyond that
SERVICES = {
    "web": ("alice", "file:///srv/git/web.git", ""),
    "quiet": ("bob", "file:///srv/git/quiet.git", ""),
    "shop": ("carol", "ssh://git@localhost/srv/git/shop.git",
             'ports = [ "8088/0" ]\nops = [ "read", "deploy", "exec" ]\ncredentials = "/etc/pgod/shop.key"\n'),
    "wiki": ("carol", "https://localhost/wiki.git", ""),
}
CONFIG = 'interval = "1s"\n' + "".join(f'[[services]]\nname = "{name}"\nuser = "{user}"\nrepository = "{url}"\n{more}'
                                       for name, (user, url, more) in SERVICES.items())

# One process that ends at once when told to, and one that takes its ten seconds.
COMPOSE = """x-gpo-version: {version}
services:
  quick:
    build: .
    command: [sh, -c, 'trap "exit 0" TERM; while :; do sleep 1; done']
    restart: always
  slow:
    build: .
    command: [sleep, "100000"]
"""

WIKI = """x-version: {version}
services:
  page:
    build: .
    command: [sleep, "100000"]
    stop_signal: SIGKILL
"""

# A web server that is healthy once it has found its database by name.
SHOP = """services:
  web:
    build: .
    command: [sh, -c, "echo {version} > /www/index.html; echo serving {version}; exec httpd -f -p 8080 -h /www"]
    stop_signal: SIGKILL
    ports: [ "8088:8080" ]
    healthcheck: {{test: [CMD, wget, -q, -O, /dev/null, "http://db:5432/"], interval: 1s, retries: 100}}
  db:
    build: .
    command: [sh, -c, "echo rows > /www/index.html; exec httpd -f -p 5432 -h /www"]
    stop_signal: SIGKILL
    healthcheck: {{test: [CMD, test, -e, /www/index.html], interval: 1s, retries: 5}}
"""
COMPOSE_FILES = {"web": COMPOSE, "quiet": COMPOSE, "shop": SHOP, "wiki": WIKI}

CONTAINERFILE = """FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin && /bin/busybox mkdir /www"]
"""

# git over https, beside pgod's own file of the reverse proxy.
NGINX = """server {
  listen 127.0.0.1:443 ssl; ssl_certificate /etc/ssl/upstream.pem; ssl_certificate_key /etc/ssl/upstream.key;
  location / {
    fastcgi_pass unix:/run/fcgiwrap.socket; include fastcgi_params;
    fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend; fastcgi_param GIT_PROJECT_ROOT /srv/git;
    fastcgi_param GIT_HTTP_EXPORT_ALL 1; fastcgi_param PATH_INFO $uri;
  }
}
"""

# There is no pids controller in the container that is the host.
CONTAINERS_CONF = "[containers]\npids_limit = 0\n"

# Outside, harness.end_processes_of() sees containers of this host and knows them by the uid alone.
FIRST_UID = 31_000


def require():
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    for program in ("mmdebstrap", "podman", "dpkg-deb", "openssl", "unshare"):
        if shutil.which(program) is None:
            print(f"needs {program}")
            sys.exit(77)
    booted_host.enter_mount_namespace()


class HostCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        suite, packages = os.environ["PGOD_SUITE"], pathlib.Path(os.environ["PGOD_HOST_PACKAGES"])
        wanted = [*debian.dependencies(sorted(packages.glob("*.deb"))), *TESTS_NEED]
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="pgod-host-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.host = booted_host.Host(cls.directory, debian.made(suite, "host", wanted, tar=True), packages)
        cls.addClassCleanup(cls.host.remove)
        cls.install()
        cls.make_services()

    @classmethod
    def install(cls):
        """Without a network: all that the packages depend on must be there by their own account."""
        cls.host.must("sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get install --yes /packages/*.deb")

    @classmethod
    def make_services(cls):
        host = cls.host
        host.must("git", "config", "--global", "--add", "safe.directory", "*")  # root pushes into what others own
        host.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key")
        host.must("install", "-d", "/srv/git")
        for uid, user in enumerate(("alice", "bob", "carol", "git"), FIRST_UID):
            host.must("useradd", "--create-home", "--uid", str(uid), "--shell", "/bin/bash", "--password", "*", user)
            host.must("install", "-d", "-o", user, "-g", user, f"/home/{user}/.config",
                      f"/home/{user}/.config/containers")
            host.write(f"/home/{user}/.config/containers/containers.conf", CONTAINERS_CONF)
        cls.serve_ssh()
        cls.serve_https()
        for service in SERVICES:
            host.must("install", "-d", f"/srv/work-{service}/ssh")
            host.write(f"/srv/work-{service}/Containerfile", CONTAINERFILE)
            host.must("sh", "-c", f"cd /srv/work-{service} && git init -q -b main . && cp /root/key.pub ssh/ && "
                      f"cp /bin/busybox busybox && git init -q --bare -b main /srv/git/{service}.git")
            cls.commit(service, 1)
        host.write("/etc/pgod/config.toml", CONFIG, "600")
        host.must("systemctl", "reload", "pgod")
        for service in SERVICES:
            cls.wait_until(f"{service} is deployed", lambda s=service: cls.status(s).get("health") == "healthy")

    @classmethod
    def serve_ssh(cls):
        """A deploy key of root's, and a user who knows the server."""
        host = cls.host
        host.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/pgod/shop.key")
        host.must("sh", "-c", "install -d -m 700 -o git -g git /home/git/.ssh && "
                  "install -m 600 -o git -g git /etc/pgod/shop.key.pub /home/git/.ssh/authorized_keys && "
                  "install -d -m 700 -o carol -g carol /home/carol/.ssh && "
                  "sed 's/^/localhost /' /etc/ssh/ssh_host_ed25519_key.pub > /home/carol/.ssh/known_hosts")
        host.must("systemctl", "start", "ssh")

    @classmethod
    def serve_https(cls):
        """With a certificate that the host's administrator has declared good."""
        host, place = cls.host, cls.directory / "tls"
        place.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", place / "key",
                        "-out", place / "pem"], check=True, capture_output=True)
        host.write("/etc/ssl/upstream.pem", (place / "pem").read_text())
        host.write("/etc/ssl/upstream.key", (place / "key").read_text(), "600")
        host.must("sh", "-c", "cp /etc/ssl/upstream.pem /usr/local/share/ca-certificates/upstream.crt && update-ca-certificates")
        host.write("/etc/nginx/conf.d/upstream.conf", NGINX)
        host.must("systemctl", "start", "fcgiwrap.socket")
        host.must("systemctl", "restart", "nginx")

    @classmethod
    def wait_until(cls, what, condition):
        try:
            return wait_until(what, condition)
        except AssertionError as error:
            journal = cls.host.run("journalctl", "--no-pager", "--lines", "200", "--unit", "pgod").stdout
            raise AssertionError(f"{error}\n{journal}") from error

    @classmethod
    def commit(cls, service, version, compose=None):
        host, (user, url, _) = cls.host, SERVICES[service]
        owner = user if url.startswith("file:") else "git" if url.startswith("ssh:") else "www-data"
        host.write(f"/srv/work-{service}/compose.yaml", (compose or COMPOSE_FILES[service]).format(version=version))
        host.must("sh", "-c", f"cd /srv/work-{service} && git add -A && git -c user.name=dev -c user.email=dev@example.org "
                  f"commit -q -m {version} && git push -q -f /srv/git/{service}.git main && "
                  f"chown -R {owner}: /srv/git/{service}.git")
        return host.must("git", "-C", f"/srv/work-{service}", "rev-parse", "HEAD").strip()

    @classmethod
    def ctl(cls, *arguments):
        return cls.host.run("pgoctl", "--accept-new", "-i", "/root/key", *arguments)

    @classmethod
    def status(cls, service):
        done = cls.ctl("--json", f"localhost:{service}//status")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def must_ctl(self, *arguments):
        done = self.ctl(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def runs(self, service, commit):
        def look():
            status = self.status(service)
            return (status.get("running"), status.get("health"), status.get("phase")) == (commit, "healthy", "idle")
        self.wait_until(f"{service} runs {commit[:8]}", look)

    def fetch(self, url):
        """The body, or "" when nobody answers."""
        return self.host.run("python3", "-c", "import urllib.request\n"
                             f"print(urllib.request.urlopen('{url}', timeout=60).read().decode(), end='')").stdout
