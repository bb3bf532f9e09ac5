"""The compiled scanner and the complete patterns give the same answers, whatever the lines."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.edge.logs import compiled, shapes, wording
from gatepost.edge.logs.scanner import Scanned, native, scan, slowly, table
from gatepost.lake.columns import EVENTS
from gatepost.logs.heading import heading
from gatepost.logs.understanding import understand
from gatepost.model.log import Clock
from lab.maillog import FORMATS, Wanted, write

CORPORA = Path("/work/shared/corpora/logs")
SAMPLES = Path(shapes.__file__).parents[2] / "logs" / "dialects" / "samples"
CLOCK = Clock(1_795_651_200_000_000, "Europe/Berlin")  # 26 November 2026
INSERTED = (
    b"password=x", b" pass ", b"auth=1 ", b"[192.0.2.9]", b">, rip=192.0.2.1, x=<", b"::ffff:1.2.3.4", b"\x00", b"\r",
    b" proto=ESMTP helo=<x>", b" (auth failed, 3 attempts in 2 secs)", b"unknown[1.2.3.4]", b"\xff\xc3", b"): ",
    b"from=<a> to=<b>", b"; from=<", b" starttls=1", b"01.2.3.4", b"2001:DB8::1", b"2001:db8:0::1", b"99999999999",
    b", sasl_username=", b"session=<x>", b"<22>1 ", b"Feb 29 ", b" 24:00:60 ", b"postfix/smtpd[1]: ", b" AUTH PLAIN x",
)  # fmt: skip

needs_native = pytest.mark.skipif(not native(), reason="the compiled scanner is not built (make native)")


def same(lines: bytes, clock: Clock = CLOCK) -> Scanned:
    """Scan both ways, hold one to the other, give the compiled one's."""
    quick, slow = scan(lines, clock, 7, 1000), slowly(lines, clock, 7, 1000)
    quick.table.validate(full=True)
    ours, theirs = quick.table.to_pydict(), slow.table.to_pydict()
    for name in EVENTS.names:
        assert ours[name] == theirs[name], name
    assert without_ways(quick) == without_ways(slow)
    return quick


def without_ways(scanned: Scanned) -> list[tuple[object, ...]]:
    return [(one.daemon, one.lines, one.understood, len(one.samples)) for one in scanned.coverage]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, ...]:
    folder = tmp_path_factory.mktemp("logs")
    made = []
    for number, form in enumerate(FORMATS):
        wanted = Wanted(6000, form, number, dovecot=("2.3", "2.4")[number % 2], postfix=("3.7", "3.10")[number % 2])
        write(folder / form, wanted)
        made.append((folder / form).read_bytes())
    return tuple(made)


@needs_native
def test_generated_logs_read_the_same_and_almost_all_are_taken(logs: tuple[bytes, ...]) -> None:
    for log in logs:
        coverage = same(log).coverage
        lines = sum(one.lines for one in coverage)
        assert lines == log.count(b"\n")
        assert sum(one.slow for one in coverage) < lines / 100


@needs_native
@pytest.mark.skipif(not any(SAMPLES.glob("*.jsonl")), reason="no annotated samples yet")
def test_annotated_samples_read_the_same() -> None:
    messages = [json.loads(line) for path in SAMPLES.glob("*.jsonl") for line in path.read_text().splitlines()]
    for one in messages:
        said = f"Nov  3 04:05:06 mx1 {one['tag']}[77]: {one['message']}".encode("utf-8", "replace")
        same(said.replace(b"\n", b" ") + b"\n")


@needs_native
@pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora here")
def test_lines_of_others_read_the_same() -> None:
    lines = [line for path in sorted(CORPORA.glob("*.jsonl")) for line in texts(path)]
    assert len(lines) > 200
    same(b"\n".join(lines) + b"\n")


def texts(path: Path) -> Iterator[bytes]:
    for line in path.read_text().splitlines():
        for value in json.loads(line).values():
            if isinstance(value, str) and len(value) > 40:
                yield value.replace("\n", " ").encode()


