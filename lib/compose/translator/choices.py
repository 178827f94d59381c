# Choices: settings of which podman, or a user of the host, can give some values alone. The others get a note where that
# is harmless, and are refused where it is not.

DRIVERS = ("journald", "json-file", "k8s-file", "none")
LOG_OPTIONS = ("max-size", "max-file", "tag")
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def check_choices(name, service):
    if service.get("pull_policy") not in (None, "", "build", *PULLED):
        note_of(name, "pull_policy", "pgod ignores this: it pulls when it deploys a commit")
    if service.get("ipc") not in (None, "", "none", "private", "shareable"):
        refuse_of(name, "ipc", "nothing permits memory of others", "write shareable, private or none", kind="refused")
        service["ipc"] = ""
    system, _, machine = (service.get("platform") or "").partition("/")
    own = MACHINES.get(os.uname().machine, os.uname().machine)
    if system not in ("", "linux") or MACHINES.get(machine, machine).partition("/")[0] not in ("", own):
        refuse_of(name, "platform", f"{service['platform']} is not that of this host, linux/{own}", "remove it")
    deploy = service.get("deploy") or {}
    if deploy.get("mode", "replicated") not in ("", "replicated", "global"):
        note_of(name, "deploy.mode", "pgod ignores this: only a cluster of Docker Swarm uses it")
    policy = deploy.get("restart_policy") or {}
    if policy.get("max_attempts") and policy.get("condition") != "on-failure":
        note_of(name, "deploy.restart_policy.max_attempts", "pgod ignores this: podman counts with on-failure alone")
    for number, port in enumerate(service.get("ports") or ()):
        if "-" in port["published"]:
            port["published"] = port["published"].partition("-")[0]
            note_of(name, f"ports.{number}", f"podman chooses none of several ports; pgod takes {port['published']}")
    for number, mount in enumerate(service.get("volumes") or ()):
        check_mount(name, f"volumes.{number}", mount)


def check_mount(name, setting, mount):
    bind = mount.get("bind") or {}
    if bind.get("recursive") not in (None, "", "enabled", "disabled"):
        refuse_of(name, setting, f"podman does not know recursive: {bind['recursive']}", "write enabled or disabled")
    if (mount["type"] == "bind" and bind.get("create_host_path") is False and beneath(mount["source"], stage)
            and not os.path.lexists(mount["source"])):
        refuse_of(name, setting, f"{shown(mount['source'])} does not exist, and create_host_path is false",
                  "add it or remove the key")  # pgod makes none elsewhere


def logging_of(name, given):
    driver, options = given.get("driver") or "", given.get("options") or {}
    if "path" in options:
        refuse_of(name, "logging.options.path", "nothing permits a log at a path of the host", "remove it", "refused")
    if driver not in ("", *DRIVERS):
        note_of(name, "logging.driver", f"pgod ignores this: podman does not know {driver}; pgoctl shows the logs")
        return {}
    kept = {key: value for key, value in options.items() if key in LOG_OPTIONS and (key != "tag" or driver == "journald")}
    for key in options:
        if key not in kept and key != "path":
            note_of(name, f"logging.options.{key}", "pgod ignores this: podman does not know it"
                    + (f" with {driver or 'its usual driver'}" if key == "tag" else ""))
    return {key: value for key, value in (("driver", driver), ("options", kept)) if value}
