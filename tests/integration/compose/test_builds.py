"""Builds by pgod-work on real rootless podman: the images they start from, and the limits that end them."""

import contextlib
import http.server
import os
import socket
import subprocess
import threading
import time

import scene
from scene import compose, harness, service

TRANSIENT, PERMANENT = 0, 1  # the order of Code in base/result.hpp


class EmptyRegistry(http.server.BaseHTTPRequestHandler):
    """Speaks the registry's protocol and has no image."""

    def do_GET(self):
        known = self.path == "/v2/"
        body = b"{}" if known else b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Builds(scene.ComposeTest):
    user_name = "pgcbuil"

    def build(self, containerfile, **settings):
        svc = self.service()
        svc.stage({"compose.yaml": compose(web=service(image="own", build=".")), "Containerfile": containerfile})
        return svc, svc.do("deploy", **settings)

    def failed(self, result, code, *words):
        self.assertEqual((result.exit_status, result.outcome, result.code), (1, "failed", code), result)
        for word in words:
            self.assertIn(word, result.error)

    def registries(self, text):
        (self.user.home / ".config/containers/registries.conf").write_text(text)

    @contextlib.contextmanager
    def empty_registry(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyRegistry)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.registries(f'[[registry]]\nlocation = "127.0.0.1:{server.server_port}"\ninsecure = true\n')
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    def test_a_registry_that_stalls_is_not_the_commits_fault(self):
        with socket.create_server(("127.0.0.1", 0)) as registry:  # accepts and never answers
            base = f"127.0.0.1:{registry.getsockname()[1]}/never:answers"
            _, result = self.build(f"FROM {base}\n", deadline=26 * 60 + 15)
        self.failed(result, TRANSIENT, f"web: build failed: pull {base}", "did not end within")

    def test_a_base_image_that_no_registry_has_waits_like_an_image_of_the_compose_file(self):
        with self.empty_registry() as registry:
            svc, result = self.build(f"FROM {registry}/none:1\n")
            self.failed(result, TRANSIENT, f"web: build failed: pull {registry}/none:1: ", "manifest unknown")
            svc.stage({"compose.yaml": compose(web=service(image=f"{registry}/none:1"))})
            self.failed(svc.do("deploy"), TRANSIENT, f"web: pull {registry}/none:1: ", "manifest unknown")

    def test_a_build_reaches_this_host_by_host_gateway(self):
        svc = self.service()
        with socket.create_server(("0.0.0.0", 0)) as server:
            asks = ("RUN while read address name; do [ \"$name\" = gateway.example ] && break; "
                    f"done < /etc/hosts; [ \"$(nc -w 20 $address {server.getsockname()[1]})\" = hello ]\n")
            caller = threading.Thread(target=scene.greet, args=(server,))
            caller.start()
            self.good(svc.deploy({"Containerfile": f"FROM {scene.IMAGE}\n{asks}", "compose.yaml": compose(web=service(
                image="own", build={"context": ".", "extra_hosts": ["gateway.example:host-gateway"]}))}))
            caller.join()

    def test_a_name_that_only_looks_like_a_base_image_stops_no_build(self):
        with self.empty_registry() as registry:
            # An unused stage: podman builds the last one alone.
            _, result = self.build(f"FROM {registry}/none:1 AS unused\nFROM {scene.IMAGE}\nRUN echo built\n")
            self.good(result)

    def test_a_build_that_writes_without_end_is_ended_before_the_disk_is_full(self):
        svc = self.service()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=512m,mode=700,uid={self.user.uid},gid={self.user.gid}", "none",
                        svc.path], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", svc.path], check=True)
        self.user.podman("system", "migrate")  # the pause process holds the mounts of before
        svc.stage({"compose.yaml": compose(web=service(image="own", build=".")),
                   "Containerfile": f"FROM {scene.IMAGE}\nRUN while :; do busybox dd bs=1M count=64 if=/dev/zero >> /big; done\n"})
        least = self.least_free(svc.path)
        result = svc.do("deploy")
        self.failed(result, PERMANENT, "web: build failed: it filled the disk, and pgod ended it when",
                    f"MiB were free at {svc.path}/build/store")
        self.assertNotIn("No space left", result.stdout)
        self.assertGreater(least(), 0, "the file system was full")
        # What it wrote is gone, and the next build begins with an empty store.
        free = os.statvfs(svc.path)
        self.assertGreater(free.f_bavail, free.f_blocks * 8 // 10)
        svc.stage({"compose.yaml": compose(web=service(image="own", build=".")),
                   "Containerfile": f"FROM {scene.IMAGE}\nRUN echo built\n"})
        self.good(svc.do("deploy"))

    def least_free(self, path):
        """Watches the free space; the answer is the least that was seen, in bytes."""
        seen, stop = [], threading.Event()

        def watch():
            while not stop.is_set():
                found = os.statvfs(path)
                seen.append(found.f_bavail * found.f_frsize)
                time.sleep(0.002)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()

        def least():
            stop.set()
            thread.join()
            return min(seen)

        return least


if __name__ == "__main__":
    scene.main()
