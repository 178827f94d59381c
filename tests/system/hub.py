"""A registry on loopback in the place of Docker Hub, for the podman of one user."""

import contextlib
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import User, connects, free_port, wait_until


class Hub:
    def __init__(self, user):
        self.user, self.port = user, free_port()
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="pgod-hub-"))
        (self.place / "config.yml").write_text(
            f"version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {self.place}/data}}}}\n"
            f"http: {{addr: '127.0.0.1:{self.port}'}}\n")
        with open(self.place / "log", "w") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", self.place / "config.yml"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("the registry listens", lambda: connects(self.port))
        self.settings = user.home / ".config/containers/registries.conf"
        self.settings.write_text(f'[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:{self.port}"\ninsecure = true\n')

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        shutil.rmtree(self.place)
        self.settings.unlink()

    def publish(self, name, base=User.IMAGE, **environment):
        """An image docker.io/NAME with this environment, which the user does not have; its id."""
        image = f"docker.io/{name}"
        lines = "".join(f"ENV {key}={value}\n" for key, value in environment.items())
        with tempfile.TemporaryDirectory() as directory:
            pathlib.Path(directory).chmod(0o755)
            pathlib.Path(directory, "Containerfile").write_text(f"FROM {base}\n{lines}")
            self.user.podman("build", "-q", "-t", image, directory)
        found = self.user.podman("image", "inspect", "--format", "{{.Id}}", image).strip()
        self.user.podman("push", "-q", "--tls-verify=false", image, f"docker://127.0.0.1:{self.port}/{name}")
        self.user.podman("rmi", image)
        return found

    def pulls(self, name):
        """How often somebody has fetched the manifest of this image. The log names a push too, and some of it late."""
        with contextlib.suppress(FileNotFoundError):
            asked = (self.place / "log").read_text()
            return len(re.findall(rf'"GET /v2/{name}/manifests/', asked))
        return 0
