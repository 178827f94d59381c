#!/usr/bin/env python3
"""A key that the reader accepts has an effect, or a note says that it has none."""

import unittest

from project_files import Read, one

EXTERNAL = "pgod ignores this: it is external, and others made it"


class Notes(unittest.TestCase):
    def test_a_restart_policy_wins_over_restart_with_a_note(self):
        policy = "deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}"
        got = one(f"restart: always\n{policy}")
        self.assertEqual(got.service()["restart"], "on-failure:3")
        self.assertEqual(got.notes, ["compose.yaml:4: a: restart: pgod ignores this: deploy.restart_policy stands beside it,"
                                     " and means on-failure:3"])
        for same in (f"restart: on-failure:3\n{policy}", "restart: always\ndeploy: {restart_policy: {condition: any}}", policy):
            self.assertEqual(one(same).notes, [])

    def test_times_of_a_healthcheck_without_a_test_are_noted(self):
        self.assertEqual(one("healthcheck: {interval: 5s, retries: 2}").notes, [
            "compose.yaml:4: a: healthcheck: pgod ignores interval and retries: podman takes them only with a test; write"
            " test: beside them, also where the image has one"])
        for good in ("{interval: 5s, test: x}", "{disable: true, interval: 5s}", "{test: [NONE]}"):
            self.assertEqual(one(f"healthcheck: {good}").notes, [])

    def test_keys_beside_external_are_noted(self):
        got = Read("""
            services: {a: {image: x, networks: [net], volumes: ['vol:/v'], secrets: [sec]}}
            networks: {net: {external: true, driver: overlay, labels: {a: b}, ipam: {config: [{subnet: 10.0.0.0/24}]}}}
            volumes: {vol: {external: true, name: v, driver_opts: {type: tmpfs, device: tmpfs}, driver: rclone}}
            secrets: {sec: {external: true, driver: d}}
        """)
        self.assertEqual((got.problems, got.refusals), ([], []))
        self.assertEqual([note.partition(": ")[2] for note in got.notes], [
            f"{setting}: {EXTERNAL}" for setting in ("networks.net.driver", "networks.net.labels", "networks.net.ipam",
                                                     "volumes.vol.driver_opts", "volumes.vol.driver", "secrets.sec.driver")])
        self.assertEqual(Read("services: {a: {image: x}}\nnetworks: {default: {external: true, name: n, labels: {}}}").notes, [])

    def test_a_profile_that_no_service_has_is_noted(self):
        text = "services: {a: {image: x}, d: {image: x, profiles: [debug]}}"
        self.assertEqual(Read(text, profiles=("debgu", "debug")).notes,
                         ['compose.yaml: profiles: "debgu": no service has this profile; did you mean debug?'])
        self.assertEqual(Read(text, profiles=("debug", "*")).notes, [])
        self.assertIn('"w": no service has this profile', Read(text, {".env": "COMPOSE_PROFILES=debug,w"}).notes[0])

    def test_options_of_another_type_of_volume_are_noted(self):
        for kind, options, source in (("bind", "tmpfs: {size: 1m}", "./s"), ("bind", "volume: {nocopy: true}", "./s"),
                                      ("volume", "tmpfs: {mode: 0700}", "vol"), ("tmpfs", "bind: {selinux: z}", ""),
                                      ("tmpfs", "volume: {nocopy: true}", "")):
            got = Read(f"services: {{a: {{image: x, volumes: [{{type: {kind}, target: /t, {options}"
                       f"{source and f', source: {source}'}}}]}}}}\nvolumes: {{vol: }}")
            name = options.partition(":")[0]
            self.assertEqual(got.notes, [f"compose.yaml:1: a: volumes.{name}: pgod ignores this: the volume is of the type"
                                         f" {kind}"])
        self.assertEqual(one("volumes: [{type: tmpfs, target: /t, source: ./x}]").notes,
                         ['compose.yaml:4: a: volumes.source: "./x": pgod ignores this: a tmpfs has no source'])
        self.assertEqual(one("volumes: [{type: bind, source: ., target: /t, bind: {selinux: z}, tmpfs: {}}]").notes, [])

    def test_a_name_of_the_project_is_noted(self):
        self.assertEqual(Read("name: shop\nservices: {a: {image: x}}").notes, [
            "compose.yaml:1: name: pgod ignores this: the project has the name that the admin gives the service"])
        self.assertEqual(Read("name: c\nservices: {a: {image: x}}").notes, [])


