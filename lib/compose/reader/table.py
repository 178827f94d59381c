"""Every key of a compose file, as data: its form, how two of it merge, and what becomes of it in pgod.

`form` names a function of forms.py and its siblings, which checks a value and gives its long form. `of` is the table of
the keys within, or the form of the entries. `merge` is a rule of merging.py; each form has its usual one.
"""

from typing import NamedTuple

HONOURED = "honoured"  # it takes effect; the policy may still refuse what it asks for
NOTED = "noted"  # it changes nothing here, and the team is told
SILENT = "silent"  # it changes nothing anywhere that a container runs
REFUSED = "refused"  # no grant permits it


class Key(NamedTuple):
    form: str
    of: object = None
    merge: str = ""
    state: str = HONOURED
    why: str = ""


def noted(form, why, of=None, merge=""):
    return Key(form, of, merge, NOTED, why)


def refused(form, why, of=None, merge=""):
    return Key(form, of, merge, REFUSED, why)


SWARM = "only a cluster of Docker Swarm uses it"
BUILDER = "podman's build does not know it"
ENGINE = "podman decides it on its own"
OTHERS = "it would reach containers, namespaces or groups outside of this service"
HOST = "it would reach devices or resources of the host"
COMMANDS = "it would run commands that nobody checked"
MODELS = "it needs Docker's model runner"
OWN_BUILD = "pgod builds with its own settings"
NOT_HERE = "a user of the host cannot set it"

BUILD = {
    "additional_contexts": refused("pairs", "pgod builds from one directory of the repository"),
    "args": Key("values"),
    "cache_from": noted("texts", "pgod keeps podman's own cache"),
    "cache_to": noted("texts", "pgod keeps podman's own cache"),
    "context": Key("text"),
    "dockerfile": Key("text"),
    "dockerfile_inline": refused("text", "pgod builds from files of the repository; write it into a Dockerfile"),
    "entitlements": refused("texts", HOST),
    "extra_hosts": Key("hosts"),
    "isolation": noted("text", BUILDER),
    "labels": Key("pairs"),
    "network": Key("text"),
    "no_cache": Key("bool"),
    "platforms": noted("texts", "pgod builds for the host's own platform"),
    "privileged": refused("bool", HOST),
    "provenance": noted("any", BUILDER),
    "pull": noted("bool", "pgod fetches the images that a build starts from"),
    "sbom": noted("any", BUILDER),
    "secrets": refused("grants", "a build gets no secrets"),
    "shm_size": Key("bytes"),
    "ssh": refused("pairs", "it would use keys of the host"),
    "tags": refused("texts", "it would give names to images of other services"),
    "target": Key("text"),
    "ulimits": Key("ulimits"),
}

RESOURCES = {
    "limits": Key("map", {
        "cpus": Key("number"),
        "memory": Key("bytes"),
        "pids": Key("int"),
    }),
    "reservations": Key("map", {
        "cpus": noted("number", SWARM),
        "memory": Key("bytes"),
        "devices": refused("any", HOST),
        "generic_resources": refused("any", HOST),
    }),
}

UPDATE = {
    "delay": Key("duration"),
    "failure_action": Key("text"),
    "max_failure_ratio": Key("number"),
    "monitor": Key("duration"),
    "order": Key("text"),
    "parallelism": Key("int"),
}

DEPLOY = {
    "endpoint_mode": noted("text", SWARM),
    "labels": Key("pairs", state=SILENT),
    "mode": Key("text"),
    "placement": noted("any", SWARM),
    "replicas": Key("int"),
    "resources": Key("map", RESOURCES),
    "restart_policy": Key("map", {
        "condition": Key("restart_condition"),
        "delay": noted("duration", ENGINE),
        "max_attempts": Key("int"),
        "window": noted("duration", ENGINE),
    }),
    "rollback_config": noted("map", SWARM, UPDATE),
    "update_config": noted("map", SWARM, UPDATE),
}

HEALTHCHECK = {
    "disable": Key("bool"),
    "interval": Key("duration"),
    "retries": Key("int"),
    "start_interval": noted("duration", "podman checks at interval from the start"),
    "start_period": Key("duration"),
    "test": Key("test", merge="replace"),
    "timeout": Key("duration"),
}

PORT = {
    "app_protocol": Key("text", state=SILENT),
    "host_ip": Key("text"),
    "mode": noted("text", SWARM),
    "name": Key("text", state=SILENT),
    "protocol": Key("text"),
    "published": Key("text"),
    "target": Key("text"),
}