@needs_native
def test_spoiled_lines_read_the_same(logs: tuple[bytes, ...]) -> None:
    chance = random.Random(20)  # noqa: S311 - no secret
    lines = [line for log in logs for line in log.splitlines()]
    for _ in range(4):
        same(b"\n".join(spoiled(lines, chance) for _ in range(5000)) + b"\n")


@needs_native
@pytest.mark.parametrize("own", ["0", "00", "7", "2147483648", "99999999999"])
def test_a_process_of_any_number_reads_the_same(own: str) -> None:
    said = f"imap(anna@example.org)<{own}><s1>: Disconnected: Logged out in=1 out=2 deleted=0 expunged=0 trashed=0"
    same(f"Nov  3 04:05:06 mx1 dovecot[77]: {said} hdr_count=7 hdr_bytes=7 body_count=0 body_bytes=0\n".encode())


@needs_native
@pytest.mark.parametrize("user", ["491701234567", "01", "7"])
def test_a_user_of_digits_reads_the_same(user: str) -> None:
    read = same(f"Nov  3 04:05:06 mx1 dovecot[77]: lmtp({user})<78><s1>: msgid=<m>: saved mail to INBOX\n".encode())
    assert (read.table["user"].to_pylist(), read.table["pid"].to_pylist()) == ([user], [78])


def spoiled(lines: list[bytes], chance: random.Random) -> bytes:
    line, other = bytearray(chance.choice(lines)), chance.choice(lines)
    at, way = chance.randrange(len(line)), chance.randrange(6)
    if way == 0:
        line[at] = chance.choice(b" []<>:=,/().-0aZ9;\"'\\\t\x00\xff\r")
    elif way == 1:
        line[at] = chance.randrange(256)
    elif way == 2:
        del line[at : at + chance.randrange(1, 60)]
    elif way == 3:
        begin = chance.randrange(len(other))
        line[at:at] = other[begin : begin + chance.randrange(1, 60)]
    elif way == 4:
        line[at:] = other[chance.randrange(len(other)) :]
    else:
        line[at:at] = chance.choice(INSERTED)
    return bytes(line).replace(b"\n", b" ")


@needs_native
@given(st.lists(st.binary(max_size=120), max_size=4))
def test_any_bytes_read_the_same(lines: list[bytes]) -> None:
    same(b"\n".join(lines))


@needs_native
@given(st.data())
def test_each_shape_with_other_words_reads_the_same(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from(compiled.engine().shapes.shapes))  # type: ignore[union-attr]  # is there
    words = st.sampled_from([one.decode("latin-1") for one in INSERTED]) | st.text(max_size=12)
    turns = st.integers(0, 7)
    said = ""
    for piece in shape.pieces:
        if piece.startswith("{"):
            said += data.draw(words) if data.draw(turns) == 0 else place(piece, data.draw(turns))
        else:
            said += piece
    same(f"Nov 24 10:11:12 mx1 {shape.tag}[9]: {said}\n".encode("utf-8", "replace"))


def place(piece: str, turn: int) -> str:
    known = wording.CLASSES.get(piece.strip("{}="))
    return known.sample(turn, 3) if known else piece


@needs_native
def test_all_shapes_are_learnt_but_those_whose_words_are_masked() -> None:
    dropped = compiled.engine().shapes.dropped  # type: ignore[union-attr]  # is there
    assert [form for _, form in dropped if "(no auth attempts" not in form] == []


