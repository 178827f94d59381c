#!/usr/bin/env python3
"""Rules of the Compose specification, each with the smallest file that shows it."""

import unittest

from project_files import Read, one


class Yaml(unittest.TestCase):
    def test_a_user_of_two_numbers_is_a_text(self):
        self.assertEqual(one("user: 33:33").service()["user"], "33:33")

    def test_words_of_yaml_1_1_stay_texts(self):
        got = one("environment: {A: off, B: no, C: 12:30, D: 1_000, E: 0644, YES: 1, ON: y}").service()["environment"]
        self.assertEqual(got, {"A": "off", "B": "no", "C": "12:30", "D": "1_000", "E": "0644", "YES": "1", "ON": "y"})

    def test_booleans_become_lower_case_texts(self):
        self.assertEqual(one("environment: {DEBUG: True}").service()["environment"], {"DEBUG": "true"})

    def test_a_number_that_changes_as_text_is_noted(self):
        got = one("environment: {V: 1.10}")
        self.assertEqual(got.service()["environment"], {"V": "1.1"})
        self.assertIn('environment.V: "1.10" is a number', got.notes[0])

    def test_numbers_of_other_bases(self):
        got = one("environment: {A: 0x1F, B: 0o17, C: 1e21, D: 123456789012345678901234567890, E: .5, F: -0.0}")
        self.assertEqual(got.service()["environment"], {"A": "31", "B": "15", "C": "1e+21", "E": "0.5", "F": "-0",
                                                        "D": "123456789012345678901234567890"})

    def test_a_duplicate_key_names_both_lines(self):
        got = Read("services:\n  a:\n    image: x\n    image: y\n")
        self.assertIn("compose.yaml:4", got.problems[0])
        self.assertIn("line 3", got.problems[0])

    def test_aliases_that_grow_without_end_are_refused(self):
        lines = ["x-a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"x-a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
        got = Read("\n".join([*lines, "services: {a: {image: x}}"]))
        self.assertIn("once its aliases are written out", got.problems[0])

    def test_an_alias_within_its_own_anchor_is_refused(self):
        self.assertIn("within its own anchor", Read("x-a: &a {b: *a}\nservices: {a: {image: x}}").problems[0])

    def test_deep_nesting_is_refused(self):
        self.assertIn("deep", Read("x-a: " + "[" * 5000 + "]" * 5000).problems[0])

    def test_an_alias_is_a_copy(self):
        got = Read("""
            x-env: &env {A: "1"}
            services:
              a: {image: x, environment: *env}
              b: {image: x, environment: {<<: *env, B: "2"}}
        """)
        self.assertEqual(got.service("a")["environment"], {"A": "1"})
        self.assertEqual(got.service("b")["environment"], {"A": "1", "B": "2"})

    def test_variables_of_an_alias_are_filled_in_once(self):
        got = Read("x-a: &a {A: '$$B'}\nservices: {a: {image: x, environment: *a}, b: {image: x, environment: *a}}")
        self.assertEqual((got.service("a")["environment"], got.service("b")["environment"]), ({"A": "$B"}, {"A": "$B"}))

    def test_a_control_character_in_a_key_is_not_shown(self):
        self.assertIn("a\\u001bb", Read('services: {a: {image: x, environment: {"a\\eb": [1]}}}').problems[0])

    def test_tags_of_yaml_say_the_type(self):
        self.assertEqual(one("environment: {A: !!str 010, B: !!int 7}").service()["environment"], {"A": "010", "B": "7"})
        self.assertIn("!!int", one("environment: {A: !!int x}").problems[0])

    def test_two_documents_are_merged(self):
        got = Read("services: {a: {image: x, user: u}}\n---\nservices: {a: {user: v}}\n")
        self.assertEqual(got.service()["user"], "v")

    def test_a_file_that_is_not_utf_8_names_the_line(self):
        self.assertIn("compose.yaml:2: holds a byte", Read(b"services:\n  a\xff: {}\n").problems[0])

    def test_a_mark_at_the_start_of_a_file_is_left_out(self):
        self.assertEqual(Read(b"\xef\xbb\xbfservices: {a: {image: x}}").service()["image"], "docker.io/library/x:latest")

    def test_an_escaped_nul_is_refused(self):
        self.assertIn("no text may hold", one(r'hostname: "a\0b"').problems[0])


class Variables(unittest.TestCase):
    def value(self, text, **asked):
        return one(f"environment:\n  X: '{text}'", **asked).service()["environment"]["X"]

    def test_all_operators(self):
        files = {".env": "S=s\nE=\n"}
        for text, wanted in (("${S:-d}", "s"), ("${E:-d}", "d"), ("${U:-d}", "d"), ("${S-d}", "s"), ("${E-d}", ""),
                             ("${U-d}", "d"), ("${S:+a}", "a"), ("${E:+a}", ""), ("${U:+a}", ""), ("${S+a}", "a"),
                             ("${E+a}", "a"), ("${U+a}", ""), ("${S:?e}", "s"), ("${E?e}", ""), ("$S$$S${S}", "s$Ss"),
                             ("${U:-${V:-${S}}}", "s"), ("${U:-a}b}", "ab}"), ("$", "$"), ("$1", "$1"), ("${U:-$$x}", "$x"),
                             ('${U:-{"a": 1}}', '{"a": 1}'), ("${U:-{}", "{")):
            with self.subTest(text=text):
                self.assertEqual(self.value(text, others=files), wanted)

    def test_required_and_empty_is_refused(self):
        for text in ("${E:?}", "${E:?why}", "${U?}", "${U:?}"):
            with self.subTest(text=text):
                self.assertIn("requires the variable", one(f"user: '{text}'", {".env": "E=\n"}).problems[0])

    def test_forms_that_are_none(self):
        for text in ("${}", "${ A}", "${A:}", "${A!b}", "${A", "${A:-"):
            with self.subTest(text=text):
                self.assertIn("compose.yaml:4: a: user", one(f"user: '{text}'").problems[0])

    def test_unset_is_noted(self):
        self.assertEqual(one("user: '$NOBODY'").notes,
                         ["compose.yaml:4: a: user: the variable NOBODY is not set, and becomes empty"])

    def test_the_admin_wins_over_dotenv(self):
        self.assertEqual(self.value("$A", others={".env": "A=file"}, admin={"A": "admin"}), "admin")

    def test_a_value_of_the_admin_is_not_shown(self):
        got = one("ports: ['${SECRET}']", admin={"SECRET": "hunter2"})
        self.assertNotIn("hunter2", "".join(got.problems))
        self.assertIn("(here", one("ports: ['${A}']", {".env": "A=xyz"}).problems[0])

    def test_variables_deep_in_one_another_are_refused(self):
        self.assertIn("deep in one another", one("user: '" + "${U:-" * 30 + "}" * 30 + "'").problems[0])

    def test_variables_that_grow_without_end_are_refused(self):
        env = "A0=xxxxxxxxxx\n" + "".join(f"A{n}={f'${{A{n - 1}}}' * 10}\n" for n in range(1, 10))
        self.assertIn("too long", one("user: $A9", {".env": env}).problems[0])

    def test_variables_fill_in_numbers_and_booleans(self):
        got = one("read_only: '${R}'\nmem_limit: '${M}'\nports: ['${P}:80']", {".env": "R=true\nM=1g\nP=8080"}).service()
        self.assertEqual((got["read_only"], got["mem_limit"], got["ports"]), (True, 1 << 30, [":8080:80/tcp"]))


class Dotenv(unittest.TestCase):
    def values(self, text):
        return one("env_file: f.env", {"f.env": text}).service().get("environment", {})

    def test_quotes_comments_and_export(self):
        self.assertEqual(self.values(b"export A='x # y' # z\nB=\"q\\tr\" \nC=v # w\nD=a#b\n# E=1\nF=\n"),
                         {"A": "x # y", "B": "q\tr", "C": "v", "D": "a#b", "F": ""})

    def test_a_mark_at_the_start_belongs_to_no_name(self):
        self.assertEqual(self.values(b"\xef\xbb\xbfA=1\r\nB=2\r\n"), {"A": "1", "B": "2"})

    def test_an_escaped_quote_does_not_end_a_value(self):
        self.assertEqual(self.values(b"A='Let\\'s go!'\nB=\"a \\\"b\\\" c\"\nC=\"back\\\\\"\nD=1"),
                         {"A": "Let's go!", "B": 'a "b" c', "C": "back\\", "D": "1"})

    def test_a_quote_that_never_closes_is_refused(self):
        got = one("env_file: f.env", {"f.env": "A=1\nB='x\nC=2\n"})
        self.assertEqual(got.problems, ["f.env:2: the quote ' is never closed; close it, or put the value into the other"
                                        " quotes"])

    def test_a_name_alone_takes_the_value_outside(self):
        got = one("env_file: f.env", {"f.env": "A\nB\n", ".env": "A=1\n"})
        self.assertEqual(got.service()["environment"], {"A": "1"})

    def test_raw_files_give_nothing_a_meaning(self):
        got = one("env_file: [{path: f.env, format: raw}]", {"f.env": "A='x' # y\nB=$Z\n"})
        self.assertEqual(got.service()["environment"], {"A": "'x' # y", "B": "$Z"})

    def test_a_file_that_is_not_required_may_be_missing(self):
        self.assertNotIn("environment", one("env_file: [{path: f.env, required: false}]").service())

    def test_a_variable_without_a_value_hides_that_of_the_file(self):
        got = one("env_file: f.env\nenvironment: [A]", {"f.env": "A=1\nB=2\n"})
        self.assertEqual(got.service()["environment"], {"B": "2"})

    def test_a_file_outside_of_the_repository_is_refused(self):
        for path in ("/etc/passwd", "../x.env"):
            with self.subTest(path=path):
                self.assertIn("outside of the repository", one(f"env_file: {path}").problems[0])

    def test_a_file_that_grows_without_end_is_refused(self):
        text = "A=" + "x" * 400_000 + "\n" + "".join(f"B{n}=$A\n" for n in range(1000))
        self.assertIn("f.env:22: the files grow too long", one("env_file: f.env", {"f.env": text}).problems[0])

    def test_bom_in_dotenv(self):
        self.assertEqual(one("user: $A", {".env": b"\xef\xbb\xbfA=u\n"}).service()["user"], "u")


class Words(unittest.TestCase):
    def test_a_shell_would_split_it_so(self):
        for text, wanted in (('a "b c" d', ["a", "b c", "d"]), ("a 'b \"c'", ["a", 'b "c']), ("a b\\ c", ["a", "b c"]),
                             ('a ""', ["a", ""]), ("", []), ("  ", []), ("a=b&c=d", ["a=b&c=d"]), ("'&&'", ["&&"]),
                             ("a\\\nb", ["ab"]),
                             ('"a\\nb" \\t', ["anb", "t"]), ("Host(`x`)", ["Host(`x`)"]), ("--q=a|b x", ["--q=a|b", "x"])):
            with self.subTest(text=text):
                literal = "|-\n  " + text.replace("\n", "\n  ") if text.strip() else f"'{text}'"
                self.assertEqual(one(f"command: {literal}").service()["command"], wanted)

    def test_what_only_a_shell_understands_is_refused(self):
        for text in ("a && b", "a; b", "a | b", "a > f", "a 2>&1", "a &", "(a)", "a >f", "a 'b' && c", "a $(b c)",
                     "a `b c`"):
            with self.subTest(text=text):
                self.assertIn('"sh", "-c"', one(f"command: |-\n  {text}").problems[0])

    def test_an_empty_command_is_none_and_a_missing_one_is_that_of_the_image(self):
        self.assertEqual(one("command: []\nentrypoint: ''").service()["command"], [])
        self.assertNotIn("command", one("command:").service())


class Ports(unittest.TestCase):
    def ports(self, text):
        return one(f"ports: [{text}]").service()["ports"]

    def test_forms(self):
        for text, wanted in (("3000", ["::3000/tcp"]), ("2222:22", [":2222:22/tcp"]), ('"8080:80/TCP"', [":8080:80/tcp"]),
                             ('"8080-8090:80"', [":8080-8090:80/tcp"]), ('":80:80"', [":80:80/tcp"]),
                             ('":80"', ["::80/tcp"]),
                             ('"127.0.0.1::80"', ["127.0.0.1::80/tcp"]), ('"[::1]:1:2"', ["::1:1:2/tcp"]),
                             ('"90-91:80-81/udp"', [":90:80/udp", ":91:81/udp"]), ('"5-6"', ["::5/tcp", "::6/tcp"]),
                             ("{target: 80, published: 8-9}", [":8-9:80/tcp"]),
                             ('"80:80", "0.0.0.0:80:80"', ["0.0.0.0:80:80/tcp"])):
            with self.subTest(text=text):
                self.assertEqual(self.ports(text), wanted)

    def test_faults(self):
        for text in ('"a:b"', '"80:"', '"1:2:3:4"', '"localhost:80:80"', "80.5", "true", '"80/icmp"', "{published: 80}", "0",
                     '"9-8:1-2"', '"1-3:1-2"', "[80]", '"80/"', '"[::1]"', "-5"):
            with self.subTest(text=text):
                self.assertIn("compose.yaml:4: a: ports", one(f"ports: [{text}]").problems[0])


class Volumes(unittest.TestCase):
    def test_a_volume_with_a_name_of_one_letter(self):
        got = Read("services: {a: {image: x, volumes: ['d:/data']}}\nvolumes: {d: }")
        self.assertEqual(got.service()["volumes"], [{"type": "volume", "source": "c_d", "target": "/data"}])

    def test_paths(self):
        got = one("volumes: [.:/a, ./x/../y:/b, ~/z:/c, ../e:/e, ..:/f]").service()["volumes"]
        self.assertEqual([one["source"] for one in got], [".", "./y", "~/z", "../e", ".."])

    def test_an_absolute_path_has_one_slash_for_podman(self):
        got = one("volumes: ['//d//e:/d']")
        self.assertEqual(got.model["services"]["a"]["volumes"][0]["source"], "/d/e")
        self.assertEqual(got.service()["volumes"][0]["source"], "//d//e")  # as docker-compose shows it

    def test_a_target_is_cleaned(self):
        self.assertEqual(one("volumes: ['./a:/b//c/../d/']").service()["volumes"][0]["target"], "/b/d")

    def test_a_volume_that_is_a_bind_by_its_options_has_a_whole_path(self):
        got = Read("services: {a: {image: x}}\nvolumes: {v: {driver_opts: {type: none, o: bind, device: data}},"
                   " w: {driver_opts: {type: nfs, device: ':/data'}}}", {"x": ""})
        self.assertTrue(got.model["volumes"]["v"]["driver_opts"]["device"].endswith("/data"))
        self.assertEqual(got.model["volumes"]["w"]["driver_opts"]["device"], ":/data")

    def test_a_source_is_kept_as_the_file_writes_it(self):
        got = one("volumes: ['/var/run/../run/docker.sock:/s']").model["services"]["a"]["volumes"][0]
        self.assertEqual((got["written"], got["source"]), ("/var/run/../run/docker.sock", "/var/run/docker.sock"))

    def test_options_reach_the_model(self):
        got = one("volumes: ['./a:/a:ro,Z,rslave']").model["services"]["a"]["volumes"][0]
        self.assertEqual((got["read_only"], got["bind"]), (True, {"selinux": "Z", "propagation": "rslave"}))

    def test_a_text_that_says_false_is_false(self):
        got = one("read_only: 'no'\nvolumes: [{type: bind, source: ./a, target: /a, read_only: 'false'}]").service()
        self.assertEqual(got["volumes"], [{"type": "bind", "source": "./a", "target": "/a"}])
        self.assertNotIn("read_only", got)

    def test_faults(self):
        for text in ("':/a'", "'./a:'", "'data:/d'", "'a/b:/c'", "{type: foo, target: /a}", "{target: a}", "{source: ./a}",
                     "{type: bind, target: /a}", "7", "[x]"):
            with self.subTest(text=text):
                self.assertIn("a: volumes", one(f"volumes: [{text}]").problems[0])

    def test_an_option_that_does_not_exist_has_no_effect_as_with_docker_compose(self):
        got = one("volumes: ['d:/d:roz']", {"compose.override.yaml": "volumes: {d: }"})
        self.assertEqual(got.service()["volumes"], [{"type": "volume", "source": "c_d", "target": "/d"}])
        self.assertIn('volumes: "d:/d:roz": "roz" is not an option of a volume, and has no effect; write ro', got.notes[1])


class Networks(unittest.TestCase):
    def test_a_declared_network_is_not_everybodys(self):
        got = Read("services: {a: {image: x}, b: {image: x, networks: [proxy]}}\nnetworks: {proxy: {external: true}}")
        self.assertEqual((got.service("a")["networks"], got.service("b")["networks"]), ({"c_default": {}}, {"proxy": {}}))

    def test_addresses_and_aliases(self):
        got = Read("""
            services: {a: {image: x, networks: {n: {ipv4_address: 10.1.0.5, aliases: [b, a]}}}}
            networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16}]}}}
        """)
        self.assertEqual(got.service()["networks"], {"c_n": {"ipv4": "10.1.0.5", "aliases": ["a", "b"]}})
        self.assertEqual(got.model["networks"]["n"]["ipam"], {"config": [{"subnet": "10.1.0.0/16"}]})

    def test_the_old_form_of_external_has_a_name(self):
        got = Read("services: {a: {image: x, networks: [n]}}\nnetworks: {n: {external: {name: other}}}")
        self.assertEqual(got.service()["networks"], {"other": {}})

    def test_network_mode_beside_networks_is_refused(self):
        self.assertIn("stands beside networks", one("network_mode: host\nnetworks: [default]").problems[0])

    def test_extra_hosts_in_all_forms(self):
        for text in ("['h:host-gateway', 's=::1']", "{h: host-gateway, s: '::1'}", "['h=host-gateway', 's:[::1]']",
                     "{h: [host-gateway], s: ['::1']}"):
            with self.subTest(text=text):
                self.assertEqual(one(f"extra_hosts: {text}").service()["extra_hosts"], {"h": ["host-gateway"], "s": ["::1"]})


class Merging(unittest.TestCase):
    def merged(self, base, over):
        head = "services:\n  a:\n    image: example.org/app:1\n    "
        return Read(head + base.replace("\n", "\n    "),
                    {"compose.override.yaml": "services:\n  a:\n    " + over.replace("\n", "\n    ")}).service()

    def test_each_rule(self):
        for base, over, name, wanted in (
                ("command: [a]", "command: b c", "command", ["b", "c"]),
                ("entrypoint: [a]", "entrypoint: [b]", "entrypoint", ["b"]),
                ("dns: 10.0.0.1", "dns: [10.0.0.2]", "dns", ["10.0.0.1", "10.0.0.2"]),
                ("labels: [a=1, b=2]", "labels: {b: 3}", "labels", {"a": "1", "b": "3"}),
                ("environment: {A: 1, B: 2}", "environment: {A: !reset null}", "environment", {"B": "2"}),
                ("environment: {A: 1}", "environment: !reset", "environment", None),
                ("environment: {A: 1}", "environment: !override {B: 2}", "environment", {"B": "2"}),
                ("environment: {A: 1}", "environment:", "environment", {"A": "1"}),
                ("cap_add: [A]", "cap_add: [A, B]", "cap_add", ["A", "B"]),
                ("ports: ['80:80']", "ports: ['80:80', '81:80']", "ports", [":80:80/tcp", ":81:80/tcp"]),
                ("ports: ['80:80']", "ports: !override ['81:80']", "ports", [":81:80/tcp"]),
                ("user: a", "user: b", "user", "b"),
                ("healthcheck: {test: [CMD, a], retries: 5}", "healthcheck: {test: b}", "healthcheck",
                 {"test": ["CMD-SHELL", "b"], "retries": 5, "interval": 30.0, "timeout": 30.0}),
                ("logging: {driver: a, options: {x: 1}}", "logging: {driver: b, options: {y: 2}}", "logging",
                 {"driver": "b", "options": {"y": "2"}}),
                ("logging: {options: {x: 1}}", "logging: {driver: b, options: {y: 2}}", "logging",
                 {"driver": "b", "options": {"x": "1", "y": "2"}}),
                ("extra_hosts: [a:10.0.0.1]", "extra_hosts: [a:10.0.0.2]", "extra_hosts", {"a": ["10.0.0.1", "10.0.0.2"]}),
                ("build: ./x", "build: {args: {A: 1}}", "build",
                 {"context": "./x", "dockerfile": "./x/Dockerfile", "args": {"A": "1"}}),
                ("deploy: {resources: {limits: {memory: 1g}}}", "deploy: {resources: {limits: {cpus: 2}}}",
                 "mem_limit", 1 << 30)):
            with self.subTest(base=base, over=over):
                self.assertEqual(self.merged(base, over).get(name), wanted)

    def test_a_condition_survives_an_override_of_another_key(self):
        got = Read("services: {a: {image: x, depends_on: {b: {condition: service_healthy}}}, b: {image: x}}",
                   {"compose.override.yml": "services: {a: {depends_on: {b: {restart: true}}}}"})
        self.assertEqual(got.service()["depends_on"], {"b": "service_healthy"})

    def test_files_that_the_admin_lists_are_merged_in_order(self):
        files = {"one.yaml": "services: {a: {image: x, user: u}}",
                 "sub/two.yaml": "services: {a: {user: v, volumes: [./d:/d]}}",
                 "compose.override.yaml": "services: {a: {user: w}}"}
        got = Read("", files, files=("one.yaml", "sub/two.yaml")).service()
        self.assertEqual((got["user"], got["volumes"][0]["source"]), ("v", "./d"))



if __name__ == "__main__":
    unittest.main()
