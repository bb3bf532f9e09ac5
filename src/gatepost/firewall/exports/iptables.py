"""iptables-restore and ip6tables-restore: chains of our own in the filter table, to be loaded with --noflush."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from gatepost import catalogue
from gatepost.firewall.exports.posture import Admitted, Opening, Posture, mail, posture
from gatepost.firewall.rendering.inward import watched
from gatepost.firewall.rendering.life import CONTAINERS, DHCP6_CLIENT, DHCP6_SERVER, DHCP_CLIENT, DHCP_SERVER
from gatepost.firewall.rendering.words import commented
from gatepost.model.architecture import Host
from gatepost.model.flows import Matrix, Network

IN, OUT, THROUGH, PUBLISHED, EXITS = (
    "GATEPOST-IN", "GATEPOST-OUT", "GATEPOST-THROUGH", "GATEPOST-PUBLISHED", "GATEPOST-EXITS",
)  # fmt: skip
_HOOKS = {IN: "INPUT", THROUGH: "FORWARD", OUT: "OUTPUT"}
_LOG = "-m limit --limit 10/minute --limit-burst 10 -j LOG --log-prefix"
_ALIVE = {
    4: (
        *(f"-p icmp -m icmp --icmp-type {kind}" for kind in ("destination-unreachable", "time-exceeded")),
        "-p icmp -m icmp --icmp-type parameter-problem",
        "-p icmp -m icmp --icmp-type echo-request -m limit --limit 20/s",
        f"-p udp -m udp --sport {DHCP_SERVER} --dport {DHCP_CLIENT}",
    ),
    6: (
        *(f"-p ipv6-icmp -m icmp6 --icmpv6-type {kind} -m hl --hl-eq 255" for kind in range(133, 137)),
        *(f"-p ipv6-icmp -m icmp6 --icmpv6-type {kind}" for kind in range(1, 5)),
        "-s fe80::/10 -p ipv6-icmp -m icmp6 --icmpv6-type 130",
        "-p ipv6-icmp -m icmp6 --icmpv6-type echo-request -m limit --limit 20/s",
        f"-s fe80::/10 -p udp -m udp --dport {DHCP6_CLIENT}",
    ),
}
_LEASE = {
    4: f"-p udp -m udp --sport {DHCP_CLIENT} --dport {DHCP_SERVER}",
    6: f"-s fe80::/10 -p udp -m udp --dport {DHCP6_SERVER}",
}
_ICMP = {4: "icmp", 6: "ipv6-icmp"}


def render(matrix: Matrix, host: Host, family: int) -> str:
    """Loading twice changes nothing: a chain that is declared is emptied first, and no other chain is touched."""
    told = posture(matrix, host)
    chains = (IN, THROUGH, OUT, PUBLISHED, EXITS)
    rules = [*_in(told, host, family), *_published(told, family), *_out(family), *_exits(told, family)]
    rules += [] if told.routes else _through()
    return "\n".join([
        *(f"# {line}" for line in _head(told, family)),
        "*filter",
        *(f":{chain} - [0:0]" for chain in chains),
        *rules,
        "COMMIT",
        "",
    ])  # fmt: skip


def read(text: str) -> frozenset[Admitted]:
    """Who gets in by GATEPOST-IN, over the wire."""
    found = set()
    for line in text.splitlines():
        if line.startswith(f"-A {IN} -s ") and line.endswith("-j ACCEPT"):
            words = shlex.split(line)
            if words[4:6] == ["-p", "tcp"]:
                source = words[3]
                found.add((source, int(words[words.index("--dport") + 1]), 6 if ":" in source else 4))
    return frozenset(found)


def _head(told: Posture, family: int) -> Iterator[str]:
    tool = "iptables" if family == 4 else "ip6tables"
    yield f"gatepost: {told.host} over IPv{family}. To load: {tool}-restore --noflush < FILE. Then, once:"
    for chain, hook in _HOOKS.items():
        yield f"  {tool} -C {hook} -j {chain} || {tool} -I {hook} 1 -j {chain}"
    yield "An accept here is final: jumps of ban lists (fail2ban) belong in front of these."
    if family not in told.families:
        yield f"No IPv{family} address is declared: only what keeps the host alive comes in."


def _in(told: Posture, host: Host, family: int) -> Iterator[str]:
    yield f"-A {IN} -i lo -j ACCEPT"
    yield f"-A {IN} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    yield from (f"-A {IN} {match} -j ACCEPT" for match in _ALIVE[family])
    yield f"-A {IN} -m conntrack --ctstate INVALID -j DROP"
    yield f"-A {IN} -m conntrack --ctstate DNAT -j {PUBLISHED}"
    for bridge in _bridges():
        for transport in ("udp", "tcp"):
            port = catalogue.number("dns")
            yield f"-A {IN} -i {bridge} -p {transport} -m {transport} --dport {port} -j ACCEPT"
    for one in told.of(family):
        for source in one.sources:
            yield f"-A {IN} -s {source} -p tcp -m tcp --dport {one.port} {_comment(one)} -j ACCEPT"
    for port in watched(host):
        yield f'-A {IN} -p tcp -m tcp --dport {port} {_LOG} "gatepost drop {port}: "'
    yield f"-A {IN} -j DROP"


def _published(told: Posture, family: int) -> Iterator[str]:
    """By the number that was dialled, as in our own table; see `firewall/render.py`."""
    for one in told.of(family):
        for source in one.sources:
            dialled = f"-m conntrack --ctorigdstport {one.port}"
            yield f"-A {PUBLISHED} -s {source} -p tcp {dialled} {_comment(one)} -j ACCEPT"
    yield f"-A {PUBLISHED} -j DROP"


def _through() -> Iterator[str]:
    yield f"-A {THROUGH} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    yield f"-A {THROUGH} -m conntrack --ctstate INVALID -j DROP"
    for bridge in _bridges():
        yield from (f"-A {THROUGH} -i {bridge} -o {other} -j RETURN" for other in _bridges())
    yield f"-A {THROUGH} -m conntrack --ctstate DNAT -j {PUBLISHED}"
    for bridge in _bridges():
        yield f"-A {THROUGH} -i {bridge} -j {EXITS}"
        yield f"-A {THROUGH} -i {bridge} -j RETURN"
    yield f"-A {THROUGH} -j DROP"


def _out(family: int) -> Iterator[str]:
    yield f"-A {OUT} -o lo -j ACCEPT"
    yield f"-A {OUT} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    yield f"-A {OUT} -p {_ICMP[family]} -j ACCEPT"
    yield f"-A {OUT} {_LEASE[family]} -j ACCEPT"
    yield from (f"-A {OUT} -o {bridge} -j ACCEPT" for bridge in _bridges())
    yield f"-A {OUT} -j {EXITS}"


def _exits(told: Posture, family: int) -> Iterator[str]:
    """Into internal zones UDP is left alone, as in our own table; see `rendering/outward.py`."""
    leaving = [(one, target) for one in told.exits for target in one.targets if target.version == family]
    yield from (_exit(one.id, target, one.transport, one.port) for one, target in leaving if one.port)
    if told.muted:
        yield f'-A {EXITS} -p tcp -m tcp --dport {mail()} {_LOG} "gatepost keep {mail()}: "'
        yield f"-A {EXITS} -p tcp -m tcp --dport {mail()} -j DROP"
    yield from (_exit(one.id, target, one.transport, 0) for one, target in leaving if not one.port)
    for network in (n for n in told.kept if n.version == family):
        yield f"-A {EXITS} -d {network} -p tcp -j DROP"
    if told.closed:
        yield f"-A {EXITS} -j DROP"


def _exit(name: str, target: Network, transport: str, port: int) -> str:
    dialled = f"-m {transport} --dport {port} " if port else ""
    return f'-A {EXITS} -d {target} -p {transport} {dialled}-m comment --comment "{commented(name)}" -j ACCEPT'


def _comment(one: Opening) -> str:
    return f'-m comment --comment "{commented(f"{one.id} from {one.who}")}"'


def _bridges() -> tuple[str, ...]:
    return tuple(bridge.replace("*", "+") for bridge in CONTAINERS)
