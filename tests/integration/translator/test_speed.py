"""What a translation costs: Python's start, the reader and podman-compose's functions, under every podman-compose."""

import resource
import unittest

import packages
from test_versions import translated_commit

SERVICES = 20
CPU = 0.3  # seconds for a file of so many services on a quiet machine
SLACK = 2  # on a machine that has other work


def usual():
    """Twenty services in a chain, each with an environment, an env_file, ports, volumes and a healthcheck."""
    text = ("x-common: &common\n  restart: unless-stopped\n  env_file: [common.env]\n"
            "  logging: {driver: json-file, options: {max-size: 10m}}\nservices:\n")
    for number in range(SERVICES):
        variables = ", ".join(f"V{one}: '${{V{one}:-value {one}}}'" for one in range(30))
        text += (f"  s{number}:\n    <<: *common\n    image: example.org/app{number}:${{TAG:-1}}\n"
                 f"    command: [run, --name, s{number}]\n    environment: {{{variables}}}\n"
                 f"    ports: ['{8000 + number}:80']\n    volumes: ['d{number}:/data', './c{number}:/conf:ro']\n"
                 "    networks: [front, back]\n    healthcheck: {test: curl -f http://localhost, interval: 10s}\n")
        if number:
            text += f"    depends_on: {{s{number - 1}: {{condition: service_healthy}}}}\n"
    text += "networks: {front: , back: }\nvolumes: {" + ", ".join(f"d{number}: " for number in range(SERVICES)) + "}\n"
    return {"compose.yaml": text, "common.env": "".join(f"C{one}=\"value {one} $TAG\"\n" for one in range(100)),
            ".env": "TAG=2\n"}


def spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Speed(unittest.TestCase):
    def test_a_file_of_twenty_services(self):
        for version in packages.PACKAGES:
            packages.unpacked(version)
            taken = []
            for _ in range(3):
                before = spent()
                plan = translated_commit(usual(), {}, version)
                taken.append(spent() - before)
                self.assertEqual(plan.refused, "")
            with self.subTest(version):
                self.assertLess(min(taken), CPU * SLACK)

    def test_a_long_chain_of_dependencies_is_one_step_for_each_link(self):
        chain = "services:\n  s0: {image: x}\n" + "".join(f"  s{number}: {{image: x, depends_on: [s{number - 1}]}}\n"
                                                          for number in range(60, 0, -1))
        for version in packages.PACKAGES:
            plan = translated_commit({"compose.yaml": chain}, {}, version).json["plan"]
            self.assertEqual([one["service"] for one in plan["containers"]], [f"s{number}" for number in range(61)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
