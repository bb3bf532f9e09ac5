"""What a machine says of itself before anybody declared it: how it is called, where it is, and beside what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from gatepost.declaration.names import domain_name
from gatepost.firewall.proving.regions import Region, address, networks
from gatepost.firewall.proving.surroundings import BRIDGES, Surroundings, read
from gatepost.model.bundle import Bundle
from gatepost.model.host import ServerSeen, SettingSeen
from gatepost.model.observation import Seen, of

MOST = 8  # addresses or networks of one kind: a file to be read by a person
_NAMES = (("postfix", "myhostname"), ("exim", "primary_hostname"))


@dataclass(frozen=True, slots=True)
class Machine:
    """`addresses` are those on its way out, `others` lie elsewhere. `beside` are networks it is connected to, by
    interface, without those of containers.
    """

    name: str
    addresses: tuple[str, ...]
    others: tuple[str, ...] = ()
    beside: tuple[tuple[str, tuple[str, ...]], ...] = ()


def machine(bundle: Bundle, seen: Seen) -> Machine:
    """An empty name, or no addresses: it did not tell."""
    around = read(bundle)
    out = {family: _way_out(around, family) for family in (4, 6)}
    own = {name: tuple(_outer(around, name)) for name in around.by_interface if not name.startswith(BRIDGES)}
    first = tuple(one for family, name in out.items() for one in own.get(name, ()) if _family(one) == family)
    others = tuple(one for listed in own.values() for one in listed if one not in first)
    beside = tuple((name, found) for name in own if (found := tuple(_networks(around, name, out))))
    return Machine(_name(seen), first[:MOST], others[:MOST], beside[:MOST])


def _name(seen: Seen) -> str:
    """As its mail server calls itself: that is what other servers know it by."""
    running = {(one.software, one.instance) for one in of(ServerSeen, seen) if one.running}
    settings = of(SettingSeen, seen)
    told = [
        one.value
        for software, setting in _NAMES
        for one in settings
        if (one.software, one.name, one.service) == (software, setting, "") and (software, one.instance) in running
    ]
    return next(filter(None, map(_usable, told)), "")


def _usable(name: str) -> str:
    """One that others could know it by."""
    plain = domain_name(name.strip()) or ""
    return plain if "." in plain and not plain.startswith("localhost.") else ""


def _way_out(around: Surroundings, family: int) -> str:
    """The interface most of the world is behind."""
    routed = [pair for pair in around.routed.get(family, ()) if pair[0] != "lo"]
    return max(routed, key=lambda pair: pair[1].size(), default=("", Region()))[0]


def _outer(around: Surroundings, interface: str) -> Iterator[str]:
    for family, region in around.by_interface[interface].items():
        found = (
            address(number, family) for low, high in region.pairs() for number in range(low, min(high, low + 99) + 1)
        )
        yield from (one for one in found if not _inner(one))


def _inner(one: str) -> bool:
    number = ip_address(one)
    return number.is_loopback or number.is_link_local


def _networks(around: Surroundings, interface: str, out: dict[int, str]) -> Iterator[str]:
    for family, routed in around.routed.items():
        region = dict(routed).get(interface, Region()) & around.connected.get(family, Region())
        if out[family] != interface and interface != "lo":
            yield from (str(one) for one in networks(region, family) if not one.is_link_local)


def _family(one: str) -> int:
    return 6 if ":" in one else 4
