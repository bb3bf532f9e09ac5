"""The story of use: who connects in which way, how lately, what of it is old, and what the logs do not tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from gatepost import catalogue
from gatepost.model.counting import DAY, LEGACY
from gatepost.model.event import Cover
from gatepost.model.using import Peer, Peers, Used, Way, WayUsed, Who, spoken

RELAYING = ("smtp",)  # where logins do not belong: RFC 8314 section 3.3, RFC 6409 section 3.1
WEEK = 7 * DAY
BEGUN_AT_ONCE = {"imap": "imaps", "managesieve": "", "pop3": "pop3s"}  # one name in Dovecot's log for two ports


def used(rows: Iterable[tuple[Way, Who]], since: int, until: int, *, legacy_only: bool = False) -> Used:
    """Ways that are in use, legacy first, then the busiest."""
    by_way: dict[Way, list[Who]] = defaultdict(list)
    for way, who in rows:
        by_way[_placed(way)].append(who)
    ways = [_way(way, mine) for way, mine in by_way.items()]
    shown = [one for one in ways if one.legacy or not legacy_only]
    order = sorted(shown, key=lambda one: (not one.legacy, not one.accounts, -one.sessions, str(one.way)))
    return Used(since, until, tuple(order), tuple(_untold(ways)))


def peers(rows: Iterable[Peer], since: int, until: int) -> Peers:
    """Peers, those with most mail in clear first."""
    told = [
        Peer(p.direction, p.name, p.server, p.clear, p.covered, p.unknown, p.tls, p.first, p.last, p.weeks,
             trend(p.weeks) if p.clear else "")
        for p in rows
    ]  # fmt: skip
    order = sorted(told, key=lambda p: (-p.clear, -p.unknown, -p.covered, p.direction, p.name))
    unknown = []
    if any(p.unknown and p.direction == "out" for p in told):
        unknown.append(
            "Whether mail to some peers was encrypted: set smtp_tls_loglevel = 1 (Postfix 3.11 tells without it)."
        )
    return Peers(since, until, tuple(order), tuple(unknown))


def log_name(service: str) -> str:
    """What logs call a service: Dovecot's say imap for imaps too."""
    return next((name for name, begun in BEGUN_AT_ONCE.items() if begun == service), service)


def on_port(rows: Iterable[tuple[Way, Who]], port: int | None) -> Iterator[tuple[Way, Who]]:
    """What was on this port, or may have been: rows whose port the log does not tell stay in."""
    for way, who in rows:
        if port is None or _placed(way).port in {None, port}:
            yield way, who


def trend(weeks: Sequence[int]) -> str:
    """falling, steady, rising: the newer half against the older one; a third more or less is no chance."""
    if len(weeks) < 4:
        return ""
    half = len(weeks) // 2
    early, late = sum(weeks[:half]) / half, sum(weeks[-half:]) / half
    if not late:
        return "gone" if early else ""
    if not early:
        return "new"
    return "falling" if late < early * 0.75 else "rising" if late > early * 1.33 else "steady"


def legacy(way: Way, *, login: bool) -> str:
    """What is old about it, in words; "" for nothing."""
    said = []
    if way.cover is Cover.NONE and login:
        said.append("password in clear")
    if way.tls in LEGACY:
        said.append(spoken(way.tls))
    if way.service in RELAYING and login:
        said.append("login on the port for relays")
    return ", ".join(said)


def _placed(way: Way) -> Way:
    """In clear it was surely not the port where TLS begins at once, so the service names the port."""
    if way.port is not None or not way.service:
        return way
    row = catalogue.port(way.service)
    if row is None or (way.service in BEGUN_AT_ONCE and way.cover is not Cover.NONE and way.starttls is not True):
        return way
    return Way(way.service, row.number, way.cover, way.starttls, way.tls, way.method)


def _way(way: Way, mine: Sequence[Who]) -> WayUsed:
    accounts = sorted((one for one in mine if one.user), key=lambda one: (-one.last, one.user))
    strangers = sorted((one for one in mine if not one.user), key=lambda one: (-one.last, one.client))
    weeks = summed(one.weeks for one in mine)
    return WayUsed(
        way,
        tuple(accounts),
        tuple(strangers),
        sum(one.sessions for one in mine),
        min(one.first for one in mine),
        max(one.last for one in mine),
        weeks,
        trend(weeks),
        legacy(way, login=bool(accounts) or bool(way.method)),
    )


def summed(weeks: Iterable[Sequence[int]]) -> tuple[int, ...]:
    return tuple(sum(column) for column in zip(*weeks, strict=True))


def _untold(ways: Sequence[WayUsed]) -> Iterable[str]:
    covered = [one.way for one in ways if one.way.cover is Cover.TLS]
    bare = [way for way in covered if not way.tls]
    submitting = sorted({way.service for way in bare if way.service.startswith(("smtp", "submission"))})
    reading = sorted({way.service for way in bare} - set(submitting) - {""})
    if submitting:
        yield f"The TLS version of {_and(submitting)}: set smtpd_tls_loglevel = 1 in Postfix."
    if reading:
        yield (
            f"The TLS version of {_and(reading)}: add tls=%k (Dovecot 2.3) or tls=%{{ssl_security}} (2.4)"
            " to the end of login_log_format_elements."
        )
    if either := sorted({one.service for one in covered if one.port is None and one.service in BEGUN_AT_ONCE}):
        yield (
            f"Which port encrypted {_and(either)} came to: add lport=%a (2.3) or lport=%{{local_port}} (2.4) to"
            " login_log_format_elements."
        )
    clear = [one for one in ways if one.way.service in RELAYING and one.way.cover is Cover.NONE and one.accounts]
    if clear and not any(one.way.tls and one.way.service in RELAYING for one in ways):
        yield (
            "Whether logins named smtp and in clear came to port 25: a TLS port without a name of its own looks"
            " the same. Set -o syslog_name=postfix/<service> on every port in master.cf, and smtpd_tls_loglevel = 1."
        )
    if any(one.way.cover is Cover.UNKNOWN and one.accounts for one in ways):
        yield "Whether some logins were encrypted: their connection has no disconnect line in these logs."


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
