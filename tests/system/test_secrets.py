"""Private repositories, a private registry and the admin's env_file: all of it deploys, and what was given to pgod is found
in no argv, log, record, message or file but the admin's own."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

from harness import (SKIPPED, Repository, SystemTest, User, compose_web, connects, fetch, free_port, main, make_key,
                     require_root_and_podman, run, wait_until)
from sampler import Sampler

require_root_and_podman()
for needed in ("nginx", "fcgiwrap", "sshd", "docker-registry", "htpasswd", "openssl"):
    if shutil.which(needed, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
        print(f"needs {needed}")
        sys.exit(SKIPPED)

ANN = None
# Of this run alone: another one on the same host must not be found.
TOKEN, REGISTRY_PASSWORD, DB_PASSWORD, API_TOKEN = (f"{kind}-{os.urandom(5).hex()}" for kind in ("tok", "reg", "db", "api"))


def setUpModule():
    import unittest
    global ANN
    ANN = User("pgt-sec-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Secrets(SystemTest):
    def setUp(self):
        super().setUp()
        self.key = make_key(self.directory)
        self.public = (self.directory / "id.pub").read_text()
        self.secret_directory = self.directory / "admin"
        self.secret_directory.mkdir(mode=0o700)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))

    def server(self, argv, port, **options):
        with open(self.directory / f"server-{port}.txt", "w") as log:
            process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)

        def stop():
            process.terminate()
            process.wait(timeout=60)

        self.addCleanup(stop)
        if port:
            wait_until(f"{argv[0]} listens", lambda: connects(port))
        return process

    def secret(self, name, text):
        path = self.secret_directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def https_server(self):
        """Private: user "ci" with the token; its certificate is signed by an authority of our own."""
        port, place = free_port(), self.directory / "https"
        place.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", place / "key", "-out", place / "pem"], check=True, capture_output=True)
        subprocess.run(["htpasswd", "-cbB", place / "htpasswd", "ci", TOKEN], check=True, capture_output=True)
        self.server(["/usr/sbin/fcgiwrap", "-s", f"unix:{place}/fcgi.sock"], 0,
                    env={"PATH": "/usr/bin:/bin", "GIT_PROJECT_ROOT": str(self.directory)})
        (place / "nginx.conf").write_text(f"""
