#!/usr/bin/env python3
"""Rules about several services and several files: extends, include, profiles, dependencies, secrets, and the sentences."""

import os
import pathlib
import tempfile
import unittest

from project_files import Read, one, read, sentences


NO_FILE = "compose.yaml does not exist in this commit (nor compose.yml, docker-compose.yml, docker-compose.yaml)"


class Extends(unittest.TestCase):
    def test_the_base_stays_as_it_is(self):
        got = Read("""
            services:
              base: {image: x, command: [a], environment: {ROLE: base}, ports: ['80']}
              more: {extends: base, command: [b], environment: {ROLE: more}, ports: ['81']}
        """)
        self.assertEqual((got.service("base")["command"], got.service("base")["environment"], got.service("base")["ports"]),
                         (["a"], {"ROLE": "base"}, ["::80/tcp"]))
        self.assertEqual((got.service("more")["command"], got.service("more")["environment"]), (["b"], {"ROLE": "more"}))

    def test_paths_begin_at_their_own_file(self):
        got = Read("services: {a: {extends: {file: x/y.yaml, service: b}, env_file: top.env}}",
                   {"x/y.yaml": "services: {b: {build: ./ctx, env_file: in.env, volumes: [./d:/d]}}",
                    "x/in.env": "I=1", "top.env": "T=1"})
        self.assertEqual(got.service()["environment"], {"I": "1", "T": "1"})
        self.assertEqual(got.service()["build"], {"context": "./x/ctx", "dockerfile": "./x/ctx/Dockerfile"})
        self.assertEqual(got.service()["volumes"][0]["source"], "./x/d")

    def test_a_circle_is_refused(self):
        for text in ("{a: {extends: a}}", "{a: {extends: b}, b: {extends: a}}"):
            with self.subTest(text=text):
                self.assertIn("extends itself", Read(f"services: {text}").problems[0])

    def test_a_chain_has_an_end(self):
        text = "".join(f" s{n}: {{extends: s{n + 1}}}\n" for n in range(60))
        self.assertIn("extend one another", Read(f"services:\n{text} s60: {{image: x}}\n").problems[0])

    def test_a_file_elsewhere_is_refused(self):
        self.assertIn("not a file of the repository",
                      Read("services: {a: {extends: {file: 'https://x/y.yaml', service: b}}}").problems[0])
        self.assertIn("outside of the repository",
                      Read("services: {a: {extends: {file: ../y.yaml, service: b}}}").problems[0])


class Include(unittest.TestCase):
    def test_a_project_within_has_its_own_directory_and_variables(self):
        got = Read("include: [sub/compose.yaml]\nservices: {a: {image: x, depends_on: [b]}}",
                   {"sub/compose.yaml": "services: {b: {image: 'x:$T', volumes: [./d:/d], env_file: e.env}}",
                    "sub/.env": "T=1", "sub/e.env": "E=1"})
        self.assertEqual(got.service("b")["image"], "docker.io/library/x:1")
        self.assertEqual(got.service("b")["volumes"][0]["source"], "./sub/d")
        self.assertEqual(got.service("b")["environment"], {"E": "1"})

    def test_what_is_read_last_uses_the_variables_of_the_whole_project(self):
        files = {"sub/.env": "T=within", "sub/e.env": "E=${T:-none}", "sub/compose.yaml": """
            services:
              file: {image: x, env_file: e.env}
              map: {image: x, environment: {T: }}
              list: {image: x, environment: [T]}
        """}
        for top, wanted in (("", ({"E": "none"}, None, {"T": "within"})),
                            ("T=top", ({"E": "top"}, {"T": "top"}, {"T": "top"}))):
            got = Read("include: [sub/compose.yaml]", {**files, ".env": top})
            self.assertEqual(tuple(got.service(name).get("environment") for name in ("file", "map", "list")), wanted)

    def test_two_ways_to_one_file_are_no_conflict(self):
        got = Read("include: [b.yaml, c.yaml]\nservices: {a: {image: x}}",
                   {"b.yaml": "include: [d.yaml]", "c.yaml": "include: [d.yaml]", "d.yaml": "services: {d: {image: x}}"})
        self.assertEqual(sorted(got.services), ["a", "d"])

    def test_a_conflict_is_refused(self):
        got = Read("include: [b.yaml]\nservices: {a: {image: x}}", {"b.yaml": "services: {a: {image: y}}"})
        self.assertEqual(got.problems, ["compose.yaml:2: services.a is at b.yaml:1 as well, and differs there;"
                                        " give one of the two another name"])

    def test_an_override_may_change_what_is_included(self):
        got = Read("include: [b.yaml]\nservices: {a: {image: x}}",
                   {"b.yaml": "services: {b: {image: y}}", "compose.override.yaml": "services: {b: {user: u}}"})
        self.assertEqual(got.service("b")["user"], "u")

    def test_a_circle_is_refused(self):
        self.assertIn("includes itself", Read("include: [b.yaml]", {"b.yaml": "include: [compose.yaml]"}).problems[0])

    def test_many_includes_of_many_files_are_refused(self):
        files = {f"f{n}.yaml": f"include: [{', '.join([f'f{n + 1}.yaml'] * 9)}]" for n in range(14)}
        got = Read("include: [f0.yaml]", {**files, "f14.yaml": "services: {a: {image: x}}"})
        self.assertIn("files would be included", got.problems[0])


