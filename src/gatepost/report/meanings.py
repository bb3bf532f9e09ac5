"""One word for a row of the port truth table: what all witnesses together amount to."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.firewall.drift import undecided
from gatepost.model.architecture import Endpoint, Host, Service
from gatepost.model.rules import AdmissionSeen, Drift
from gatepost.report import columns
from gatepost.report.columns import Known
from gatepost.report.encryption import Word
from gatepost.servers.bound import outward, translated


@dataclass(frozen=True, slots=True)
class Place:
    """A row in the making. `answered` is the wire's word, `word` what the dialogue showed of encryption."""

    at: Endpoint
    host: Host | None
    service: Service | None
    declared: str
    answered: str
    word: Word

    @property
    def intended(self) -> bool:
        return self.declared == "yes"


_AS_DECLARED = {
    "implicit": frozenset({Word.IMPLICIT}),
    "starttls": frozenset({Word.STARTTLS_ENFORCED, Word.STARTTLS_OPTIONAL}),
    "tls-optional": frozenset({Word.STARTTLS_ENFORCED, Word.STARTTLS_OPTIONAL, Word.IMPLICIT, Word.NO_TLS}),
}
_WORST_OF_THE_WIRE = frozenset({Word.PLAINTEXT_LOGIN, Word.STARTTLS_REFUSED, Word.STARTTLS_STRIPPED})


def verdict(place: Place, known: Known) -> Word:
    """A password in clear outranks an open way, and that a missing declaration: the columns tell the rest anyway."""
    if place.answered == "yes" and place.word in _WORST_OF_THE_WIRE:
        return place.word
    if columns.waiting(place.at, known, place.answered) and (wide := _too_wide(place, known)):
        return wide
    if place.declared == "no" and columns.waiting(place.at, known, place.answered):
        return Word.UNDECLARED
    if place.intended and _shut(place, known):
        return Word.BLOCKED
    if place.answered == "yes":
        return _dialogue(place)
    return _without_answer(place, known)


def _too_wide(place: Place, known: Known) -> Word | None:
    """Undeclared listeners have a word of their own, unless a container stands past the rules."""
    found = known.drift(place.at, Drift.WIDER)
    if found is not None and found.path.startswith("forward"):
        return Word.BYPASS
    if place.intended and (found is not None or columns.trespass(place.at, known)):
        return Word.TOO_OPEN
    return None


def _shut(place: Place, known: Known) -> bool:
    listens = place.answered == "yes" or _may_listen(place, known)
    return listens and bool(known.drift(place.at, Drift.CLOSED) or columns.shut_out(place.at, known))


def _dialogue(place: Place) -> Word:
    if place.intended and place.service is None:
        return Word.AS_DECLARED  # where operators log in: no mail is spoken there
    mode = place.service.mode.value if place.service and place.intended else ""
    fitting = _AS_DECLARED.get(mode)
    return Word.WRONG_MODE if fitting and place.word is not Word.UNKNOWN and place.word not in fitting else place.word


def _without_answer(place: Place, known: Known) -> Word:
    if columns.loopback_only(place.at, known):
        return Word.LOOPBACK
    if not place.intended:
        return {"refused": Word.CLOSED, "filtered": Word.FILTERED}.get(place.answered, _unasked(place, known))
    if _inside_as_declared(place, known):
        return Word.AS_DECLARED
    if place.answered == "refused" or not _may_listen(place, known):
        return Word.MISSING
    return Word.FILTERED if place.answered == "filtered" else Word.UNKNOWN


def _unasked(place: Place, known: Known) -> Word:
    """Where the host says that nothing listens, nothing does."""
    return Word.UNKNOWN if known.sockets(place.at.host) is None else Word.CLOSED


def _may_listen(place: Place, known: Known) -> bool:
    """Nobody saw that nothing is there: without a look inside, silence proves nothing."""
    here = known.sockets(place.at.host)
    if here is None:
        return place.answered != "refused"
    own = place.host.addresses if place.host else ()
    for_itself = place.service is not None and place.service.exposure == "loopback"
    bound = any(s.port == place.at.port for s in here) if for_itself else bool(outward(columns.takers(place.at, known)))
    return bound or columns.forwarded(place.at, known) or bool(translated(here, place.at, own))


def _inside_as_declared(place: Place, known: Known) -> bool:
    """A socket is there and the rules are right. An answer is owed only to who is let in: the wire may be elsewhere."""
    if known.sockets(place.at.host) is None or not _may_listen(place, known):
        return False
    if any(known.drift(place.at, drift) for drift in Drift):
        return False
    admission = known.admission(place.at)
    if place.answered == columns.NOT_ASKED:
        return admission is None or not undecided(admission)
    return admission is not None and not undecided(admission) and not _for_us(admission, place, known)


def _for_us(admission: AdmissionSeen, place: Place, known: Known) -> bool:
    """Whether the rules let in the address that the wire was asked from, as far as that is known."""
    sources = columns.own_addresses(place.at, known)
    return not sources or any(columns.holds(admission.accepted, source) for source in sources)
