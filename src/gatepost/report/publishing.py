"""What DNS lacks for a domain: steps in order for a person at a terminal, or JSON for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.text import Text

from gatepost.records.publishing.order import Step
from gatepost.records.publishing.publication import Listed, Publication
from gatepost.records.publishing.spans import span
from gatepost.records.rdata import rdata
from gatepost.report.escape import printable
from gatepost.report.layout import hanging, joined, paint, text, wrapped
from gatepost.report.page import ADVICE, UNASKED, document, heading, headline, listed, spaced
from gatepost.report.plain import Plain, to_plain
from gatepost.report.tally import plural
from gatepost.report.truth import Standing
from gatepost.report.wall import MARKS

SCHEMA = "gatepost/records/1"

_INDENT = 5
_LONGEST, _HEAD, _TAIL = 240, 56, 16  # characters of a value; longer ones are shown by both ends
_STANDING = {True: Standing.GOOD, False: Standing.BAD, None: Standing.UNKNOWN}


def render(told: Publication, *, width: int = 100, colour: bool = False, everything: bool = False) -> str:
    """`everything`: the records that are in order as well."""
    parts = (
        _head(told, width),
        *_steps(told.steps, width),
        _policy(told),
        _all(told, width) if everything else [],
        listed(ADVICE, told.advice, width, "GOOD TO KNOW"),
        listed(UNASKED, [f"{one.what}: {one.why}" for one in told.unasked], width, "COULD NOT BE ASKED"),
        _next(told, width),
    )
    return paint(spaced(parts), colour=colour)


def to_json(told: Publication) -> str:
    policy = told.document
    plain: dict[str, Plain] = {
        "domain": told.domain,
        "generated_at": to_plain(told.now),
        "ttl": told.ttl,
        "lacking": told.lacking,
        "steps": [_plain_step(one) for one in told.steps],
        "policy": None
        if policy is None
        else {"uri": policy.uri, "mode": policy.mode, "text": policy.text, "needed": policy.needed},
        "records": [_plain_record(one) for one in told.records],
        "servers": to_plain(dict(told.servers)),
        "advice": list(told.advice),
        "unasked": to_plain(told.unasked),
    }
    return document(SCHEMA, plain)


def summary(told: Publication) -> str:
    """`3 changes lacking, 9 records in order`."""
    there = sum(1 for one in told.records if one.present)
    lacking = f"{plural(told.lacking, 'change')} lacking" if told.lacking else "nothing lacking"
    unasked = f", {len(told.unasked)} could not be asked" if told.unasked else ""
    return f"{lacking}, {plural(there, 'record')} in order{unasked}"


def _head(told: Publication, width: int) -> list[Text]:
    standing = _STANDING[False if told.lacking else None if told.unasked else True]
    return headline(standing, joined(text(printable(told.domain), "bold"), f"   {summary(told)}"), width)


def _steps(steps: Sequence[Step], width: int) -> Iterator[list[Text]]:
    """Neighbours that are done for one reason stand together, and say it once."""
    for _, group in groupby(steps, key=lambda step: (step.part, step.reason)):
        together = list(group)
        lines = [line for step in together for line in _step(step, width)]
        yield [*lines, *_below(text(together[0].reason, "dim"), width)]


def _step(step: Step, width: int) -> list[Text]:
    label = text(f"{step.number:>3}  ", "bold")
    wait = text(_when(step), "dim")
    change = step.change
    if change is None:
        return hanging(label, joined(text(step.action, "bold"), "   ", wait), indent=_INDENT, width=width)
    verb = f"   TTL {step.ttl} instead of {change.ttl}" if step.lowers else ""
    name = joined(text(f"{printable(change.name)} {change.kind}", "bold"), text(verb, "yellow"), "   ", wait)
    lines = hanging(label, name, indent=_INDENT, width=width)
    if not step.lowers:
        lines += _values(change.kind, change.remove, "-", "red", width)
        lines += _values(change.kind, change.add, "+", "green", width)
    return lines


def _when(step: Step) -> str:
    if not step.after:
        return "at once"
    numbers = " and ".join(filter(None, (", ".join(map(str, step.after[:-1])), str(step.after[-1]))))
    return f"after {numbers}" + (f", {span(step.wait)} later" if step.wait else "")


def _values(kind: str, values: Iterable[str], mark: str, style: str, width: int) -> Iterator[Text]:
    for value in values:
        label = text(f"{' ' * _INDENT}{mark}", style)
        yield from hanging(label, text(_shortened(kind, value), style), indent=_INDENT + 2, width=width)


def _below(words: Text, width: int) -> list[Text]:
    return hanging(text(""), words, indent=_INDENT, width=width)


def _policy(told: Publication) -> list[Text]:
    if told.document is None:
        return []
    head = heading("POLICY", printable(told.document.uri))
    return [head, *(text(f"  {printable(line)}") for line in told.document.text.splitlines())]


def _all(told: Publication, width: int) -> list[Text]:
    page = [text("RECORDS", "bold")]
    for one in told.records:
        mark, style = MARKS[_STANDING[one.present]]
        page += hanging(text(f"  {mark}", style), _listed(one), indent=4, width=width)
    return page


def _listed(one: Listed) -> Text:
    record = one.record
    return joined(text(f"{printable(record.name)} {record.kind} ", "bold"), _shortened(record.kind, record.value))


def _shortened(kind: str, value: str) -> str:
    """Keys are not read by people; whoever copies a record takes it from the other formats."""
    whole = rdata(kind, value).to_text()
    return printable(whole if len(whole) <= _LONGEST else f"{whole[:_HEAD]}…{whole[-_TAIL:]}")


def _next(told: Publication, width: int) -> list[Text]:
    if not any(one.change for one in told.steps):
        return []
    words = (
        "As a piece of a zone file: --format zone. For a server that takes updates: --format nsupdate. After each "
        "wait, run it again: it says what is left."
    )
    return [joined(text(line.plain, "dim")) for line in wrapped(words, width)]


def _plain_step(step: Step) -> Plain:
    change = step.change
    made: dict[str, Plain] = {
        "number": step.number,
        "part": step.part.value,
        "after": list(step.after),
        "wait": step.wait,
        "reason": step.reason,
        "action": step.action or None,
    }
    if change is None:
        return made
    return made | {
        "zone": change.zone,
        "name": change.name,
        "kind": change.kind,
        "ttl": step.ttl,
        "lowers_ttl": step.lowers,
        "add": [] if step.lowers else _spelled(change.kind, change.add),
        "remove": [] if step.lowers else _spelled(change.kind, change.remove),
        "keep": _spelled(change.kind, change.before if step.lowers else change.kept),
    }


def _spelled(kind: str, values: Iterable[str]) -> list[Plain]:
    """As in a zone file: strings split, quotes and odd octets escaped."""
    return [rdata(kind, value).to_text() for value in values]


def _plain_record(one: Listed) -> Plain:
    record = one.record
    return {
        "part": record.part.value if record.part else None,
        "zone": one.zone,
        "name": record.name,
        "kind": record.kind,
        "value": rdata(record.kind, record.value).to_text(),
        "present": one.present,
    }