class Profiles(unittest.TestCase):
    TEXT = "services: {a: {image: x}, d: {image: x, profiles: [debug]}}"

    def test_only_the_admin_or_dotenv_switches_them_on(self):
        self.assertEqual(sorted(Read(self.TEXT).services), ["a"])
        self.assertEqual(sorted(Read(self.TEXT, profiles=("debug",)).services), ["a", "d"])
        self.assertEqual(sorted(Read(self.TEXT, profiles=("*",)).services), ["a", "d"])
        self.assertEqual(sorted(Read(self.TEXT, {".env": "COMPOSE_PROFILES=x,debug"}).services), ["a", "d"])

    def test_what_is_left_out_may_lack_its_files(self):
        self.assertEqual(sorted(Read("services: {a: {image: x}, d: {image: x, profiles: [p], env_file: no.env}}").services),
                         ["a"])

    def test_a_needed_service_that_is_left_out_is_refused(self):
        got = Read("services: {a: {image: x, links: [d]}, d: {image: x, profiles: [debug]}}")
        self.assertIn("a: links: the service needs d, which only runs with the profile debug", got.problems[0])


class Dependencies(unittest.TestCase):
    def test_links_and_namespaces_imply_them(self):
        got = Read("""
            services:
              a: {image: x, links: ['b:alias'], network_mode: 'service:c', ipc: 'service:d',
                  volumes_from: ['e:ro', 'container:z']}
              b: {image: x}
              c: {image: x}
              d: {image: x}
              e: {image: x}
        """)
        self.assertEqual(sorted(got.service()["depends_on"]), ["b", "c", "d", "e"])

    def test_a_note_names_the_services_that_profiles_leave_out(self):
        text = """
            services:
              a: {image: x}
              debug: {image: x, profiles: [debug]}
              trace: {image: x, profiles: [trace, debug]}
        """
        left_out = ["compose.yaml:3: debug: runs only with the profile debug",
                    "compose.yaml:4: trace: runs only with the profile debug or trace"]
        for profiles, runs, notes in (((), ["a"], left_out), (("trace",), ["a", "trace"], left_out[:1]),
                                      (("debug",), ["a", "debug", "trace"], []), (("*",), ["a", "debug", "trace"], []),
                                      (("other",), ["a"],
                                       [*left_out, 'compose.yaml: profiles: "other": no service has this profile'])):
            got = Read(text.strip("\n"), profiles=profiles)
            self.assertEqual((sorted(got.services), got.notes), (runs, notes), profiles)
        many = "".join(f"  s{n}: {{image: x, profiles: [p]}}\n" for n in range(9))
        self.assertEqual(Read(f"services:\n{many}  a: {{image: x}}\n").notes,
                         ["compose.yaml:2: s0, s1, s2 and 6 more: run only with the profile p"])

    def test_the_profiles_of_the_admin_win_over_those_of_the_repository(self):
        services = "services: {a: {image: x}, b: {image: x, profiles: [b]}, c: {image: x, profiles: [c]}}"
        own = {".env": "COMPOSE_PROFILES=b\n"}
        self.assertEqual(sorted(Read(services, own).services), ["a", "b"])
        self.assertEqual(sorted(Read(services, own, profiles=("c",)).services), ["a", "c"])

    def test_a_repository_names_its_own_files_unless_the_admin_does(self):
        files = {".env": "COMPOSE_FILE=one.yaml:two.yaml\n", "one.yaml": "services: {a: {image: x}}",
                 "two.yaml": "services: {b: {image: x}}", "three.yaml": "services: {c: {image: x}}"}
        self.assertEqual(sorted(Read("", files).services), ["a", "b"])
        self.assertEqual(sorted(Read("", files, files=("three.yaml",)).services), ["c"])
        files["compose.override.yaml"] = "services: {d: {image: x}}"
        self.assertEqual(sorted(Read("", files, files=("three.yaml", "two.yaml")).services), ["b", "c"])

    def test_a_circle_names_its_services(self):
        got = Read("services: {a: {image: x, depends_on: [b]}, b: {image: x, links: [c]}, c: {image: x, depends_on: [a]}}")
        self.assertIn("services wait for one another: a → b → c → a", got.problems[0])

    def test_a_service_that_is_not_there_is_refused_or_noted(self):
        self.assertIn('there is no service "z"', one("depends_on: [z]").problems[0])
        got = one("depends_on: {z: {condition: service_started, required: false}}")
        self.assertEqual(got.service().get("depends_on"), None)
        self.assertIn("z does not run", got.notes[0])


