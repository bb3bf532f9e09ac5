"""The value to set, worked out from the one that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gatepost.catalogue.desired import Desired, How
from gatepost.enforcement import lists, networks
from gatepost.enforcement.givens import filter_at
from gatepost.enforcement.observed import ABSENT, Inside, written
from gatepost.enforcement.right import right
from gatepost.model.host import ServerSeen, SettingSeen
from gatepost.servers.wordlists import words

POSTFIX, DOVECOT = "postfix", "dovecot"
LISTS = frozenset({How.ADD, How.APPEND, How.PREPEND, How.REMOVE, How.RESTRICTIONS})


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why no value can be given: a person has to look."""

    why: str


@dataclass(frozen=True, slots=True)
class Spot:
    """One value in one place. `there` is what it is now, as written; `port` where it is about one port."""

    want: Desired
    server: ServerSeen
    inside: Inside
    seen: SettingSeen | None
    there: str
    port: int = 0

    @property
    def separator(self) -> str:
        """Words of a list: Dovecot 2.3 knows blanks only."""
        return ", " if self.server.software == POSTFIX else " "


def mended(spot: Spot) -> str | Stuck | None:
    """None: it is right as it is."""
    if not spot.want.known_in(spot.server.version):
        return Stuck(f"{spot.want.software} {spot.server.version} has no such setting: upgrade")
    if spot.want.how in LISTS and not lists.closed(spot.there):
        return Stuck(f"{spot.want.setting} has a brace that nothing closes, so where its list ends is not known")
    value = _WAYS[spot.want.how](spot)
    if isinstance(value, str) and value == spot.there and spot.seen is not None and spot.seen.value == value:
        return None
    return value


def of(want: Desired, server: ServerSeen, inside: Inside, seen: SettingSeen | None, port: int = 0) -> Spot:
    there = written(seen) if server.software == POSTFIX else seen.value if seen else ""
    return Spot(want, server, inside, seen, there, port)


def _replaced(spot: Spot) -> str | Stuck | None:
    row = spot.want.row
    if spot.seen is not None and row and right(row.safe_at(str(spot.port)), spot.seen.value):
        return None
    if spot.seen is not None and spot.want.enough and set(spot.seen.value.split(":")) <= set(spot.want.enough):
        return None
    value = spot.want.value(spot.server.version, spot.port)
    if value is None:
        return Stuck(spot.want.by_hand or "what is right here depends on you")
    if spot.seen is not None and value in {spot.seen.value, spot.there}:
        return None
    return value


def _changed(spot: Spot, value: str) -> str | None:
    return None if spot.seen is not None and value == spot.there else value


def _added(spot: Spot) -> str | Stuck | None:
    return _changed(spot, lists.added(_plain(spot.there), spot.want.words, spot.separator))


def _removed(spot: Spot) -> str | Stuck | None:
    left = lists.removed(_plain(spot.there), spot.want.words, spot.separator)
    return _changed(spot, left or spot.want.otherwise)


def _appended(spot: Spot) -> str | Stuck | None:
    first = tuple(spot.want.first)
    return _changed(spot, lists.behind(_plain(spot.there), spot.want.words, first))


def _prepended(spot: Spot) -> str | Stuck | None:
    return _changed(spot, lists.ahead(_plain(spot.there), spot.want.words))


def _filter(spot: Spot) -> str | Stuck | None:
    return _changed(spot, filter_at(spot.inside, spot.want.words))


def _restricted(spot: Spot) -> str | Stuck | None:
    if "{" in spot.there:
        return Stuck("the list holds an expression that is not for us to rebuild")
    if not words(spot.there):
        return spot.want.value(spot.server.version)
    return _changed(spot, lists.refusing(spot.there, "reject_unauth_destination"))


def _networks(spot: Spot) -> str | Stuck | None:
    """References are worked out: what they bring along may be just what is too wide."""
    there = _plain(spot.seen.value if spot.seen else "")
    allowed = networks.declared(spot.inside, spot.want.who)
    brackets = spot.server.software == POSTFIX
    value = networks.narrowed(there, allowed, spot.inside.host.addresses, brackets=brackets)
    if value is None:
        return Stuck(f"{spot.want.setting} refers to something that is no network: {there}")
    if not value and spot.want.who == "relay_clients":
        value = networks.loopback()
    return None if spot.seen is not None and value == there else value


def _elements(spot: Spot) -> str | Stuck | None:
    """What a log line lacks goes to its end, so that programs that count words go on working."""
    there = _plain(spot.seen.value if spot.seen else "")
    if not there:
        return spot.want.value(spot.server.version)
    words = there.split(" ")
    lacking = [one for one in spot.want.spelled(spot.server.version) if _mark(one) not in there]
    return " ".join([*words, *lacking]) if lacking else None


def _mark(element: str) -> str:
    """`lport=%a` is there as `lport=%{lport}` too."""
    name, equals, _ = element.partition("=")
    return f"{name}=" if equals else element


def _domains(spot: Spot) -> str | Stuck | None:
    known = {domain.name for domain in spot.inside.architecture.domains}
    kept = [one for one in words(_plain(spot.seen.value if spot.seen else "")) if one.casefold() in known]
    return _changed(spot, ", ".join(kept))


def _addresses(spot: Spot) -> str | Stuck | None:
    return _changed(spot, ", ".join((*spot.inside.host.addresses, "127.0.0.1", "::1")))


def _elsewhere(spot: Spot) -> str | Stuck | None:
    """Listeners, sockets and blocks are no single value: see `dovecot`."""
    return Stuck(f"{spot.want.setting} is no single value")


def _plain(value: str) -> str:
    return "" if value in ABSENT else value


_WAYS: Mapping[How, Callable[[Spot], str | Stuck | None]] = {
    How.ADD: _added,
    How.ADDRESSES: _addresses,
    How.APPEND: _appended,
    How.BLOCK: _elsewhere,
    How.DOMAINS: _domains,
    How.ELEMENTS: _elements,
    How.FILTER: _filter,
    How.LOOPBACK: _elsewhere,
    How.NETWORKS: _networks,
    How.PREPEND: _prepended,
    How.REMOVE: _removed,
    How.REPLACE: _replaced,
    How.RESTRICTIONS: _restricted,
    How.SHUT: _elsewhere,
    How.SOCKET: _elsewhere,
}
