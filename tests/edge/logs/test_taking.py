"""From chunks into a lake: everything once, in order, and how far with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from gatepost.edge.lake.lake import Lake
from gatepost.edge.logs.taking import Progress, take
from gatepost.model.log import Chunk, Clock, Position, Shape
from lab.maillog import Wanted, write

CLOCK = Clock(1_795_651_200_000_000)
LINE = b"Nov 24 10:00:00 mx1 postfix/qmgr[1]: ABCDEF%d: removed\n"


def chunk(number: int, lines: int = 3, *, source: str = "/var/log/mail.log", note: str = "") -> Chunk:
    text = b"".join(LINE % (number * 10 + one) for one in range(lines))
    begin = number * len(text)
    return Chunk(text, begin, Position(source, Shape.FILE, "g", begin + len(text)), note)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open(tmp_path / "lake", write=True) as one:
        yield one


def rows(lake: Lake, sql: str) -> list[tuple[object, ...]]:
    return lake.connect().sql(sql).fetchall()


def test_all_lines_arrive_once_in_order_with_their_position(lake: Lake) -> None:
    taken = take((chunk(number) for number in range(40)), lake, CLOCK)
    assert (taken.lines, taken.rows) == (120, 120)
    found = rows(lake, 'SELECT queue, "offset" FROM events ORDER BY "offset"')
    assert [queue for queue, _ in found] == [f"ABCDEF{n * 10 + one}" for n in range(40) for one in range(3)]
    position = lake.position("/var/log/mail.log")
    assert position is not None
    assert position.offset == chunk(39).after.offset


def test_a_whole_log_arrives_however_it_is_cut_and_committed(lake: Lake, tmp_path: Path) -> None:
    write(tmp_path / "log", Wanted(5000))
    text = (tmp_path / "log").read_bytes()
    ends = [0, *(text.index(b"\n", at) + 1 for at in range(50_000, len(text) - 400, 50_000)), len(text)]
    chunks = [Chunk(text[a:b], a, Position("log", Shape.ARCHIVE, "g", b)) for a, b in pairwise(ends)]
    told: list[Progress] = []
    taken = take(chunks, lake, CLOCK, rows=700, progress=told.append)
    assert taken.lines == 5000
    assert taken.bytes == len(text)
    assert sum(one.lines for one in taken.coverage) == 5000
    assert rows(lake, 'SELECT count(*), count(DISTINCT "offset") FROM events') == [(taken.rows, taken.rows)]
    assert told[-1] == Progress(5000, taken.rows, len(text))
    assert len(lake.present("events")) > 2  # several commits on the way


def test_rows_are_committed_while_a_source_is_silent(lake: Lake) -> None:
    """A live source may say nothing for hours; what it said before is in the lake within a second."""
    committed = threading.Event()

    def live() -> Iterator[Chunk]:
        yield chunk(0)
        assert committed.wait(30)
        yield chunk(1)

    def told(_: Progress) -> None:
        if lake.present("events"):
            committed.set()

    assert take(live(), lake, CLOCK, seconds=0.05, progress=told).rows == 6


def test_what_was_read_before_an_error_is_not_half_committed(lake: Lake) -> None:
    def breaking() -> Iterator[Chunk]:
        yield chunk(0)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        take(breaking(), lake, CLOCK, seconds=1000)
    lake.close()
    with Lake.open(lake.directory) as again:
        assert again.position("/var/log/mail.log") is None


def test_a_reader_ends_when_the_lake_cannot_be_written(tmp_path: Path) -> None:
    ended = threading.Event()

    def endless() -> Iterator[Chunk]:
        try:
            for number in range(100_000):
                yield chunk(number)
        finally:
            ended.set()

    with Lake.open(tmp_path / "lake", write=True) as lake:
        number = lake.number  # the reader asks it first

        def broken(_: object, after: Position) -> None:
            raise OSError(f"no room for {number(after.source)}")

        lake.append = broken  # type: ignore[assignment, method-assign]  # a full disk
        with pytest.raises(OSError, match="no room"):
            take(endless(), lake, CLOCK)
        assert ended.wait(30)


def test_sources_keep_their_numbers_and_clocks(lake: Lake) -> None:
    def clock(one: Chunk) -> Clock:
        return Clock(CLOCK.newest, "+02:00" if one.after.source == "b" else "UTC")

    taken = take([chunk(0, source="a"), chunk(0, source="b", note="rotated")], lake, clock)
    assert taken.notes == ("rotated",)
    found = rows(lake, 'SELECT source, epoch("at")::BIGINT // 3600 % 24 FROM events GROUP BY ALL ORDER BY source')
    assert found == [(lake.number("a"), 10), (lake.number("b"), 8)]


def test_nothing_makes_nothing(lake: Lake) -> None:
    assert take([], lake, CLOCK).lines == 0
    assert lake.sequence == 0
