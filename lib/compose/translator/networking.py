# Networks: what podman's `network create` and `--network` get beside names. The checks are those that podman makes only
# when the old containers are gone.


def network_of(name, given):
    """podman's flags for a network of the project."""
    setting = f"networks.{name}"
    if given.get("enable_ipv4") is False:
        refuse_of(None, f"{setting}.enable_ipv4", "podman makes no network without IPv4", "remove it")
    flags = ["--ipv6"] if given.get("enable_ipv6") else []
    ipam = given.get("ipam") or {}
    if ipam.get("driver", "default") not in ("", "default", "host-local"):
        refuse_of(None, f"{setting}.ipam.driver", f"nothing permits the driver {ipam['driver']!r}",
                  "remove it", kind="refused")
    for one in ipam.get("config") or ():
        flags += range_of(f"{setting}.ipam.config", one)
    return flags


def range_of(setting, given):
    subnet = parsed(ipaddress.ip_network, given.get("subnet"), setting)
    if subnet is None:
        if given.get("gateway") or given.get("ip_range"):
            refuse_of(None, setting, "has a gateway or a range and no subnet", "write subnet: beside it")
        return []
    gateway = parsed(ipaddress.ip_address, given.get("gateway"), setting)
    if gateway is not None and gateway not in subnet:
        refuse_of(None, setting, f"the gateway {gateway} is not in {subnet}")
    within = parsed(ipaddress.ip_network, given.get("ip_range"), setting)
    if within is not None and (within.version != subnet.version or not within.subnet_of(subnet)):
        refuse_of(None, setting, f"the range {within} is not in {subnet}")
    return [word for flag, value in (("--subnet", subnet), ("--gateway", gateway), ("--ip-range", within))
            if value is not None for word in (flag, str(value))]


def parsed(kind, text, setting):
    if not text:
        return None
    try:
        if "%" not in text:  # a zone, which podman does not know
            return kind(text, strict=False) if kind is ipaddress.ip_network else kind(text)
    except ValueError:
        pass
    refuse_of(None, setting, f"{text!r} is neither an address nor a range such as 172.30.0.0/24")
    return None


def subnets_of(network):
    configs = (network.get("ipam") or {}).get("config") or ()
    found = [(parsed(ipaddress.ip_network, one.get("subnet"), "ipam"), one.get("gateway")) for one in configs]
    return [(subnet, gateway or str(subnet.network_address + 1)) for subnet, gateway in found if subnet is not None]


def check_overlaps(networks):
    """podman makes no network whose range another one has. Ranges that overlap are neighbours once they are sorted."""
    found = []
    for name, network in networks.items():
        for one in (network.get("ipam") or {}).get("config") or ():
            try:
                found.append((ipaddress.ip_network(one.get("subnet") or "", strict=False), name))
            except ValueError:
                pass  # network_of() has refused it
    found.sort(key=lambda one: (one[0].version, one[0].network_address, one[0].prefixlen))
    for (first, of_first), (second, of_second) in zip(found, found[1:]):
        if first.version == second.version and first.overlaps(second):
            refuse_of(None, f"networks.{of_second}.ipam.config", f"the range {second} overlaps with {first} of {of_first}",
                      "choose another one")


def options_of_networks(name, service, model):
    """Network → what stands behind its name in --network."""
    found = {}
    for network, given in service["networks"].items():
        options = [address_of(name, service, network, key, model) for key in ADDRESSES if given.get(key)]
        for key, option in (("mac_address", "mac"), ("interface_name", "interface_name")):
            if given.get(key):
                options.append(f"{option}={given[key]}")
        if options:
            found[network] = ",".join(options)
    judge_mac_address(name, service)
    if service.get("mac_address") and len(service["networks"]) > 1:  # podman takes --mac-address for one network alone
        first = next(iter(service["networks"]))
        if "mac=" not in found.get(first, ""):
            found[first] = ",".join([*filter(None, [found.get(first)]), f"mac={service['mac_address']}"])
    return found


def judge_shared_names(given, used):
    """Two entries with one `name:` are one network of podman."""
    first = {}
    for key in used:
        name = given[key].get("name") or key
        other = first.setdefault(name, key)
        if given[other] != given[key]:
            refuse_of(None, f"networks.{key}", f"has the name of networks.{other}, {name!r}, and other settings",
                      "give one of them another name")


def judge_mac_address(name, service):
    """The service's own is that of its first network."""
    first, given = next(iter(service["networks"].items()), ("", {}))
    own, other = service.get("mac_address"), given.get("mac_address")
    if own and other and own.lower().replace("-", ":") != other.lower().replace("-", ":"):
        refuse_of(name, "mac_address", f"differs from networks.{first}.mac_address, which is {other}", "remove one of the two")


ADDRESSES = ("ipv4_address", "ipv6_address")


def address_of(name, service, network, key, model):
    setting, text = f"networks.{network}.{key}", service["networks"][network][key]
    address = parsed(ipaddress.ip_address, text, f"services.{name}.{setting}")
    if address is None:
        return ""
    subnets = subnets_of(model["networks"][network])
    gateway = next((gateway for subnet, gateway in subnets if address in subnet), None)
    if gateway is None and not model["networks"][network].get("external"):
        refuse_of(name, setting, f"the address {address} is in no subnet of this network",
                  f"write one beneath networks.{network}.ipam.config")
    elif gateway == str(address):
        refuse_of(name, setting, f"the address {address} is the gateway of its network", "choose another one")
    elif any(address in subnet and subnet.num_addresses > 2 and address in (subnet[0], subnet[-1]) for subnet, _ in subnets):
        refuse_of(name, setting, f"the address {address} is the first or the last one of its subnet", "choose another one")
    if service["replicas"] > 1:
        refuse_of(name, setting, f"the address {address} stands beside several replicas", "remove one of the two")
    for other, one in model["services"].items():
        given = one["networks"].get(network, {})
        if other < name and text in [given.get(key) for key in ADDRESSES]:
            refuse_of(name, setting, f"the address {address} is that of {other} as well", "choose another one")
    return f"ip={address}" if address.version == 4 else f"ip6={address}"


def settle_network_mode(name, service, model):
    """Docker's bridge is the network of everybody; here it is the project's own."""
    mode = service.get("network_mode") or ""
    if mode in ("bridge", "default"):
        del service["network_mode"]
        service["networks"] = {"default": {}}
    elif mode in ("host", "none"):
        for key in ("ports", "links"):
            if service.get(key):
                note_of(name, key, "pgod ignores this: the container has "
                        + ("the ports of the host" if mode == "host" else "no network"))
                service[key] = []
    elif mode.startswith("container:"):
        refuse_of(name, "network_mode", "nothing permits a container outside of this file",
                  "write service:NAME", kind="refused")
    elif mode.startswith("service:"):
        other = model["services"].get(mode.removeprefix("service:"))
        if other is not None and other["replicas"] != 1:
            refuse_of(name, "network_mode", "is a service that has several containers or none", "give it one")
        for key in ("ports", "extra_hosts", "hostname"):
            if service.get(key):
                refuse_of(name, key, "belongs to the service whose network this one shares", f"move it to {mode[8:]}")
