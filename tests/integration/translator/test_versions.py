"""Every podman-compose that Debian ships translates a commit into the same plan, and into the one that pgod recorded
before it had a translator: an upgrade restarts nothing. Without podman; the packages are unpacked, not installed."""

import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import cases
import packages

ROOT = pathlib.Path(__file__).resolve().parents[3]
TRANSLATOR = ROOT / "lib/compose/translator"
PLAN_OF = pathlib.Path(os.environ.get("PGOD_PLAN_OF", ROOT / "build/dev/bin/plan_of"))
RECORDED = pathlib.Path(__file__).parent / "recorded-plans.json"  # see its key "about"

# Where 1.0.3 read the file otherwise than the Compose specification says: the container is recreated once.
MENDED = {
    "a service of the same file": "`extends` changed the other service, too",
    "a service that extends one that extends": "likewise",
    "a service of another file": "paths begin at the file that holds them",
    "environment as a map": "`true` became `True`",
    "variables of everybody": "the environment wins over .env",
    "env files": "podman read them, and kept quotes and comments", "env files in the long form": "likewise",
    "one env file": "likewise", "env files of extends as text and mapping": "likewise", "a file in a directory": "likewise",
    "a volume of somebody else": "it was looked for under the project's name",
    "links": "the alias was lost",
    "logging": "the driver cannot start a container with a tag",
    "a build with more keys": "labels, hosts, limits and no_cache were ignored",
    "limits": "pids_limit was ignored", "replicas and a mode": "likewise",
    "above a link of the commit": "`..` behind a link is settled without following it",
}
# Mistakes of a file that podman-compose reads and the specification does not know.
GONE = {"a volume that nobody declares", "keys of podman-compose's own in a volume", "one network as a text",
        "a dependency as a text", "keys that pgod ignores", "keys that pgod refuses",
        "no services"}


def program():
    """The translator as pgod-work starts it: the reader's modules and the parts, in CMakeLists.txt's order."""
    compose = ROOT / "lib/compose"
    reader = {path.stem: path.read_bytes().hex() for path in sorted((compose / "reader").glob("*.py"))
              if path.stem not in ("bootstrap", "__main__")}
    order = re.search(r"foreach\(part (reader/.*?)\)", (compose / "CMakeLists.txt").read_text(), re.DOTALL).group(1).split()
    return f"READER = {reader!r}\n" + "\n".join((compose / f"{part}.py").read_text() for part in order)


PROGRAM = program()


class Plan:
    """What came out for one commit: a canonical plan, or why there is none."""

    def __init__(self, answer, run, stage):
        self.said = (run.stderr + answer.get("problem", "")).replace(stage, "@STAGE@")  # all that people would read
        self.answer, self.refused = answer, run.stderr.replace(stage, "@STAGE@").strip() if run.returncode else ""
        self.stdout = run.stdout.replace(stage, "@STAGE@")  # what can be represented, also of one that is refused
        self.json = json.loads(self.stdout) if run.returncode == 0 else None


def translated(name, version, source=None):
    return translated_commit(*cases.CASES[name], version, cases.FILES.get(name, "compose.yaml"), source)


def translated_commit(files, links, version, file="compose.yaml", source=None, project="c", admin=cases.ADMIN,
                      configured=False, profiles=()):
    directory = tempfile.mkdtemp(prefix="pgod-translator-")
    try:
        stage = pathlib.Path(directory).resolve() / "stage"
        for path, text in files.items():
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).write_text(text)
        for path, target in links.items():
            (stage / path).symlink_to(target)
        result = os.open(directory + "/result", os.O_RDWR | os.O_CREAT)
        found = f"import sys\nsys.path.insert(0, {str(source or packages.unpacked(version))!r})\n"
        asked = json.dumps({"files": [file] if file != "compose.yaml" or configured else [], "profiles": list(profiles),
                            "secrets": cases.SECRETS})
        subprocess.run(["/usr/bin/python3", "-I", "-B", "-", str(result), stage, file, project, asked, *admin], cwd=stage,
                       input=(found + PROGRAM).encode(), env={**cases.ENVIRONMENT, **admin}, pass_fds=[result],
                       timeout=120, check=True)
        os.lseek(result, 0, os.SEEK_SET)
        with os.fdopen(result) as stream:
            answer = stream.read()
        run = subprocess.run([PLAN_OF, "answer", file, project], input=answer,
                             capture_output=True, text=True, timeout=60, check=False)
        version_line, result_line = answer.split("\n", 1)
        return Plan({**json.loads(version_line), **json.loads(result_line)}, run, str(stage))
    finally:
        shutil.rmtree(directory)


