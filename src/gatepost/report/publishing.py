"""What DNS lacks for a domain: steps in order for a person at a terminal, or JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.text import Text

from gatepost.records.publishing.order import Step
from gatepost.records.publishing.publication import Listed, Publication
from gatepost.records.publishing.spans import span
from gatepost.records.rdata import rdata
from gatepost.report.escape import printable
from gatepost.report.layout import hanging, joined, paint, text, wrapped
from gatepost.report.plain import Plain, to_plain
from gatepost.report.tally import plural

SCHEMA = "gatepost/records/1"

_INDENT = 5
_LONGEST, _HEAD, _TAIL = 240, 56, 16  # characters of a value; longer ones are shown by both ends
_MARKS = {True: ("✔", "green"), False: ("✖", "bold red"), None: ("?", "blue")}


def render(told: Publication, *, width: int = 100, colour: bool = False, everything: bool = False) -> str:
    """`everything`: the records that are in order as well."""
    parts = (
        _head(told),
        *_steps(told.steps, width),
        _policy(told),
        _all(told, width) if everything else [],
        _sentences("GOOD TO KNOW", "·", "yellow", told.advice, width),
        _sentences("COULD NOT BE ASKED", "?", "blue", [f"{one.what}: {one.why}" for one in told.unasked], width),
        _next(told, width),
    )
    page: list[Text] = []
    for part in parts:
        page += [text(""), *part] if page and part else part
    return paint(page, colour=colour)


def to_json(told: Publication) -> str:
    """Keys may be added, none is renamed or removed."""
    document = told.document
    plain: dict[str, Plain] = {
        "schema": SCHEMA,
        "domain": told.domain,
        "generated_at": to_plain(told.now),
        "ttl": told.ttl,
        "lacking": told.lacking,
        "steps": [_plain_step(one) for one in told.steps],
        "policy": None
        if document is None
        else {"uri": document.uri, "mode": document.mode, "text": document.text, "needed": document.needed},
        "records": [_plain_record(one) for one in told.records],
        "servers": to_plain(dict(told.servers)),
        "advice": list(told.advice),
        "unasked": to_plain(told.unasked),
    }
    return json.dumps(plain, indent=2) + "\n"


def summary(told: Publication) -> str:
    """`3 changes lacking, 9 records in order`."""
    there = sum(1 for one in told.records if one.present)
    lacking = f"{plural(told.lacking, 'change')} lacking" if told.lacking else "nothing lacking"
    unasked = f", {len(told.unasked)} could not be asked" if told.unasked else ""
    return f"{lacking}, {plural(there, 'record')} in order{unasked}"


def _head(told: Publication) -> list[Text]:
    sign, style = _MARKS[False if told.lacking else None if told.unasked else True]
    mark = text(f"{sign} ", style)
    return [joined(mark, text(printable(told.domain), "bold"), f"   {summary(told)}")]


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
    head = joined(text("POLICY", "bold"), text(f"   {printable(told.document.uri)}", "dim"))
    return [head, *(text(f"  {printable(line)}") for line in told.document.text.splitlines())]


def _all(told: Publication, width: int) -> list[Text]:
    page = [text("RECORDS", "bold")]
    for one in told.records:
        mark, style = _MARKS[one.present]
        page += hanging(text(f"  {mark}", style), _listed(one), indent=4, width=width)
    return page


def _listed(one: Listed) -> Text:
    record = one.record
    return joined(text(f"{printable(record.name)} {record.kind} ", "bold"), _shortened(record.kind, record.value))


def _shortened(kind: str, value: str) -> str:
    """Keys are not read by people; whoever copies a record takes it from the other formats."""
    whole = rdata(kind, value).to_text()
    return printable(whole if len(whole) <= _LONGEST else f"{whole[:_HEAD]}…{whole[-_TAIL:]}")


def _sentences(heading: str, mark: str, style: str, sentences: Sequence[str], width: int) -> list[Text]:
    page = [text(heading, "bold")] if sentences else []
    for sentence in sentences:
        page += hanging(text(f"  {mark}", style), printable(sentence, 500), indent=4, width=width)
    return page


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
