"""The packet a proof is about, and what the fields that rules look at hold in it.

One end of it is open: the proof runs over all sources at once (or, for what the host itself opens, over all
destinations). Everything else is fixed. What a rule asks of a field is answered in one of four ways: it holds this
value, it is the open end, it differs by address in a known way, or it cannot be known; and a packet of another family
or protocol has no such field at all, then no comparison is true, not even `!=`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from gatepost.firewall.proving.regions import MULTICAST, TOP, Region
from gatepost.firewall.proving.values import FLAGS, Raw, bits, number, shown

SOURCE, DESTINATION = "saddr", "daddr"
CONNTRACK = -200  # priority at which a packet gets its connection state
TRANSLATION = -100  # priority at which destinations are translated, whatever priority a nat chain names


@dataclass(frozen=True, slots=True)
class Packet:
    """`open` is the end that ranges over all addresses; its own field is then None.

    `iif` None: some interface other than loopback. `oif` None: not known; empty where there is none. `dport` None: not
    known, or no port (ICMP). `state` is what conntrack says once it has seen the packet, `ct` what it says at the
    place where the rules are looked at (None: not certain there).
    """

    family: int
    dport: int | None
    open: str = SOURCE
    iif: str | None = None
    oif: str | None = ""
    saddr: int | None = None
    daddr: int | None = None
    protocol: str = "tcp"
    flags: int = FLAGS["syn"]
    icmp: tuple[int, int] = (-1, -1)
    sport: int | None = None
    hops: int | None = None
    state: str = "new"
    ct: str | None = "new"
    destination: str = "local"  # local, unicast or multicast
    translated: bool | None = False  # its destination; None: perhaps to what it was
    was_daddr: int | None = None  # before translation
    was_dport: int | None = None

    def at(self, ct: str | None) -> Packet:
        return self if self.ct == ct else replace(self, ct=ct)

    def sent_to(self, daddr: int | None, dport: int | None, destination: str) -> Packet:
        """After translation of the destination. One that changes nothing does not count as one (IPS_DST_NAT)."""
        ends = (self.daddr, daddr, self.dport, dport)
        changed = None if None in ends else (self.daddr, self.dport) != (daddr, dport)
        return replace(
            self, daddr=daddr, dport=dport, destination=destination, translated=changed,
            was_daddr=self.daddr, was_dport=self.dport,
        )  # fmt: skip


class Same(NamedTuple):
    """The same value in every packet of the question. `kind` says how values are compared."""

    kind: str
    value: int | str | bool


class Unknown(NamedTuple):
    what: str


class Open(NamedTuple):
    """The open end itself."""


class Split(NamedTuple):
    """A value that depends on the open address."""

    parts: tuple[tuple[str, Region], ...]


class Absent(NamedTuple):
    """The packet has no such field."""


Reading = Same | Unknown | Open | Split | Absent


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known beside the rules: addresses of the host, and whether any rule sets a mark on the way."""

    local: Mapping[int, Region] = field(default_factory=dict)
    by_interface: Mapping[str, Mapping[int, Region]] = field(default_factory=dict)
    marks: bool = False
    zones: bool = False  # rules put connections into conntrack zones


Reader = Callable[[Packet, Knowledge], Reading]


@dataclass(frozen=True, slots=True)
class Field:
    """`reads` names what of a packet it depends on.

    `kind` (address, masked, port, way-back or other) is known before any packet.
    """

    read: Reader
    reads: frozenset[str]
    kind: str = ""
    family: int = 0  # of an address field
    end: str = ""  # of an address field: saddr or daddr


def field_of(expression: Raw) -> Field:
    """What the left side of a comparison, or the key of a map, looks at."""
    if isinstance(expression, dict) and len(expression) >= 1:
        for kind, body in expression.items():
            if kind in _KINDS and isinstance(body, dict):
                return _KINDS[kind](body)
            if kind == "&" and isinstance(body, list) and len(body) == 2:
                return _masked(field_of(body[0]), body[1])
            return _never_known(kind)
    return _never_known(shown(expression))


def _never_known(what: str) -> Field:
    return Field(lambda _p, _k: Unknown(what), frozenset())


def _payload(body: dict[str, Raw]) -> Field:
    protocol, name = body.get("protocol"), body.get("field")
    if not isinstance(protocol, str) or not isinstance(name, str):
        return _never_known("raw payload")
    if protocol in {"ip", "ip6"}:
        return _network(4 if protocol == "ip" else 6, name)
    if protocol in {"icmp", "icmpv6"}:
        return _icmp(protocol, name)
    if protocol == "ether" and name == "type":
        return Field(lambda p, _k: Same("word", "ip" if p.family == 4 else "ip6"), _FAMILY)
    if protocol in {"th", "tcp", "udp", "udplite", "sctp", "dccp"}:
        return _transport(protocol, name)
    if protocol in {"ah", "esp", "comp", "igmp"}:
        return Field(lambda p, _k: Unknown(f"{protocol} {name}") if p.protocol == protocol else Absent(), _PROTOCOL)
    return _never_known(f"{protocol} {name}")