class Sentences(unittest.TestCase):
    def test_an_unknown_service_is_named_by_the_setting_that_needs_it(self):
        for setting, text in (("depends_on", "[zz]"), ("links", "['b:x', 'zz:alias']"), ("network_mode", "service:zz"),
                              ("ipc", "service:zz"), ("pid", "service:zz"), ("volumes_from", "[b, 'zz:ro']")):
            got = Read(f"services:\n  a: {{image: x, {setting}: {text}}}\n  b: {{image: x}}")
            self.assertEqual(got.problems, [f'compose.yaml:2: a: {setting}: there is no service "zz"; check the name'])
        got = Read("services: {a: {image: x, network_mode: 'service:b'}, b: {image: x, profiles: [p]}}")
        self.assertEqual(got.problems, ["compose.yaml:1: a: network_mode: the service needs b, which only runs with the profile"
                                        " p; ask the admin to name the profile in profiles"])
        self.assertIn("a: links: services wait for one another",
                      Read("services: {a: {image: x, links: [b]}, b: {image: x, links: [a]}}").problems[0])

    def test_compose_file_of_dotenv_is_named_where_its_file_is_missing(self):
        for name in ("gone.yaml", "sub/gone.yaml"):
            got = Read("services: {a: {image: x}}", {".env": f"COMPOSE_FILE=compose.yaml:{name}\n"})
            self.assertEqual(got.problems, [f'.env: COMPOSE_FILE: "compose.yaml:{name}": the file {name} does not exist; check'
                                            " the name, also its capital letters"])
        self.assertEqual(Read("", {".env": "COMPOSE_FILE=../x.yaml\n"}).problems, [
            '.env: COMPOSE_FILE: "../x.yaml" is outside of the repository; move the file into the repository'])

    def test_a_path_above_the_repository_is_shown_as_it_is_written(self):
        for setting in ("env_file: ../../x", "label_file: ../../x"):
            self.assertEqual(one(setting).problems, [f'compose.yaml:4: a: {setting.partition(":")[0]}: "../../x" is outside of'
                                                     " the repository; move the file into the repository"])

    def test_two_names_of_an_external_object(self):
        self.assertEqual(Read("services: {a: {image: x, networks: [n]}}\nnetworks: {n: {external: {name: x}, name: y}}").problems,
                         ["compose.yaml:2: networks.n has a name in external and another beside it; keep name:"])

    def test_an_empty_source_of_a_secret_is_named_with_its_variable(self):
        for section in ("secrets", "configs"):
            for key, advice in (("environment", "name of a variable"), ("file", "path of a file")):
                top = f"services: {{a: {{image: x, {section}: [s]}}}}\n{section}: {{s: {{{key}: "
                self.assertEqual(Read(f"{top}'${{X}}'}}}}").problems, [
                    f'compose.yaml:2: {section}.s.{key}: "${{X}}" (here "") is empty; X has no value: write one into .env, or ask'
                    " the admin to set it in env"])
                self.assertEqual(Read(f"{top}''}}}}").problems,
                                 [f"compose.yaml:2: {section}.s.{key} is empty; write the {advice}"])

    def test_what_podman_would_refuse_later_is_refused_with_its_place(self):
        for setting, wanted in (
                ("volumes: [{type: bind, source: './a:b', target: /x}]", 'volumes: "./a:b" has a colon'),
                ("volumes: [{type: volume, target: '/x:ro'}]", 'volumes: "/x:ro" has a colon'),
                ("volumes: ['~mieke/x:/x']", 'the source "~mieke/x" is the home of another user'),
                ("ports: ['[fe80::1%eth0]:80:80']", '"fe80::1%eth0" is not an address of the host'),
                ("extra_hosts: {h: 'fe80::1%eth0'}", '"fe80::1%eth0" is not an address'),
                ("healthcheck: {test: [CMD]}", "healthcheck.test names no command; write a command behind CMD"),
                ("healthcheck: {test: [CMD-SHELL, ' ']}", "healthcheck.test names no command; write a command behind CMD-SHELL")):
            got = one(setting)
            self.assertEqual([text for text in got.problems if f"compose.yaml:4: a: {setting.partition(':')[0]}" in text],
                             got.problems)
            self.assertIn(wanted, got.problems[0])
        self.assertEqual(one("ports: [{target: 81, protocol: ''}]").service()["ports"], ["::81/tcp"])

    def test_targets_of_secrets_and_configs(self):
        for section, target, wanted in (("secrets", "../x", "/run/x"), ("secrets", "a//b/", "/run/secrets/a/b"),
                                        ("secrets", "", "/run/secrets/s"), ("configs", "/etc/x", "/etc/x")):
            got = Read(f"services: {{a: {{image: x, {section}: [{{source: s, target: '{target}'}}]}}}}\n{section}: {{s: {{file: ./s}}}}")
            self.assertEqual(got.service()["files"][0]["target"], wanted)
        for target in ("/a:b", "/", "../.."):
            got = Read(f"services: {{a: {{image: x, secrets: [{{source: s, target: '{target}'}}]}}}}\nsecrets: {{s: {{file: ./s}}}}")
            self.assertEqual(got.problems, [f'compose.yaml:1: a: secrets: "{target}" is not a path that a file can be mounted at;'
                                            " write an absolute path without a colon"])


if __name__ == "__main__":
    unittest.main()
