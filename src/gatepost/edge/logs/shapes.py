"""The common shapes of messages, for the compiled scanner.

A shape says where the variable places of a message are, and nothing about their meaning. What a message means is asked
of the complete patterns: each shape is filled with several samples, `understand` reads them, and what it answered is
either the same for all of them or the text of a place. A shape for which neither holds is not used, and its lines go
the slow path. So the scanner cannot disagree with a pattern that was changed; it only gets slower.

Places are narrower than what the patterns allow: whatever may be converted, masked, cut or quoted is left.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate, product

import pyarrow as pa

from gatepost.edge.logs.wording import ALTERNATIVES, CLASSES, SHAPES
from gatepost.lake.columns import EVENTS
from gatepost.logs.understanding import about_authentication, understand
from gatepost.model.event import Event, Kind
from gatepost.model.log import Line

ROUNDS = 8
GIVEN = ("at", "host", "pid", "source", "offset")
AT, HOST, PID, SOURCE, OFFSET = 1_700_000_000_000_000, "mx7.example.org", 4711, 3, 99
WORD, TEXT, NARROW, WIDE = range(4)
_ALTERNATIVE = re.compile(r"<([a-z0-9_]+)>")
_BEHIND_COLON = re.compile(r"(?<=: )")
_PIECE = re.compile(r"\{(=?[a-zA-Z]|)\}")

Value = str | int | tuple[int, int] | None


@dataclass(frozen=True, slots=True, order=True)
class Counted:
    """What coverage counts a line under."""

    daemon: str
    auth: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """`values` are the columns that are not empty: what they hold, or the places whose text they hold."""

    tag: str
    pieces: tuple[str, ...]  # a literal text, or {x} for a place of class x
    values: tuple[tuple[str, Value], ...]
    counted: Counted


@dataclass(frozen=True, slots=True)
class Sample:
    """A message of a shape. `ends` are where pieces begin and end, `places` the numbers of these."""

    text: str
    ends: tuple[int, ...]
    places: dict[int, int]

    def between(self, first: int, last: int) -> str:
        return self.text[self.ends[first] : self.ends[last]]


@dataclass(frozen=True, slots=True)
class Known:
    """The shapes as the scanner reads them. `dropped` could not be learnt: a tag and a form each."""

    table: bytes
    counted: tuple[Counted, ...]
    shapes: tuple[Shape, ...]
    dropped: tuple[tuple[str, str], ...]


def known() -> Known:
    """Some ten thousand questions to the patterns; ask once."""
    shapes, dropped = list[Shape](), list[tuple[str, str]]()
    for tags, forms in SHAPES:
        for tag, form in product(tags, [one for worded in forms for one in expanded(worded)]):
            shape = learnt(tag, form)
            if shape:
                shapes.append(shape)
            else:
                dropped.append((tag, form))
    counted = tuple(sorted({one.counted for one in shapes}))
    return Known(_table(shapes, counted), counted, tuple(shapes), tuple(dropped))


def expanded(form: str) -> Iterator[str]:
    """Every way to choose among the alternatives named in a form."""
    found = _ALTERNATIVE.search(form)
    if not found:
        yield form
        return
    for one in ALTERNATIVES[found[1]]:
        yield from expanded(form[: found.start()] + one + form[found.end() :])


def learnt(tag: str, form: str) -> Shape | None:
    """What the complete patterns make of this form; None where that does not follow from its places."""
    pieces = tuple(_pieces(form))
    samples = [_sample(pieces, turn) for turn in range(ROUNDS)]
    lines = [Line(AT, HOST, tag, PID, sample.text) for sample in samples]
    events = [understand(line, SOURCE, OFFSET) for line in lines]
    if any(event.kind is Kind.UNKNOWN for event in events):
        return None
    given = dict(zip(GIVEN, (AT, HOST, PID, SOURCE, OFFSET), strict=True))
    values: list[tuple[str, Value]] = []
    for one in fields(Event):
        answers = [getattr(event, one.name) for event in events]
        if one.name in GIVEN and set(answers) == {given[one.name]}:
            continue
        value = answers[0] if len(set(answers)) == 1 else _place(samples, answers)
        untold = value is None and set(answers) != {None}
        if untold or (one.name in GIVEN and one.name != "pid"):
            return None
        if value not in {"", None}:
            values.append((one.name, value))
    auth = all(map(about_authentication, lines))
    return Shape(tag, pieces, tuple(values), Counted(events[0].daemon, auth))


def _pieces(form: str) -> Iterator[str]:
    """`{}` only divides a literal, so that a column can begin or end there. Literals are divided behind each colon too:
    forms that begin alike then share their first pieces, and are told apart sooner.
    """
    end = 0
    for found in _PIECE.finditer(form):
        yield from filter(None, _BEHIND_COLON.split(form[end : found.start()]))
        if found[1]:
            yield found[0]
        end = found.end()
    yield from filter(None, _BEHIND_COLON.split(form[end:]))


def _sample(pieces: Sequence[str], turn: int) -> Sample:
    said = list[str]()
    for number, piece in enumerate(pieces):
        if piece[0] != "{":
            said.append(piece)
        elif piece[1] == "=":
            said.append(said[_earlier(pieces[:number], piece[1:-1])])
        else:
            said.append(CLASSES[piece[1]].sample(turn, number))
    ends = tuple(accumulate(map(len, said), initial=0))
    return Sample("".join(said), ends, {end: number for number, end in enumerate(ends)})


def _earlier(pieces: Sequence[str], again: str) -> int:
    """The number of the last piece whose text comes again."""
    return len(pieces) - 1 - pieces[::-1].index(f"{{{again[1:]}}}")


def _place(samples: Sequence[Sample], answers: Sequence[object]) -> tuple[int, int] | None:
    """The places between which every sample has what was answered."""
    for first, last in _spans(samples[0], answers[0]):
        if all(_fits(sample.between(first, last), answer) for sample, answer in zip(samples, answers, strict=True)):
            return first, last
    return None


def _spans(sample: Sample, answer: object) -> Iterator[tuple[int, int]]:
    """Where in a sample an answer stands, from the begin of one piece to the end of another."""
    if isinstance(answer, int):
        yield from ((at, at + 1) for at in range(len(sample.ends) - 1))
        return
    for first, begin in enumerate(sample.ends):
        last = sample.places.get(begin + len(str(answer)), 0)
        if last > first and sample.text.startswith(str(answer), begin):
            yield first, last


def _fits(said: str, answer: object) -> bool:
    return said.isdigit() and int(said) == answer if isinstance(answer, int) else said == answer


def _table(shapes: Sequence[Shape], counted: Sequence[Counted]) -> bytes:
    """The form that native/scanner/engine.rs reads."""
    kinds = [_kind(one.type) for one in EVENTS]
    parts = [_number(len(kinds))]
    for kind, name in zip(kinds, EVENTS.names, strict=True):
        words = sorted({"", *_constants(shapes, name)}) if kind == WORD else []
        parts += (_number(kind), _number(len(words)), *map(_text, words))
    parts += (_number(EVENTS.names.index(name)) for name in GIVEN)
    letters = tuple(CLASSES)
    parts.append(_number(len(letters)))
    for one in CLASSES.values():
        parts += (_text(one.letters), _number(one.shortest), _number(one.longest))
        parts += (_number(one.condition), _number(one.spare), _number(len(one.words)), *map(_text, one.words))
    for shape in shapes:
        parts += (_text(shape.tag), _number(counted.index(shape.counted)), _number(len(shape.pieces)))
        parts += (_piece(shape.pieces, number, letters) for number in range(len(shape.pieces)))
        parts.append(_number(len(shape.values)))
        for name, value in shape.values:
            parts += (_number(EVENTS.names.index(name)), _value(value))
    return b"".join(parts)


def _piece(pieces: Sequence[str], number: int, letters: Sequence[str]) -> bytes:
    place = _PIECE.fullmatch(pieces[number])
    if not place:
        return _number(0) + _text(pieces[number])
    if place[1].startswith("="):
        return _number(2) + _number(_earlier(pieces[:number], place[1]))
    return _number(1) + _number(letters.index(place[1]))


def _constants(shapes: Sequence[Shape], column: str) -> Iterator[str]:
    return (str(value) for shape in shapes for name, value in shape.values if name == column and isinstance(value, str))


def _kind(kind: pa.DataType) -> int:
    if pa.types.is_dictionary(kind):
        return WORD
    if pa.types.is_string(kind):
        return TEXT
    return NARROW if pa.types.is_int32(kind) else WIDE


def _value(value: Value) -> bytes:
    if isinstance(value, tuple):
        return struct.pack("<III", 2, *value)
    if isinstance(value, int):
        return struct.pack("<Iq", 1, value)
    return _number(0) + _text(str(value or ""))


def _number(number: int) -> bytes:
    return struct.pack("<I", number)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _number(len(encoded)) + encoded
