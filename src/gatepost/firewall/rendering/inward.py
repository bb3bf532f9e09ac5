"""To the host, and through it to its containers: the flows of the matrix, then logs and counts of all that is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from gatepost import catalogue
from gatepost.firewall.matrix import management_ports
from gatepost.firewall.rendering.sets import Sets, either
from gatepost.firewall.rendering.words import (
    ACCEPT,
    COUNT,
    DNATED,
    DROP,
    Json,
    among,
    equals,
    field,
    jump,
    logged,
    meta,
    rule,
    wired_to,
)
from gatepost.model.architecture import Host
from gatepost.model.flows import Flow

PUBLISHED = "published"
_MAIL = frozenset({"access", "mx", "sieve", "submission"})
_USUAL = frozenset({"current", "legacy"})


def shut(chain: str, ports: Iterable[int]) -> Iterator[Json]:
    """Before replies are accepted: sessions that are open now end too (GP-RESP-006)."""
    listed = sorted(ports)
    if not listed:
        return
    yield rule(chain, "gatepost: shut in an emergency", among(field("tcp", "dport"), listed), COUNT, DROP)
    for port in listed:
        yield rule(chain, f"gatepost: {port} shut in an emergency", DNATED, _tcp(), wired_to(port), COUNT, DROP)


def openings(flows: Iterable[Flow], host: Host, sets: Sets) -> Iterator[Json]:
    """A port of the host, whatever address it was reached at.

    A declared address may be translated on its way (floating addresses, cloud providers), and then the host never
    sees it; so it is matched only where flows differ between addresses of one family.
    """
    for comment, port, match in _each(flows, host, sets, "daddr"):
        yield rule("input", comment, *match, equals(field("tcp", "dport"), port), COUNT, ACCEPT)


def translated(chain: str) -> Json:
    """A port that NAT moved is judged by the number that was dialled: 25 sent on to 10025 is 25 to the matrix."""
    return rule(chain, "gatepost: published ports", DNATED, jump(PUBLISHED))


def published(flows: Iterable[Flow], host: Host, sets: Sets) -> Iterator[Json]:
    """Where containers and redirections are reached: input and forward both come here. Ends in a drop."""
    for comment, port, match in _each(flows, host, sets, "original"):
        yield rule(PUBLISHED, comment, *match, _tcp(), wired_to(port), COUNT, ACCEPT)
    for port in watched(host):
        yield rule(PUBLISHED, f"gatepost: log {port}", _tcp(), wired_to(port), *logged(f"drop {port}"))
    yield rule(PUBLISHED, "gatepost: published, not declared", COUNT, DROP)


def refused(host: Host) -> Iterator[Json]:
    """A log line and a counter for each mail port, declared or not: who still comes to 110 is worth knowing."""
    for port in watched(host):
        dialled = equals(field("tcp", "dport"), port)
        yield rule("input", f"gatepost: log {port}", dialled, *logged(f"drop {port}"))
        yield rule("input", f"gatepost: drop {port}", dialled, COUNT, DROP)
    yield rule("input", "gatepost: everything else", COUNT, DROP)


def watched(host: Host) -> tuple[int, ...]:
    usual = (p.number for p in catalogue.ports() if p.duty in _MAIL and p.lifecycle in _USUAL and "tcp" in p.transport)
    declared = (service.port for service in host.services)
    return tuple(sorted({*usual, *declared, *management_ports(host)}))


def _each(flows: Iterable[Flow], host: Host, sets: Sets, target: str) -> Iterator[tuple[str, int, list[Json]]]:
    """Comment, port and matches of each rule."""
    own = {family: {a for a in host.addresses if (6 if ":" in a else 4) == family} for family in (4, 6)}
    for (flow, port), same in _by_door(flows).items():
        found: dict[tuple[str, str], list[tuple[int, Json | None]]] = defaultdict(list)
        for one, addresses in same:
            where = "" if addresses == own[one.family] else ",".join(sorted(addresses))
            for who, match in sets.sources(one.zones, one.sources, one.family, f"{flow} {where}"):
                found[who, where].append((one.family, match))
        for (who, where), matches in found.items():
            for match_ in either(matches):
                yield f"{flow} from {who}", port, [*match_, *_reached(where, target)]


def _by_door(flows: Iterable[Flow]) -> dict[tuple[str, int], list[tuple[Flow, set[str]]]]:
    """Flows of one id, port and family with the same sources are one, at several addresses."""
    grouped: dict[tuple[str, int], list[tuple[Flow, set[str]]]] = defaultdict(list)
    for flow in flows:
        alike = grouped[flow.id, flow.port]
        for first, addresses in alike:
            if (first.family, first.sources) == (flow.family, flow.sources):
                addresses.add(flow.address)
                break
        else:
            alike.append((flow, {flow.address}))
    return grouped


def _reached(where: str, target: str) -> list[Json]:
    if not where:
        return []
    addresses = where.split(",")
    header = "ip6" if ":" in where else "ip"
    left = {"ct": {"key": f"{header} daddr", "dir": "original"}} if target == "original" else field(header, "daddr")
    return [among(left, addresses)]


def _tcp() -> Json:
    return equals(meta("l4proto"), "tcp")
