"""Compose files that every version of podman-compose has to translate into the same plan.

name → (files, links): what a commit holds. `admin` in ENVIRONMENT is the admin's, HOME the user's.
"""

ENVIRONMENT = {"HOME": "/home/ann", "USER": "ann", "LOGNAME": "ann", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
SECRETS = ("token", "file")  # names that the admin gives files for
ADMIN = {"ADMIN_WORD": "of the admin", "BOTH": "admin"}


def one(text, more="", **files):
    """A commit of one service called a, whose keys are the lines of `text`."""
    lines = "".join(f"    {line}\n" for line in text.strip("\n").splitlines())
    return {"compose.yaml": f"services:\n  a:\n    image: docker.io/library/busybox:1\n{lines}{more}",
            **{name.replace("__", "/"): content for name, content in files.items()}}, {}


CASES = {
    "the least": one(""),
    "words of a command": one("command: sh -c 'echo \"two words\"' x"),
    "a command as a list": one("command: [sh, -c, 'echo $$HOME', 5]"),
    "a command with a variable of several words": one("command: echo ${ADMIN_WORD} ${NOBODY:-by default}"),
    "an entrypoint": one("entrypoint: /bin/sh -x\ncommand: -c true"),
    "an entrypoint as a list": one("entrypoint: [/bin/sh, -c]"),
    "environment as a map": one("environment: {A: 1, B: two words, C: '', D: 1.5, E: true, F: 2024-02-03}"),
    "environment as a list": one("environment: ['A=1', 'B=x=y', 'C=']"),
    "environment without a value": one("environment: [HOME, BOTH]"),
    "a variable of the service itself": one("environment: {INNER: x}\nhostname: h${INNER}"),
    "variables of everybody": (
        {"compose.yaml": "services:\n  a:\n    image: busybox:${TAG}\n    environment: {A: '$BOTH', B: '${HOME}',"
                         " C: '${REPO}', D: '${NOT-x}', E: '${NOT:-y}', F: '$$x', G: '${ADMIN_WORD:?gone}'}\n",
         ".env": "TAG=1.36\nBOTH=repository\nREPO=r ${TAG}\nHOME=/elsewhere\nPODMAN_USERNS=keep-id\n"
                 "PODMAN_COMPOSE_NAME_SEPARATOR_COMPAT=1\nCOMPOSE_PROFILES=x\nCOMPOSE_PROJECT_NAME=other\n"}, {}),
    "env files": one("env_file: [one.env, sub/two.env]\nenvironment: {A: 3}", one__env="A=1\n",
                     **{"one.env": "A=1\nADMIN_WORD=theirs\n", "sub/two.env": "A='2'\nB=\"x y\"\n"}),
    "env files in the long form": one("env_file: [{path: one.env}, {path: gone.env, required: false}]", **{"one.env": ""}),
    "one env file": one("env_file: one.env", **{"one.env": "A=1\n"}),
    "ports": one("ports: ['8080:80', '127.0.0.1:8443:443/udp', '9000-9001:90-91', {target: 70, published: 7000,"
                 " host_ip: 10.0.0.1, protocol: tcp, mode: host}]"),
    "ports in other forms": one("ports: ['8080:80/TCP', '8090-8099:81', ':8100:82', 8200, '[::1]:8300:83']"),
    "a port outside of the file": one("ports: ['8080:80/tcp']\nexpose: ['5432']"),
    "a named volume": one("volumes: ['data:/d', 'data:/ro:ro', 'data:/rw:rw', 'data:/z:z']",
                          "volumes:\n  data: {labels: {a: b}}\n"),
    "a volume with the default driver": one("volumes: ['data:/d']", "volumes: {data: {driver: local}}\n"),
    "a volume of its own name": one("volumes: ['data:/d']", "volumes: {data: {name: c_other}}\n"),
    "a volume of somebody else": one("volumes: ['data:/d']", "volumes: {data: {external: true}}\n"),
    "a volume of somebody else, as it was": one("volumes: ['data:/d']", "volumes: {data: {external: {name: shared}}}\n"),
    "volumes in the long form": one("volumes: [{type: volume, source: data, target: /d, read_only: true},"
                                    " {type: bind, source: ./sub, target: /b, bind: {propagation: rslave}},"
                                    " {type: tmpfs, target: /t, tmpfs: {size: 1000, mode: 0700}}]",
                                    "volumes: {data: }\n", **{"sub/f": ""}),
    "an anonymous volume": one("volumes: [/var/lib/x]"),
    "a bind and its options": one("volumes: ['./sub:/b:ro', './none:/n', './sub:/z:Z']", **{"sub/f": ""}),
    "a link of the commit": ({"compose.yaml": "services:\n  a:\n    image: x\n    volumes: ['./link:/b', {type: bind,"
                                              " source: ./link, target: /l}]\n", "sub/f": ""}, {"link": "sub"}),
    "above a link of the commit": (
        {"compose.yaml": "services:\n  a: {image: x, volumes: ['./link/../d:/b', {type: bind, source: ./link/../d, target: /l}]}"
                         "\n  b: {image: y, build: link/../d}\n", "d/Dockerfile": "FROM scratch\n",
         "deep/d/Dockerfile": "FROM scratch\n", "deep/e/f": ""}, {"link": "deep/e"}),
    "several options of a mount": one("volumes: ['./sub:/b:ro,z,rslave', 'data:/d:Z,ro', './sub:/c:cached,z,rw']",
                                      "volumes: {data: }\n", **{"sub/f": ""}),
    "an anonymous volume in the long form": one("volumes: [{type: volume, target: /d, read_only: true}]"),
    "tmpfs": one("tmpfs: [/run, '/tmp:size=1m']"),
    "one tmpfs": one("tmpfs: /run"),
    "several networks": one("networks: [front, back]", "networks: {front: {internal: true}, back: {labels: {x: y}}}\n"),
    "aliases in networks": one("networks: {front: {aliases: [web, other]}, back: }", "networks: {front: , back: {}}\n"),
    "a network with the default driver": one("", "networks: {default: {driver: bridge}}\n"),
    "a network that nobody uses": one("networks: [front]", "networks: {front: {}, zz: {driver: bridge}}\n"),
    "a network of somebody else": one("networks: [n]", "networks: {n: {external: true, name: shared}}\n"),
    "a network of somebody else, as it was": one("networks: [n]", "networks: {n: {external: {name: shared}}}\n"),
    "networks that are empty": one("networks:", "networks:\n"),
    "no network": one("network_mode: none"),
    "the host's network": one("network_mode: host"),
    "another service's network": one("network_mode: 'service:b'", "  b: {image: x}\n"),
    "a network as a mode, with an alias": one("network_mode: 'c_default:alias=www'"),
    "several networks without a default": one("", "  b: {image: x, networks: [front]}\n"
                                                  "networks: {front: , back: }\n"),
    "links": one("links: ['b:database']", "  b: {image: x}\n"),
    "a healthcheck as text": one("healthcheck: {test: curl -f 'x y', interval: 30s, timeout: 3s, start_period: 1m30s,"
                                 " retries: 3, start_interval: 1s}"),
    "a healthcheck as words": one("healthcheck: {test: [CMD, curl, -f, x y], interval: 1s}"),
    "a healthcheck of one word": one("healthcheck: {test: [CMD, 'true']}"),
    "a healthcheck for a shell": one("healthcheck: {test: [CMD-SHELL, 'a || exit 1']}"),
    "addresses": one("networks: {n: {ipv4_address: 172.30.0.9, ipv6_address: 'fd00:1::9', aliases: [w]}, m: {mac_address: "
                     "02:42:ac:11:65:43, interface_name: own0}, l: }", "networks: {l: , m: , n: {enable_ipv6: true, ipam: "
                     "{driver: default, config: [{subnet: 172.30.0.0/24, gateway: 172.30.0.200, ip_range: 172.30.0.64/26}, "
                     "{subnet: 'fd00:1::/64'}]}}}\n"),
    "Docker's own network": one("network_mode: bridge"),
    "a service that shares the network of one with a name": one("network_mode: 'service:b'",
                                                                "  b: {image: x, container_name: own}\n"),
    "no healthcheck": one("healthcheck: {test: [NONE]}"),
    "a healthcheck that is disabled": one("healthcheck: {disable: true, test: [CMD, 'false']}"),
    "an empty healthcheck": one("healthcheck:"),
    "dependencies as a list": one("depends_on: [b]", "  b: {image: x}\n"),
    "dependencies with conditions": one(
        "depends_on: {c: {condition: service_healthy}, b: {condition: service_started}}",
        "  c: {image: x, depends_on: [d]}\n  d: {image: x}\n  b: {image: x, depends_on: {d: {condition:"
        " service_completed_successfully}, c: {condition: service_started}}}\n"),
    "a dependency without a condition": one("depends_on: {b: }", "  b: {image: x}\n"),
    "empty dependencies": one("depends_on:"),
    "replicas": one("deploy: {replicas: 3}", "  b: {image: x, container_name: own}\n"),
    "replicas and a mode": one("deploy: {replicas: 2, mode: replicated, resources: {limits: {cpus: '0.5', memory: 50M,"
                               " pids: 7}, reservations: {memory: 20M}}}"),
    "an empty deploy": one("deploy:"),
    "limits": one("cpus: 0.5\ncpu_shares: 512\nmem_limit: 512M\nmem_reservation: 128m\nshm_size: 64m\npids_limit: 9"
                  "\nulimits: {nproc: 65535, nofile: {soft: 10, hard: 20}}"),
    "zeros": one("cpus: 0\nmem_limit: 0\nshm_size: 0\npids_limit: 0\nhealthcheck: {test: x, interval: 0s, retries: 0}"),
    "a byte count": one("mem_limit: 52428800"),
    "logging": one("logging: {driver: json-file, options: {max-size: 10m, tag: '{{.Name}}'}}"),
    "logging without options": one("logging: {driver: k8s-file, options: }"),
    "labels as a map": one("labels: {a: b, c: 'd e'}"),
    "labels as a list": one("labels: ['a=b', 'c']"),
    "what a container is": one("user: '1000:1000'\nworking_dir: /srv\nhostname: h\nstdin_open: true\ntty: true\n"
                               "stop_signal: SIGINT\ninit: true\nread_only: true\nrestart: unless-stopped\n"
                               "pull_policy: always\nextra_hosts: ['a:10.0.0.1']"),
    "a number where a text may be": one("user: 1000\nexpose: [80]"),
    "rights": one("cap_drop: [ALL]\ncap_add: [CHOWN]\nsecurity_opt: ['no-new-privileges:true']\nprivileged: false"),
    "rights that are refused": one("privileged: true\ndevices: [/dev/fuse]\nsysctls: {net.core.somaxconn: 7}\n"
                                   "annotations: {a: b}"),
    "sysctls as a list": one("sysctls: ['net.core.somaxconn=7']"),
    "keys that podman-compose leaves out": one(
        "dns: [192.0.2.1]\ndns_search: x\ndns_opt: [y]\nstop_grace_period: 1m5s\nmac_address: 02:42:ac:11:65:43\ncpuset: '0'"
        "\nmemswap_limit: 1g\nmem_limit: 512m\ncpu_quota: 50000\ncpu_period: 100000\npids_limit: 9"),
    "keys that change nothing": one("platform: linux/amd64\ndevelop: {}\nx-own: {a: b}\nattach: false"),
    "keys that the policy refuses": one("pid: host\nipc: host", "name: other\n", s=""),
    "secrets and configs of files": one(
        "secrets: [s, {source: s, target: t, mode: 0440, uid: '5'}, {source: s, target: /etc/s}]\nconfigs: [c]\n"
        "volumes: ['./s:/v']", "secrets: {s: {file: ./s}}\nconfigs: {c: {file: ./l}}\n", s="x")[:1]
    + ({"l": "s"},),
    "secrets and configs in memory": one(
        "secrets: [token, {source: word, target: w, uid: '5', gid: '6', mode: 0440}, {source: own, target: /o}, file]\n"
        "configs: [conf, {source: word, target: /etc/w, mode: 0600}]\nuser: '33:34'",
        "secrets: {token: {external: true}, word: {environment: ADMIN_WORD}, own: {environment: REPO}, file: {file: ./gone}}\n"
        "configs: {conf: {content: 'a: $BOTH $$x'}, word: {environment: BOTH}}\n", **{".env": "REPO=of the repository\n"}),
    "a secret for the user of the image": one("secrets: [token]", "secrets: {token: {external: true}}\n"),
    "no services": ({"compose.yaml": "services: {}\n"}, {}),
    "a service of a profile": one("", "  b: {image: x, profiles: [p]}\n"),
    "an included file": one("", "include: [b.yaml]\n", **{"b.yaml": "services: {z: {image: x}}\n"}),
    "an override": one("environment: {A: 1}", **{"compose.override.yaml": "services: {a: {environment: {B: 2}}}\n"}),
    "settings of pgod": one("", "x-pgo: {strategy: changed, urls: {'a.example': ':8080'}}\nx-own: 1\nversion: '3'\n"),
    "a build": ({"compose.yaml": "services:\n  a: {build: app}\n  b: {build: {context: ., dockerfile: D, target: t, args:"
                                 " {A: 1, B: x y}}, image: own:1, ulimits: {nofile: 10}}\n",
                 "app/Dockerfile": "FROM scratch\n", "D": "FROM scratch\n"}, {}),
    "a build with more keys": one("build: {context: app, labels: {a: b}, args: ['A=1'], extra_hosts: ['a:1.1.1.1'],"
                                  " no_cache: true, pull: true, shm_size: 1m, platforms: [linux/amd64], ulimits:"
                                  " {nproc: 1}}", **{"app/Containerfile": "FROM scratch\n"}),
    "a build by links": ({"compose.yaml": "services:\n  a: {image: own, build: {context: link, dockerfile: D}}\n",
                          "app/E": "FROM scratch\n"}, {"link": "app", "app/D": "E"}),
    "replicas of a build": one("build: .\ndeploy: {replicas: 2}", Dockerfile="FROM scratch\n"),
    "a service of the same file": one("extends: {service: base}\nenvironment: {B: 2}",
                                      "  base: {image: x, environment: {A: 1}, command: sleep 1, volumes: ['d:/d']}\nvolumes: {d: }\n"),
    "a service that is extended and needs others": one(
        "extends: {service: base}\nenvironment: {B: 2}",
        "  base: {image: x, environment: {A: 1}, depends_on: [d], links: ['d:e']}\n  d: {image: x}\n"
        "  proxy: {image: x, depends_on: [a, base]}\n"),
    "a service that extends one that extends": one(
        "extends: {service: middle}", "  middle: {extends: {service: base}, environment: {B: 2}}\n"
                                      "  base: {image: x, environment: {A: 1}}\n"),
    "volumes of extends by their targets": one(
        "extends: {service: base}\nvolumes: ['own:/d:ro', {type: bind, source: ./s, target: /x}, 'k:/k/']",
        "  base: {image: x, volumes: ['theirs:/d', 'x:/x:ro', {type: tmpfs, target: /k}, 'z:/z:ro']}\n"
        "volumes: {own: , k: , theirs: , x: , z: }\n"),
    "a build of extends as text and mapping": one(
        "extends: {service: base}\nbuild: {context: app, args: [B=2, C=3]}",
        "  base: {image: y, build: other}\n  c: {image: z, extends: {service: d}, build: app}\n"
        "  d: {image: w, build: {context: other, args: {A: 1, B: 1}}}\n",
        **{"app/Dockerfile": "FROM scratch\n", "other/Dockerfile": "FROM scratch\n"}),
    "dependencies of extends as list and mapping": one(
        "extends: {service: base}\ndepends_on: {c: {condition: service_healthy}}",
        "  base: {image: x, depends_on: [d]}\n  c: {image: x}\n  d: {image: x}\n"),
    "env files of extends as text and mapping": one(
        "extends: {service: base}\nenv_file: one.env", "  base: {image: x, env_file: {path: two.env}}\n",
        **{"one.env": "", "two.env": ""}),
    "a service of another file": one("extends: {file: sub/base.yaml, service: base}\nports: ['8081:80']",
                                     **{"sub/base.yaml": "services:\n  base:\n    image: x\n    command: echo '${BOTH}'\n"
                                                         "    ports: ['8080:80']\n    volumes: ['./d:/d']\n"}),
    "a file in a directory": ({"compose.yaml": "services: {}\n", "deep/compose.yaml": "services:\n  a:\n    image: x\n"
                               "    volumes: ['./d:/d', '../e:/e']\n    env_file: f.env\n    hostname: ${NAME}\n",
                               "deep/.env": "NAME=deep\n", ".env": "NAME=top\n", "deep/f.env": ""}, {}),
}

FILES = {"a file in a directory": "deep/compose.yaml"}  # others: compose.yaml
