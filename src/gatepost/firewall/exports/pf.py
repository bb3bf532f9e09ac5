"""pf (OpenBSD, FreeBSD) as an anchor: `pfctl -a gatepost -f FILE`, with `anchor "gatepost"` in pf.conf."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost.firewall.exports.posture import Admitted, Opening, Posture, described, identifier, mail, posture
from gatepost.firewall.rendering.life import DHCP6_CLIENT, DHCP6_SERVER, DHCP_CLIENT, DHCP_SERVER
from gatepost.model.architecture import Host
from gatepost.model.flows import Exit, Matrix, Network

MAX_TABLE = 31  # characters of its name
MAX_LABEL = 60
_FAMILY = {4: "inet", 6: "inet6"}
_TABLE = re.compile(r"table <(?P<name>\S+)> const \{ (?P<networks>[^}]*) \}")
_PASS = re.compile(r"pass in quick (?P<family>inet6?) proto tcp from (?P<source>\S+) to \(self\) port (?P<port>\d+) .*")

_HEAD = """\
# gatepost: {host}. To load: pfctl -a gatepost -f FILE, with this line in pf.conf: anchor "gatepost"
# pf counts and logs (pflog0) without limits of its own, and cannot leave ping at a rate.
# Redirected ports (rdr-to) pass by the number behind the redirection: declare that one as well."""
_ALIVE = """\
pass quick on lo0
pass in quick inet proto icmp icmp-type { unreach, timex, paramprob, echoreq }
pass in quick inet6 proto icmp6 icmp6-type { unreach, toobig, timex, paramprob, echoreq }
pass quick inet6 proto icmp6 icmp6-type { routersol, routeradv, neighbrsol, neighbradv }
pass in quick inet6 proto icmp6 from fe80::/10 icmp6-type listqry
pass out quick inet proto icmp keep state
pass out quick inet6 proto icmp6 keep state"""


def render(matrix: Matrix, host: Host) -> str:
    told = posture(matrix, host)
    tables: dict[str, tuple[Network, ...]] = {}
    rules = [*_in(told, tables), *_out(told, tables)]
    listed = (f"table <{name}> const {{ {', '.join(map(str, nets))} }}" for name, nets in tables.items())
    return "\n".join([_HEAD.format(host=told.host), *listed, _ALIVE, *rules, ""])


def read(text: str) -> frozenset[Admitted]:
    tables, found = {}, set()
    for line in text.splitlines():
        if table := _TABLE.fullmatch(line):
            tables[f"<{table['name']}>"] = table["networks"].split(", ")
        elif row := _PASS.fullmatch(line):
            family = 6 if row["family"] == "inet6" else 4
            for source in tables.get(row["source"], [row["source"]]):
                found.add((_any(source, family), int(row["port"]), family))
    return frozenset(found)


def _any(source: str, family: int) -> str:
    return source if source != "any" else "::/0" if family == 6 else "0.0.0.0/0"


def _in(told: Posture, tables: dict[str, tuple[Network, ...]]) -> Iterator[str]:
    yield f"pass in quick inet proto udp from any port {DHCP_SERVER} to any port {DHCP_CLIENT}"
    yield f"pass in quick inet6 proto udp from fe80::/10 to any port {DHCP6_CLIENT}"
    yield f"pass out quick inet proto udp from any port {DHCP_CLIENT} to any port {DHCP_SERVER}"
    yield f"pass out quick inet6 proto udp from fe80::/10 to any port {DHCP6_SERVER}"
    for one in told.openings:
        source = _place(one.sources, one.family, f"{one.who} v{one.family}", tables)
        yield f"pass in quick {_FAMILY[one.family]} proto tcp from {source} to (self) port {one.port} {_flags(one)}"
    yield "block drop in log quick" if not told.routes else "block drop in log quick to (self)"


def _flags(one: Opening) -> str:
    return f'flags S/SA keep state label "{described(one.id, MAX_LABEL)}"'


def _out(told: Posture, tables: dict[str, tuple[Network, ...]]) -> Iterator[str]:
    yield from (_exit(one, tables) for one in told.exits if one.port)
    if told.muted:
        yield f"block return out log quick proto tcp to any port {mail()}"
    yield from (_exit(one, tables) for one in told.exits if not one.port)
    for family in (4, 6):
        if networks := tuple(n for n in told.kept if n.version == family):
            place = _place(networks, family, f"kept v{family}", tables)
            yield f"block return out log quick {_FAMILY[family]} proto tcp to {place}"
    yield "block return out log quick" if told.closed else "pass out quick keep state"


def _exit(one: Exit, tables: dict[str, tuple[Network, ...]]) -> str:
    family = one.targets[0].version
    place = _place(one.targets, family, f"{one.id.partition('/')[2]} v{family}", tables)
    port = f" port {one.port}" if one.port else ""
    return f"pass out quick {_FAMILY[family]} proto {one.transport} to {place}{port} keep state"


def _place(networks: tuple[Network, ...], family: int, words: str, tables: dict[str, tuple[Network, ...]]) -> str:
    if any(network.prefixlen == 0 for network in networks):
        return "any"
    if len(networks) == 1:
        return str(networks[0])
    name = identifier(words, MAX_TABLE)
    if tables.get(name, networks) != networks:
        name = identifier(f"{words} {family} {networks}", MAX_TABLE)
    tables[name] = networks
    return f"<{name}>"