VOLUME = {
    "bind": Key("map", {
        "create_host_path": Key("bool"),
        "propagation": Key("text"),
        "recursive": Key("text"),
        "selinux": Key("text"),
    }),
    "consistency": Key("text", state=SILENT),
    "image": refused("map", "pgod mounts no images", {"subpath": Key("text")}),
    "read_only": Key("bool"),
    "source": Key("text"),
    "target": Key("text"),
    "tmpfs": Key("map", {
        "mode": Key("mode"),
        "size": Key("bytes"),
    }),
    "type": Key("text"),
    "volume": Key("map", {
        "labels": Key("pairs", state=SILENT),
        "nocopy": Key("bool"),
        "subpath": refused("text", "pgod mounts a volume as a whole; give the part a volume of its own"),
    }),
}

NETWORK_OF_SERVICE = {
    "aliases": Key("texts"),
    "driver_opts": refused("pairs", "it would reach networks of the host"),
    "gw_priority": noted("int", ENGINE),
    "interface_name": Key("text"),
    "ipv4_address": Key("text"),
    "ipv6_address": Key("text"),
    "link_local_ips": refused("texts", "podman does not know it"),
    "mac_address": Key("text"),
    "priority": noted("int", ENGINE),
}

DEPENDENCY = {
    "condition": Key("condition"),
    "required": Key("bool"),
    "restart": noted("bool", "pgod restarts what a commit changes"),
}

ENV_FILE = {
    "format": Key("text"),
    "path": Key("text"),
    "required": Key("bool"),
}

GRANT = {
    "gid": Key("text"),
    "mode": Key("mode"),
    "source": Key("text"),
    "target": Key("text"),
    "uid": Key("text"),
}

DEVICE = {
    "permissions": Key("text"),
    "source": Key("text"),
    "target": Key("text"),
}

RATE = {"path": Key("text"), "rate": Key("bytes")}
WEIGHT = {"path": Key("text"), "weight": Key("int")}

BLKIO = {
    "device_read_bps": Key("list", Key("map", RATE)),
    "device_read_iops": Key("list", Key("map", RATE)),
    "device_write_bps": Key("list", Key("map", RATE)),
    "device_write_iops": Key("list", Key("map", RATE)),
    "weight": Key("int"),
    "weight_device": Key("list", Key("map", WEIGHT)),
}

