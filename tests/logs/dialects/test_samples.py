"""Every row of every dialect has an annotated sample and a forged near miss, and both yield the true fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any

import pytest

from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.registry import DIALECTS, OBJECTS
from gatepost.logs.dialects.table import Row, Table
from gatepost.logs.understanding import understand
from gatepost.model.event import LONGEST, Event, Kind
from gatepost.model.log import Line


@dataclass(frozen=True, slots=True)
class Sample:
    dialect: str
    row: str
    tag: str
    message: str
    expect: dict[str, Any]
    near: bool

    @property
    def line(self) -> Line:
        return Line(1, "mx1", self.tag, 42, self.message)


def read(dialect: str) -> Iterator[Sample]:
    beside = resources.files("gatepost.logs.dialects").joinpath("samples", f"{dialect}.jsonl")
    for line in beside.read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        assert said["versions"]
        yield Sample(dialect, said["row"], said["tag"], said["message"], said["expect"], said.get("near", False))


SAMPLES = [sample for dialect in DIALECTS for sample in read(dialect.name)]


def answering(line: Line) -> Row | None:
    """The row that understands a line."""
    for dialect in DIALECTS:
        part = dialect.claims(line.tag)
        if part is not None:
            table, message = part.table, line.message
            if dialect.unwrap is not None:
                table, message = dialect.unwrap(_draft(line), message)
            return _row(table, message)
    return next((row for table in OBJECTS if (row := _row(table, line.message)) is not None), None)


def _draft(line: Line) -> Draft:
    for dialect in DIALECTS:
        if (part := dialect.claims(line.tag)) is not None:
            return Draft(1, "", part.daemon, part.service, None, Kind.UNKNOWN)
    raise AssertionError(line.tag)


def _row(table: Table, message: str) -> Row | None:
    found = table.find(message)
    return found[0] if found else None


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: f"{one.dialect}-{one.row}-{one.message[:40]}")
def test_says_what_was_annotated(sample: Sample) -> None:
    row = answering(sample.line)
    assert row is not None
    assert row.name == sample.row
    event = understand(sample.line, 7, 11)
    told = {name: getattr(event, name) for name in sample.expect}
    assert told == sample.expect
    assert (event.source, event.offset, event.host, event.at) == (7, 11, "mx1", 1)


def test_every_row_has_a_sample_and_a_near_miss() -> None:
    told = {(id(answering(one.line)), one.near) for one in SAMPLES}
    rows = [(name, row) for dialect in DIALECTS for name, table in dialect.tables for row in table.rows]
    rows += [("objects", row) for table in OBJECTS for row in table.rows]
    missing = sorted(
        {
            f"{name}: {row.name} ({'near miss' if near else 'sample'})"
            for name, row in rows
            for near in (False, True)
            if (id(row), near) not in told
        }
    )
    assert missing == []


def test_a_draft_is_an_event_that_may_change() -> None:
    assert [(one.name, one.type, one.default) for one in fields(Draft)] == [
        (one.name, one.type, one.default) for one in fields(Event)
    ]


@pytest.mark.parametrize("sample", SAMPLES[::7], ids=lambda one: one.message[:40])
def test_texts_are_bounded(sample: Sample) -> None:
    long = sample.message.replace("example", "e" * 500)
    event = understand(Line(1, "mx1", sample.tag, 42, long))
    assert all(len(value) <= LONGEST for one in fields(Event) if isinstance(value := getattr(event, one.name), str))