@cache
def _network(family: int, name: str) -> Field:
    """Fields of the IP header. Reading one implies the family, so the other family never matches."""

    def read(packet: Packet, _: Knowledge) -> Reading:
        if packet.family != family:
            return Absent()
        if name in {"protocol", "nexthdr"}:
            return Same("protocol", packet.protocol)
        if name == "version":
            return Same("number", family)
        if name == "frag-off" or (name == "hdrlength" and family == 4):
            return Same("number", 0 if name == "frag-off" else 5)
        if name in {"ttl", "hoplimit"} and packet.hops is not None:
            return Same("number", packet.hops)
        return Unknown(f"{'ip' if family == 4 else 'ip6'} {name}")

    if name in {SOURCE, DESTINATION}:
        return _address(family, name)
    return Field(read, _FAMILY | {"protocol", "hops"})


@cache
def _address(family: int, end: str) -> Field:
    def read(packet: Packet, _: Knowledge) -> Reading:
        if packet.family != family:
            return Absent()
        if packet.open == end:
            return Open()
        value = packet.saddr if end == SOURCE else packet.daddr
        return Unknown(f"{_ENDS[end]} address") if value is None else Same("address", value)

    return Field(read, frozenset({"family", end}), "address", family, end)


@cache
def _transport(protocol: str, name: str) -> Field:
    def read(packet: Packet, _: Knowledge) -> Reading:
        if protocol not in {"th", packet.protocol}:
            return Absent()
        if packet.protocol not in {"tcp", "udp"}:
            return Unknown(f"{protocol} {name} of {packet.protocol}")
        if name == "flags" and protocol == "tcp":
            return Same("flags", packet.flags)
        value = {"dport": packet.dport, "sport": packet.sport}.get(name)
        return Same("port", value) if value is not None else Unknown(f"{protocol} {name}")

    return Field(read, _PROTOCOL | ({name} & {"dport", "sport", "flags"}), "port" if name == "dport" else "")


def _icmp(protocol: str, name: str) -> Field:
    family = 4 if protocol == "icmp" else 6

    def read(packet: Packet, _: Knowledge) -> Reading:
        if packet.protocol != protocol:
            return Absent()
        if name == "type":
            return Same(f"icmp{family}", packet.icmp[0])
        return Same("code", packet.icmp[1]) if name == "code" else Unknown(f"{protocol} {name}")

    return Field(read, _PROTOCOL | {"icmp"})


def _meta(body: dict[str, Raw]) -> Field:
    name = body.get("key")
    if name in {"iif", "iifname"}:
        return Field(lambda p, _k: _interface(p.iif), frozenset({"iif"}))
    if name in {"oif", "oifname"}:
        return Field(
            lambda p, _k: Unknown("output interface") if p.oif is None else Same("interface", p.oif), frozenset({"oif"})
        )
    if name == "nfproto":
        return Field(lambda p, _k: Same("word", "ipv4" if p.family == 4 else "ipv6"), _FAMILY)
    if name == "protocol":
        return Field(lambda p, _k: Same("word", "ip" if p.family == 4 else "ip6"), _FAMILY)
    if name == "l4proto":
        return Field(lambda p, _k: Same("protocol", p.protocol), _PROTOCOL)
    if name == "pkttype":
        return Field(
            lambda p, _k: Same("word", "multicast" if p.destination == "multicast" else "host"),
            frozenset({"destination"}),
        )
    if name == "mark":
        return Field(lambda _p, k: Unknown("mark that other rules set") if k.marks else Same("number", 0), frozenset())
    return _never_known(f"meta {shown(name)}")


def _interface(name: str | None) -> Reading:
    return Same("outside", "") if name is None else Same("interface", name)


def _ct(body: dict[str, Raw]) -> Field:
    name, way = body.get("key"), body.get("dir")
    if not isinstance(name, str):
        return _never_known("ct")
    if way == "original" and (found := _ct_original(name)):
        return found

    def read(packet: Packet, knowledge: Knowledge) -> Reading:
        if packet.ct is None:
            return Unknown(f"ct {name} at the priority of conntrack itself")
        if name == "state":
            return Same("word", packet.ct)
        if packet.ct in {"invalid", "untracked"}:
            return Absent()
        if name == "direction":
            return Same("word", "original") if packet.state == "new" else Unknown("ct direction")
        if packet.state != "new":
            return Unknown(f"ct {name}")
        if name == "status":
            if packet.translated is None:
                return Unknown("ct status")
            return Same("status", "dnat" if packet.translated else "")
        if name == "mark" and not knowledge.marks:
            return Same("number", 0)
        if name == "zone" and not knowledge.zones:
            return Same("number", 0)
        return Unknown(f"ct {name}")

    return Field(read, frozenset({"ct", "state", "translated"}))


