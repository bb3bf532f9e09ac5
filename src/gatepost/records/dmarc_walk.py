"""The DNS tree walk (RFC 9989 section 4.10): from a domain upwards, in at most eight questions.

    a.mail.example.org, mail.example.org, example.org, org      each with _dmarc in front

A name of nine labels or more is cut to its last seven after the first question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Security, weakest
from gatepost.model.domain import DmarcRecord, DmarcStep
from gatepost.model.observation import Unobserved
from gatepost.records import dmarc_record
from gatepost.records.lookup import Lookup, unanswered

MOST_LABELS = 8  # and so the most questions


@dataclass(frozen=True, slots=True)
class Stop:
    """What one question of the walk found. `overlooked` are records that only their owner takes for one."""

    domain: str
    record: DmarcRecord | None
    step: DmarcStep
    several: int = 0
    overlooked: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN


@dataclass(frozen=True, slots=True)
class Walk:
    """The walk of one domain, from itself upwards."""

    domain: str
    stops: tuple[Stop, ...]

    @property
    def own(self) -> DmarcRecord | None:
        return self.stops[0].record

    @property
    def organizational(self) -> str:
        """Section 4.10.2: psd=n, else the name below psd=y, else the record nearest to the root, else the start."""
        found = [stop.record for stop in self.stops if stop.record]
        for record in found:
            if record.psd == "n":
                return record.domain
            if record.psd == "y" and record.domain != self.domain:
                return _one_below(self.domain, record.domain)
        return found[-1].domain if found else self.domain

    @property
    def record(self) -> DmarcRecord | None:
        """The one that applies (section 4.10.1): the domain's, its organisation's, its public suffix's."""
        if self.own:
            return self.own
        organisation = self.organizational
        return self.at(organisation) or next((r for r in self._suffix() if r.domain != organisation), None)

    def at(self, domain: str) -> DmarcRecord | None:
        return next((stop.record for stop in self.stops if stop.domain == domain), None)

    @property
    def security(self) -> Security:
        """The weakest of the answers that decided: those up to the record, or all where there is none."""
        record = self.record
        last = next((n for n, stop in enumerate(self.stops) if record and stop.domain == record.domain), None)
        decided = self.stops if last is None else self.stops[: last + 1]
        return weakest(stop.security for stop in decided)

    def _suffix(self) -> Iterator[DmarcRecord]:
        return (stop.record for stop in self.stops if stop.record and stop.record.psd == "y")


async def walk(domain: str, lookup: Lookup) -> Walk | Unobserved:
    """A question without an answer ends it: what stands there could have decided."""
    stops: list[Stop] = []
    for name in names(domain):
        answer = await lookup(dmarc_record.owner(name), "TXT")
        if answer.failed:
            return unobserved(domain, answer)
        stops.append(stop(name, answer))
        if (record := stops[-1].record) and record.psd != "u":
            break
    return Walk(domain, tuple(stops))


async def below(found: Walk, lookup: Lookup) -> Walk | Unobserved:
    """The walk of a name right below, of which nothing is known but where it stands.

    From eight labels on that name is cut short on its way, and does not meet all that its parent meets.
    """
    child = f"*.{found.domain}"
    first = Stop(child, None, DmarcStep(dmarc_record.owner(child)), security=Security.SECURE)
    if child.count(".") < MOST_LABELS:
        return Walk(child, (first, *found.stops))
    cut = await walk(names(child)[1], lookup)
    return cut if isinstance(cut, Unobserved) else Walk(child, (first, *cut.stops))


def names(domain: str) -> tuple[str, ...]:
    """The domains whose record is asked for, in order."""
    labels = domain.split(".")
    start = 1 if len(labels) <= MOST_LABELS else len(labels) - MOST_LABELS + 1
    return (domain, *(".".join(labels[n:]) for n in range(start, len(labels))))


def stop(domain: str, answer: Answer) -> Stop:
    """Of several records none counts, and the walk goes on (section 4.10, steps 2 and 6)."""
    texts = tuple(text for text in answer.values if dmarc_record.is_policy(text))
    missed = tuple(
        dmarc_record.overlooked(text) for text in answer.values if text not in texts and dmarc_record.is_meant(text)
    )
    record = dmarc_record.read(texts[0], domain) if len(texts) == 1 else None
    step = DmarcStep(answer.name, texts, _note(record, texts, missed))
    several = len(texts) if len(texts) > 1 else 0
    return Stop(domain, record, step, several, missed, answer.security)


def unobserved(domain: str, answer: Answer) -> Unobserved:
    return replace(unanswered(Endpoint(domain), "dmarc", answer), detail=f"{answer.name} {answer.kind}: {answer.why}")


def _note(record: DmarcRecord | None, texts: tuple[str, ...], missed: tuple[str, ...]) -> str:
    if len(texts) > 1:
        return f"{len(texts)} records: all are discarded"
    if record is None:
        return missed[0] if missed else ""
    return f"psd={record.psd}: the walk ends here" if record.psd != "u" else ""


def _one_below(domain: str, ancestor: str) -> str:
    return ".".join(domain.split(".")[-(ancestor.count(".") + 2) :])
