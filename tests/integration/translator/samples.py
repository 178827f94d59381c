"""A value for each key of the reader's table that takes effect: a commit with it, and one that differs in it alone.

path in the table → (service, service without it, rest of the file, rest without it, files)
"""

OTHER = "  b: {image: docker.io/library/busybox:1}\n"
NETWORK = "networks: {n: {ipam: {config: [{subnet: 172.30.0.0/24}, {subnet: 'fd00:1::/64'}]}}}\n"


def s(lines, without="", more="", instead=None, **files):
    return lines, without, more, more if instead is None else instead, {
        name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}


def of_build(key, more=""):
    return s(f"build: {{context: ., {key}}}{more}", "build: {context: .}", Dockerfile="FROM scratch\n")


def of_deploy(key, without=""):
    return s(f"deploy: {{{key}}}", without)


def of_check(key):
    return s(f"healthcheck: {{test: x, {key}}}", "healthcheck: {test: x}")


def of_port(key):
    return s(f"ports: [{{target: 80, {key}}}]", "ports: [{target: 80, published: 8000}]")


def of_volume(key, kind="bind", source="./sub"):
    mount = f"type: {kind}, target: /t" + (f", source: {source}" if source else "")
    return s(f"volumes: [{{{mount}, {key}}}]", f"volumes: [{{{mount}}}]", "volumes: {v: }\n", sub__f="")


def of_network(key, **files):
    return s(f"networks: {{n: {{{key}}}}}", "networks: {n: }", NETWORK)


def of_grant(section, key):
    return s(f"{section}: [{{source: g, {key}}}]", f"{section}: [{{source: g}}]", f"{section}: {{g: {{file: ./g}}}}\n", g="x")


def of_top(section, key, without="", user="networks: [n]", **files):
    return s(user, user, f"{section}: {{n: {{{key}}}}}\n", f"{section}: {{n: {{{without}}}}}\n", **files)


def of_ipam(key):
    return of_top("networks", f"ipam: {{config: [{{subnet: 172.30.0.0/24, {key}}}]}}",
                  "ipam: {config: [{subnet: 172.30.0.0/24}]}")


