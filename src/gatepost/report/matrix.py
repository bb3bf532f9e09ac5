"""Who may reach what, and where hosts may go: the matrix for a person at a terminal, or as JSON for a program."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from gatepost import catalogue
from gatepost.firewall.exits import relays
from gatepost.firewall.remarks import called, remarks, unreached
from gatepost.firewall.whom import internal
from gatepost.model.architecture import Architecture, Egress, Host
from gatepost.model.flows import Flow, Matrix, Network
from gatepost.report.barriers import Barriers, barrier_lines, barriers_plain
from gatepost.report.escape import printable
from gatepost.report.layout import Column, broadest, cut, hanging, joined, paint, table, text
from gatepost.report.page import ADVICE, document, listed, spaced
from gatepost.report.plain import Plain, to_plain

SCHEMA = "gatepost/firewall/1"

NO_ADDRESS = "–"  # noqa: RUF001 - an en dash, as in a printed table
_ROOM = ((2, 40), (1, 30), (1, 18), (0, 12))  # networks in a cell and characters of names, as the terminal narrows
_NARROW = 18
_LABEL = 24  # columns for whom a list of networks is of
_FAMILIES = (4, 6)


def render(
    matrix: Matrix, architecture: Architecture, hosts: Sequence[Host], barriers: Barriers | None = None,
    *, width: int = 100, colour: bool = False, everything: bool = False,
) -> str:  # fmt: skip
    """`barriers` instead of the flows, when those are asked for. `everything`: each network by itself."""
    if barriers is not None:
        return paint(spaced(barrier_lines(barriers, hosts, width)), colour=colour)
    parts = [part for host in hosts for part in _host(matrix, architecture, host, width, everything=everything)]
    return paint(spaced(parts), colour=colour)


def to_json(matrix: Matrix, architecture: Architecture, hosts: Sequence[Host], barriers: Barriers | None = None) -> str:
    told: dict[str, Plain] = {
        "declaration": architecture.source,
        "hosts": [_plain_host(matrix, host) for host in hosts],
    }
    return document(SCHEMA, told if barriers is None else told | {"forbidden": barriers_plain(barriers)})


@dataclass(frozen=True, slots=True)
class _Row:
    """One port of a host, both families together."""

    port: int
    name: str
    names: tuple[str, ...]  # empty: everybody
    sources: Mapping[int, tuple[Network, ...]]
    management: bool
    line: int | None


def _host(
    matrix: Matrix, architecture: Architecture, host: Host, width: int, *, everything: bool
) -> Iterator[list[Text]]:
    addresses = " · ".join(printable(address) for address in host.addresses)
    named = joined(text(printable(host.name), "bold"), "   ", text(addresses, "dim"))
    yield [
        *hanging(text(""), named, indent=2, width=width),
        *_table(_rows(matrix.to(host.name), host), architecture, host, width),
        *(_networks(_rows(matrix.to(host.name), host), width) if everything else ()),
        *_unreached(matrix, host, width),
    ]
    yield [*_outward(matrix, architecture, host, width), *_through(host, width)]
    yield listed(ADVICE, remarks(matrix, host), width)


def _rows(flows: Iterable[Flow], host: Host) -> tuple[_Row, ...]:
    """By port. All addresses of a family admit the same; that is how hosts are declared."""
    grouped: dict[int, list[Flow]] = defaultdict(list)
    for flow in flows:
        grouped[flow.port].append(flow)
    return tuple(
        _Row(
            port,
            called(host, port),
            same[0].zones,
            {f.family: f.sources for f in same},
            same[0].management,
            same[0].line,
        )
        for port, same in sorted(grouped.items())
    )


def _table(rows: Sequence[_Row], architecture: Architecture, host: Host, width: int) -> list[Text]:
    """The fullest form that fits."""
    if not rows:
        return [text("  nobody reaches any port", "dim")]
    names = [one.name for one in architecture.hosts]
    drawn: list[Text] = []
    for most, longest in _ROOM:
        for line in (True, False):
            drawn = _drawn(rows, names, host, most, longest, line=line)
            if broadest(drawn) <= width:
                return drawn
    return [cut(line, width) for line in drawn]


def _drawn(rows: Sequence[_Row], names: list[str], host: Host, most: int, longest: int, *, line: bool) -> list[Text]:
    columns = [Column("port", right=True), Column("service"), Column("from"), Column("IPv4"), Column("IPv6")]
    families = {6 if ":" in address else 4 for address in host.addresses}
    cells = [
        [
            text(str(row.port), "bold"),
            _service(row, host, longest),
            cut(_whom(row, names), longest),
            *(_cell(row.sources.get(family), most, known=family in families) for family in _FAMILIES),
            *([text(str(row.line or ""), "dim")] if line else []),
        ]
        for row in rows
    ]
    return table([*columns, *([Column("line", right=True)] if line else [])], cells, indent=2)


def _service(row: _Row, host: Host, longest: int) -> Text:
    """With the day it ends, where there is room for it: a port that stays open beyond is nobody's intention."""
    service = host.service(row.port)
    until = f" until {service.until}" if service and service.until and longest > _NARROW else ""
    return joined(cut(text(printable(row.name)), longest), text(" operators" if row.management else until, "dim"))


