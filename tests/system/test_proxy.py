"""`[proxy]`: real caddy and nginx, as children of the test on loopback, get the names of services from the file that pgod
writes for them. What they do not take, and whatever is killed in between, leaves the old file and the old names served."""

import contextlib
import http.server
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

from harness import (BIN, SKIPPED, Repository, SystemTest, User, compose_web, connects, free_port, main, make_key,
                     require_root_and_podman, run, toml, wait_until)

require_root_and_podman()
for program in ("caddy", "nginx", "curl"):
    if shutil.which(program) is None:
        print(f"needs {program}")
        sys.exit(SKIPPED)

ANN = None


def setUpModule():
    global ANN
    ANN = User("pgt-prx-ann")
    unittest.addModuleCleanup(ANN.remove)
    ANN.import_image()


class Upstream:
    """An HTTP server that says its name."""

    def __init__(self, name):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = f"{name} {self.headers['Host']} {self.headers['X-Forwarded-Proto']}".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Nginx:
    scheme, kind = "http", "nginx"

    def __init__(self, directory):
        self.directory, self.port = directory, free_port()
        self.main, self.file = directory / "nginx.conf", directory / "pgod.conf"
        self.settings = {"site": [f"listen 127.0.0.1:{self.port};"]}
        self.write_main()

    def write_main(self, include=None, more=""):
        temporary = "".join(f"{name}_temp_path {self.directory}/tmp;" for name in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        include = f"include {self.file};" if include is None else include
        self.main.write_text(f"pid {self.directory}/nginx.pid;\nerror_log {self.directory}/nginx.log;\nevents {{}}\n"
                             f"http {{ access_log off; {temporary}\n{include}\n{more}\n"
                             f"server {{ listen 127.0.0.1:{self.port} default_server; return 404; }} }}\n")

    def start(self):
        self.process = subprocess.Popen(["nginx", "-c", self.main, "-g", "daemon off;"], stdin=subprocess.DEVNULL)
        wait_until("nginx listens", lambda: connects(self.port))

    def is_valid(self):
        return run(["nginx", "-t", "-q", "-c", self.main]).returncode == 0

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Caddy:
    """With certificates of an authority of its own: no name is asked of the network."""

    scheme, kind = "https", "caddy"

    def __init__(self, directory):
        self.directory, self.port, self.http, self.admin = directory, free_port(), free_port(), free_port()
        self.main, self.file = directory / "Caddyfile", directory / "pgod.conf"
        self.home = directory / "caddy"
        self.home.mkdir()
        shutil.chown(self.home, "caddy", "caddy")
        self.settings = {}
        self.write_main()

    def write_main(self, include=None, more=""):
        include = f"import {self.file}" if include is None else include
        self.main.write_text(f"{{\n\tadmin 127.0.0.1:{self.admin}\n\thttp_port {self.http}\n\thttps_port {self.port}\n"
                             f"\tlocal_certs\n\tskip_install_trust\n\tstorage file_system {self.home}\n"
                             f"\tdefault_bind 127.0.0.1\n}}\n{include}\n{more}\n"
                             f"own.example.org {{\n\trespond own\n}}\n")

    def start(self):
        log = open(self.directory / "caddy.log", "w")
        self.process = subprocess.Popen(
            ["caddy", "run", "--config", self.main, "--adapter", "caddyfile"], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, user="caddy", group="caddy", extra_groups=[], env={"HOME": str(self.home), "PATH": "/usr/bin"})
        log.close()
        wait_until("caddy listens", lambda: connects(self.port))

    def is_valid(self):
        return run(["caddy", "validate", "--config", self.main, "--adapter", "caddyfile"], user="caddy",
                   env={"HOME": str(self.home), "PATH": "/usr/bin"}).returncode == 0

    def stop(self):
        self.process.terminate()
        self.process.wait()


def capabilities_of_the_unit():
    unit = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "pgod.service.in"
    line = next(line for line in unit.read_text().splitlines() if line.startswith("CapabilityBoundingSet="))
    return line.partition("=")[2].split()


class Proxy(SystemTest):
    """A pgod whose services need no containers: their names lead to servers of the test."""

    def upstream(self, name):
        server = Upstream(name)
        self.addCleanup(server.stop)
        return server

    def serve(self, proxy, **settings):
        """A proxy that runs, a pgod that writes its file, and two services behind it."""
        proxy = proxy(self.directory)
        proxy.file.write_text("# nothing yet\n")
        proxy.start()
        self.addCleanup(proxy.stop)
        daemon = self.pgod()
        self.configure(daemon, proxy, **settings)
        self.blog, self.shop = self.upstream("blog"), self.upstream("shop")
        for name, server in (("blog", self.blog), ("shop", self.shop)):
            daemon.service(name, ANN.name, f"file://{self.directory}/none.git", interval="1h",
                           urls={f"{name}.example.org": f":{server.port}"})
        return proxy, daemon

    def configure(self, daemon, proxy, **settings):
        given = {"kind": proxy.kind, "file": str(proxy.file), "main": str(proxy.main), **proxy.settings, **settings}
        daemon.proxy = given
        daemon.extra = "[proxy]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in given.items())

    def get(self, proxy, name):
        done = run(["curl", "-sk", "--max-time", "60", "--noproxy", "*", "--resolve", f"{name}:{proxy.port}:127.0.0.1",
                    f"{proxy.scheme}://{name}:{proxy.port}/"])
        return done.stdout if done.returncode == 0 else ""

    def becomes(self, proxy, name, body):
        wait_until(f"{name} is answered by {body!r}", lambda: self.get(proxy, name).startswith(body))

    def says(self, daemon, sentence):
        wait_until(f"pgod says: {sentence}", lambda: daemon.alive() and sentence in daemon.log())

    def reload(self, daemon):
        daemon.write_config()
        daemon.process.send_signal(signal.SIGHUP)

    def problems(self, daemon, service="blog"):
        return daemon.local(0, f":{service}//status").stdout

    def two_services_by_name(self, kind):
        """With no capability beyond those of the unit."""
        proxy, daemon = self.serve(kind)
        daemon.launcher = ["setpriv", "--bounding-set", "-all," + ",".join(
            f"+{name.removeprefix('CAP_').lower()}" for name in capabilities_of_the_unit())]
        daemon.start()
        self.becomes(proxy, "blog.example.org", "blog blog.example.org")
        self.becomes(proxy, "shop.example.org", "shop shop.example.org")
        self.assertIn(proxy.scheme, self.get(proxy, "shop.example.org").split())
        self.assertEqual(proxy.file.stat().st_mode & 0o777, 0o644)
        wait_until("nothing is complained of", lambda: "proxy:" not in self.problems(daemon))
        self.says(daemon, "was written and loaded")

        # The same again changes nothing and reloads nothing.
        before = proxy.file.stat()
        self.reload(daemon)
        self.says(daemon, "the configuration was reloaded")
        self.assertEqual(proxy.file.stat().st_ino, before.st_ino)
        self.assertEqual(daemon.log().count("was written and loaded"), 1)

        # A broken line of the admin's: the old file and the old names stay, and it is said.
        good = proxy.file.read_bytes()
        self.configure(daemon, proxy, site=[*proxy.settings.get("site", []), "no_such_directive_of_mine;"])
        self.reload(daemon)
        self.says(daemon, "did not accept the new one: ")
        self.assertIn("no_such_directive_of_mine", daemon.log())
        wait_until("the status says so", lambda: "no_such_directive_of_mine" in self.problems(daemon))
        self.assertEqual(proxy.file.read_bytes(), good)
        self.assertTrue(proxy.is_valid())
        self.assertTrue(self.get(proxy, "blog.example.org").startswith("blog"))

        # Mended, with a third name: all are there, and nothing is complained of.
        self.configure(daemon, proxy)
        daemon.services[0][3]["urls"]["www.example.org"] = f":{self.blog.port}"
        self.reload(daemon)
        self.becomes(proxy, "www.example.org", "blog")
        wait_until("nothing is complained of", lambda: "proxy:" not in self.problems(daemon))
        self.assertEqual(daemon.log().count("was written and loaded"), 2)  # only what changed was

        # A clash: the file of pgod is not read at all, and nothing changes.
        good = proxy.file.read_bytes()
        daemon.services[1][3]["urls"]["blog.example.org"] = f":{self.shop.port}"
        self.reload(daemon)
        self.says(daemon, 'gives "blog.example.org" twice')
        self.assertEqual(proxy.file.read_bytes(), good)
        self.assertTrue(self.get(proxy, "blog.example.org").startswith("blog"))

    def test_nginx_serves_two_services_by_name(self):
        self.two_services_by_name(Nginx)

    def test_caddy_serves_two_services_by_name(self):
        self.two_services_by_name(Caddy)

    def test_a_main_configuration_that_is_broken_or_does_not_read_the_file(self):
        for kind in (Nginx, Caddy):
            with self.subTest(kind=kind.kind), contextlib.ExitStack() as stack:
                directory = self.directory / kind.kind
                directory.mkdir()
                proxy = kind(directory)
                proxy.file.write_text("# nothing yet\n")
                proxy.start()
                stack.callback(proxy.stop)
                proxy.write_main(include="")
                daemon = self.pgod()
                daemon.services.clear()
                self.configure(daemon, proxy)
                server = self.upstream("blog")
                daemon.service("blog", ANN.name, f"file://{directory}/none.git", interval="1h",
                               urls={"blog.example.org": f":{server.port}"})
                daemon.start()
                stack.callback(daemon.stop)
                self.says(daemon, f"{proxy.file} is not read by {proxy.main}; run: ")
                self.assertEqual(proxy.file.read_text(), "# nothing yet\n")

                proxy.write_main(more="no_such_directive_of_main {\n\tx\n")
                self.reload(daemon)
                self.says(daemon, "did not accept the new one: ")
                self.assertEqual(proxy.file.read_text(), "# nothing yet\n")

                proxy.write_main()
                self.reload(daemon)
                self.becomes(proxy, "blog.example.org", "blog")

    def test_a_check_that_hangs_meets_its_deadline(self):
        proxy, daemon = self.serve(Nginx, check=["sleep", "1000"], timeout="1s")
        daemon.start()
        self.says(daemon, "it did not end within 1 s")
        self.assertEqual(proxy.file.read_text(), "# nothing yet\n")
        wait_until("it is gone", lambda: self.children(daemon) == [])
        wait_until("the status says so", lambda: "it did not end within 1 s" in self.problems(daemon))

    def test_a_reload_that_fails_or_hangs_puts_the_old_file_back(self):
        proxy, daemon = self.serve(Nginx, reload=["false"])
        daemon.start()
        self.says(daemon, "is back as it was, false: it exited with status 1")
        self.assertEqual(proxy.file.read_text(), "# nothing yet\n")
        self.configure(daemon, proxy, reload=["sleep", "1000"], timeout="10s")  # of the check as well, which has to pass
        self.reload(daemon)
        self.says(daemon, "is back as it was, sleep 1000: it did not end within 10 s")
        self.assertEqual(proxy.file.read_text(), "# nothing yet\n")

    def test_names_that_change_all_the_time_reload_the_proxy_at_a_pace(self):
        proxy, daemon = self.serve(Nginx)
        begun = time.monotonic()
        daemon.start()
        self.becomes(proxy, "blog.example.org", "blog")
        changes = 40
        for number in range(changes):
            name = f"n{number}.example.org"
            daemon.services[0][3]["urls"] = {name: f":{self.blog.port}"}
            self.reload(daemon)
            with contextlib.suppress(AssertionError):
                wait_until("it is served", lambda: name in proxy.file.read_text(), 0.5)
            wait_until("it was taken in", lambda: daemon.log().count("the configuration was reloaded") > number)
        loaded, took = daemon.log().count("was written and loaded"), time.monotonic() - begun
        self.assertLessEqual(loaded, 17 + took / 30)
        self.becomes(proxy, name, "blog")  # the last one is served all the same

    def doctor(self, daemon, planted="true"):
        """What is wrong with the proxy, in mounts of the doctor's own: the check and its remedy."""
        daemon.write_config()
        done = run(["unshare", "-m", "--propagation", "private", "sh", "-c",
                    f"{planted} && exec {BIN}/pgod -c {daemon.config} --doctor --json"])
        return {check["check"]: (check["problem"], check["remedy"]) for check in json.loads(done.stdout)["checks"]
                if check["check"].startswith("proxy")}

    def test_the_doctor(self):
        proxy, daemon = self.serve(Nginx)
        good = {name: ("", "") for name in ("proxy configuration", "proxy include", "proxy file")}
        found = self.doctor(daemon)["proxy file"]
        self.assertEqual(found, (f"{proxy.file} does not have blog.example.org as it is configured",
                                 "systemctl reload pgod && journalctl -u pgod -g proxy"))
        self.assertFalse(daemon.state.exists(), "nothing is made")
        daemon.start()
        self.becomes(proxy, "blog.example.org", "blog")
        wait_until("it was noted", lambda: "was written and loaded" in daemon.log())
        self.assertEqual(self.doctor(daemon), good)
        daemon.stop()

        (daemon.state / "proxy" / "loaded").write_text("# another\n")
        self.assertEqual(self.doctor(daemon)["proxy file"][0], f"what {proxy.file} holds was not loaded by nginx")
        text = proxy.file.read_text()
        proxy.write_main(include="")
        problem, remedy = self.doctor(daemon)["proxy include"]
        self.assertIn(f"{proxy.main} does not read {proxy.file}", problem)
        command, _, then = remedy.partition(" && ")
        self.assertEqual(then, "systemctl reload pgod")
        proxy.main.write_text(proxy.main.read_text().replace("http {", "\nhttp {\n"))  # as Debian's is written
        subprocess.run(["sh", "-c", command], check=True)
        self.assertEqual(self.doctor(daemon)["proxy include"], ("", ""))
        problem, _ = self.doctor(daemon, f"mount --bind /tmp /tmp && mount --bind {self.directory} {self.directory} && "
                                         "mount -o remount,bind,ro /tmp")["proxy include"]
        self.assertIn("no directory can be made in /tmp", problem)
        self.assertFalse(pathlib.Path("/proxy").exists(), "nor anywhere else")
        proxy.write_main(more="no_such_directive;")
        problem, remedy = self.doctor(daemon)["proxy configuration"]
        self.assertIn('unknown directive "no_such_directive"', problem)
        self.assertEqual(remedy, f"nginx -t -q -c {proxy.main}")
        proxy.file.unlink()
        self.assertIn("is not there", self.doctor(daemon)["proxy file"][0])
        self.assertFalse(proxy.file.exists(), "nothing is mended")
        proxy.file.write_text(text)

    def test_a_repository_asks_for_names_under_a_wildcard(self):
        """Real containers: the names of what runs are served, and kept over a restart without upstream."""
        proxy = Nginx(self.directory)
        proxy.file.write_text("# nothing yet\n")
        proxy.start()
        self.addCleanup(proxy.stop)
        self.addCleanup(lambda: ANN.podman("rm", "-fa", "-t", "0", check=False))
        daemon = self.pgod()
        self.configure(daemon, proxy)
        key = make_key(self.directory)
        git = self.git_daemon()
        git.start()
        ports, repositories = {}, {}
        for name in ("blog", "shop"):
            ports[name], repositories[name] = free_port(), Repository(self.directory, name)
            daemon.service(name, ANN.name, git.url(repositories[name]), domains=["*.apps.example.org"],
                           ports=[f"{ports[name]}/0"])

        def commit(name, *urls):
            asked = json.dumps({f"{url}.apps.example.org": f":{ports[name]}" for url in urls})
            return repositories[name].commit({
                "ssh/id.pub": (self.directory / "id.pub").read_text(),
                "compose.yaml": compose_web(ports[name], name) + f"x-pgo: {{strategy: changed, urls: {asked}}}\n"})

        def outcome(name, commit, expected):
            def reached():
                status = daemon.status(key, name)
                return status["commit"] == commit and status["outcome"] and status
            status = wait_until(f"{name} has carried {commit} to its end", reached)
            self.assertEqual(status["outcome"], expected, status["reason"])
            return status

        first = commit("blog", "blog", "www")
        plain = commit("shop")
        daemon.start()
        wait_until("keys are known", lambda: daemon.ctl(key, "blog//ping").returncode == 0 and
                   daemon.ctl(key, "shop//ping").returncode == 0)
        self.becomes(proxy, "blog.apps.example.org", "blog")
        self.becomes(proxy, "www.apps.example.org", "blog")
        self.assertEqual(set(outcome("blog", first, "ok")["urls"]),
                         {"blog.apps.example.org", "www.apps.example.org"})
        outcome("shop", plain, "ok")

        # The later one is rejected, and not told whose it is.
        status = outcome("shop", commit("shop", "www"), "rejected")
        self.assertRegex(status["reason"], r'^compose.yaml:[0-9]+: x-pgo: url "www.apps.example.org" belongs to another service$')
        status = outcome("shop", commit("shop", "a.b"), "rejected")
        self.assertIn('the admin can grant it with domains = ["*.b.apps.example.org"]', status["reason"])
        self.assertTrue(self.get(proxy, "www.apps.example.org").startswith("blog"))

        # A name that the proxy does not take (nginx: too long for its hash buckets) holds up no other service's.
        long = "x" * 45
        outcome("shop", commit("shop", long), "ok")
        wait_until("it was set aside", lambda: any(
            f"{long}.apps.example.org" in problem and "does not accept" in problem
            for problem in daemon.status(key, "shop")["problems"]))
        outcome("blog", commit("blog", "blog", "www", "new"), "ok")
        self.becomes(proxy, "new.apps.example.org", "blog")
        self.assertEqual(daemon.status(key, "shop")["urls"], {})
        self.assertTrue(proxy.is_valid())
        outcome("shop", commit("shop"), "ok")

        # One that the admin's own part of nginx serves, and reads after pgod's, stays with that.
        proxy.write_main(more=f"server {{ listen 127.0.0.1:{proxy.port}; server_name own.apps.example.org; return 200 own; }}")
        run(["nginx", "-c", proxy.main, "-s", "reload"])
        self.becomes(proxy, "own.apps.example.org", "own")
        outcome("shop", commit("shop", "own"), "ok")
        self.says(daemon, 'conflicting server name "own.apps.example.org"')
        outcome("blog", commit("blog", "blog", "www"), "ok")
        wait_until("it was loaded", lambda: "new.apps" not in proxy.file.read_text())
        self.assertTrue(self.get(proxy, "own.apps.example.org").startswith("own"))
        wait_until("its status says so", lambda: daemon.status(key, "shop")["urls"] == {})
        outcome("shop", commit("shop"), "ok")

        # Killed, and started without upstream: nothing is lost.
        good = proxy.file.read_bytes()
        git.stop()
        daemon.stop(signal.SIGKILL)
        daemon.start()
        wait_until("the new one answers", lambda: daemon.alive() and daemon.ctl(key, "blog//ping").returncode == 0)
        wait_until("both were looked at", lambda: all(
            daemon.status(key, name)["health"] == "healthy" for name in ("blog", "shop")))
        self.assertEqual(proxy.file.read_bytes(), good)
        git.start()

        # Given up by the one, it is free for the other.
        outcome("blog", commit("blog", "blog"), "ok")
        outcome("shop", commit("shop", "www", "shop"), "ok")
        self.becomes(proxy, "www.apps.example.org", "shop")
        self.becomes(proxy, "blog.apps.example.org", "blog")

        # The admin's own name wins, and one who is given no names any more has none.
        daemon.services[1][3]["urls"] = {"blog.apps.example.org": f":{ports['shop']}"}
        self.reload(daemon)
        self.becomes(proxy, "blog.apps.example.org", "shop")
        self.assertIn('url "blog.apps.example.org" is not served: it belongs to another service',
                      daemon.status(key, "blog")["problems"])
        daemon.services[1][3].update(domains=[], urls={})
        self.reload(daemon)
        self.becomes(proxy, "blog.apps.example.org", "blog")
        wait_until("it is gone", lambda: "www.apps" not in proxy.file.read_text())
        self.assertTrue(proxy.is_valid())

    def children(self, daemon):
        done = run(["pgrep", "-P", daemon.process.pid, "-x", "sleep"])
        return done.stdout.split()

    def test_killed_while_checking_and_before_the_reload(self):
        proxy, daemon = self.serve(Nginx, check=["sleep", "1000"])
        daemon.start()
        wait_until("the check runs", lambda: self.children(daemon))
        daemon.stop(signal.SIGKILL)
        self.assertEqual(proxy.file.read_text(), "# nothing yet\n")
        self.assertTrue(proxy.is_valid())

        self.configure(daemon, proxy, reload=["sleep", "1000"])
        daemon.start()
        wait_until("the reload runs", lambda: self.children(daemon))
        daemon.stop(signal.SIGKILL)
        self.assertIn("blog.example.org", proxy.file.read_text())
        self.assertTrue(proxy.is_valid())
        self.assertFalse(self.get(proxy, "blog.example.org").startswith("blog"))

        # What it owed is done by the next one, although the file is as it should be.
        self.configure(daemon, proxy)
        daemon.start()
        self.becomes(proxy, "blog.example.org", "blog")

    def test_a_file_that_is_missing_is_put_there_as_it_was_loaded(self):
        proxy, daemon = self.serve(Nginx)
        proxy.file.unlink()
        daemon.start()
        self.becomes(proxy, "blog.example.org", "blog")
        good = proxy.file.read_bytes()
        proxy.file.unlink()
        self.configure(daemon, proxy, check=["false"])
        self.reload(daemon)
        wait_until("it is there again", lambda: proxy.file.exists())
        self.assertEqual(proxy.file.read_bytes(), good)


if __name__ == "__main__":
    main()