SERVICE = {
    "cap_add": s("cap_add: [CHOWN]"), "cap_drop": s("cap_drop: [ALL]"), "command": s("command: echo x"),
    "container_name": s("container_name: own"), "cpu_period": s("cpu_period: 50000"), "cpu_quota": s("cpu_quota: 50000"),
    "cpu_shares": s("cpu_shares: 7"), "cpus": s("cpus: 0.5"), "dns": s("dns: 192.0.2.1"), "dns_opt": s("dns_opt: ['ndots:2']"),
    "dns_search": s("dns_search: example.org"), "entrypoint": s("entrypoint: /x"), "environment": s("environment: {A: b}"),
    "expose": s("expose: [80]"), "external": None, "extra_hosts": s("extra_hosts: {h: 10.0.0.1}"),
    "group_add": s("group_add: [audio]"), "hostname": s("hostname: h"),
    "image": (*s("")[:4], {"compose.yaml": "services:\n  a: {image: docker.io/library/other:1}\n"}),
    "init": s("init: true"), "ipc": s("ipc: shareable"), "label_file": s("label_file: f.env", f_dot_env="A=1\n"),
    "labels": s("labels: {a: b}"), "links": s("links: ['b:www']", "", OTHER), "mac_address": s("mac_address: 02:42:ac:11:65:43"),
    "mem_limit": s("mem_limit: 64m"), "mem_reservation": s("mem_reservation: 64m"),
    "memswap_limit": s("mem_limit: 64m\nmemswap_limit: 128m", "mem_limit: 64m"), "network_mode": s("network_mode: none"),
    "oom_score_adj": s("oom_score_adj: 100"), "pids_limit": s("pids_limit: 9"), "platform": s("platform: linux/s390x"),
    "privileged": s("privileged: true"), "profiles": s("profiles: [p]", "", OTHER), "pull_policy": s("pull_policy: always"),
    "read_only": s("read_only: true"), "restart": s("restart: always"), "scale": s("scale: 2"),
    "security_opt": s("security_opt: ['label:disable']"), "shm_size": s("shm_size: 64m"), "stdin_open": s("stdin_open: true"),
    "stop_grace_period": s("stop_grace_period: 1m"), "stop_signal": s("stop_signal: SIGINT"),
    "sysctls": s("sysctls: {net.core.somaxconn: 7}"), "tmpfs": s("tmpfs: /t"), "tty": s("tty: true"),
    "ulimits": s("ulimits: {nofile: 10}"), "user": s("user: 33:33"), "working_dir": s("working_dir: /"),

    "build.args": of_build("args: {A: b}"), "build.context": s("build: {context: sub}", "build: {context: .}",
                                                              Dockerfile="FROM scratch\n", sub__Dockerfile="FROM scratch\n"),
    "build.dockerfile": s("build: {context: ., dockerfile: D}", "build: {context: .}", Dockerfile="FROM a\n", D="FROM b\n"),
    "build.extra_hosts": of_build("extra_hosts: {h: 10.0.0.1}"), "build.labels": of_build("labels: {a: b}"),
    "build.network": of_build("network: none"), "build.no_cache": of_build("no_cache: true"),
    "build.shm_size": of_build("shm_size: 64m"), "build.target": of_build("target: t"),
    "build.ulimits": of_build("ulimits: {nofile: 10}"),

    "depends_on.condition": s("depends_on: {b: {condition: service_healthy}}", "depends_on: [b]", OTHER),
    "depends_on.required": s("depends_on: {b: {required: false}}", "", "  b: {image: x, profiles: [p]}\n"),

    "deploy.mode": of_deploy("mode: global-job"), "deploy.replicas": of_deploy("replicas: 2"),
    "deploy.resources.limits.cpus": of_deploy("resources: {limits: {cpus: 0.5}}"),
    "deploy.resources.limits.memory": of_deploy("resources: {limits: {memory: 64m}}"),
    "deploy.resources.limits.pids": of_deploy("resources: {limits: {pids: 9}}"),
    "deploy.resources.reservations.memory": of_deploy("resources: {reservations: {memory: 64m}}"),
    "deploy.restart_policy.condition": of_deploy("restart_policy: {condition: on-failure}"),
    "deploy.restart_policy.max_attempts": of_deploy("restart_policy: {condition: on-failure, max_attempts: 3}",
                                                    "deploy: {restart_policy: {condition: on-failure}}"),
    "devices.permissions": s("devices: ['/dev/fuse:/dev/fuse:r']", "devices: [/dev/fuse]"),
    "devices.source": s("devices: [/dev/fuse]"), "devices.target": s("devices: ['/dev/fuse:/dev/x']", "devices: [/dev/fuse]"),
    "env_file.format": s("env_file: {path: f.env, format: raw}", "env_file: f.env", f_dot_env="A='1'\n"),
    "env_file.path": s("env_file: f.env", "", f_dot_env="A=1\n"),
    "env_file.required": s("env_file: {path: gone, required: false}", "env_file: {path: gone}"),
    "extends.file": s("extends: {file: e.yaml, service: x}", "", e_dot_yaml="services: {x: {tty: true}}\n"),
    "extends.service": s("extends: {service: b}", "", "  b: {image: x, tty: true}\n"),
    "healthcheck.disable": of_check("disable: true"), "healthcheck.interval": of_check("interval: 7s"),
    "healthcheck.retries": of_check("retries: 7"), "healthcheck.start_period": of_check("start_period: 7s"),
    "healthcheck.test": s("healthcheck: {test: y}", "healthcheck: {test: x}"), "healthcheck.timeout": of_check("timeout: 7s"),
    "logging.driver": s("logging: {driver: journald}"), "logging.options": s("logging: {options: {max-size: 1m}}"),

    "networks.aliases": of_network("aliases: [w]"), "networks.interface_name": of_network("interface_name: own0"),
    "networks.ipv4_address": of_network("ipv4_address: 172.30.0.9"), "networks.ipv6_address": of_network("ipv6_address: 'fd00:1::9'"),
    "networks.mac_address": of_network("mac_address: 02:42:ac:11:65:43"),
    "ports.host_ip": of_port("published: 8000, host_ip: 127.0.0.1"), "ports.protocol": of_port("published: 8000, protocol: udp"),
    "ports.published": of_port("published: 8001"), "ports.target": s("ports: [{target: 81, published: 8000}]",
                                                                   "ports: [{target: 80, published: 8000}]"),
    "volumes.bind.create_host_path": of_volume("bind: {create_host_path: false}", source="./none"),
    "volumes.bind.propagation": of_volume("bind: {propagation: rslave}"),
    "volumes.bind.recursive": of_volume("bind: {recursive: disabled}"), "volumes.bind.selinux": of_volume("bind: {selinux: z}"),
    "volumes.read_only": of_volume("read_only: true"), "volumes.source": s("volumes: [{type: volume, target: /t, source: v}]",
                                                                          "volumes: [{type: volume, target: /t}]",
                                                                          "volumes: {v: }\n"),
    "volumes.target": s("volumes: ['./sub:/u']", "volumes: ['./sub:/t']", sub__f=""),
    "volumes.tmpfs.mode": of_volume("tmpfs: {mode: 0700}", "tmpfs", ""), "volumes.tmpfs.size": of_volume("tmpfs: {size: 1m}", "tmpfs", ""),
    "volumes.type": s("volumes: [{type: tmpfs, target: /t}]", "volumes: [{type: volume, target: /t}]"),
    "volumes.volume.nocopy": of_volume("volume: {nocopy: true}", "volume", "v"),
    **{f"{section}.{key}": of_grant(section, f"{key}: {value}") for section in ("secrets", "configs")
       for key, value in (("gid", "'5'"), ("mode", "0400"), ("target", "/t"), ("uid", "'5'"))},
    **{f"{section}.source": s(f"{section}: [g]", "", f"{section}: {{g: {{file: ./g}}}}\n", g="x")
       for section in ("secrets", "configs")},
}
del SERVICE["external"]

