"""How far hosts were looked at from inside: in one line, and a card a host with what stands behind the findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.host import BundleRead, DaemonSaid, PackageSeen, ServerSeen
from gatepost.model.observation import Observation, Unobserved, of
from gatepost.model.rules import FirewallSeen
from gatepost.report.markup import Element, e
from gatepost.report.within import WORDS

_MOST = 3  # hosts in one line
_LOST = (
    "contents of ",
    "dovecot ",
    "exim ",
    "file ",
    "firewall",
    "host",
    "packages",
    "port of ",
    "postfix ",
    "sockets",
)
_PARTS: Mapping[str, type[Observation]] = {
    "servers": ServerSeen,
    "they complain": DaemonSaid,
    "firewall": FirewallSeen,
}


def inside(audit: Audit) -> str:
    """The way onto the host, with its name where there are several. Empty: nobody looked inside."""
    read = of(BundleRead, audit.run.seen)
    if len(read) == 1:
        return _way(read[0])
    told = [f"{one.at.host} ({_way(one)})" for one in read[:_MOST]]
    return ", ".join(told) + (f" and {len(read) - _MOST} more" if len(read) > _MOST else "")


def _way(one: BundleRead) -> str:
    return one.via if one.root else f"{one.via}, without root"


def interior(audit: Audit) -> Iterator[Element]:
    """A card a host."""
    for one in of(BundleRead, audit.run.seen):
        rows = [(name, lines) for name, lines in _told(audit, one) if lines]
        yield e("h3", one.at.host)
        yield e("div", e("dl", (node for row in rows for node in _row(*row)), class_="told"), class_="card")


def _told(audit: Audit, read: BundleRead) -> Iterator[tuple[str, tuple[str, ...]]]:
    host = read.at.host
    yield "how", WORDS[BundleRead](read)
    for name, kind in _PARTS.items():
        yield name, tuple(line for one in of(kind, audit.run.seen, Endpoint(host)) for line in WORDS[kind](one))
    yield "packages", _packages(of(PackageSeen, audit.run.seen, Endpoint(host)))
    yield "not told", _lost(audit, host)


def _packages(found: Sequence[PackageSeen]) -> tuple[str, ...]:
    """In one line a distribution, of which a host has one."""
    named: dict[str, list[str]] = {}
    for one in found:
        named.setdefault(one.distribution, []).append(f"{one.package} {one.version}")
    return tuple(f"{where}: {', '.join(listed)}" if where else ", ".join(listed) for where, listed in named.items())


def _row(name: str, lines: Iterable[str]) -> Iterator[Element]:
    yield e("dt", name)
    yield e("dd", (e("div", line) for line in lines))


def _lost(audit: Audit, host: str) -> tuple[str, ...]:
    lost = of(Unobserved, audit.run.seen, Endpoint(host))
    return tuple(f"{one.wanted}: {one.detail}" for one in lost if one.wanted.startswith(_LOST))