@pytest.mark.parametrize(
    ("newest", "zone"),
    [
        (1_772_323_200_000_000, "Europe/Berlin"),  # 1 March 2026: a 29 February is of 2024
        (1_774_828_800_000_000, "Europe/Berlin"),  # 30 March 2026, the clocks went forward the day before
        (1_792_980_000_000_000, "Europe/Berlin"),  # 26 October 2026, they went back the day before
        (1_767_225_600_000_000, "America/Lima"),  # the year turns
        (1_767_225_600_000_000, "+05:45"),
        (1_767_225_600_000_000, "No/Where"),
    ],
)
@needs_native
def test_times_without_year_or_zone_read_the_same(newest: int, zone: str) -> None:
    months, days, hours = ("Jan", "Feb", "Mar", "Oct", "Dec", "Foo"), (1, 2, 25, 29, 30, 31), (0, 1, 2, 3, 12, 23)
    stamps = [f"{month} {day:2d} {hour:02}:59:59" for month in months for day in days for hour in hours]
    zones = ("Z", "+02:00", "-11:30", "", "+99:99")
    dated = [f"2026-{m:02}-{d:02}T02:30:00{one}" for m in (3, 10, 13) for d in (25, 29, 32) for one in zones]
    lines = [f"{stamp} mx1 postfix/smtpd[1]: connect from unknown[192.0.2.1]" for stamp in (*stamps, *dated)]
    same("\n".join(lines).encode() + b"\n", Clock(newest, zone))


def test_a_line_that_nobody_understands_is_counted_and_no_row() -> None:
    strange = b"Nov 24 10:00:00 mx1 strange[1]: password=hunter2 said\n\n"
    scanned = scan(strange + b"Nov 24 10:00:00 mx1 postfix/qmgr[1]: ABCDEF1: removed\n", CLOCK)
    assert scanned.table.num_rows == 1
    count = next(one for one in scanned.coverage if one.daemon == "strange")
    assert (count.lines, count.understood, count.slow) == (1, 0, 1)
    assert "hunter2" not in "".join(count.samples)


def test_a_number_that_no_process_has_is_none() -> None:
    scanned = scan(b"Nov 24 10:00:00 mx1 postfix/qmgr[9999999999]: ABCDEF1: removed\n", CLOCK)
    assert scanned.table["pid"].to_pylist() == [None]


def test_half_a_character_does_not_break_a_table() -> None:
    line = heading(b"Nov 24 10:00:00 mx1 postfix/qmgr[1]: ABCDEF1: removed", CLOCK)
    assert line
    assert table([replace(understand(line), user="a\ud800b")])["user"].to_pylist() == ["a?b"]


def test_offsets_are_those_of_the_lines() -> None:
    lines = b"Nov 24 10:00:00 mx1 postfix/qmgr[1]: ABCDEF1: removed\n" * 3
    scanned = scan(lines, CLOCK, 5, 100)
    step = len(lines) // 3
    assert scanned.table["offset"].to_pylist() == [100, 100 + step, 100 + 2 * step]
    assert scanned.table["source"].to_pylist() == [5, 5, 5]


@needs_native
def test_a_table_keeps_its_memory_while_others_are_made() -> None:
    line = b"Nov 24 10:00:00 mx1 postfix/qmgr[1]: ABCDEF%d: removed\n"
    tables = [scan(line % number, CLOCK).table for number in range(30)]
    assert [one["queue"].to_pylist() for one in tables] == [[f"ABCDEF{number}"] for number in range(30)]


@needs_native
def test_hundreds_of_thousands_of_hostile_lines_do_no_harm(logs: tuple[bytes, ...]) -> None:
    """Through the C interface alone: what is claimed makes a valid table, and each line is a row or is left."""
    chance = random.Random(7)  # noqa: S311 - no secret
    lines = [line for log in logs for line in log.splitlines()]
    engine = compiled.engine()
    assert engine
    for turn in range(10):
        parts = [spoiled(lines, chance) for _ in range(10_000)]
        parts += [chance.randbytes(chance.randrange(80)).replace(b"\n", b"") for _ in range(10_000)]
        text = b"\n".join(parts) + b"\n"
        batch = engine.batch(CLOCK)
        assert batch.recognise(text, CLOCK)
        left = batch.left()
        filled = batch.fill(text, [None] * len(left), turn, 0)
        assert filled is not None
        filled.validate(full=True)
        assert filled.num_rows + len(left) == len(parts)
