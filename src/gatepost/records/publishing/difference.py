"""What DNS lacks: records to add, and those of the declaration's own that have to go. Nothing else is touched."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gatepost.model.dns import Answer
from gatepost.records import dmarc_record, zone_text
from gatepost.records.publishing.known import Known
from gatepost.records.publishing.record import Part, Record
from gatepost.records.publishing.routes import is_issue
from gatepost.records.spf.grammar import selected


@dataclass(frozen=True, slots=True)
class Change:
    """Of one RRset. `name` is where it stands, after any alias; `kept` are its values that nobody touches.

    `exact` is false when the strings of a value are split in a way that was not seen: then a record cannot be
    deleted by its contents.
    """

    part: Part
    zone: str
    name: str
    kind: str
    add: tuple[str, ...]
    remove: tuple[str, ...]
    kept: tuple[str, ...]
    ttl: int  # as seen, which counts down in a cache
    exact: bool = True

    @property
    def present(self) -> bool:
        return bool(self.remove or self.kept)

    @property
    def before(self) -> tuple[str, ...]:
        return tuple(sorted((*self.remove, *self.kept)))

    @property
    def after(self) -> tuple[str, ...]:
        return tuple(sorted((*self.add, *self.kept)))


def difference(wanted: Iterable[Record], known: Known) -> tuple[Change, ...]:
    """In the order of `wanted`. What could not be asked is left out, and so is what stands in a stranger's zone."""
    records = tuple(wanted)
    zones = {known.zone(one.name) for one in records}
    groups: dict[tuple[str, str, Part], list[Record]] = {}
    for one in records:
        assert one.part is not None  # noqa: S101 - whoever asks for a record says what for
        if known.answer(one.name, one.kind) and owned(known, one, zones):
            groups.setdefault((known.owner(one.name, one.kind), one.kind, one.part), []).append(one)
    changes = (_change(name, kind, part, rows, known) for (name, kind, part), rows in groups.items())
    return tuple(one for one in changes if one.add or one.remove)


def owned(known: Known, record: Record, zones: Collection[str]) -> bool:
    """An alias may lead to somebody who runs that part for the domain: it is theirs to change."""
    owner = known.owner(record.name, record.kind)
    return owner == record.name or known.zone(owner) in zones


def _change(name: str, kind: str, part: Part, rows: list[Record], known: Known) -> Change:
    answer = known.answer(rows[0].name, kind)
    assert answer is not None  # noqa: S101 - rows without an answer were left out
    wanted = tuple(dict.fromkeys(one.value for one in rows))
    add = tuple(value for value in wanted if value not in answer.values)
    remove = tuple(value for value in answer.values if value not in wanted and _ours(part, value))
    kept = tuple(value for value in answer.values if value not in remove)
    return Change(part, known.zone(name), name, kind, add, remove, kept, answer.ttl, _exact(answer))


def _ours(part: Part, value: str) -> bool:
    """Whether the declaration decides about a value that it does not ask for."""
    match part:
        case Part.ADDRESS | Part.CONSENT:
            return False
        case Part.CAA:
            return is_issue(value)
        case Part.DKIM | Part.MX | Part.SRV:
            return True
        case Part.DMARC:
            return dmarc_record.is_meant(value)
        case Part.MTA_STS:
            return value.lower().startswith("v=stsv1")
        case Part.SPF:
            return bool(selected([value]))
        case Part.TLSA:
            return value.startswith("3 ")
        case Part.TLS_RPT:
            return value.lower().startswith("v=tlsrptv1")


def _exact(answer: Answer) -> bool:
    """Only one string has no boundaries inside (RFC 2136 section 2.5.4 deletes equal octets and no others)."""
    if answer.kind != "TXT":
        return True
    return all(len(value) <= zone_text.LONGEST for value in answer.values) and all(one == 1 for one in answer.pieces)
