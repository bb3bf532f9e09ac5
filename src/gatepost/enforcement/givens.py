"""What has to be so on a host for a row of the table to be the one that mends it."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost import catalogue
from gatepost.catalogue.desired import Desired
from gatepost.enforcement.observed import ABSENT, Inside
from gatepost.model.host import ListenerConfigured, ServerSeen
from gatepost.servers.bound import inward, sockets

OWNERS = "smtpd_sender_login_maps"


GIVENS = frozenset({"filter", "no-sender-table", "sender-table"})


def holds(want: Desired, inside: Inside, server: ServerSeen, scope: tuple[ListenerConfigured, ...]) -> bool:
    for given in want.given:
        match given:
            case "filter" if not filter_at(inside, want.words):
                return False
            case "no-sender-table" if _owned(inside, server, scope):
                return False
            case "sender-table" if not _owned(inside, server, scope):
                return False
    return True


def _owned(inside: Inside, server: ServerSeen, scope: tuple[ListenerConfigured, ...]) -> bool:
    """For each of these services a table tells which login owns which address."""
    found = [inside.effective(server, OWNERS, one.name) for one in scope]
    return bool(found) and all(one is not None and one.value not in ABSENT for one in found)


def filter_at(inside: Inside, names: Iterable[str]) -> str:
    """The first of these that listens on loopback, as smtpd_milters has it; empty when none does."""
    listening = {s.port: s for s in sockets(inside.seen, inside.host.name) if inward(s)}
    for name in names:
        if found := listening.get(catalogue.number(name)):
            return f"inet:{f'[{found.address}]' if found.family == 6 else found.address}:{found.port}"
    return ""
