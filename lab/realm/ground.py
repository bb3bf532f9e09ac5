"""The ground a realm stands on: a network namespace for each zone, the mail host in the middle of them.

The host has one interface a zone and forwards packets, as docker, libvirt and VPN packages leave it: whatever its
firewall does not stop can cross from zone to zone. Only addresses set aside for documentation (RFC 5737, RFC 3849)
are used, and no namespace knows a way out: nothing of this machine's own network is touched.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import daemons
from lab.places import program

HOST = "mx"  # the namespace of the mail host
PUBLIC = ("198.51.100.5", "2001:db8:100::5")  # where the declaration says that it is
PERSIST = Path("/run/netns")


@dataclass(frozen=True, slots=True)
class Zone:
    """A network beside the mail host. Addresses are (IPv4, IPv6); `beyond` are further ones behind `here`."""

    name: str
    networks: tuple[str, str]
    host: tuple[str, str]  # the mail host's own
    here: tuple[str, str]  # of whoever stands in the zone
    beyond: tuple[str, ...] = ()


ZONES = (
    Zone(
        "internet",
        ("198.51.100.0/24", "2001:db8:100::/64"),
        PUBLIC,
        ("198.51.100.9", "2001:db8:100::9"),
        ("192.0.2.7", "192.0.2.25", "2001:db8:200::7", "2001:db8:200::25"),
    ),
    Zone(
        "office",
        ("203.0.113.0/25", "2001:db8:1::/64"),
        ("203.0.113.1", "2001:db8:1::1"),
        ("203.0.113.10", "2001:db8:1::10"),
        ("203.0.113.20",),  # a scanner that may relay without a login
    ),
    Zone(
        "admin",
        ("203.0.113.128/26", "2001:db8:2::/64"),
        ("203.0.113.129", "2001:db8:2::1"),
        ("203.0.113.130", "2001:db8:2::10"),
    ),
    Zone(
        "store",
        ("203.0.113.192/26", "2001:db8:3::/64"),
        ("203.0.113.193", "2001:db8:3::1"),
        ("203.0.113.194", "2001:db8:3::10"),
    ),
)


def zone(name: str) -> Zone:
    return next(z for z in ZONES if z.name == name)


def why_no_ground() -> str:
    """Why namespaces cannot be made here; empty when they can."""
    if os.geteuid() != 0:
        return "namespaces need root"
    try:
        tools = [program(name) for name in ("ip", "nft")]
    except SystemExit as error:
        return str(error)
    name = f"gp-try-{os.getpid()}"
    made = subprocess.run([tools[0], "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no network namespaces here: {made.stderr.strip()}"
    subprocess.run([tools[0], "netns", "del", name], check=False)
    return ""


@dataclass(frozen=True, slots=True)
class Ground:
    """`tag` keeps realms on one machine apart; addresses repeat, since each realm is a world of its own."""

    tag: str

    def namespace(self, name: str) -> str:
        return f"gp-{self.tag}-{name}"

    @property
    def namespaces(self) -> tuple[str, ...]:
        return tuple(map(self.namespace, (HOST, *(z.name for z in ZONES))))

    @property
    def standing(self) -> tuple[str, ...]:
        return tuple(name for name in self.namespaces if (PERSIST / name).exists())

    def up(self) -> None:
        for name in self.namespaces:
            _ip("netns", "add", name)
            _settle(name, forwards=name == self.namespace(HOST))
        for one in ZONES:
            self._join(one)
        self._route()

    def down(self) -> None:
        """Ends what still runs inside, then removes the namespaces; their interfaces and rules go with them."""
        daemons.end(self.running())
        for name in self.standing:
            _ip("netns", "del", name)

    def running(self) -> tuple[int, ...]:
        """Processes inside. Whoever is in a namespace of ours was put there by us."""
        told = [_ip("netns", "pids", name) for name in self.standing]
        return tuple(int(pid) for text in told for pid in text.split())

    def inside(self, name: str, *command: str) -> tuple[str, ...]:
        """The words that run a command inside."""
        return (program("ip"), "netns", "exec", self.namespace(name), *command)

    def _join(self, one: Zone) -> None:
        host, far = self.namespace(HOST), self.namespace(one.name)
        _ip("-n", host, "link", "add", one.name, "type", "veth", "peer", "name", "eth0", "netns", far)
        for namespace, device, own in ((host, one.name, one.host), (far, "eth0", one.here)):
            for address, network in zip(own, one.networks, strict=True):
                length = network.partition("/")[2]
                _address(namespace, device, f"{address}/{length}")
            _ip("-n", namespace, "link", "set", device, "up")
        for address in one.beyond:
            _address(far, "lo", f"{address}/{128 if ':' in address else 32}")

    def _route(self) -> None:
        """Everything goes through the host, and what is nowhere is refused at once instead of going round."""
        for family, version in enumerate(("-4", "-6")):
            _ip("-n", self.namespace(HOST), version, "route", "add", "default", "via", zone("internet").here[family])
            for one in ZONES:
                far = self.namespace(one.name)
                for target in _elsewhere(one, family):
                    _ip("-n", far, version, "route", "add", target, "via", one.host[family])
                _ip("-n", far, version, "route", "add", "unreachable", "default", "metric", "4096")


def _elsewhere(one: Zone, family: int) -> tuple[str, ...]:
    """What the other zones have, as targets of routes."""
    others = [other for other in ZONES if other is not one]
    beyond = [a for other in others for a in other.beyond if (":" in a) == bool(family)]
    return (*(other.networks[family] for other in others), *beyond)


def _settle(name: str, *, forwards: bool) -> None:
    """Loopback up, addresses usable at once instead of after duplicate detection."""
    _ip("-n", name, "link", "set", "lo", "up")
    kernel = {
        "net/ipv4/ip_forward": str(int(forwards)),
        "net/ipv6/conf/all/disable_ipv6": "0",
        "net/ipv6/conf/default/disable_ipv6": "0",
        "net/ipv6/conf/all/forwarding": str(int(forwards)),
        "net/ipv6/conf/default/accept_dad": "0",
        "net/ipv4/conf/all/rp_filter": "0",
        "net/ipv4/conf/default/rp_filter": "0",
    }
    script = "; ".join(f"echo {value} > /proc/sys/{path}" for path, value in kernel.items())
    _run(program("ip"), "netns", "exec", name, "sh", "-ec", script)


def _address(namespace: str, device: str, written: str) -> None:
    _ip("-n", namespace, "address", "add", written, "dev", device, *(("nodad",) if ":" in written else ()))


def _ip(*words: str) -> str:
    return _run(program("ip"), *words)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"lab: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
