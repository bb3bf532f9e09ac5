"""The cause line of a row of the port truth table: one sentence, with the rule or the line that decides."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gatepost import catalogue
from gatepost.firewall.drift import admitted, joined, listed, meant, told, undecided
from gatepost.firewall.vantages import named
from gatepost.model.finding import Finding
from gatepost.model.host import SocketSeen
from gatepost.model.observation import Unobserved
from gatepost.model.rules import Drift, ReachSeen
from gatepost.model.words import Role
from gatepost.report import columns
from gatepost.report.columns import Known
from gatepost.report.encryption import Word
from gatepost.report.escape import printable
from gatepost.report.meanings import Place
from gatepost.servers.bound import inward, outward

_ABOUT_INTENT = frozenset({Word.MISSING, Word.UNDECLARED, Word.WRONG_MODE})
_SENTENCES = {
    Word.MISSING: "declared, but nothing listens",
    Word.NO_TLS: "no encryption is offered",
    Word.PLAINTEXT_LOGIN: "passwords are accepted before encryption",
    Word.STARTTLS_REFUSED: "STARTTLS is offered and then refused",
    Word.STARTTLS_STRIPPED: "STARTTLS was rewritten on the way",
    Word.UNDECLARED: "listens, but is not declared",
}


def cause(place: Place, word: Word, known: Known, findings: Sequence[Finding]) -> str:
    """What rules and sockets say of this very port; else the worst open finding; else what the word means here."""
    if word in {Word.BLOCKED, Word.BYPASS, Word.TOO_OPEN}:
        return printable(_way(place, word, known))
    if word is Word.UNDECLARED and (place.answered != "yes" or columns.takers(place.at, known)):
        return printable(_undeclared(place, known))
    if word is Word.MISSING and known.sockets(place.at.host) is not None:
        return printable(_missing(place, known))
    where = _line(place, known, about_intent=word in _ABOUT_INTENT)
    if findings:
        return printable(_here(_decisive(word, findings).because)) + (where if word in _ABOUT_INTENT else "")
    if word is Word.WRONG_MODE and place.service:
        return f"declared {place.service.mode.value}, seen otherwise{where}"
    if word in {Word.UNKNOWN, Word.FILTERED}:
        return printable(_unseen(place, word, known))
    if word is Word.STARTTLS_OPTIONAL and place.service and place.service.role is not Role.MX:
        return "encryption is offered but not required"
    return _SENTENCES.get(word, "") + (where if word in _SENTENCES else "")


_CONTROLS = {
    Word.MISSING: ("GP-PORT-003",),
    Word.NO_TLS: ("GP-STLS-001",),
    Word.PLAINTEXT_LOGIN: ("GP-STLS-002", "GP-AUTH-001"),
    Word.STARTTLS_REFUSED: ("GP-STLS",),
    Word.STARTTLS_STRIPPED: ("GP-STLS",),
    Word.UNDECLARED: ("GP-PORT-002", "GP-SEG", "GP-RELAY-003"),
    Word.WRONG_MODE: ("GP-PORT-003",),
}


def _decisive(word: Word, findings: Sequence[Finding]) -> Finding:
    """The worst of those that the word is about, else the worst of all."""
    wanted = _CONTROLS.get(word, ())
    return next((f for f in findings if f.control.startswith(wanted)), findings[0]) if wanted else findings[0]


def _here(because: str) -> str:
    """Without the list of all ports that a setting is about: the row is one of them."""
    return _PORTS.sub("", because)


_PORTS = re.compile(r" for [\w.-]{1,60} \(\d{1,5}\)(?:, [\w.-]{1,60} \(\d{1,5}\))*(?=:)")


def _way(place: Place, word: Word, known: Known) -> str:
    """The rule where it was read; else what a vantage met."""
    drift = Drift.CLOSED if word is Word.BLOCKED else Drift.WIDER
    if found := known.drift(place.at, drift):
        return told(found, known.architecture, place.at.port)
    met = columns.shut_out(place.at, known) if word is Word.BLOCKED else columns.trespass(place.at, known)
    who = sorted({named(one, known.architecture) for one in met})
    gets = "get" if len(who) > 1 else "gets"
    verb = f"{gets} no way in ({_result(met)})" if word is Word.BLOCKED else f"{gets} in"
    return f"{joined(who)} {verb}; {meant(place.at, known.architecture)}"


def _result(met: Sequence[ReachSeen]) -> str:
    return met[0].result.value if met else "silent"


def _undeclared(place: Place, known: Known) -> str:
    """Who listens where, and who gets there: the firewall may be all that stands between."""
    socket = next(iter(outward(columns.takers(place.at, known))), None)
    line = _line(place, known, about_intent=True)
    if socket is None:
        return f"{_SENTENCES[Word.UNDECLARED]}{line}"
    said = f"{socket.process or 'something'} listens on {_bound(socket)}, and is not declared{line}"
    if found := known.drift(place.at, Drift.WIDER):
        return f"{said}; {told(found, known.architecture, place.at.port).removesuffix('; nothing is declared there')}"
    admission = known.admission(place.at)
    if admission is None or undecided(admission):
        met = sorted({named(one, known.architecture) for one in columns.trespass(place.at, known)})
        return f"{said}; {joined(met)} {'get' if met[1:] else 'gets'} in" if met else said
    names = admitted(admission, known.architecture.zones)
    return f"{said}; open to {listed(names)}" if names else f"{said}; only the firewall keeps it closed"


def _bound(one: SocketSeen) -> str:
    return "every address" if one.address in {"0.0.0.0", "::"} else one.address


def _missing(place: Place, known: Known) -> str:
    """What listens on the port after all, for others."""
    same = [s for s in known.sockets(place.at.host) or () if s.port == place.at.port]
    line = _line(place, known, about_intent=True)
    if not same:
        return f"{_SENTENCES[Word.MISSING]}{line}"
    where = "loopback" if all(inward(s) for s in same) else joined(list(dict.fromkeys(_bound(s) for s in same)))
    return f"declared, but {same[0].process or 'its process'} listens on {where} only{line}"


def _unseen(place: Place, word: Word, known: Known) -> str:
    if doubtful := known.drift(place.at, Drift.CANNOT_TELL):
        return told(doubtful, known.architecture, place.at.port)
    if word is Word.FILTERED and not (place.service is None or place.service.declared):
        return ""
    lost = next((f"{u.reason.value}: {u.detail}" for u in known.seen.at(Unobserved, place.at)), "")
    socket = next(iter(outward(columns.takers(place.at, known))), None)
    if socket is not None:
        row = catalogue.port_numbered(place.at.port)
        name = socket.process or (row.id if row else "something")
        return f"{name} listens; from here {lost or 'nothing more was seen'}"
    return lost or "nothing more was seen"


def _line(place: Place, known: Known, *, about_intent: bool) -> str:
    service, host = place.service, place.host
    line = service.line if service and service.declared else host.line if host and about_intent else None
    return f" ({known.architecture.source}:{line})" if line and known.architecture.source else ""
