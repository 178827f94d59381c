"""What a team reads about a file. Each of these sentences was unclear once, or there was no need for one."""

import os
import pathlib
import re
import sys
import tempfile
import unittest

import test_versions

sys.path.insert(0, str(test_versions.ROOT / "lib/compose"))

from reader import command, table  # noqa: E402

NEEDLESS = {  # read without a word
    "a port in base sixty": ("ports: [2222:22]", {}, "--publish=2222:22"),
    "a default in a variable": ("environment: {A: '${ELASTIC_PASSWORD:-}b'}", {}, "--env=A=b"),
    "a variable that is empty in .env": ("environment: {A: 'a${X}b'}", {".env": "X=\n"}, "--env=A=ab"),
    "the default network by its name": ("networks: [default]", {}, "--network=c_default"),
    "signals": ("stop_signal: ${A:-RTMIN+3}", {}, "--stop-signal=RTMIN+3"),
    "a signal by its number": ("stop_signal: 9", {}, "--stop-signal=9"),
    "an option of binds on volumes without a source": ("volumes: [{type: volume, target: /t, bind: {create_host_path: false}},"
                                                       " {type: tmpfs, target: /u, bind: {create_host_path: false}}]", {},
                                                       "--network=c_default"),
    "nothing in a list's place": ("environment:\nports:\nvolumes:\ndepends_on:\nenv_file:", {}, "--network=c_default"),
}
CLEAR = {
    "a variable that must be set": ("environment: {A: '${X:?needed}'}", {}, "compose.yaml:4: a: environment.A: the file requires the variable X, which is not set"
                                    " (needed); give X a value in .env"),
    "a path that is empty": ("env_file: [{path: }]", {}, "compose.yaml:4: a: env_file"),
    "a path without ./": ("volumes: ['db/password.txt:/p']", {}, 'compose.yaml:4: a: volumes: "db/password.txt:/p": the source'
                          ' "db/password.txt" is neither a path nor the name of a volume; write "./db/password.txt" for a path of'
                          " the repository"),
    "a build of another repository": ("build: 'https://git.example/x.git'", {}, 'compose.yaml:4: a: build:'
                                      ' "https://git.example/x.git" is not in this repository; copy its files into the repository, or'
                                      " name an image"),
    "a volume that nobody declares": ("volumes: ['d:/d']", {}, 'the file declares no volume "d"'),
    "no Dockerfile": ("build: ./sub", {"sub/x": ""}, "compose.yaml:4: a: build: sub holds no Dockerfile; add it to the repository"),
    "a privileged container": ("privileged: true", {}, 'compose.yaml:4: a: privileged: "true" is not allowed; nothing permits it'),
    "a network that nobody declares": ("networks: [other]", {}, 'compose.yaml:4: a: networks.other: the file declares no network'
                                       ' "other"; add other: beneath networks: at the top of the file'),
    "a circle": ("depends_on: [a]", {}, "compose.yaml:4: a: depends_on: services wait for one another: a → a; remove one of these"),
    "an unknown key": ("privilegd: true", {}, 'compose.yaml:4: a: "privilegd" is not a key that Compose knows; did you mean'
                       " privileged?"),
}
CLEAR |= {
    "a build above the repository": ("build: ../../src", {}, 'compose.yaml:4: a: build: "../../src" is outside of the repository;'
                                     " nothing permits it"),
    "a long build above the repository": ("build: {context: ../src}", {}, 'compose.yaml:4: a: build: "../src" is outside of the'
                                          " repository"),
    "a signal that is none": ("stop_signal: NOPE", {}, 'compose.yaml:4: a: stop_signal: "NOPE" is not a signal; write one such as'
                              " SIGTERM or SIGQUIT"),
    "memory without a unit": ("mem_limit: 512", {}, "compose.yaml:4: a: mem_limit: no container starts in 512 bytes; write a unit,"
                              " such as 512m"),
    "no time on the CPU": ("cpus: 0.001", {}, "compose.yaml:4: a: cpus: 0.001 is too little; write 0.01 or more"),
    "a quota without units": ("cpu_quota: 50", {}, "compose.yaml:4: a: cpu_quota: 50 is too little; write 1000 microseconds or more"),
    "a period without units": ("cpu_period: 100", {}, "compose.yaml:4: a: cpu_period: 100 is out of its range; write 1000 to"
                               " 1000000 microseconds"),
    "an address of no card": ("networks: {default: {mac_address: foo}}", {}, 'compose.yaml:4: a: networks.default.mac_address: "foo"'
                              " is not such as 02:42:ac:11:65:43"),
    "a name of no interface": ("networks: {default: {interface_name: a b}}", {}, 'a: networks.default.interface_name: "a b" is not'
                               " such as eth1"),
    "a zone of an address": ("networks: {default: {ipv6_address: 'fe80::1%eth0'}}", {}, "'fe80::1%eth0' is neither an address nor"),
    "two networks of one range": (
        "networks: [n, m]", {"compose.override.yaml":
            "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16}]}}, m: {ipam: {config: [{subnet: 10.1.2.0/24}]}}}\n"},
        "compose.override.yaml:1: networks.m.ipam.config: the range 10.1.2.0/24 overlaps with 10.1.0.0/16 of n; choose another one"),
    "a Dockerfile within the file": ("build: {context: ., dockerfile_inline: FROM x}", {}, "compose.yaml:4: a: build.dockerfile_inline:"
                                     " nothing permits this: pgod builds from files of the repository; write it into a Dockerfile\n"),
    "a Dockerfile that is a directory": ("build: {context: ., dockerfile: sub}", {"sub/x": ""}, "the repository holds no sub; add it"),
    "a directory in the place of a file": ("env_file: sub", {"sub/x": ""}, "compose.yaml:4: a: env_file: sub is not a file"),
    "a volume that is a path": ("volumes: [{type: volume, source: ./x, target: /x}]", {}, "write type: bind for a path"),
    "a memory of others": ("ipc: host", {}, "compose.yaml:4: a: ipc: nothing permits memory of others"),
    "a long end": ("stop_grace_period: 11m", {}, 'compose.yaml:4: a: stop_grace_period: "11m" is longer than pgod waits; write'
                   " 10m or less"),
}
OF_PYTHON = re.compile(r"Error\b|Traceback|Exception|NoneType|object is not|argument must be|@STAGE@|<class")