def _ct_original(name: str) -> Field | None:
    """The connection as it was opened, before any translation."""
    match name.split():
        case ["ip" | "ip6" as version, "saddr"]:
            return _address(4 if version == "ip" else 6, SOURCE)
        case ["ip" | "ip6" as version, "daddr"]:
            return Field(lambda p, _k: _first_daddr(p, 4 if version == "ip" else 6), _FIRST | {"family"})
        case ["proto-dst"]:
            return Field(lambda p, _k: _first_port(p), _FIRST)
    return None


def _first_daddr(packet: Packet, family: int) -> Reading:
    if packet.family != family:
        return Absent()
    value = packet.daddr if packet.translated is False else packet.was_daddr
    return Unknown("ct original daddr") if value is None or packet.state != "new" else Same("address", value)


def _first_port(packet: Packet) -> Reading:
    value = packet.dport if packet.translated is False else packet.was_dport
    return Unknown("ct original proto-dst") if value is None or packet.state != "new" else Same("port", value)


def _fib(body: dict[str, Raw]) -> Field:
    """Routing questions. Every source is asked about on the interface its route leads to, so its way back is there."""
    flags = body.get("flags", [])
    asked = set(map(str, flags)) if isinstance(flags, list) else {str(flags)}
    result = body.get("result")
    if result == "type":
        end = SOURCE if SOURCE in asked else DESTINATION

        def read(packet: Packet, knowledge: Knowledge) -> Reading:
            return _kind_of_address(packet, knowledge, end, "iif" in asked)

        return Field(read, frozenset({"family", "destination", "iif", end}))
    if result in {"oif", "oifname"} and SOURCE in asked:
        return Field(lambda p, _k: _way_back(p), frozenset({"iif"}), "way-back")
    return _never_known(f"fib {shown(result)}")


def _way_back(packet: Packet) -> Reading:
    return Unknown("fib of what the host sends itself") if packet.iif == "" else Same("way-back", packet.iif or "")


def _kind_of_address(packet: Packet, knowledge: Knowledge, end: str, on_interface: bool) -> Reading:  # noqa: FBT001 - private
    local = knowledge.local.get(packet.family)
    if on_interface:
        local = knowledge.by_interface.get(packet.iif or "", {}).get(packet.family) if packet.iif else None
    if packet.open == end:
        if local is None:
            return Unknown("addresses of the host")
        several = MULTICAST[packet.family]
        rest = (local | several).complement(TOP[packet.family])
        return Split((("local", local), ("multicast", several - local), ("unicast", rest)))
    if end == SOURCE:
        return Unknown("fib saddr type")
    if on_interface and packet.destination == "local":
        if local is None or packet.daddr is None:
            return Unknown("fib daddr . iif type")
        return Same("word", "local" if packet.daddr in local else "unicast")
    return Same("word", packet.destination)


def _exthdr(body: dict[str, Raw]) -> Field:
    """The packet has no IPv6 extension headers: only the question whether one is there can be answered."""
    if "field" in body:
        return Field(lambda _p, _k: Absent(), frozenset())
    return Field(lambda _p, _k: Same("number", 0), frozenset())


def _masked(inner: Field, mask: Raw) -> Field:
    def read(packet: Packet, knowledge: Knowledge) -> Reading:
        found = inner.read(packet, knowledge)
        if isinstance(found, Same) and found.kind == "flags" and isinstance(found.value, int):
            return Same("flags", found.value & bits(mask))
        if isinstance(found, Same) and found.kind == "number" and isinstance(found.value, int):
            return Same("number", found.value & number(mask))
        return found if isinstance(found, (Absent, Unknown)) else Unknown("masked field")

    return Field(read, inner.reads, "masked" if inner.kind == "address" else "", inner.family, inner.end)


_FAMILY = frozenset({"family"})
_PROTOCOL = frozenset({"protocol"})
_FIRST = frozenset({"daddr", "dport", "was_daddr", "was_dport", "translated", "state"})
_ENDS = {SOURCE: "source", DESTINATION: "destination"}
_KINDS: dict[str, Callable[[dict[str, Raw]], Field]] = {
    "ct": _ct,
    "exthdr": _exthdr,
    "fib": _fib,
    "ip option": lambda _body: _never_known("ip option"),
    "meta": _meta,
    "payload": _payload,
    "tcp option": lambda _body: _never_known("tcp option"),
}