class Grants(unittest.TestCase):
    def files(self, service, top):
        return Read(f"services: {{a: {{image: x, {service}}}}}\n{top}").service()["files"]

    def test_secrets_and_configs(self):
        self.assertEqual(self.files("secrets: [{source: s, target: t, mode: 0400, uid: '5'}]", "secrets: {s: {file: ./s}}"),
                         [{"target": "/run/secrets/t", "from": "file:./s", "mode": 0o400, "uid": "5"}])
        self.assertEqual(self.files("secrets: [{source: s, target: /t}]", "secrets: {s: {environment: S}}"),
                         [{"target": "/t", "from": "environment:S"}])
        self.assertEqual(self.files("configs: [c]", "configs: {c: {content: hi}}"), [{"target": "/c", "from": "content:hi"}])
        self.assertEqual(self.files("secrets: [s]", "secrets: {s: {external: true, name: n}}"),
                         [{"target": "/run/secrets/s", "from": "external:n"}])

    def test_the_value_of_a_variable_is_read_along(self):
        got = Read("services: {a: {image: x, secrets: [s, t]}}\nsecrets: {s: {environment: S}, t: {environment: T}}",
                   {".env": "S=1\nT=2"}, admin={"T": "3"})
        self.assertEqual([got.model["secrets"][name]["value"] for name in "st"], ["1", "3"])

    def test_a_source_that_is_none_or_two(self):
        for text in ("{}", "{file: ./a, environment: B}", ""):
            with self.subTest(text=text):
                self.assertIsNone(Read(f"services: {{a: {{image: x, secrets: [s]}}}}\nsecrets: {{s: {text}}}").model)

    def test_a_decimal_mode_is_noted(self):
        got = Read("services: {a: {image: x, secrets: [{source: s, mode: 440}]}}\nsecrets: {s: {file: ./s}}")
        self.assertIn("is a decimal number, and means 0670", got.notes[0])