class Sentences(unittest.TestCase):
    def plan(self, lines, more, version="1.3.0"):
        text = "services:\n  a:\n    image: x\n" + "".join(f"    {line}\n" for line in lines.split("\n"))
        return test_versions.translated_commit({"compose.yaml": text, **more}, {}, version)

    def test_what_needs_no_sentence(self):
        for name, (lines, more, words) in NEEDLESS.items():
            with self.subTest(name):
                plan = self.plan(lines, more)
                self.assertEqual(plan.said, "")
                options = ["=".join(one) for one in plan.json["plan"]["containers"][0]["options"]]
                self.assertIn(words, options)

    def test_clear_ones(self):
        for name, (lines, more, words) in CLEAR.items():
            with self.subTest(name):
                said = self.plan(lines, more).said
                self.assertIn(words, said)
                self.assertNotRegex(said, OF_PYTHON)

    def test_a_wrong_owner_of_a_secret_does_not_show_the_secret(self):
        for user in ("'²'", "'99999999999'", "mieke"):
            said = self.plan(f"secrets: [{{source: s, uid: {user}}}]", {"compose.override.yaml": "secrets: {s: {environment: X}}\n",
                                                                       ".env": "X=sesame\n"}).said
            self.assertRegex(said, "\\A[^\n]*its uid [^\n]*\n\\Z")
            self.assertNotIn("sesame", said)

    def test_ports_without_a_network_are_noted(self):
        for mode, words in (("none", "no network"), ("host", "the ports of the host")):
            plan = self.plan(f"network_mode: {mode}\nports: ['8080:80']", {})
            self.assertIn(f"compose.yaml:5: a: ports: pgod ignores this: the container has {words}", plan.answer["notes"])
            self.assertNotIn("8080", str(plan.answer["calls"]))

    def test_the_repository_may_name_its_own_files(self):
        for version in ("1.0.3", "1.6.0"):
            files = {".env": "COMPOSE_FILE=sub/one.yaml:two.yaml\n", "sub/one.yaml": "services: {a: {image: x, tty: true}}",
                     "two.yaml": "services: {a: {privileged: true}}"}
            plan = test_versions.translated_commit(files, {}, version)
            self.assertEqual(plan.said, 'two.yaml:1: a: privileged: "true" is not allowed; nothing permits it\n')

    def test_no_exception_reaches_anybody_whatever_is_written(self):
        """Every key of a service with values of every kind."""
        values = ("", "7", "true", "x", "[]", "[x]", "[7]", "[{}]", "[{a: b}]", "{}", "{a: }", "{a: [b]}", "{a: {b: c}}", "''", "-1")
        services = []
        with tempfile.TemporaryDirectory(prefix="pgod-sentences-") as directory:
            for key in sorted(table.SERVICE):
                for value in values:
                    service = f"{{image: x, {key}: {value}}}"
                    pathlib.Path(directory, "compose.yaml").write_text(f"services: {{a: {service}}}\n")
                    got = command.answer({"root": os.path.realpath(directory), "project": "c"})
                    self.assertEqual(got["fault"], "", service)
                    self.assertNotRegex("\n".join(got["problems"] + got["refusals"] + got["notes"]), OF_PYTHON)
                    if got["model"] is not None:
                        services.append(service)
        self.assertGreater(len(services), 200)
        for first in range(0, len(services), 40):  # what the reader accepts goes on to podman-compose
            lines = [f"  s{number}: {service}" for number, service in enumerate(services[first:first + 40])]
            plan = test_versions.translated_commit({"compose.yaml": "services:\n" + "\n".join(lines) + "\n"}, {}, "1.3.0")
            self.assertNotRegex(plan.said, OF_PYTHON)
            self.assertNotIn("cannot translate", plan.said)

    def test_the_translator_raises_nothing_whose_text_would_be_lost(self):
        """Wrong is the one exception whose text people read."""
        for path in sorted(test_versions.TRANSLATOR.glob("*.py")):
            self.assertNotRegex(path.read_text(), r"raise (Value|Key|Type|Runtime)Error", path.name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