def all_plans():
    """(case, version) → Plan. One that cannot be had is an error: pgod takes it on the word of these tests."""
    for version in packages.PACKAGES:
        packages.unpacked(version)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as several:
        runs = {(name, version): several.submit(translated, name, version) for name in cases.CASES
                for version in packages.PACKAGES}
    return {key: run.result() for key, run in runs.items()}


class Versions(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.plans = all_plans()

    def same(self, one, other):
        for name in cases.CASES:
            with self.subTest(name, versions=(one, other)):
                before, after = self.plans[name, one], self.plans[name, other]
                self.assertEqual(bool(before.refused), bool(after.refused), (before.refused, after.refused))
                self.assertEqual(before.json, after.json)

    def test_pgod_takes_without_a_self_test_what_is_compared_here_and_no_other(self):
        source = (ROOT / "lib/core/compose_version.cpp").read_text()
        listed = re.search(r"\bcompared\{\{(.*?)\}\};", source, re.DOTALL).group(1)
        self.assertEqual({re.sub(r",\s*", ".", one) for one in re.findall(r"\{([\d, ]+)\}", listed)}, set(packages.PACKAGES))

    def test_every_version_says_what_it_is(self):
        for version in packages.PACKAGES:
            self.assertEqual(self.plans["the least", version].answer["version"], version)

    def test_commits_are_refused_that_were_refused_and_no_others(self):
        refused = {name for name in cases.CASES if self.plans[name, "1.0.3"].refused}
        self.assertEqual(refused, {"no services", "rights that are refused", "keys that the policy refuses",
                                   "a network as a mode, with an alias"})

    def test_what_is_the_same_is_also_right(self):
        """Options of the container a: where every version has been wrong in one way."""
        for name, option in {"a volume of somebody else, as it was": ["--volume", "shared:/d"],
                             "secrets and configs in memory":
                                 ["--in-memory", "/run/secrets/token:33:34:0400:{secret-file:token}"],
                             "several options of a mount": ["--volume", "@STAGE@/sub:/b:ro,rslave,z"]}.items():
            for version in packages.PACKAGES:
                with self.subTest(name, version=version):
                    container = self.plans[name, version].json["plan"]["containers"][0]
                    self.assertIn(option, container["options"])

    def test_a_plan_that_an_older_pgod_recorded_is_the_one_of_today(self):
        recorded = json.loads(RECORDED.read_text())["plans"]
        self.assertGreater(len(recorded), 60)
        for name, record in recorded.items():
            if name in GONE:
                continue
            record["commit"] = "0" * 40
            read = subprocess.run([PLAN_OF, "record"], input=json.dumps(record), capture_output=True, text=True, timeout=60,
                                  check=True)
            for version in packages.PACKAGES:
                with self.subTest(name, version=version):
                    compared = self.assertNotEqual if name in MENDED else self.assertEqual
                    compared(made_of(json.loads(read.stdout)["plan"]), made_of(self.plans[name, version].json["plan"]))

    def test_a_file_that_the_admin_names_stands_alone(self):
        for configured, expected in ((False, ["A=1", "B=2"]), (True, ["A=1"])):
            plan = translated_commit(*cases.CASES["an override"], "1.3.0", configured=configured).json["plan"]
            self.assertEqual([value for flag, value in plan["containers"][0]["options"] if flag == "--env"], expected)

    def test_a_long_chain_of_dependencies_is_one_step_for_each_link(self):
        chain = "services:\n  s0: {image: x}\n" + "".join(f"  s{number}: {{image: x, depends_on: [s{number - 1}]}}\n"
                                                          for number in range(60, 0, -1))
        for version in packages.PACKAGES:
            plan = translated_commit({"compose.yaml": chain}, {}, version).json["plan"]
            self.assertEqual([one["service"] for one in plan["containers"]], [f"s{number}" for number in range(61)])

    def test_the_directory_of_the_file_has_its_usual_name(self):
        one, other = ("services: {a: {image: x, volumes: ['%s/d:/d']}}\n" % source for source in ("${PWD}", "."))
        self.assertEqual(*(translated_commit({"compose.yaml": text, "d/f": ""}, {}, "1.3.0").json["plan"]["containers"]
                           for text in (one, other)))

    def test_notes_are_the_same(self):
        for version in packages.PACKAGES:
            self.assertEqual(self.plans["a variable of the service itself", version].answer["notes"],
                             ["compose.yaml:5: a: hostname: the variable INNER is not set, and becomes empty"])


def made_of(plan):
    """What podman makes of it: a container restarts where this changes."""
    return {key: plan.get(key) for key in ("containers", "builds", "networks", "volumes")}


def pair_test(one, other):
    def test(self):
        self.same(one, other)
    return test


for pair in itertools.combinations(packages.PACKAGES, 2):
    setattr(Versions, "test_nothing_changes_from_{}_to_{}".format(*pair).replace(".", "_"), pair_test(*pair))


HOSTILE = {
    # what → (the lines of a service, more of the file, links, words of the problem)
    "another file by extends": ("extends: {file: /etc/hostname, service: x}", "", {}, 'extends.file: "/etc/hostname" is outside of the repository;'),
    "a file above": ("extends: {file: ../../x, service: x}", "", {}, "outside of the repository"),
    "a link as .env": ("", "", {".env": "/etc/hostname"}, ".env is outside of the repository: it leads to /etc/hostname"),
    "a link as a file of extends": ("extends: {file: l, service: x}", "", {"l": "/etc/hostname"}, "it leads to /etc/hostname"),
    "a link as a file of variables": ("env_file: l", "", {"l": "/etc/hostname"}, "it leads to /etc/hostname"),
    "a device": ("extends: {file: l, service: x}", "", {"l": "/dev/zero"}, "/dev/zero"),
    "objects of Python": ("command: !!python/object/apply:os.system [true]", "", {}, "compose.yaml:4"),
    "bytes": ("entrypoint: !!binary aGk=", "", {}, "compose.yaml:4: the tag"),
    "bytes as a name": ("environment: {!!binary aGk=: x}", "", {}, "compose.yaml:4: the tag"),
    "a variable's name that holds its value": ("environment: {'A=B': x}", "", {}, 'compose.yaml:4: a: environment: "A=B" is not the name of a variable'),
    "keys of podman-compose's own": ("_deps: [z]", "", {}, '"_deps" is not a key'),
    "keys of podman-compose's own in a volume": ("volumes: [{type: volume, target: /d, _vol: {name: x}}]", "", {},
                                                 '"_vol" is not a key'),
    "keys of podman": ("pod: p", "", {}, '"pod" is not a key'),
    "a volume that nobody declares": ("volumes: ['data:/d']", "", {}, "declares no volume"),
    "a build of another repository": ("build: https://git.example/a.git", "", {}, "copy its files into the repository, or name an image"),
    "a build of the host": ("build: /etc", "", {}, 'a: build: "/etc" is outside of the repository;'),
    "a build behind a link": ("build: ./l", "", {"l": "/etc"}, 'a: build: "./l" is outside of the repository: it leads to /etc;'),
    "a Dockerfile of the host": ("build: {context: ., dockerfile: /etc/hostname}", "", {},
                                 'a: build: "/etc/hostname" is outside of the repository;'),
    "a Dockerfile above": ("build: {context: ., dockerfile: ../gone}", "", {}, 'a: build: "../gone" is outside of the repository;'),
    "a Dockerfile behind a link": ("build: {context: .}", "", {"Dockerfile": "/etc/hostname"},
                                   'a: build: "Dockerfile" is outside of the repository: it leads to /etc/hostname;'),
    "a build without a Dockerfile": ("build: ./sub", "", {}, "a: build: sub holds no Dockerfile"),
    "a Dockerfile within the file": ("build: {context: ., dockerfile_inline: FROM x}", "", {}, "write it into a Dockerfile"),
    "swap without memory": ("memswap_limit: 1g", "", {}, "memswap_limit needs mem_limit"),
    "swap below memory": ("memswap_limit: 1m\nmem_limit: 2m", "", {}, "must not be below mem_limit"),
    "two limits of the CPU": ("cpus: 1\ncpu_quota: 1000", "", {}, "keep one of the two"),
    "a service that is not there": ("extends: {service: gone}", "", {}, '"gone" is not a service of compose.yaml'),
    "a service that is empty": ("", "  b:\n", {}, "compose.yaml:4: b: the service is empty"),
    "a file that is its own": ("extends: {file: compose.yaml, service: zz}", "", {}, '"zz" is not a service'),
    "no YAML": ("command: [", "", {}, "compose.yaml:"),
    "too many replicas": ("deploy: {replicas: 1000000000}", "", {}, "must be a number from 0 to 100"),
    "too many containers": ("scale: 100", "  b: {image: x}\n", {}, "more than 100 containers"),
    "itself": ("x: &x {y: *x}", "", {}, "compose.yaml"),
    "a NUL": ('command: ["a\\0b"]', "", {}, "compose.yaml:4"),
    "a secret that is not there": ("secrets: [s]", "secrets: {s: {file: ./gone}}\n", {},
                                   "compose.yaml:4: a: secrets: \"s\": the repository holds no gone; add it"),
    "a secret that nobody gives": ("secrets: [{source: s}]", "secrets: {s: {external: true}}\n", {},
                                   "compose.yaml:4: a: secrets: \"s\": nothing provides it; ask the admin for secrets = { s"),
    "a secret without its variable": ("secrets: [s]", "secrets: {s: {environment: NOT}}\n", {},
                                      "compose.yaml:4: a: secrets: \"s\": the variable NOT is not set"),
    "a config that nobody gives": ("configs: [s]", "configs: {s: {external: true}}\n", {},
                                   "compose.yaml:4: a: configs: \"s\": nothing provides it; write file:"),
    "a user of a secret that is no number": ("secrets: [{source: s, uid: root}]", "secrets: {s: {environment: HOME}}\n", {},
                                             "compose.yaml:4: a: secrets: \"s\": its uid must be a number, and is \"root\""),
    "a mode of a secret that no file in memory has": ("secrets: [{source: s, mode: 04755}]", "secrets: {s: {environment: HOME}}\n", {},
                                                      "its mode 4755 is above 0777; write 0777 or less"),
    "a user of a secret that is too large": ("secrets: [{source: s, uid: '4294967295'}]", "secrets: {s: {environment: HOME}}\n", {},
                                             "its uid 4294967295 is too large"),
    "several mistakes": ("scale: x\ntty: [y]", "", {}, 'compose.yaml:5: a: tty must be true or false, and is a list'),
}


class Sandbox(unittest.TestCase):
    """What a repository may not do, whichever version reads it."""

    def test_hostile_commits_are_refused_by_every_version(self):
        for version in packages.PACKAGES:
            for name, (lines, more, links, words) in HOSTILE.items():
                with self.subTest(name, version=version):
                    files, _ = cases.one(lines, more)
                    plan = translated_commit(files, links, version)
                    if words is not None:
                        self.assertIn(words, plan.said)
                    self.assertNotRegex(plan.said, "@STAGE@|Error|Traceback")
                    self.assertNotIn("host", plan.answer)

    def test_a_version_that_acts_is_stopped(self):
        acts = {"subprocess.run(['true'])": "subprocess.Popen", "os.fork()": "os.fork", "os.mkdir('x')": "os.mkdir",
                "open('x', 'w')": "would be written", "open('/etc/passwd')": "outside the repository",
                "os.remove('compose.yaml')": "os.remove", "__import__('socket').socket()": "socket.",
                "asyncio.run(asyncio.sleep(0))": "socket.", "os.putenv('A', 'b')": "os.putenv",
                "tempfile.NamedTemporaryFile(delete=False)": "would be written", "__import__('ctypes').CDLL(None)": "ctypes."}
        for act, words in acts.items():
            with self.subTest(act), tempfile.TemporaryDirectory(prefix="pgod-translator-") as directory:
                text = (packages.unpacked("1.3.0") / "podman_compose.py").read_text()
                hook = "def norm_ports(ports_in):\n"
                self.assertIn(hook, text)
                tried = f"    try:\n        import tempfile; {act}\n    except Exception:\n        pass\n"
                pathlib.Path(directory, "podman_compose.py").write_text(text.replace(hook, hook + tried))
                self.assertIn(words, translated("the least", "1.3.0", directory).said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