class Settings(unittest.TestCase):
    def test_a_name_that_begins_like_an_extension_is_a_name(self):
        got = Read("services: {x-ray: {image: x, networks: [x-n]}}\nnetworks: {x-n: }\nx-note: {a: b}")
        self.assertEqual(got.service("x-ray")["networks"], {"c_x-n": {}})

    def test_a_long_name_of_an_image_takes_no_time(self):
        self.assertIn("is not the name of an image", Read("services: {a: {image: " + "a" * 50_000 + "!}}").refusals[0])

    def test_values_reach_the_reading(self):
        for text, name, wanted in (
                ("stop_grace_period: 1m30s", "stop_grace_period", 90.0), ("stop_grace_period: 0s", "stop_grace_period", 0.0),
                ("scale: 3", "replicas", 3), ("deploy: {replicas: 2}", "replicas", 2),
                ("restart: no", "restart", None), ("restart: on-failure:3", "restart", "on-failure:3"),
                ("restart: always\ndeploy: {restart_policy: {condition: none}}", "restart", None),
                ("deploy: {restart_policy: {condition: on-failure, max_attempts: 4}}", "restart", "on-failure:4"),
                ("deploy: {restart_policy: {}}", "restart", "always"),
                ("deploy: {resources: {limits: {cpus: '0.5', memory: 64M, pids: 9}}}", "cpus", 0.5),
                ("memswap_limit: -1", "memswap_limit", -1), ("oom_score_adj: -5", "oom_score_adj", -5),
                ("group_add: [5, adm]", "group_add", ["5", "adm"]), ("working_dir: /", "working_dir", "/"),
                ("ulimits: {nofile: '7'}", "ulimits", {"nofile": [7, 7]}),
                ("ulimits: {nofile: {soft: 1, hard: 2}}", "ulimits", {"nofile": [1, 2]}),
                ("tmpfs: ['/a:size=1m', /b]", "tmpfs", ["/a", "/b"]), ("sysctls: [a.b=1]", "sysctls", {"a.b": "1"}),
                ("devices: ['/dev/fuse:rw']", "devices", ["/dev/fuse:/dev/fuse:rw"]),
                ("devices: [{source: /dev/a, target: /dev/b}]", "devices", ["/dev/a:/dev/b:rwm"]),
                ("label_file: l\nlabels: {b: 2}", "labels", {"a": "1", "b": "2"}),
                ("healthcheck: {test: [NONE]}", "healthcheck", {"test": ["NONE"]}),
                ("healthcheck: {test: x, start_interval: 2s, start_period: 1m}", "healthcheck",
                 {"test": ["CMD-SHELL", "x"], "start_interval": 2.0, "start_period": 60.0, "interval": 30.0, "timeout": 30.0,
                  "retries": 3}),
                ("cpu_quota: 50ms", "cpu_quota", 50000),
                ("mac_address: '02:42:ac:11:00:02'", "mac_address", "02:42:ac:11:00:02"),
                ("pull_policy: always", "pull_policy", "always"), ("ipc: shareable", "ipc", "shareable"),
                ("init: yes", "init", True), ("hostname: 12", "hostname", "12"), ("mem_limit: 1.5gb", "mem_limit", 3 << 29)):
            with self.subTest(text=text):
                self.assertEqual(one(text, {"l": "a=1\nb=1\n"}).service().get(name), wanted)

    def test_limits_in_both_places_must_agree(self):
        self.assertEqual(one("cpus: 1\ndeploy: {resources: {limits: {cpus: '1'}}}").service()["cpus"], 1)
        self.assertIn("differs from deploy", one("pids_limit: 1\ndeploy: {resources: {limits: {pids: 2}}}").problems[0])

    def test_images_get_their_whole_name(self):
        for text, wanted in (("nginx", "docker.io/library/nginx:latest"), ("a/b", "docker.io/a/b:latest"),
                             ("docker.io/nginx:1", "docker.io/library/nginx:1"), ("r.example/a", "r.example/a:latest"),
                             ("localhost/a:1", "localhost/a:1"), ("r:5000/a/b", "r:5000/a/b:latest"),
                             ("a@sha256:" + "0" * 64, "docker.io/library/a@sha256:" + "0" * 64)):
            with self.subTest(text=text):
                self.assertEqual(Read(f"services: {{a: {{image: '{text}'}}}}").service()["image"], wanted)
        for text in ("Nginx", "a b", "nginx:", "-x", "a:b:c"):
            with self.subTest(text=text):
                self.assertIn("is not the name of an image", Read(f"services: {{a: {{image: '{text}'}}}}").refusals[0])

    def test_every_setting_knows_its_place(self):
        got = Read("services:\n  a:\n    image: x\n    volumes:\n      - ./a:/a\n      - ./b:/b\n").reading
        self.assertEqual(got.places["services.a.volumes.1"], "compose.yaml:6")
        self.assertEqual(got.files, ["compose.yaml"])

    def test_compose_file_of_dotenv_names_the_files(self):
        got = Read("", {".env": "COMPOSE_FILE=a.yaml:b.yaml", "a.yaml": "services: {a: {image: x}}",
                        "b.yaml": "services: {a: {user: u}}"})
        self.assertEqual(got.service()["user"], "u")

    def test_a_period_to_stop_in_has_an_end(self):
        self.assertEqual(one("stop_grace_period: 10m").refusals, [])
        self.assertEqual(one("stop_grace_period: 10m1s").refusals,
                         ["compose.yaml:4: a: stop_grace_period: \"10m1s\" is longer than pgod waits; write 10m or less"])

    def test_compose_file_of_dotenv_chooses_the_directory_with_another_dotenv(self):
        got = Read("", {".env": "COMPOSE_FILE=sub/c.yaml\nA=top", "sub/.env": "A=sub\nB=sub",
                        "sub/c.yaml": "services: {a: {image: 'x:$A-$B', volumes: [./d:/d], env_file: e}}", "sub/e": "E=$B"})
        self.assertEqual(got.service()["image"], "docker.io/library/x:top-sub")
        self.assertEqual(got.service()["environment"], {"E": "sub"})
        self.assertTrue(got.model["services"]["a"]["volumes"][0]["source"].endswith("/sub/d"))

    def test_a_label_file_has_no_variables_but_its_own(self):
        got = one("label_file: l", {"l": "a=${T:-none}\nb=$a", ".env": "T=1"})
        self.assertEqual(got.service()["labels"], {"a": "none", "b": "none"})


