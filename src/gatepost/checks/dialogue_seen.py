"""What was seen of the dialogue at an endpoint: how it begins, what it offers, what it let happen."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.checks.case import Case, unknown
from gatepost.model.architecture import Endpoint
from gatepost.model.finding import Verdict
from gatepost.model.observation import (
    Capabilities,
    Closed,
    Greeting,
    Handshake,
    Hello,
    Identified,
    Listening,
    Observation,
    Seen,
    Tried,
    Unobserved,
    Upgrade,
    Vantage,
    of,
)
from gatepost.model.words import Mode

MAIL = frozenset({"imap", "lmtp", "managesieve", "pop3", "smtp", "smtp-atrn"})  # protocols with a dialogue
SMTP = frozenset({"lmtp", "smtp", "smtp-atrn"})
NEAR = "looked from the server's own address, which it treats as secured: look from elsewhere"


def listens(seen: Seen, at: Endpoint) -> bool:
    """Something answered there, in whatever words."""
    kinds: tuple[type[Observation], ...] = (Listening, Greeting, Identified, Capabilities, Handshake, Hello)
    return any(of(kind, seen, at) for kind in kinds)


def starts(seen: Seen, at: Endpoint) -> tuple[Mode, Observation] | None:
    """How the port was seen to begin: implicit TLS, STARTTLS or neither; None when nobody answered."""
    found = of(Identified, seen, at)
    if found and (found[-1].mode in {Mode.IMPLICIT, Mode.STARTTLS} or found[-1].protocol not in MAIL):
        return found[-1].mode, found[-1]
    for greeting in of(Greeting, seen, at):
        if greeting.encrypted:
            return Mode.IMPLICIT, greeting
        upgrades = of(Upgrade, seen, at)
        starttls = any(u.offered or u.accepted for u in upgrades)
        return (Mode.STARTTLS if starttls else Mode.NONE), upgrades[0] if upgrades else greeting
    return (found[-1].mode, found[-1]) if found else None


def starts_in_clear(case: Case) -> bool:
    """Whether the rules of STARTTLS apply: what was seen decides, what is meant to be stands in."""
    found = starts(case.seen, case.at)
    if found is not None:
        return found[0] is not Mode.IMPLICIT
    return case.service is not None and case.service.mode is not Mode.IMPLICIT


def spoken(case: Case) -> str:
    """The protocol, by its dialogue where that is known."""
    if found := of(Identified, case.seen, case.at):
        return found[-1].protocol
    return case.service.protocol if case.service else ""


def in_clear(case: Case) -> list[Capabilities]:
    return [c for c in of(Capabilities, case.seen, case.at) if not c.encrypted]


def inside_tls(case: Case) -> list[Capabilities]:
    return [c for c in of(Capabilities, case.seen, case.at) if c.encrypted]


def tried(case: Case, *what: str) -> list[Tried]:
    """Trials by name; `relay:` names all of its forms."""
    return [t for t in of(Tried, case.seen, case.at) if t.what in what or t.what.partition(":")[0] + ":" in what]


def software(seen: Seen, at: Endpoint) -> str:
    for greeting in of(Greeting, seen, at):
        if greeting.software:
            return greeting.software
    return next((i.software for i in of(Identified, seen, at) if i.software), "")


def misled(case: Case) -> Verdict | None:
    """`unknown`, when we look from the host itself: what it then lets us do, it may let nobody else do."""
    near = next((v for v in of(Vantage, case.seen, case.at) if v.same_host), None)
    return unknown(f"vantage: {NEAR}", near) if near else None


def not_asked(case: Case, wanted: str, needs: str) -> Verdict:
    """`unknown` for a question that takes the operator's leave."""
    for one in of(Unobserved, case.seen, case.at):
        if one.wanted.startswith(wanted):
            return unknown(f"{one.reason.value}: {one.detail}", one)
    return case.missing(wanted) if case.mine else unknown(f"not asked: {needs}")


def closed(seen: Seen, ats: Iterable[Endpoint]) -> list[Closed]:
    return [c for at in ats for c in of(Closed, seen, at)]


def some(names: Iterable[str], limit: int = 3) -> str:
    """The first few, and how many more."""
    listed = sorted(set(names))
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more


def words(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`: sorted and said once."""
    listed = sorted(set(names))
    return f"{', '.join(listed[:-1])} and {listed[-1]}" if len(listed) > 1 else "".join(listed)
