"""Changes as input for `nsupdate` (RFC 2136), and back.

Each step is an update of its own that first asks for the zone to be as it was seen: applied twice, or after somebody
else changed the same records, it does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer

from gatepost.errors import PeerGarbled
from gatepost.records.names import spell
from gatepost.records.publishing.difference import Change
from gatepost.records.publishing.order import Step
from gatepost.records.publishing.record import Record
from gatepost.records.publishing.zonefile import MAX_TEXT, said
from gatepost.records.rdata import rdata, spelled
from gatepost.records.sentences import one_line

Set = tuple[str, str]  # name and kind
NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Update:
    """One update message. First what must hold, then what is done: a TTL counts only in what is added."""

    zone: str
    server: str = ""  # host or address, and a port after a blank
    absent: tuple[Set, ...] = ()
    there: tuple[Set, ...] = ()
    exactly: tuple[Record, ...] = ()
    drop: tuple[Set, ...] = ()  # whole sets
    delete: tuple[Record, ...] = ()
    add: tuple[Record, ...] = ()


def script(steps: Sequence[Step], head: Iterable[str], server: str = "", primaries: Mapping[str, str] = NONE) -> str:
    """What can be done at once; what has to wait stands in comments, for a later run of the same command.

    Without `server`, each update goes to the primary of its zone.
    """
    parts = ["".join(f"; {line}".rstrip() + "\n" for line in map(one_line, head))]
    ready: set[int] = set()
    for step in steps:
        comment = "".join(f"; {line}\n" for line in said(step))
        now = step.change is not None and not step.wait and ready.issuperset(step.after)
        text = render([update(step, server or primaries.get(step.change.zone, ""))]) if step.change else ""
        if now:
            ready.add(step.number)
        parts.append(comment + (text if now else "".join(f"; later:  {line}\n" for line in text.splitlines())))
    return "\n".join(parts)


def update(step: Step, server: str = "") -> Update:
    change = step.change
    assert change is not None  # noqa: S101 - only changes of DNS become updates
    key = (change.name, change.kind)
    made = Update(change.zone, server, add=_rows(change, change.add, step.ttl))
    if not change.present:
        return replace(made, absent=(key,))
    if change.exact:
        return replace(made, exactly=_rows(change, change.before), delete=_rows(change, change.remove))
    return replace(made, there=(key,), drop=(key,), add=_rows(change, change.after, step.ttl))


def _rows(change: Change, values: Iterable[str], ttl: int = 0) -> tuple[Record, ...]:
    return tuple(Record(change.name, change.kind, value, ttl) for value in values)


def render(updates: Iterable[Update]) -> str:
    return "".join(f"{line}\n" for one in updates for line in _lines(one))


def _lines(one: Update) -> Iterator[str]:
    if one.server:
        yield f"server {one.server}"
    yield f"zone {_dotted(one.zone)}"
    yield from (f"prereq nxrrset {_dotted(name)} IN {kind}" for name, kind in one.absent)
    yield from (f"prereq yxrrset {_dotted(name)} IN {kind}" for name, kind in one.there)
    yield from (f"prereq yxrrset {_dotted(row.name)} IN {_data(row)}" for row in one.exactly)
    yield from (f"update delete {_dotted(name)} IN {kind}" for name, kind in one.drop)
    yield from (f"update delete {_dotted(row.name)} IN {_data(row)}" for row in one.delete)
    yield from (f"update add {_dotted(row.name)} {row.ttl} IN {_data(row)}" for row in one.add)
    yield "send"


def _data(row: Record) -> str:
    return f"{row.kind} {rdata(row.kind, row.value).to_text()}"


def _dotted(name: str) -> str:
    try:
        return dns.name.from_text(name).to_text()
    except dns.exception.DNSException as error:
        raise PeerGarbled(f"{name[:60]!r} is no DNS name: {error}") from None


def read(text: str) -> tuple[Update, ...]:
    """The updates that `render` writes, comments left out. Raises PeerGarbled."""
    if len(text) > MAX_TEXT:
        raise PeerGarbled(f"longer than {MAX_TEXT} characters")
    found: list[Update] = []
    current = Update("")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith(";"):
            continue
        try:
            current = _read(current, line)
        except (dns.exception.DNSException, ValueError) as error:
            raise PeerGarbled(f"line {number}: {str(error) or type(error).__name__}"[:200]) from None
        if line.strip() == "send":
            found.append(current)
            current = Update("")
    if current != Update(""):
        raise PeerGarbled("the last update is not sent")
    return tuple(found)


def _read(one: Update, line: str) -> Update:
    words = line.split(maxsplit=2)
    match words[:2]:
        case ["send"]:
            return one
        case ["server", _]:
            return replace(one, server=line.split(maxsplit=1)[1])
        case ["zone", zone]:
            return replace(one, zone=_plain(zone))
        case ["prereq", "nxrrset"]:
            return replace(one, absent=(*one.absent, _set(words[2])))
        case ["prereq", "yxrrset"]:
            row = _row(words[2])
            return (
                replace(one, exactly=(*one.exactly, row)) if row else replace(one, there=(*one.there, _set(words[2])))
            )
        case ["update", "delete"]:
            row = _row(words[2])
            return replace(one, delete=(*one.delete, row)) if row else replace(one, drop=(*one.drop, _set(words[2])))
        case ["update", "add"]:
            name, ttl, rest = words[2].split(maxsplit=2)
            row = _row(f"{name} {rest}")
            if row is None:
                raise ValueError("nothing to add")
            return replace(one, add=(*one.add, replace(row, ttl=int(ttl))))
        case _:
            raise ValueError(f"{line[:60]!r} is no command known here")


def _plain(name: str) -> str:
    return spell(dns.name.from_text(name).labels)


def _set(words: str) -> Set:
    name, _, kind = words.split()
    return _plain(name), dns.rdatatype.from_text(kind).name


def _row(words: str) -> Record | None:
    """None for a name and a kind without data."""
    parts = words.split(maxsplit=3)
    if len(parts) < 3 or parts[1] != "IN":
        raise ValueError(f"{words[:60]!r} has no class and kind")
    if len(parts) == 3:
        return None
    kind = dns.rdatatype.from_text(parts[2])
    words_ = dns.tokenizer.Tokenizer(parts[3])
    data = dns.rdata.from_text(dns.rdataclass.IN, kind, words_, dns.name.root, relativize=False)
    return Record(_plain(parts[0]), kind.name, spelled(data), 0)
