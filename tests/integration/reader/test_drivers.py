#!/usr/bin/env python3
"""Drivers of volumes and networks, and their options: what works, what is noted, and what nothing permits."""

import unittest

from project_files import Read

USED = "services: {a: {image: x, volumes: ['data:/d']}, b: {image: x}}\n"


def volume(text, services=USED):
    return Read(f"{services}volumes:\n  data: {text}\n")


def network(text):
    return Read(f"services: {{a: {{image: x}}}}\nnetworks:\n  default: {text}\n")


class Volumes(unittest.TestCase):
    def test_ordinary_ones(self):
        for text in ("{}", "{driver: local}", "{driver_opts: {}}", "{external: true}",
                     "{driver_opts: {type: tmpfs, device: tmpfs, o: 'size=10m,mode=0700,nodev'}}"):
            with self.subTest(text):
                got = volume(text)
                self.assertEqual((got.problems, got.refusals, got.notes), ([], [], []))

    def test_a_directory_is_mounted_with_a_note(self):
        for text in ("{type: none, o: bind, device: /srv/x}", "{o: 'rbind,ro', device: ./x}", "{type: none, device: /srv/x}"):
            with self.subTest(text):
                got = volume(f"{{driver_opts: {text}}}")
                self.assertEqual(got.refusals, [])
                self.assertIn("copies nothing of the image", got.notes[0])

    def test_what_podman_does_not_know_of_a_tmpfs_is_noted(self):
        got = volume("{driver_opts: {type: tmpfs, device: tmpfs, o: 'uid=1000,size=1m,gid=1000'}}")
        self.assertEqual(got.refusals, [])
        self.assertIn("compose.yaml:3: volumes.data.driver_opts.o: pgod ignores gid and uid", got.notes[0])

    def test_what_nothing_permits(self):
        for text, words in (
                ("{driver: rclone}", 'volumes.data.driver: "rclone": nothing permits this'),
                ("{driver_opts: {type: nfs, o: 'addr=192.0.2.1,rw', device: ':/x'}}", "cannot mount nfs; mount it on the host"),
                ("{driver_opts: {type: cifs, device: //h/x}}", "cannot mount cifs"),
                ("{driver_opts: {type: ext4, device: /dev/sda1}}", "cannot mount ext4"),
                ("{driver_opts: {type: tmpfs, device: tmpfs, o: 'context=x'}}", 'o: "context=x": nothing permits "context=x"'),
                ("{driver_opts: {type: none, o: bind}}", "needs a device"),
                ("{driver_opts: {size: 10g}}", "driver_opts.size")):
            with self.subTest(text):
                got = volume(text)
                self.assertEqual(len(got.refusals), 1, got.refusals)
                self.assertTrue(got.refusals[0].startswith("compose.yaml:3: volumes.data.driver"), got.refusals)
                self.assertIn(words.replace('o: "context=x": ', ""), got.refusals[0])

    def test_a_tmpfs_of_several_containers(self):
        text = "{driver_opts: {type: tmpfs, device: tmpfs}}"
        for services in ("services: {a: {image: x, volumes: ['data:/d']}, b: {image: x, volumes: ['data:/e']}}\n",
                         "services: {a: {image: x, volumes: ['data:/d'], scale: 2}}\n"):
            self.assertIn("podman gives a tmpfs to one container", volume(text, services).refusals[0])


class Networks(unittest.TestCase):
    def test_what_changes_nothing_is_noted(self):
        self.assertEqual(network("{driver: bridge}").notes, [])
        self.assertEqual(network("{driver_opts: {com.docker.network.bridge.enable_icc: 'true'}}").refusals, [])
        for option in ("com.docker.network.driver.mtu: 1400", "com.docker.network.bridge.name: br0"):
            got = network(f"{{driver: bridge, driver_opts: {{{option}}}}}")
            self.assertEqual(got.refusals, [])
            self.assertIn("pgod ignores this", got.notes[0])

    def test_what_nothing_permits(self):
        for text, words in (("{driver: overlay}", "only a Docker Swarm has it; write bridge"),
                            ("{driver: macvlan}", "reach networks of the host"),
                            ("{driver: host}", 'allow = ["host-network"]'),
                            ("{driver: weave}", "podman does not have it"),
                            ("{driver_opts: {parent: eth0}}", "change networks of the host"),
                            ("{driver_opts: {com.docker.network.bridge.enable_icc: 'false'}}", "enable_icc"),
                            ("{driver_opts: {com.docker.network.bridge.host_binding_ipv4: 127.0.0.1}}", "host_binding")):
            with self.subTest(text):
                got = network(text)
                self.assertEqual(len(got.refusals), 1, got.refusals)
                self.assertIn(words, got.refusals[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