TOP = {
    "networks.driver": of_top("networks", "driver: macvlan"), "networks.driver_opts": of_top("networks", "driver_opts: {mtu: 1400}"),
    "networks.enable_ipv4": of_top("networks", "enable_ipv4: false"), "networks.enable_ipv6": of_top("networks", "enable_ipv6: true"),
    "networks.external": of_top("networks", "external: true, name: c_n", "name: c_n"),
    "networks.internal": of_top("networks", "internal: true"),
    "networks.ipam.config.gateway": of_ipam("gateway: 172.30.0.9"), "networks.ipam.config.ip_range": of_ipam("ip_range: 172.30.0.128/25"),
    "networks.ipam.config.subnet": of_top("networks", "ipam: {config: [{subnet: 172.30.0.0/24}]}"),
    "networks.ipam.driver": of_top("networks", "ipam: {driver: dhcp}"), "networks.labels": of_top("networks", "labels: {a: b}"),
    "networks.name": of_top("networks", "name: c_own"),
    "volumes.driver": of_top("volumes", "driver: rclone", user="volumes: ['n:/t']"),
    "volumes.driver_opts": of_top("volumes", "driver_opts: {type: tmpfs, device: tmpfs}", user="volumes: ['n:/t']"),
    "volumes.external": of_top("volumes", "external: true, name: c_n", "name: c_n", user="volumes: ['n:/t']"),
    "volumes.labels": of_top("volumes", "labels: {a: b}", user="volumes: ['n:/t']"),
    "volumes.name": of_top("volumes", "name: c_own", user="volumes: ['n:/t']"),
    **{f"{section}.{key}": of_top(section, f"{key}: {value}", "file: ./g", user=f"{section}: [n]", g="x", h="y")
       for section in ("secrets", "configs")
       for key, value in (("environment", "ADMIN_WORD"), ("external", "true"), ("file", "./h"), ("content", "y"))},
    "secrets.name": of_top("secrets", "external: true, name: token", "external: true", user="secrets: [n]"),
    "include.env_file": s("", "", "include: [{path: i.yaml, env_file: f.env}]\n", "include: [i.yaml]\n",
                          i_dot_yaml="services: {z: {image: 'x:${T:-1}'}}\n", f_dot_env="T=2\n"),
    "include.path": s("", "", "include: [i.yaml]\n", "", i_dot_yaml="services: {z: {image: x}}\n"),
    "include.project_directory": s("", "", "include: [{path: i.yaml, project_directory: sub}]\n", "include: [i.yaml]\n",
                                   i_dot_yaml="services: {z: {image: x, volumes: ['./d:/d']}}\n", sub__f=""),
}
del TOP["secrets.content"]
