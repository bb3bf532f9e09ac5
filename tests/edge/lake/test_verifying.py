"""Each way to tamper with a lake is told in words, and the first broken link is named."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from gatepost.edge.lake import chain, deriving, upkeep
from gatepost.edge.lake.lake import Lake
from gatepost.edge.lake.verifying import broken
from gatepost.errors import UsageError
from tests.edge.lake.rows import A_DAY, FIRST, after, events


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Six links: five commits, and the merger of the first two days' four."""
    place = tmp_path / "lake"
    with Lake.open(place, write=True) as lake:
        for n in range(5):
            lake.append(events(n * 250, 250), after((n + 1) * 250))
            lake.commit()
        upkeep.compact(lake)
        assert lake.verify() == ()
        assert lake.sequence == 7
    return place


def sql(place: Path, *statements: str) -> None:
    with closing(sqlite3.connect(place / "lake.db")) as db:
        for one in statements:
            db.execute(one)
        db.commit()


def files(place: Path) -> list[Path]:
    return sorted(place.glob("events/day=*/*.parquet"))


def changed(place: Path) -> None:
    path = files(place)[0]
    path.write_bytes(path.read_bytes()[:-9] + b"x" + path.read_bytes()[-8:])


def heads(place: Path, change: Callable[[list[str]], list[str]]) -> None:
    path = place / chain.HEADS
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


def swap(place: Path) -> None:
    sql(place, "UPDATE link SET sequence = 99 WHERE sequence = 2", "UPDATE link SET sequence = 2 WHERE sequence = 3",
        "UPDATE link SET sequence = 3 WHERE sequence = 99")  # fmt: skip


def rewritten(place: Path) -> None:
    """The whole chain anew, with a row count changed, as somebody would who knows how it is made."""
    with closing(sqlite3.connect(place / "lake.db")) as db:
        previous = chain.START
        for sequence, text in db.execute("SELECT sequence, body FROM link ORDER BY sequence").fetchall():
            body = json.loads(text) | ({"rows": 1} if sequence == 2 else {})
            made = chain.link(sequence, previous, body)
            db.execute("UPDATE link SET digest = ?, body = ? WHERE sequence = ?", (made.digest, made.body, sequence))
            previous = made.digest
        db.commit()


@pytest.mark.parametrize(
    ("tamper", "first"),
    [
        (lambda p: files(p)[0].unlink(), "its file events/day=2026-03-01/"),
        (changed, "was changed"),
        (lambda p: sql(p, "UPDATE link SET body = replace(body, '250', '251') WHERE sequence = 2"),
         "link 2 (events of 2026-03-01, added): its record was changed"),
        (lambda p: sql(p, "DELETE FROM link WHERE sequence = 3"), "link 3 is missing from the manifest, in the middle"),
        (swap, "link 2 (events of 2026-03-02, added): its record was changed, or moved"),
        (lambda p: sql(p, "DELETE FROM link WHERE sequence > 5", "DELETE FROM segment WHERE sequence > 5"),
         "links 6 to 7 are missing from the end of the manifest"),
        (rewritten, "link 2 (events of 2026-03-01, added): CHAIN.txt noted another digest"),
        (lambda p: sql(p, "UPDATE segment SET gone = 7 WHERE sequence = 5"), "link 5: its file"),
        (lambda p: sql(p, "UPDATE segment SET gone = NULL WHERE sequence = 1"), "link 1: the manifest lists"),
        (lambda p: sql(p, "UPDATE segment SET rows = 1 WHERE sequence = 5"),
         "link 5: the manifest's list of files was edited (rows)"),
        (lambda p: sql(p, "UPDATE source SET offset = 10"), "its position was set back"),
        (lambda p: sql(p, "UPDATE link SET body = 'x' WHERE sequence = 1"), "link 1: its record was changed"),
        (lambda p: (p / chain.HEADS).unlink(), "CHAIN.txt is missing or empty"),
        (lambda p: heads(p, lambda lines: lines[:3]), "CHAIN.txt has links 1 to 3, the manifest 1 to 7"),
        (lambda p: heads(p, lambda lines: lines[:2] + lines[3:]), "CHAIN.txt lacks link 3"),
        (lambda p: heads(p, lambda lines: lines[2:]), "CHAIN.txt has links 3 to 7"),
        (lambda p: [(p / f"lake.db{end}").unlink(missing_ok=True) for end in ("", "-wal", "-shm")],
         "the whole manifest is gone"),
    ],
)  # fmt: skip
def test_tampering_is_told(place: Path, tamper: Callable[[Path], object], first: str) -> None:
    tamper(place)
    said = broken(place)
    assert said
    assert first in said[0]


def test_a_crash_before_the_head_was_noted_is_no_tampering(place: Path) -> None:
    heads(place, lambda lines: lines[:-1])  # the last merger alone
    assert broken(place) == ()
    Lake.open(place, write=True).close()
    assert len((place / chain.HEADS).read_text().splitlines()) == 7


def test_half_a_line_of_the_head_is_written_again(place: Path) -> None:
    path = place / chain.HEADS
    path.write_bytes(path.read_bytes()[:-30])
    Lake.open(place, write=True).close()
    assert max(chain.heads(place)) == 7
    assert broken(place) == ()


def test_what_was_deleted_by_retention_leaves_its_links(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        gone = upkeep.prune(lake, 1, FIRST + timedelta(days=2))
        assert [one.day for one in gone] == [FIRST]
        assert lake.verify() == ()
        assert lake.connect().execute("SELECT count(*) FROM events").fetchone() == (5 * 250 - A_DAY,)
    assert files(place)[0].parent.name == "day=2026-03-02"


def test_a_link_noted_elsewhere_shows_a_chain_written_anew(place: Path) -> None:
    with Lake.open(place) as lake:
        newest, digest, *_ = lake.head()
        noted = f"{newest}:{digest}"
        assert lake.lacks(noted) == ()
        assert lake.lacks(f"{newest + 1}:{digest}") == (
            f"link {newest + 1} is not the one that was noted: nothing is in its place",
        )
        with pytest.raises(UsageError, match="NUMBER:DIGEST"):
            lake.lacks("x")
    rewritten(place)
    (place / chain.HEADS).unlink()
    with Lake.open(place) as lake:
        assert "another one" in lake.lacks(noted)[0]


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE segment SET day = 'soon' WHERE gone IS NULL",
        "UPDATE segment SET file = '../../../../etc/passwd' WHERE gone IS NULL AND sequence = 7",
        "UPDATE segment SET file = '/etc/passwd' WHERE gone IS NULL AND sequence = 7",
    ],
)
def test_an_entry_that_is_none_is_said_to_readers(place: Path, edit: str) -> None:
    sql(place, edit)
    with Lake.open(place) as lake, pytest.raises(UsageError, match="was edited"):
        lake.connect()


def test_a_file_that_was_deleted_is_said_to_readers(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        gone = lake.present("events")[-1]
        (place / gone.file).unlink()
        with pytest.raises(UsageError, match="gatepost logs verify"):
            lake.connect()
        with pytest.raises(UsageError, match="gatepost logs verify"):
            deriving.derive(lake)
