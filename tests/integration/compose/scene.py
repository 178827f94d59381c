"""What the compose tests share: one Unix user per file, a service per test, and compose files of busybox."""

import contextlib
import itertools
import unittest


import worker
from worker import harness

IMAGE = harness.User.IMAGE
_numbers = itertools.count(1)


def service(command="sleep 1000", image=IMAGE, **keys):
    """One compose service as a YAML flow mapping (which JSON is)."""
    import json

    return json.dumps({"image": image, "command": command, "stop_signal": "SIGKILL", **keys})


def compose(**services):
    return "services:\n" + "".join(f"  {name}: {text}\n" for name, text in services.items())


def web(port, **keys):
    return service("httpd -f -p 8080 -h /www", ports=[f"127.0.0.1:{port}:8080"], **keys)


def greet(server):
    """Its first client."""
    server.settimeout(harness.DEADLINE)
    with server.accept()[0] as connection:
        connection.sendall(b"hello")


class ComposeTest(unittest.TestCase):
    user_name = None  # of the file

    @classmethod
    def setUpClass(cls):
        cls.user = harness.User(cls.user_name)
        cls.addClassCleanup(cls.user.remove)
        cls.user.import_image()

    def service(self, **settings):
        made = worker.Service(self.user, f"{self.user_name[-4:]}{next(_numbers)}", **settings)
        self.addCleanup(made.do, "down")
        return made

    def good(self, result, changed=None):
        self.assertEqual((result.exit_status, result.outcome, result.error), (0, "ok", None), result)
        self.assertEqual(result.health, "healthy", result)
        if changed is not None:
            self.assertEqual(result.changed, changed, result)
        return result

    def rejected(self, result, *words):
        self.assertEqual((result.exit_status, result.outcome), (65, "rejected"), result)
        self.assertFalse(result.changed, result)
        for word in words:
            self.assertIn(word, result.error)
        self.assertNotIn("Traceback", result.stderr + result.stdout)
        return result


def main():
    harness.require_root_and_podman()
    with contextlib.suppress(OSError):
        import os
        os.chmod("/dev/net/tun", 0o666)
    unittest.main(verbosity=2)
