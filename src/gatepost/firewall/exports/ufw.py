"""ufw commands, in the order they are to be run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from gatepost.firewall.exports.posture import Admitted, Posture, described, mail, posture
from gatepost.model.architecture import Host
from gatepost.model.flows import Exit, Matrix

MAX_COMMENT = 100


def render(matrix: Matrix, host: Host) -> str:
    told = posture(matrix, host)
    return "\n".join([*(f"# {line}" for line in _head(told)), *_in(told), *_out(told), ""])


def read(text: str) -> frozenset[Admitted]:
    found = set()
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:6] == ["ufw", "allow", "in", "proto", "tcp", "from"]:
            source = words[6]
            found.add((source, int(words[words.index("port") + 1]), 6 if ":" in source else 4))
    return frozenset(found)


def _head(told: Posture) -> Iterator[str]:
    yield f"gatepost: {told.host}. Run as root; rules that are there already stay: see ufw status numbered."
    yield "Ports that Docker publishes pass ufw by; only the nft form holds them to the declaration."
    yield "ufw keeps loopback, replies, ICMP and neighbour discovery alive by itself (/etc/ufw/before*.rules)."
    if 6 in told.families:
        yield "IPV6=yes must stand in /etc/default/ufw, or nothing of IPv6 is governed at all."


def _in(told: Posture) -> Iterator[str]:
    """Defaults last: where ufw runs already, nobody is shut out before the rules that let them in are there."""
    for one in told.openings:
        for source in one.sources:
            note = shlex.quote(described(f"{one.id} from {one.who}", MAX_COMMENT))
            yield f"ufw allow in proto tcp from {source} to any port {one.port} comment {note}"
    yield "ufw default deny incoming"
    yield "ufw default deny routed" if not told.routes else "ufw default allow routed"


def _out(told: Posture) -> Iterator[str]:
    yield from (line for one in told.exits if one.port for line in _exit(one))
    if told.muted:
        yield f"ufw reject out proto tcp to any port {mail()} comment 'only relays send mail'"
    yield from (line for one in told.exits if not one.port for line in _exit(one))
    for network in told.kept:
        yield f"ufw reject out proto tcp to {network} comment 'kept from internal zones'"
    yield "ufw default deny outgoing" if told.closed else "ufw default allow outgoing"
    yield "ufw --force enable"


def _exit(one: Exit) -> Iterator[str]:
    port = f" port {one.port}" if one.port else ""
    note = shlex.quote(described(one.id, MAX_COMMENT))
    for target in one.targets:
        yield f"ufw allow out proto {one.transport} to {target}{port} comment {note}"
