"""What each internal zone must not reach, gathered so that it can be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from rich.text import Text

from gatepost import catalogue
from gatepost.firewall.forbidden import Barrier
from gatepost.firewall.matrix import management_ports
from gatepost.firewall.remarks import called
from gatepost.model.architecture import Host
from gatepost.model.flows import Network
from gatepost.report.escape import printable
from gatepost.report.layout import cut, hanging, joined, text
from gatepost.report.page import heading
from gatepost.report.plain import Plain

Barriers = Sequence[Barrier]

_KINDS: Mapping[str, str] = {
    "access": "mail", "mx": "mail", "sieve": "mail", "submission": "mail", "filter": "filters",
    "backend": "backends", "web": "web", "host": "host",
}  # fmt: skip
_ORDER = ("mail", "filters", "backends", "web", "host", "others")
_INDENT = 12


def barrier_lines(barriers: Barriers, hosts: Sequence[Host], width: int) -> Iterator[list[Text]]:
    """A part a zone: what is declared on each host, by name. The ports beside it are the same everywhere: once."""
    if not barriers:
        words = text("No internal zone is declared, so no zone is kept from anything.", "dim")
        yield hanging(text(""), words, indent=0, width=width)
        return
    by_name = {host.name: host for host in hosts}
    indent = min(max(len(printable(name)) for name in by_name) + 5, width // 2)
    for zone, of_zone in groupby(barriers, key=attrgetter("zone")):
        lines = hanging(text(""), heading(printable(zone), "must not reach"), indent=0, width=width)
        for host, of_host in groupby(of_zone, key=attrgetter("host")):
            lines += _host(by_name[host], list(of_host), indent, width)
        yield lines
    yield [*_beside(barriers, by_name, width)]


def barriers_plain(barriers: Barriers) -> list[Plain]:
    return [
        {
            "zone": one.zone,
            "host": one.host,
            "address": one.address,
            "ports": list(one.ports),
            "partly": [{"port": port, "only": [str(network) for network in let_in]} for port, let_in in one.partly],
        }
        for one in barriers
    ]


def _host(host: Host, barriers: Sequence[Barrier], indent: int, width: int) -> Iterator[Text]:
    """Addresses that are kept alike stand together."""
    own = _own(host)
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for one in barriers:
        shut = ", ".join(f"{port} {called(host, port)}" for port in one.ports if port in own)
        but = (f"{port} {called(host, port)} but from {', '.join(map(_short, who))}" for port, who in one.partly)
        alike[tuple(filter(None, (shut, *but)))].append(one.address)
    for told, addresses in alike.items():
        where = text("" if len(addresses) == len(barriers) else f"at {', '.join(addresses)}: ", "dim")
        words = text(printable("; ".join(told), 2000)) if told else text("nothing that is declared on it", "dim")
        label = joined("  ", cut(text(printable(host.name), "bold"), indent - 4))
        yield from hanging(label, joined(where, words), indent=indent, width=width)


def _short(network: Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _own(host: Host) -> frozenset[int]:
    return frozenset({*(service.port for service in host.services), *management_ports(host)})


def _beside(barriers: Barriers, hosts: Mapping[str, Host], width: int) -> Iterator[Text]:
    own = {name: _own(host) for name, host in hosts.items()}
    ports = {port for one in barriers for port in one.ports if port not in own[one.host]}
    head = heading("BESIDE THEM", "no zone reaches any of these on a host that does not declare it")
    yield from hanging(text(""), head, indent=0, width=width)
    for kind, listed in _by_kind(sorted(ports)):
        yield from hanging(text(f"  {kind}", "dim"), ", ".join(map(str, listed)), indent=_INDENT, width=width)


def _by_kind(ports: Iterable[int]) -> list[tuple[str, list[int]]]:
    found: dict[str, list[int]] = defaultdict(list)
    for port in ports:
        row = catalogue.port_numbered(port)
        found[_KINDS.get(row.duty, "others") if row else "others"].append(port)
    return [(kind, found[kind]) for kind in _ORDER if kind in found]