SERVICE = {
    "annotations": noted("pairs", "the program that makes the container would read it, and pgod decides what that does"),
    "attach": Key("bool", state=SILENT),
    "blkio_config": noted("map", NOT_HERE, BLKIO),
    "build": Key("build", BUILD),
    "cap_add": Key("texts"),
    "cap_drop": Key("texts"),
    "cgroup": refused("text", OTHERS),
    "cgroup_parent": refused("text", OTHERS),
    "command": Key("command", merge="replace"),
    "configs": Key("grants", GRANT, merge="by target"),
    "container_name": Key("container_name"),
    "cpu_count": noted("int", "only Windows uses it"),
    "cpu_percent": noted("number", "only Windows uses it"),
    "cpu_period": Key("microseconds"),
    "cpu_quota": Key("microseconds"),
    "cpu_rt_period": refused("microseconds", HOST),
    "cpu_rt_runtime": refused("microseconds", HOST),
    "cpu_shares": Key("int"),
    "cpus": Key("number"),
    "cpuset": noted("text", NOT_HERE),
    "credential_spec": noted("any", "only Windows uses it"),
    "depends_on": Key("dependencies", DEPENDENCY),
    "deploy": Key("map", DEPLOY),
    "develop": Key("any", state=SILENT),
    "device_cgroup_rules": refused("texts", HOST),
    "devices": Key("devices", DEVICE, merge="by target"),
    "dns": Key("texts or text"),
    "dns_opt": Key("texts"),
    "dns_search": Key("texts or text"),
    "domainname": noted("text", "podman does not know it; write the whole name into hostname"),
    "entrypoint": Key("command", merge="replace"),
    "env_file": Key("env_files", ENV_FILE),
    "environment": Key("values"),
    "expose": Key("expose"),
    "extends": Key("extends", {"file": Key("text"), "service": Key("text")}),
    "external_links": refused("texts", OTHERS),
    "extra_hosts": Key("hosts"),
    "gpus": refused("any", HOST),
    "group_add": Key("texts"),
    "healthcheck": Key("map", HEALTHCHECK),
    "hostname": Key("text"),
    "image": Key("text"),
    "init": Key("bool"),
    "ipc": Key("text"),
    "isolation": noted("text", "only Windows uses it"),
    "label_file": Key("label_files"),
    "labels": Key("pairs"),
    "links": Key("texts"),
    "logging": Key("map", {"driver": Key("text"), "options": Key("pairs")}, merge="logging"),
    "mac_address": Key("text"),
    "mem_limit": Key("bytes"),
    "mem_reservation": Key("bytes"),
    "mem_swappiness": noted("int", "the control groups of this kernel do not know it"),
    "memswap_limit": Key("bytes"),
    "models": refused("any", MODELS),
    "network_mode": Key("text"),
    "networks": Key("networks", NETWORK_OF_SERVICE),
    "oom_kill_disable": refused("bool", HOST),
    "oom_score_adj": Key("int"),
    "pid": refused("text", OTHERS),
    "pids_limit": Key("int"),
    "platform": Key("text"),
    "ports": Key("ports", PORT, merge="by port"),
    "post_start": refused("any", COMMANDS),
    "pre_start": refused("any", COMMANDS),
    "pre_stop": refused("any", COMMANDS),
    "privileged": Key("bool"),
    "profiles": Key("texts"),
    "provider": refused("any", COMMANDS),
    "pull_policy": Key("pull_policy"),
    "pull_refresh_after": noted("text", "pgod pulls when a commit is deployed"),
    "read_only": Key("bool"),
    "restart": Key("restart"),
    "runtime": refused("text", "it would choose the program that makes the container"),
    "scale": Key("int"),
    "secrets": Key("grants", GRANT, merge="by target"),
    "security_opt": Key("texts"),
    "shm_size": Key("bytes"),
    "stdin_open": Key("bool"),
    "stop_grace_period": Key("duration"),
    "stop_signal": Key("text"),
    "storage_opt": refused("pairs", HOST),
    "sysctls": Key("pairs"),
    "tmpfs": Key("texts or text"),
    "tty": Key("bool"),
    "ulimits": Key("ulimits"),
    "use_api_socket": refused("bool", "it would hand podman itself to the container"),
    "user": Key("text"),
    "userns_mode": refused("text", OTHERS),
    "uts": refused("text", OTHERS),
    "volumes": Key("volumes", VOLUME, merge="by target"),
    "volumes_from": refused("texts", "pgod does not share all volumes of a container, but each can be named in both services"),
    "working_dir": Key("text"),
}

IPAM = {
    "config": Key("list", Key("map", {
        "aux_addresses": noted("pairs", "podman does not know it"),
        "gateway": Key("text"),
        "ip_range": Key("text"),
        "subnet": Key("text"),
    })),
    "driver": Key("text"),
    "options": noted("pairs", "podman does not know it"),
}

NETWORK = {
    "attachable": Key("bool", state=SILENT),
    "driver": Key("text"),
    "driver_opts": Key("pairs"),
    "enable_ipv4": Key("bool"),
    "enable_ipv6": Key("bool"),
    "external": Key("external"),
    "internal": Key("bool"),
    "ipam": Key("map", IPAM),
    "labels": Key("pairs"),
    "name": Key("text"),
}

VOLUME_OF_PROJECT = {
    "driver": Key("text"),
    "driver_opts": Key("pairs"),
    "external": Key("external"),
    "labels": Key("pairs"),
    "name": Key("text"),
}

CONFIG = {
    "content": Key("text"),
    "environment": Key("text"),
    "external": Key("external"),
    "file": Key("text"),
    "labels": Key("pairs", state=SILENT),
    "name": Key("text", state=SILENT),
    "template_driver": noted("text", SWARM),
}

SECRET = {
    "driver": noted("text", SWARM),
    "driver_opts": noted("pairs", SWARM),
    "environment": Key("text"),
    "external": Key("external"),
    "file": Key("text"),
    "labels": Key("pairs", state=SILENT),
    "name": Key("text"),
    "template_driver": noted("text", SWARM),
}

INCLUDE = {
    "env_file": Key("texts or text"),
    "path": Key("texts or text"),
    "project_directory": Key("text"),
}

TOP = {
    "configs": Key("resources", CONFIG),
    "include": Key("include", INCLUDE),
    "models": refused("any", MODELS),
    "name": noted("text", "the project has the name that the admin gives the service"),
    "networks": Key("resources", NETWORK),
    "secrets": Key("resources", SECRET),
    "services": Key("services", SERVICE),
    "version": Key("any", state=SILENT),
    "volumes": Key("resources", VOLUME_OF_PROJECT),
}
