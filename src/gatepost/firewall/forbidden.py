"""The other side of the matrix: what each internal zone must not reach, and what sits beside the mail ports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gatepost.firewall.spans import Spans, minus, prefixes, spans
from gatepost.firewall.vantages import targets
from gatepost.firewall.whom import FAMILIES, internal
from gatepost.model.architecture import Architecture, Host
from gatepost.model.flows import Flow, Matrix, Network

_Known = dict[tuple[str, int, tuple[str, ...]], Spans]  # zone, family and names of a flow: who of it is not let in


@dataclass(frozen=True, slots=True)
class Barrier:
    """What stands between a zone and one address of a host.

    `ports` are forbidden to all of the zone; of those in `partly` only the named networks of the zone are let in.
    """

    zone: str
    host: str
    address: str
    ports: tuple[int, ...]
    partly: tuple[tuple[int, tuple[Network, ...]], ...] = ()


def forbidden(
    matrix: Matrix, architecture: Architecture, *, hosts: Collection[Host] | None = None
) -> tuple[Barrier, ...]:
    """Per zone, host and address, in the order of the declaration.

    A zone is held to its own addresses: those of a zone inside it are judged there. A family that the zone has no
    network of is no way in.
    """
    own = {family: _own(architecture, family) for family in FAMILIES}
    flows = _by_address(matrix)
    known: _Known = {}
    asked = architecture.hosts if hosts is None else hosts
    ports = {host.name: tuple(dict.fromkeys(at.port for at in targets([host]))) for host in asked}
    return tuple(
        _barrier(zone, whole, at, ports[host.name], flows.get(at, {}), known)
        for zone in internal(architecture).names
        for host in asked
        for at in ((host.name, address) for address in host.addresses)
        if (whole := own[6 if ":" in at[1] else 4].get(zone, ()))
    )


def _own(architecture: Architecture, family: int) -> Mapping[str, Spans]:
    """Each zone without the zones inside it."""
    whole = {z.name: spans(n for n in z.networks if n.version == family) for z in architecture.zones}
    return {name: _without_inner(name, whole) for name in whole}


def _without_inner(name: str, whole: Mapping[str, Spans]) -> Spans:
    left = whole[name]
    for key, other in whole.items():
        if key != name and _inside(other, whole[name]):
            left = minus(left, other)
    return left


def _inside(inner: Spans, outer: Spans) -> bool:
    return bool(inner) and inner != outer and not minus(inner, outer)


def _by_address(matrix: Matrix) -> Mapping[tuple[str, str], Mapping[int, Flow]]:
    found: dict[tuple[str, str], dict[int, Flow]] = defaultdict(dict)
    for flow in matrix.flows:
        found[flow.host, flow.address][flow.port] = flow
    return found


def _barrier(
    zone: str, whole: Spans, at: tuple[str, str], ports: tuple[int, ...], flows: Mapping[int, Flow], known: _Known
) -> Barrier:
    left = {port: _left(zone, whole, flow, known) for port, flow in flows.items()}
    let_in = {port: rest for port, rest in left.items() if rest != whole}
    partly = sorted((port, rest) for port, rest in let_in.items() if rest)
    return Barrier(
        zone,
        *at,
        tuple(port for port in ports if port not in let_in),
        tuple((port, prefixes(minus(whole, rest), flows[port].family)) for port, rest in partly),
    )


def _left(zone: str, whole: Spans, flow: Flow, known: _Known) -> Spans:
    """Who of the zone is not let in. The same names mean the same sources, so it is worked out once."""
    key = (zone, flow.family, flow.zones)
    if key not in known:
        known[key] = minus(whole, spans(flow.sources))
    return known[key]
