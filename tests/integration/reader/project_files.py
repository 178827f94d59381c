"""Projects that a test writes in place, and what the reader makes of them."""

import pathlib
import sys
import tempfile
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "lib/compose"))

from reader import output, reading  # noqa: E402
from reader.problems import sentences  # noqa: E402

HOME = "/home/c"
ENVIRONMENT = {"HOME": HOME, "USER": "c", "LOGNAME": "c", "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": "/run/user/1000",
               "LANG": "C.UTF-8"}


def read(directory, **given):
    return reading.read(reading.Asked(str(directory), "c", home=HOME, environment=ENVIRONMENT, **given))


class Read:
    """A reading of files that are given as texts: the first argument is compose.yaml."""

    def __init__(self, compose="", others=None, **asked):
        with tempfile.TemporaryDirectory(prefix="reader") as directory:
            root = pathlib.Path(directory).resolve()
            for name, text in {**({"compose.yaml": compose} if compose else {}), **(others or {})}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
            self.reading = read(root, **asked)
            self.problems = sentences(self.reading.problems)
            self.refusals = sentences(self.reading.refusals)
            self.notes = sentences(self.reading.notes)
            self.model = self.reading.model
            if self.model is not None:
                self.services = output.compared(self.model, str(root), HOME)["services"]

    def service(self, name="a"):
        if self.model is None:
            raise AssertionError("refused: " + "\n".join(self.problems))
        return self.services[name]


def one(settings, others=None, **asked):
    """The service `a` with an image and these settings, written as YAML."""
    return Read("services:\n  a:\n    image: example.org/app:1\n" + textwrap.indent(textwrap.dedent(settings), "    "),
                others, **asked)
