"""From the host and its containers: the exits of the matrix, then what it is kept from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from gatepost import catalogue
from gatepost.firewall.rendering.sets import Sets, either, everybody
from gatepost.firewall.rendering.words import ACCEPT, COUNT, DROP, Json, equals, field, logged, meta, rule
from gatepost.model.flows import Exit, Matrix, Network

OUTWARD = "outward"


def outward(matrix: Matrix, host: str, sets: Sets) -> Iterator[Json]:
    """Exits that name a port, the port for mail, exits for any port, then what is kept; the rest may go.

    Only UDP is left alone on the way into internal zones: clocks, names and logs of most hosts live there, and
    cutting them silently would be worse. Where the egress is declared, nothing is left alone.
    """
    leaving = matrix.out_of(host)
    kept = dict(matrix.kept_from).get(host, ())
    yield from _exits((one for one in leaving if one.port), sets)
    if host in matrix.muted:
        mail = catalogue.number("smtp")
        dialled = equals(field("tcp", "dport"), mail)
        yield rule(OUTWARD, f"gatepost: log {mail}", dialled, *logged(f"keep {mail}"))
        yield rule(OUTWARD, "gatepost: only relays send mail", dialled, COUNT, DROP)
    yield from _exits((one for one in leaving if not one.port), sets)
    yield from _kept(kept, sets)


def closed(matrix: Matrix, host: str) -> bool:
    """Its egress is declared: what no exit names is dropped."""
    kept = dict(matrix.kept_from).get(host, ())
    return {network.version for network in kept if network.prefixlen == 0} == {4, 6}


def _exits(leaving: Iterable[Exit], sets: Sets) -> Iterator[Json]:
    grouped: dict[tuple[str, str, int], list[Exit]] = defaultdict(list)
    for one in leaving:
        grouped[one.id, one.transport, one.port].append(one)
    for (name, transport, port), same in grouped.items():
        found = [(one.targets[0].version, _target(one, sets)) for one in same if one.targets]
        for match in either(found):
            dialled = equals(field(transport, "dport"), port) if port else equals(meta("l4proto"), transport)
            yield rule(OUTWARD, name, *match, dialled, COUNT, ACCEPT)


def _target(one: Exit, sets: Sets) -> Json | None:
    if everybody(one.targets):
        return None
    words = one.id.partition("/")[2].removeprefix("to-").replace("-", "_")
    return sets.addresses("daddr", one.targets, one.targets[0].version, kind="to", words=words)


def _kept(kept: tuple[Network, ...], sets: Sets) -> Iterator[Json]:
    if {network.version for network in kept if network.prefixlen == 0} == {4, 6}:
        yield rule(OUTWARD, "gatepost: log what no exit names", *logged("keep"))
        yield rule(OUTWARD, "gatepost: no exit names it", COUNT, DROP)
        return
    quiet = equals(meta("l4proto"), {"set": ["icmp", "udp", "ipv6-icmp"]}, "!=")
    for family in (4, 6):
        if networks := tuple(network for network in kept if network.version == family):
            inner = sets.addresses("daddr", networks, family, kind="kept", words="zones")
            yield rule(OUTWARD, "gatepost: log what is kept from zones", inner, quiet, *logged("keep"))
            yield rule(OUTWARD, "gatepost: kept from internal zones", inner, quiet, COUNT, DROP)
    yield rule(OUTWARD, "gatepost: anywhere else", ACCEPT)