class Sentences(unittest.TestCase):
    """Each says where, what and what to do. These were unclear once."""

    def test_each(self):
        for text, wanted in (
                ("services: {a: {image: x, depends_on: [b, c]}}",
                 'compose.yaml:1: a: depends_on: there is no service "b"; check the name'),
                ("services: {a: {image: x, volumes: ['db/password.txt:/p']}}",
                 'compose.yaml:1: a: volumes: "db/password.txt:/p": the source "db/password.txt" is neither a path nor'
                 ' the name of a volume; write "./db/password.txt" for a path of the repository'),
                ("services: {a: {image: x, volumes: }}", None),
                ("services: {a: {image: x, command: [sh, -c, [a]]}}",
                 "compose.yaml:1: a: command must be a text, and is a list"),
                ("services: {a: {image: '${A:?needed}'}}",
                 "compose.yaml:1: a: image: the file requires the variable A, which is not set (needed); give A a value"
                 " in .env, or ask the admin to set it in env"),
                ("services: {a: {image: x, networks: [d]}}",
                 'compose.yaml:1: a: networks.d: the file declares no network "d"; add d: beneath networks: at'
                 " the top of the file"),
                ("services: {a: {image: x, environment: {A: {b: c}}}}",
                 "compose.yaml:1: a: environment.A must be a text, and is a map; put it into quotes if it is meant"
                 " as a text"),
                ("services: {a: {image: x, enviroment: {}}}",
                 'compose.yaml:1: a: "enviroment" is not a key that Compose knows; did you mean environment?'),
                ("services: {a: {image: x, networks: n}}",
                 'compose.yaml:1: a: networks: "n" must be a list, and is a text; write [n]'),
                ("services: {a: {image: x, depends_on: b}}",
                 'compose.yaml:1: a: depends_on: "b" must be a list, and is a text; write [b]'),
                ("services:\n  a:\n  image: x\n",
                 "compose.yaml:2: a: the service is empty; write image: or build: beneath its name")):
            with self.subTest(text=text):
                got = Read(text)
                self.assertEqual(got.problems[0] if got.problems else None, wanted)

    def test_a_missing_file_says_what_to_do(self):
        self.assertEqual(Read("", {"x": ""}).problems,
                         [f"{NO_FILE}; add the file, or ask the admin to name another one with compose = \"PATH\""])
        self.assertEqual(Read("", {"x": ""}, files=("a.yaml",)).problems,
                         ['"a.yaml", which the admin names, does not exist in this commit; add the file, or ask the admin to'
                          ' name another one with compose = "PATH"'])

    def test_a_missing_file_names_what_looks_like_one(self):
        files = {"deploy/prod/Compose.prod.yml": "", "docker/docker-compose.yml": "", "docker/compose.txt": "",
                 "a/b/c/d/compose.yaml": ""}
        self.assertEqual(Read("", files).problems,
                         [f'{NO_FILE}; docker/docker-compose.yml is there (and 1 more like it): ask the admin for compose ='
                          ' "docker/docker-compose.yml"'])
        self.assertIn('ask the admin for compose = "docker/docker-compose.yml"', Read("", files, files=("x.yml",)).problems[0])
        many = {f"d{n}/f{m}": "" for n in range(60) for m in range(100)}
        self.assertIn("compose.yaml does not exist", Read("", many).problems[0])  # it looks at so many entries only

    def test_all_problems_are_shown_and_those_of_one_reason_together(self):
        text = "".join(f"  s{n}: {{image: x, restart: often, user: [u]}}\n" for n in range(30))
        got = Read(f"services:\n{text}")
        self.assertEqual(got.problems[0], 'compose.yaml:2: s0, s1, s2 and 27 more: restart: "often" is not a restart'
                                          " policy; write no, always, unless-stopped, on-failure or on-failure:N")
        self.assertEqual(len(got.problems), 2)

    def test_what_nothing_permits_is_refused_by_name(self):
        got = one("cgroup_parent: /x\nuserns_mode: host\noom_kill_disable: false")
        self.assertEqual([text.split(": ")[2] for text in got.refusals], ["cgroup_parent", "userns_mode"])
        self.assertIn("nothing permits this", got.refusals[0])

    def test_what_has_no_effect_is_noted(self):
        got = one("x-podman.rootfs: /\nisolation: default\ndeploy: {placement: {constraints: [a]}}")
        self.assertEqual([text.split(": ")[2] for text in got.notes], ["x-podman.rootfs", "isolation", "deploy.placement"])

    def test_each_undeclared_name_has_a_sentence_with_a_near_one(self):
        got = Read("services:\n  a: {image: x, volumes: ['data:/d', 'e1:/e'], networks: [front, own], depends_on: [ab]}"
                   "\n  b: {image: x}\nvolumes: {dta: }\nnetworks: {frnot: }")
        self.assertEqual([text.partition(": ")[2] for text in got.problems], [
            'a: networks.front: the file declares no network "front"; did you mean frnot?',
            'a: networks.own: the file declares no network "own"; add own: beneath networks: at the top of the file',
            'a: volumes: "data": the file declares no volume "data"; did you mean dta?',
            'a: volumes: "e1": the file declares no volume "e1"; add e1: beneath volumes: at the top of the file, or'
            ' write ./e1 for a path',
            'a: depends_on: there is no service "ab"; check the name'])

    def test_a_limit_that_is_no_number_has_one_sentence(self):
        self.assertEqual(Read("services: {a: {image: x, ulimits: {nofile: {soft: many}}}}").problems,
                         ['compose.yaml:1: a: ulimits.nofile.soft: "many" must be a whole number'])

    def test_a_file_of_composes_first_format_has_one_sentence(self):
        self.assertEqual(Read("db: {image: x}\nweb: {build: .}").problems, [
            'compose.yaml:1: the service "db" is at the top of the file; write services: above all services, and indent them'])


