"""The matrix of one host as one libnftables transaction into our own table, and the way back."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gatepost.errors import UsageError
from gatepost.firewall.matrix import management_ports
from gatepost.firewall.rendering import inward, life, outward
from gatepost.firewall.rendering.normal import digest, same
from gatepost.firewall.rendering.sets import Sets
from gatepost.firewall.rendering.words import ACCEPT, TABLE, Json, equals, jump, meta, rule
from gatepost.firewall.whom import Directory
from gatepost.model.architecture import Architecture, Host
from gatepost.model.flows import Matrix

__all__ = ["digest", "refuse_lockout", "removal", "same", "transaction"]


def transaction(
    matrix: Matrix,
    host: Host,
    architecture: Architecture,
    *,
    closed: Collection[int] = (),
    directory: Directory | None = None,
) -> Json:
    """For `nft -j -f -`: the table is made anew in one step, whatever was in it; no other table is touched.

    `closed` are ports shut at once for everybody, open sessions included; rendering without them opens them again.
    Raises UsageError when one of them is the way in for operators. Who renders many hosts shares one `directory`.
    """
    refuse_lockout(host, closed)
    sets = Sets(frozenset(zone.name for zone in architecture.zones), directory or Directory.of(architecture))
    rules = [*_input(matrix, host, sets, closed), *_forward(matrix, host, closed), *_output()]
    rules += [*inward.published(matrix.to(host.name), host, sets), *outward.outward(matrix, host.name, sets)]
    rules += [*life.names(), *life.to_containers()]
    parts = [*sets.declared(), *_chains(matrix, host), *rules]
    table = {"table": dict(TABLE)}
    return {"nftables": [{"add": table}, {"delete": table}, *({"add": part} for part in (table, *parts))]}


def refuse_lockout(host: Host, closed: Collection[int]) -> None:
    """Raises UsageError when one of these ports is the way in for operators."""
    if barred := sorted(set(closed) & set(management_ports(host))):
        raise UsageError(f"{host.name}: port {barred[0]} is where operators log in; shutting it locks them out")


def removal() -> Json:
    """Our table gone, and nothing else. Adding it first makes that no error where there is none."""
    table = {"table": dict(TABLE)}
    return {"nftables": [{"add": table}, {"delete": table}]}


def _chains(matrix: Matrix, host: Host) -> Iterator[Json]:
    for name in (inward.PUBLISHED, life.NAMES, life.TO_CONTAINERS, outward.OUTWARD):
        yield _chain(name)
    yield _hook("input", "drop")
    if host.name not in matrix.routers:
        yield _hook("forward", "drop")
    yield _hook("output", "drop" if outward.closed(matrix, host.name) else "accept")


def _chain(name: str, **more: object) -> Json:
    return {"chain": {"family": TABLE["family"], "table": TABLE["name"], "name": name, **more}}


def _hook(name: str, policy: str) -> Json:
    return _chain(name, type="filter", hook=name, prio=0, policy=policy)


def _input(matrix: Matrix, host: Host, sets: Sets, closed: Collection[int]) -> Iterator[Json]:
    yield life.loopback("input", "iifname")
    yield from inward.shut("input", closed)
    yield life.replies("input")
    yield from life.inward("input")
    yield life.invalid("input")
    yield from life.leases("input")
    yield inward.translated("input")
    yield from life.from_containers("input", life.NAMES, "names for containers")
    yield from inward.openings(matrix.to(host.name), host, sets)
    yield from inward.refused(host)


def _forward(matrix: Matrix, host: Host, closed: Collection[int]) -> Iterator[Json]:
    """A host that is no router forwards only for its containers, and for nobody between zones.

    Container engines publish ports past the input hook (destination NAT, then forward) and let containers out by
    masquerading. So published ports follow the matrix by the number that was dialled, containers talk among
    themselves, and on the way out they are held to the exits of the host. They are told by the names their engines
    give to bridges; a host whose engine names them otherwise, or whose network plugin routes, is declared with
    `routes = true`. A packet to a container's own address that nothing translated is dropped.
    """
    if host.name in matrix.routers:
        return
    yield from inward.shut("forward", closed)
    yield life.replies("forward")
    yield life.invalid("forward")
    yield from life.from_containers("forward", life.TO_CONTAINERS, "between containers")
    yield inward.translated("forward")
    yield from life.from_containers("forward", outward.OUTWARD, "containers go where the host may")


def _output() -> Iterator[Json]:
    yield life.loopback("output", "oifname")
    yield life.replies("output")
    messages = equals(meta("l4proto"), {"set": ["icmp", "ipv6-icmp"]})
    yield rule("output", "gatepost: errors, ping, neighbour discovery", messages, ACCEPT)
    yield from life.leases("output", outward=True)
    yield rule("output", "gatepost: to containers", jump(life.TO_CONTAINERS))
    yield rule("output", "gatepost: as declared", jump(outward.OUTWARD))
