"""Records as a piece of a zone file (RFC 1035 section 5.1), and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import dns.exception
import dns.name
import dns.rdataclass
import dns.tokenizer
import dns.zonefile

from gatepost.errors import PeerGarbled
from gatepost.records.names import spell
from gatepost.records.publishing.order import Step
from gatepost.records.publishing.record import Record
from gatepost.records.publishing.spans import span
from gatepost.records.rdata import rdata, spelled
from gatepost.records.sentences import one_line

MAX_TEXT = 4 * 1024 * 1024  # characters
DIRECTIVES = frozenset({"$ORIGIN", "$TTL"})  # $INCLUDE reads files, $GENERATE makes up records


def render(records: Iterable[Record], zone: str) -> str:
    """Names relative to the zone. Each record has its own TTL."""
    return "".join(f"{line}\n" for line in (f"$ORIGIN {_name(zone).to_text()}", *_lines(records, zone)))


def read(text: str) -> tuple[Record, ...]:
    """The records of a piece of a zone file that says its own $ORIGIN. Raises PeerGarbled."""
    if len(text) > MAX_TEXT:
        raise PeerGarbled(f"longer than {MAX_TEXT} characters")
    manager = dns.zonefile.RRSetsReaderManager()
    try:
        with manager.writer(replacement=True) as found:  # type: ignore[no-untyped-call] # dnspython gives it no types
            tokens = dns.tokenizer.Tokenizer(text)
            dns.zonefile.Reader(tokens, dns.rdataclass.IN, found, allow_directives=DIRECTIVES, default_ttl=0).read()
    except (dns.exception.DNSException, ValueError) as error:
        raise PeerGarbled(f"no zone file: {str(error) or type(error).__name__}"[:200]) from None
    return tuple(
        Record(spell(one.name.labels), one.rdtype.name, spelled(row), one.ttl) for one in manager.rrsets for row in one
    )


def fragment(steps: Sequence[Step], head: Iterable[str], present: Iterable[tuple[Record, str]] = ()) -> str:
    """Everything to add, in order; what is to be removed, lowered or done elsewhere stands in comments.

    `present` are records, each with its zone, that are there already.
    """
    lines = [f"; {line}".rstrip() for line in map(one_line, head)]
    zone = ""
    for step in steps:
        lines += ["", *(f"; {line}" for line in said(step))]
        if step.change is None:
            continue
        lines += _turned(step.change.zone, zone)
        zone = step.change.zone
        lines += _changed(step, zone)
    for record, home in present:
        lines += _turned(home, zone)
        zone = home
        lines += _lines([record], zone)
    return "".join(f"{line}\n" for line in lines)


def _turned(zone: str, before: str) -> list[str]:
    """The origin is said again when the zone is another one."""
    return [] if zone == before else [f"$ORIGIN {_name(zone).to_text()}"]


def _changed(step: Step, zone: str) -> Iterator[str]:
    change = step.change
    assert change is not None  # noqa: S101 - the caller has looked
    if step.lowers:
        yield from (
            f"; set its TTL to {step.ttl}:  {line}"
            for line in _of(change.name, change.kind, change.add, step.ttl, zone)
        )
        return
    yield from (f"; remove:  {line}" for line in _of(change.name, change.kind, change.remove, change.ttl, zone))
    yield from _of(change.name, change.kind, change.add, step.ttl, zone)


def said(step: Step) -> Iterator[str]:
    """The step as comment lines, without the sign that makes them comments."""
    yield one_line(f"{step.number}. {when(step)}{step.action or step.reason}")
    if step.action:
        yield f"   {step.reason}"


def when(step: Step) -> str:
    """`After step 2 and 1 h: `; empty for what can be done at once."""
    if not step.after:
        return ""
    numbers = ", ".join(map(str, step.after))
    steps = f"step {numbers}" if len(step.after) == 1 else f"steps {numbers}"
    return f"After {steps}{f' and {span(step.wait)} more' if step.wait else ''}: "


def _of(name: str, kind: str, values: Iterable[str], ttl: int, zone: str) -> Iterator[str]:
    return _lines((Record(name, kind, value, ttl) for value in values), zone)


def _lines(records: Iterable[Record], zone: str) -> Iterator[str]:
    origin = _name(zone)
    for one in records:
        owner = _name(one.name).relativize(origin).to_text()
        yield f"{owner} {one.ttl} IN {one.kind} {rdata(one.kind, one.value).to_text(origin, relativize=True)}"


def _name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text)
    except dns.exception.DNSException as error:
        raise PeerGarbled(f"{text[:60]!r} is no DNS name: {error}") from None
