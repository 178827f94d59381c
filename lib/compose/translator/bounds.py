# Bounds: values that podman or the kernel refuses only once the old containers are gone. They are refused with the commit.
# host_limits.cpp does the same for what depends on the host, such as ulimits.

SIGNAL_OF_TIME = re.compile(r"RT(MIN(\+([1-9]|1[0-5]))?|MAX(-([1-9]|1[0-4]))?)")
LEAST_MEMORY = 6 << 20  # as Docker's; no container starts in less
LEAST_QUOTA, LEAST_PERIOD, MOST_PERIOD = 1000, 1000, 1_000_000  # microseconds, of the kernel
MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}")
INTERFACE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,14}")


def check_bounds(name, service):
    check_signal(name, service.get("stop_signal"))
    for key in ("mem_limit", "memswap_limit"):
        if 0 < (service.get(key) or 0) < LEAST_MEMORY:
            refuse_of(name, key, f"no container starts in {service[key]} bytes", "write a unit, such as 512m")
    if 0 < (service.get("cpus") or 0) < 0.01:
        refuse_of(name, "cpus", f"{service['cpus']} is too little", "write 0.01 or more")
    if 0 < (service.get("cpu_quota") or 0) < LEAST_QUOTA:
        refuse_of(name, "cpu_quota", f"{service['cpu_quota']} is too little", f"write {LEAST_QUOTA} microseconds or more")
    if service.get("cpu_period") and not LEAST_PERIOD <= service["cpu_period"] <= MOST_PERIOD:
        refuse_of(name, "cpu_period", f"{service['cpu_period']} is out of its range",
                  f"write {LEAST_PERIOD} to {MOST_PERIOD} microseconds")
    for network, given in service["networks"].items():
        check_interface(name, f"networks.{network}", given)


def check_signal(name, given):
    text = (given or "").upper().removeprefix("SIG")
    known = 0 < int(text) < 65 if text.isascii() and text.isdigit() and len(text) < 4 else (
        f"SIG{text}" in signal.Signals.__members__ or SIGNAL_OF_TIME.fullmatch(text))
    if text and not known:
        refuse_of(name, "stop_signal", f"{quoted(given)} is not a signal", "write one such as SIGTERM or SIGQUIT")


def check_interface(name, setting, given):
    for key, shape, example in (("mac_address", MAC, "02:42:ac:11:65:43"), ("interface_name", INTERFACE, "eth1")):
        if given.get(key) and not shape.fullmatch(given[key]):
            refuse_of(name, f"{setting}.{key}", f"{quoted(given[key])} is not such as {example}")
            given[key] = ""
