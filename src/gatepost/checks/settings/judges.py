"""A judge for each row of the settings catalogue: what the servers of a host are configured with.

A verdict is about the file, which the process may not have read yet: `files.configuration_in_use` tells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gatepost.catalogue.settings import Row, settings
from gatepost.checks.case import Case, Check, Scope, failed, not_applicable, passed, unknown
from gatepost.checks.inside_seen import here, looked_inside, not_seen_inside
from gatepost.checks.settings.answer import HOLDS, Answer, Held, cannot_tell
from gatepost.checks.settings.mending import mended
from gatepost.checks.settings.rows import answer
from gatepost.checks.settings.spots import Asked, Spot, servers, shown, spots, told
from gatepost.model.finding import Verdict
from gatepost.model.host import ServerSeen, SettingSeen
from gatepost.model.observation import Observation, Unobserved, of
from gatepost.model.words import Role, Severity

LABELS = {"dovecot": "Dovecot", "postfix": "Postfix"}
_USUAL = {"dovecot": "/etc/dovecot/dovecot.conf", "postfix": "/etc/postfix"}


@dataclass(frozen=True, slots=True)
class Told:
    """What the row says at one spot."""

    spot: Spot
    answer: Answer


def _check(row: Row) -> Check:
    return Check(
        row.control, row.check, row.promise, Scope.HOST, lambda case: _verdict(row, case), frozenset({Role.HOST})
    )


def _verdict(row: Row, case: Case) -> Verdict:
    if not looked_inside(case):
        return not_seen_inside(case, row.software)
    found = servers(case, row.software)
    if not found:
        return _no_server(row, case)
    return _concluded(row, case, [one for server in found for one in _at(row, server, case)])


def _no_server(row: Row, case: Case) -> Verdict:
    lost = any(one.wanted.startswith(row.software) for one in of(Unobserved, case.seen, here(case)))
    if lost:
        return not_seen_inside(case, row.software)
    return not_applicable(f"no {LABELS[row.software]} on this host")


def _at(row: Row, server: ServerSeen, case: Case) -> Iterable[Told]:
    if not any(True for _ in told(case, server)):
        why = not_seen_inside(case, f"{row.software} settings")
        yield Told(Spot(server), replace(cannot_tell(why.because), seen=(*why.evidence, server)))
        return
    found = spots(case, server, row)
    if not found and row.block:
        yield Told(Spot(server), replace(HOLDS, seen=(server,)))  # nobody changed what is built in
    if not found and row.listener:
        found = [Spot(server)]  # one that is not there is an answer
    for spot in found:
        said = answer(Asked(case, row, spot))
        yield Told(spot, replace(said, seen=said.seen or _listener(spot)))


def _listener(spot: Spot) -> tuple[Observation, ...]:
    return (spot.listener,) if spot.listener else (spot.server,)


def _concluded(row: Row, case: Case, answers: Sequence[Told]) -> Verdict:
    """The worst of all spots decides."""
    for held in (Held.FAILS, Held.CANNOT_TELL, Held.HOLDS):
        if same := [one for one in answers if one.answer.held is held]:
            return replace(_said(held, row, case, same), ports=_ports(same))
    because = next((one.answer.because for one in answers if one.answer.because), "")
    return not_applicable(because or f"no port of this host is one that {row.setting} is about", *_seen(answers))


def _said(held: Held, row: Row, case: Case, same: Sequence[Told]) -> Verdict:
    match held:
        case Held.FAILS:
            remedy = mended(row, case, [one.spot for one in same])
            return failed(_sentence(row, same), *_seen(same), remedy=remedy, severity=_severity(row, same))
        case Held.CANNOT_TELL:
            return unknown(_sentence(row, same), *_seen(same))
        case _:
            return passed(*_seen(same))


def _severity(row: Row, same: Sequence[Told]) -> Severity:
    return max((one.answer.severity or row.severity for one in same), key=lambda severity: severity.rank)


def _ports(answers: Iterable[Told]) -> tuple[int, ...]:
    return tuple(sorted({one.spot.port for one in answers if one.spot.port}))


def _seen(answers: Iterable[Told]) -> tuple[Observation, ...]:
    return tuple(dict.fromkeys(fact for one in answers for fact in one.answer.seen))


def _sentence(row: Row, answers: Sequence[Told]) -> str:
    """One clause for each value that is to blame, with the places that it goes wrong in."""
    alike: dict[tuple[str, str], list[Spot]] = defaultdict(list)
    for one in answers:
        alike[_blamed(row, one), one.answer.because].append(one.spot)
    return "; ".join(f"{blamed}{_where(same)}: {because}" for (blamed, because), same in alike.items())


def _blamed(row: Row, one: Told) -> str:
    """`/etc/postfix/main.cf:12 sets smtpd_tls_security_level = may`."""
    seen = next((fact for fact in one.answer.seen if isinstance(fact, SettingSeen)), None)
    instance = one.spot.server.instance
    unusual = f" of {instance}" if instance != _USUAL[row.software] else ""
    if seen is not None and seen.default:
        return f"{seen.name}{unusual} is {shown(seen.value)} by default"
    if seen is not None:
        return f"{seen.place or instance} sets {seen.name} = {shown(seen.value)}"
    listener = one.spot.listener if row.listener else None
    where = f"{listener.place}: " if listener and listener.place else ""
    return f"{where}{listener.name if listener else row.setting}{unusual}"


def _where(spots: Iterable[Spot]) -> str:
    labels = list(dict.fromkeys(spot.label for spot in spots if spot.label))
    return f" for {', '.join(labels)}" if labels else ""


SETTINGS: tuple[Check, ...] = tuple(_check(row) for row in settings())