def _whom(row: _Row, names: list[str]) -> Text:
    if not row.names:
        return text("everybody", "yellow" if row.management else "green")
    if list(row.names) == names and len(names) > 1:
        return text("all declared hosts", "cyan")
    return text(printable(", ".join(row.names)), "cyan")


def _cell(sources: tuple[Network, ...] | None, most: int, *, known: bool) -> Text:
    if not known:
        return text(NO_ADDRESS, "dim")
    if not sources:
        return text("nobody", "dim")
    if sources[0].prefixlen == 0:
        return text("all")
    if not most and len(sources) > 1:
        return text(f"{len(sources)} networks")
    shown = ", ".join(_short(network) for network in sources[: max(most, 1)])
    more = len(sources) - max(most, 1)
    return joined(shown, text(f" +{more}", "dim")) if more > 0 else text(shown)


def _short(network: Network) -> str:
    """A single address without its length."""
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _networks(rows: Sequence[_Row], width: int) -> Iterator[Text]:
    """Each list of networks once, below the table, where a cell has no room for all of them."""
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        every = [_short(n) for family in _FAMILIES for n in row.sources.get(family, ()) if n.prefixlen]
        if len(every) > 1 and row.names not in seen:
            seen.add(row.names)
            label = joined("  ", cut(text(printable(", ".join(row.names)), "cyan"), _LABEL - 4))
            yield from hanging(label, text(", ".join(every), "dim"), indent=_LABEL, width=width)


def _unreached(matrix: Matrix, host: Host, width: int) -> list[Text]:
    closed = unreached(matrix, host)
    if not closed:
        return []
    told = ", ".join(f"{port} {printable(name)}" for port, name in sorted(closed))
    return hanging(
        text("  ·  ", "dim"), f"declared, and let in to from nowhere: {told}", indent=5, width=width, style="dim"
    )


def _outward(matrix: Matrix, architecture: Architecture, host: Host, width: int) -> Iterator[Text]:
    first = True
    for words in _leaving(matrix, architecture, host):
        label = text("  out      " if first else "", "dim")
        yield from hanging(label, words, indent=11, width=width)
        first = False


def _leaving(matrix: Matrix, architecture: Architecture, host: Host) -> Iterator[Text]:
    if host.egress is not None:
        yield from _declared(host.egress)
        return
    zones = internal(architecture).names
    away = f", but not into {printable(', '.join(zones), 200)}" if zones else ""
    yield joined(text("anywhere", "green"), away, text("   no egress is declared", "dim"))
    exits = [one for one in matrix.out_of(host.name) if "/to-declared-" in one.id]
    if exits:
        ports = ", ".join(f"{port} {printable(_usual(port))}" for port in dict.fromkeys(one.port for one in exits))
        yield joined("there only to declared hosts that let it in: ", ports)
    mail = catalogue.number("smtp")
    relay = "to every exchanger: it is a relay" if relays(host) else "only to declared relays, since it is none"
    yield text(f"mail ({mail}) {relay}")


def _declared(egress: Sequence[Egress]) -> Iterator[Text]:
    if not egress:
        yield joined(text("nowhere", "yellow"), text("   egress = []", "dim"))
    for one in egress:
        ports = ", ".join(map(str, one.ports)) or "every port"
        where = joined(text(one.transport, "dim"), f" {ports} to ", text(printable(", ".join(one.to)), "cyan"))
        yield joined(where, text(f"   line {one.line}" if one.line else "", "dim"))
    if egress:
        yield text("nowhere else", "dim")


def _usual(port: int) -> str:
    row = catalogue.port_numbered(port)
    return row.id if row else ""


def _through(host: Host, width: int) -> list[Text]:
    words = (
        "forwards between networks on purpose: not filtered here"
        if host.routes
        else "nothing between networks; what containers publish is judged by the port that is dialled"
    )
    return hanging(text("  through  ", "dim"), words, indent=11, width=width)


def _plain_host(matrix: Matrix, host: Host) -> dict[str, Plain]:
    return {
        "host": host.name,
        "addresses": list(host.addresses),
        "flows": [_plain_flow(flow, host) for flow in matrix.to(host.name)],
        "unreached": [{"port": port, "service": name} for port, name in unreached(matrix, host)],
        "exits": [
            {"id": one.id, "transport": one.transport, "port": one.port or None, "to": [str(n) for n in one.targets]}
            for one in matrix.out_of(host.name)
        ],
        "kept_from": [str(network) for network in dict(matrix.kept_from).get(host.name, ())],
        "relay": host.name not in matrix.muted,
        "routes": host.name in matrix.routers,
        "remarks": list(remarks(matrix, host)),
    }


def _plain_flow(flow: Flow, host: Host) -> dict[str, Plain]:
    return {
        "id": flow.id,
        "service": called(host, flow.port),
        "address": flow.address,
        "port": flow.port,
        "family": flow.family,
        "sources": [str(network) for network in flow.sources],
        "from": to_plain(flow.zones) or None,
        "management": flow.management,
        "line": flow.line,
    }