class MissingVariables(unittest.TestCase):
    def test_a_value_is_refused_with_the_variables_that_left_it_empty(self):
        got = one('mem_limit: ${A}${B:-}\nvolumes: ["${ROOT}:/x", {type: bind, source: "${ROOT}", target: /y}]')
        self.assertEqual(got.problems, [
            'compose.yaml:4: a: mem_limit: "${A}${B:-}" (here "") is not a size in bytes; A, B have no value: write one into'
            ' .env, or ask the admin to set it in env',
            'compose.yaml:5: a: volumes: "${ROOT}:/x" (here ":/x"): a part of the volume is empty; ROOT has no value: write'
            ' one into .env, or ask the admin to set it in env',
            'compose.yaml:5: a: volumes: "${ROOT}" (here ""): a volume of the type bind has no source; ROOT has no value:'
            ' write one into .env, or ask the admin to set it in env'])
        self.assertIn('"x:${TAG}" (here "x:") is not the name of an image; TAG has no value',
                      Read("services: {a: {image: 'x:${TAG}'}}").refusals[0])

    def test_a_required_variable_has_one_sentence(self):
        got = Read("""
            x-common: &common
              environment: ["${A:?write it into .env}"]
            services:
              a: {<<: *common, image: "${B:?}"}
              b: {<<: *common, image: x, volumes: [{type: bind, source: "${C:?}", target: /x}], depends_on: ["${D:?}"]}
        """)
        self.assertEqual([text.partition(";")[0] for text in got.problems], [
            "compose.yaml:5: a: image: the file requires the variable B, which is not set",
            "compose.yaml:3: a, b: environment: the file requires the variable A, which is not set (write it into .env)",
            "compose.yaml:6: b: volumes.source: the file requires the variable C, which is not set",
            "compose.yaml:6: b: depends_on: the file requires the variable D, which is not set"])

    def test_without_a_service_that_uses_it_an_extension_has_the_sentence(self):
        got = Read("x-common: {a: '${A:?}'}\nservices: {a: {image: x}}")
        self.assertIn("x-common.a: the file requires", got.problems[0])

    def test_the_working_directory_has_another_name(self):
        self.assertIn("the variable PWD is not set, and becomes empty; write . for the directory", one(
            "volumes: ['${PWD}/x:/x']").notes[0])


class Files(unittest.TestCase):
    def test_a_link_that_leaves_the_repository_is_not_followed(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory) / "stage"
            root.mkdir()
            (pathlib.Path(directory) / "secret").write_text("services: {a: {image: x}}")
            (root / "compose.yaml").symlink_to("../secret")
            self.assertIsNone(read(root).model)
            (root / "in.yaml").write_text("services: {a: {image: x, env_file: f}}")
            (root / "f").symlink_to("/etc/passwd")
            self.assertIn("outside of the repository", sentences(read(root, files=("in.yaml",)).problems)[0])

    def test_what_is_not_a_file_is_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "compose.yaml").write_text("services: {a: {image: x, env_file: [pipe, dir]}}")
            os.mkfifo(root / "pipe")
            (root / "dir").mkdir()
            self.assertIn("pipe is not a file", sentences(read(root).problems)[0])

    def test_a_file_that_is_too_large_is_refused(self):
        self.assertIn("larger than", Read(b"#" * (2 << 20)).problems[0])


if __name__ == "__main__":
    unittest.main()