user root; daemon off; worker_processes 1; pid {place}/pid; error_log {place}/error.txt;
events {{}}
http {{
  access_log {place}/access.txt; client_body_temp_path {place}/t1; proxy_temp_path {place}/t2;
  fastcgi_temp_path {place}/t3; uwsgi_temp_path {place}/t4; scgi_temp_path {place}/t5;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {place}/pem; ssl_certificate_key {place}/key;
    auth_basic private; auth_basic_user_file {place}/htpasswd;
    location / {{
      fastcgi_pass unix:{place}/fcgi.sock; fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
      fastcgi_param GIT_PROJECT_ROOT {self.directory}; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param PATH_INFO $uri; fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param QUERY_STRING $query_string; fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param REMOTE_USER $remote_user;
    }}
  }}
}}
""")
        self.server(["/usr/sbin/nginx", "-e", place / "error.txt", "-p", place, "-c", place / "nginx.conf"], port)
        self.authority = place / "pem"
        return port

    def ssh_server(self):
        """Lets in whoever has the deploy key; the service's user knows its host key and has no key of his own."""
        port, place = free_port(), self.directory / "sshd"
        place.mkdir()
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        make_key(place, "host_key")
        deploy_key = make_key(self.secret_directory, "deploy_key")
        shutil.copy(self.secret_directory / "deploy_key.pub", place / "authorized_keys")
        (place / "config").write_text(
            f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {place}/host_key\nPidFile none\nUsePAM no\nStrictModes no\n"
            f"PermitRootLogin prohibit-password\nPasswordAuthentication no\nAuthorizedKeysFile {place}/authorized_keys\n")
        self.server(["/usr/sbin/sshd", "-D", "-E", place / "sshd.txt", "-f", place / "config"], port)
        known = ANN.home / ".ssh"
        known.mkdir(exist_ok=True)
        kind, text = (place / "host_key.pub").read_text().split()[:2]
        (known / "known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {text}\n")
        subprocess.run(["chown", "-R", f"{ANN.uid}:{ANN.gid}", known], check=True)
        return port, deploy_key

    def registry(self):
        """Private: user "ci" with the password; holds the image private/bb:1."""
        port, place = free_port(), self.directory / "registry"
        place.mkdir()
        subprocess.run(["htpasswd", "-cbB", place / "htpasswd", "ci", REGISTRY_PASSWORD], check=True, capture_output=True)
        (place / "config.yml").write_text(
            f"version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {place}/data}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n"
            f"auth: {{htpasswd: {{realm: private, path: {place}/htpasswd}}}}\n")
        self.server(["docker-registry", "serve", place / "config.yml"], port)
        (ANN.home / ".config/containers/registries.conf").write_text(
            f'[[registry]]\nlocation = "127.0.0.1:{port}"\ninsecure = true\n')
        image = f"127.0.0.1:{port}/private/bb:1"
        ANN.podman("push", "-q", "--creds", f"ci:{REGISTRY_PASSWORD}", User.IMAGE, image)
        auth = self.directory / "auth.json"
        run(["podman", "--root", self.directory / "nothing", "login", "--tls-verify=false", "--authfile", auth,
             "-u", "ci", "-p", REGISTRY_PASSWORD, f"127.0.0.1:{port}"])
        encoded = auth.read_text()
        auth.unlink()
        shutil.rmtree(self.directory / "nothing", ignore_errors=True)
        self.assertIn("auths", encoded)
        return image, encoded

    def begin(self, name, url, **settings):
        self.daemon = self.pgod()
        self.daemon.service(name, ANN.name, url, **settings)

    def settled(self, name, commit):
        def look():
            self.daemon.alive()
            done = self.daemon.ctl(self.key, f"{name}//status", "--json")
            return done.returncode == 0 and f'"{commit}"' in done.stdout and '"phase": "idle"' in done.stdout.replace(
                '"phase":"idle"', '"phase": "idle"')

        wait_until(f"{name} runs {commit[:8]}", look)

    def everything_said(self, name):
        said = ""
        for words in (["status"], ["why"], ["plan"], ["check"], ["history"], ["log"], ["logs"], ["ps"], ["sync"], ["up"]):
            for more in ([], ["--json"]) if words[0] in ("status", "plan", "why") else ([],):
                done = self.daemon.ctl(self.key, f"{name}//{words[0]}", *more)
                said += done.stdout + done.stderr
        return said + self.daemon.ctl(self.key, "//audit").stdout

    def files_with(self, secret, *but):
        """Files of the test, of the user, and of the host's places for files of the moment."""
        found = []
        roots = [self.directory, ANN.home, ANN.runtime, "/run/containers", "/var/tmp", "/dev/shm"]
        for root in roots:
            for directory, _, names in os.walk(root):
                for name in names:
                    path = pathlib.Path(directory, name)
                    if any(path.is_relative_to(other) for other in but):
                        continue
                    try:
                        if stat.S_ISREG(path.lstat().st_mode) and secret.encode() in path.read_bytes():
                            found.append(path)
                    except OSError:
                        pass
        return found

    def test_what_is_private_deploys_and_no_secret_shows(self):
        https, (ssh, deploy_key), (image, auth) = self.https_server(), self.ssh_server(), self.registry()
        ANN.podman("rmi", "--force", image, check=False)
        ports = free_port(), free_port()
        environment = ('    environment:\n      DATABASE: "postgres://shop:${DB_PASSWORD}@db/shop"\n'
                       '      API_TOKEN: ${API_TOKEN}\n')
        shop, wiki = Repository(self.directory, "shop"), Repository(self.directory, "wiki")
        first = shop.commit({"ssh/id.pub": self.public,
                             "compose.yaml": compose_web(ports[0], "shop", extra=environment).replace(User.IMAGE, image)})
        second = wiki.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(ports[1], "wiki")})
        self.begin("shop", f"https://localhost:{https}/shop.git", registry_auth="registry.json",
                   credentials=str(self.secret("token", f"ci:{TOKEN}\n")),
                   env_file=str(self.secret("shop.env", f"# of shop\nDB_PASSWORD={DB_PASSWORD}\nAPI_TOKEN={API_TOKEN}\n")))
        self.secret("registry.json", auth)
        self.daemon.service("wiki", ANN.name, f"ssh://root@127.0.0.1:{ssh}{wiki.bare}", credentials=str(deploy_key))
        self.daemon.launcher = ["/usr/bin/env", f"SSL_CERT_FILE={self.authority}",
                                f"CREDENTIALS_DIRECTORY={self.secret_directory}"]
        key_text = deploy_key.read_text().splitlines()[2]
        encoded = re.search(r'"auth": *"([^"]+)"', auth)[1]
        planted = [TOKEN, REGISTRY_PASSWORD, DB_PASSWORD, API_TOKEN, key_text, encoded]
        sampler = Sampler(planted, ANN)
        self.addCleanup(sampler.stop)
        (self.directory / "admin_keys").write_text(self.public)
        self.daemon.start()
        self.settled("shop", first)
        self.settled("wiki", second)
        wait_until("both serve", lambda: (fetch(ports[0]), fetch(ports[1])) == ("shop\n", "wiki\n"))
        inside = ANN.podman("exec", "shop_web_1", "env")
        self.assertIn(f"DATABASE=postgres://shop:{DB_PASSWORD}@db/shop\n", inside)
        self.assertIn(f"API_TOKEN={API_TOKEN}\n", inside)
        said = self.everything_said("shop") + self.everything_said("wiki")
        self.assertTrue(self.files_with("{secret:DB_PASSWORD}"), "the record has its place")

        # A value that changed is a change, and says so by its name.
        self.secret("shop.env", "DB_PASSWORD=another-4d0e77\nAPI_TOKEN=" + API_TOKEN + "\n")
        before = ANN.container_ids()
        said += self.daemon.ctl(self.key, "shop//plan").stdout
        self.assertIn("the secret in DATABASE of web changed", said)
        done = self.daemon.ctl(self.key, "shop//up")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the secret in DATABASE of web changed", done.stdout + done.stderr)
        self.assertIn("another-4d0e77", ANN.podman("exec", "shop_web_1", "env"))
        after = ANN.container_ids()
        self.assertNotEqual(before["shop_web_1"], after["shop_web_1"])
        self.assertEqual(before["wiki_web_1"], after["wiki_web_1"])
        self.assertEqual(self.daemon.ctl(self.key, "shop//up").returncode, 0)
        self.assertEqual(ANN.container_ids(), after, "the second up found nothing changed")

        # Not because the file was saved, but when it is said.
        self.secret("shop.env", "DB_PASSWORD=third-91c2f5\nAPI_TOKEN=" + API_TOKEN + "\n")
        wiki = ANN.container_ids()["wiki_web_1"]
        self.assertEqual(self.daemon.ctl(self.key, "shop//sync").returncode, 0)
        self.assertEqual(ANN.container_ids(), after, "a poll does not look")
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until("a reload does", lambda: ANN.container_ids().get("shop_web_1") not in (None, after["shop_web_1"]))
        self.settled("shop", first)
        self.assertIn("third-91c2f5", ANN.podman("exec", "shop_web_1", "env"))
        self.assertEqual(ANN.container_ids()["wiki_web_1"], wiki)
        said += self.everything_said("shop")

        # A container that fails and says it is heard without it.
        shop.commit({"compose.yaml": compose_web(ports[0], command="sh -c 'echo the token is $$API_TOKEN; exit 3'",
                                                 extra=environment).replace(User.IMAGE, image)})
        told = wait_until("its last lines are in the log", lambda: re.search(
            "web [|] the token is .*", self.daemon.ctl(self.key, "shop//log").stdout))
        self.assertEqual(told[0], "web | the token is [redacted]")
        wait_until("the version before is back", lambda: fetch(ports[0]) == "shop\n")
        said += self.everything_said("shop")

        sampler.stop()
        self.assertGreater(sampler.rounds, 20)
        self.assertEqual(sampler.found, [])
        for secret in [*planted, "another-4d0e77", "third-91c2f5"]:
            self.assertNotIn(secret, said)
            # podman keeps the environment of the containers that it made, and nothing else.
            of_podman = [ANN.home / ".local/share/containers", ANN.runtime] if secret not in planted[:2] + planted[4:] else []
            self.assertEqual(self.files_with(secret, self.secret_directory, *of_podman), [])

    def problem(self, name, part):
        def look():
            self.daemon.alive()
            text = self.daemon.log()
            return part in text

        wait_until(f"the log says {part!r}", look)

    def test_a_name_of_the_committer_is_not_in_the_environment_of_podman(self):
        # Programs that podman starts load libraries from XTABLES_LIBDIR.
        port, name = free_port(), "XTABLES_LIBDIR"
        repository = Repository(self.directory)
        commit = repository.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(
            port, extra="    environment: {" + name + ": '/tree/x${DB_PASSWORD}', QUOTED: '\"#${DB_PASSWORD} '}\n")})
        self.begin("demo", repository.url, env_file=str(self.secret("demo.env", f"DB_PASSWORD={DB_PASSWORD}\n")))
        found, seen, end = [], [], threading.Event()

        def look():
            while not end.is_set():
                for process in pathlib.Path("/proc").iterdir():
                    with contextlib.suppress(OSError):
                        if process.name.isdigit() and process.stat().st_uid == ANN.uid and (
                                process / "comm").read_text().strip() in ("podman", "conmon"):
                            text = (process / "environ").read_bytes()
                            seen.append(process.name)
                            found.extend(line for line in text.split(b"\0") if line.startswith(f"{name}=".encode())
                                         or DB_PASSWORD.encode() in line)
                time.sleep(0.002)

        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        try:
            self.daemon.start()
            self.settled("demo", commit)
        finally:
            end.set()
            looking.join(timeout=60)
        self.assertTrue(seen)
        self.assertEqual(found, [])
        wait_until("it serves", lambda: fetch(port) == "one\n")
        inside = ANN.podman("exec", "demo_web_1", "env")
        self.assertIn(f"{name}=/tree/x{DB_PASSWORD}\n", inside)
        self.assertIn(f'QUOTED="#{DB_PASSWORD} \n', inside)
        # The descriptor by which podman got them ends with podman.
        held = ANN.podman("exec", "demo_web_1", "sh", "-c", "ls -l /proc/1/fd")
        self.assertNotIn("memfd", held)

    def test_a_build_does_not_see_the_password_of_the_registry(self):
        # Fails, and with it the deployment, where one of its processes holds an anonymous file or was told of one.
        look = ('for held in /proc/[0-9]*/fd/*; do case "$(busybox readlink $held)" in *memfd*) exit 9;; esac; done; '
                'case "$(env)" in *REGISTRY_AUTH*) exit 9;; esac')
        port = free_port()
        repository = Repository(self.directory)
        commit = repository.commit({"ssh/id.pub": self.public, "Containerfile": f"FROM {User.IMAGE}\nRUN {look}\n",
                                    "compose.yaml": compose_web(port).replace(f"image: {User.IMAGE}", "build: .")})
        auth = self.secret("auth.json", '{"auths":{"registry.invalid":{"auth":"' + TOKEN + '"}}}')
        self.begin("demo", repository.url, registry_auth=str(auth))
        self.daemon.start()
        self.settled("demo", commit)
        wait_until("it serves", lambda: fetch(port) == "one\n")

    def test_a_file_that_others_may_read_is_refused_with_what_to_do(self):
        port = free_port()
        repository = Repository(self.directory)
        commit = repository.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(
            port, extra="    environment: {PASSWORD: '${DB_PASSWORD}'}\n")})
        env_file = self.secret("demo.env", f"DB_PASSWORD={DB_PASSWORD}\n")
        env_file.chmod(0o640)
        self.begin("demo", repository.url, env_file=str(env_file))
        self.daemon.start()
        self.problem("demo", f"env_file: {env_file} holds secrets, but its mode 640 lets others at them: chown 0 {env_file} "
                             f"&& chmod 600 {env_file}")
        self.assertIsNone(fetch(port))
        os.chown(env_file, ANN.uid, 0)
        env_file.chmod(0o600)
        self.problem("demo", f"but it belongs to uid {ANN.uid}")
        os.chown(env_file, 0, 0)
        env_file.rename(env_file.with_suffix(".real"))
        env_file.symlink_to(env_file.with_suffix(".real"))
        self.problem("demo", "is reached through a symbolic link")
        env_file.unlink()
        self.secret("demo.env", f"DB_PASSWORD={DB_PASSWORD}\nnonsense {TOKEN}\n")
        self.problem("demo", f"env_file: {env_file}: line 2: must be NAME=value")
        self.secret("demo.env", f"DB_PASSWORD={DB_PASSWORD}\n")
        self.settled("demo", commit)
        wait_until("it serves", lambda: fetch(port) == "one\n")
        commit = repository.commit({"compose.yaml": compose_web(port, command="sh -c 'echo ${DB_PASSWORD}'")})
        self.problem("demo", 'web: command: DB_PASSWORD is a secret of the admin\'s env_file, which only '
                             'environment, secrets and configs may hold')
        repository.commit({"compose.yaml": compose_web(port, extra="    environment: {HOME: '${DB_PASSWORD}'}\n")})
        self.problem("demo", "environment: HOME must not hold a secret")
        self.assertEqual(fetch(port), "one\n")
        self.assertNotIn(DB_PASSWORD, self.daemon.log())
        self.assertNotIn(TOKEN, self.daemon.log())

    def test_credentials_that_do_not_fit_say_so(self):
        repository = Repository(self.directory)
        repository.commit({"ssh/id.pub": self.public, "compose.yaml": compose_web(free_port())})
        https, (ssh, _) = self.https_server(), self.ssh_server()
        token = self.secret("token", f"ci:{TOKEN}-wrong\n")
        self.begin("one", f"https://localhost:{https}/repo.git", credentials=str(token))
        self.daemon.service("two", ANN.name, f"ssh://root@127.0.0.1:{ssh}{repository.bare}", credentials=str(token))
        self.daemon.service("three", ANN.name, f"https://localhost:{https}/repo.git", credentials="missing")
        self.daemon.launcher = ["/usr/bin/env", f"SSL_CERT_FILE={self.authority}"]
        self.daemon.start()
        self.problem("one", "refuses the user and password of `credentials`")
        self.problem("two", "the file of `credentials` holds no private key as ssh-keygen writes it")
        self.problem("three", '"missing" names a credential of systemd, and pgod was started without any')
        self.assertNotIn(TOKEN, self.daemon.log())


if __name__ == "__main__":
    main()
