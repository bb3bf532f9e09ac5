"""Append, commit, replace, read: what was committed is there once, and readers see one state."""

from __future__ import annotations

import fcntl
import os
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatepost.edge.lake import manifest, segments, upkeep
from gatepost.edge.lake.lake import Lake
from gatepost.errors import UsageError
from gatepost.lake.columns import DATASETS, EVENTS
from gatepost.model.log import Position, Shape
from tests.edge.lake.rows import A_DAY, FIRST, LOG, after, events, numbers, signals


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state" / "lake"


def test_an_empty_lake_has_all_views_with_their_columns(place: Path) -> None:
    with Lake.open(place) as lake:
        db = lake.connect()
        for name, schema in DATASETS.items():
            found = db.execute(f"SELECT * FROM {name}")  # noqa: S608 - our names
            assert [column[0] for column in found.description or ()] == [*schema.names, "day"]
            assert found.fetchall() == []
        assert db.execute("SELECT count(*) FROM sources").fetchone() == (0,)
        assert (lake.position(LOG), lake.sequence, lake.verify(), lake.touched(0)) == (None, 0, (), ())
    assert not place.exists()


def test_what_was_not_committed_is_not_there(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 10), after(10))
        lake.commit()
        lake.append(events(10, 5), after(15))
        assert lake.position(LOG) == after(15)
    assert numbers(place) == list(range(10))
    with Lake.open(place) as lake:
        assert lake.position(LOG) == after(10)


def test_rows_of_many_days_go_each_to_its_own(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 3 * A_DAY), after(3 * A_DAY))
        lake.commit()
        days = [one.day for one in lake.present()]
        found = lake.connect().execute("SELECT day, count(*) FROM events GROUP BY 1 ORDER BY 1").fetchall()
    assert days == [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=2)]
    assert found == [(day, A_DAY) for day in days]


def test_rows_without_a_time_or_with_an_impossible_one_are_kept_as_undated(place: Path) -> None:
    table = events(0, 5)
    times = pa.array([None, 2**62, -(2**62), -1, 0], EVENTS.field("at").type)
    with Lake.open(place, write=True) as lake:
        lake.append(table.set_column(0, EVENTS.field("at"), times), after(5))
        lake.commit()
        found = lake.connect().execute("SELECT day, count(*) FROM events GROUP BY 1 ORDER BY 1").fetchall()
        assert found == [(date(1969, 12, 31), 1), (date(1970, 1, 1), 1), (None, 3)]
        assert lake.touched(0) == (None, date(1969, 12, 31), date(1970, 1, 1))


def test_derived_rows_are_replaced_a_day_at_a_time_and_can_go(place: Path) -> None:
    other = FIRST + timedelta(days=1)
    with Lake.open(place, write=True) as lake:
        for count in (5, 3):
            lake.replace("signals", FIRST, signals(FIRST, count))
            lake.replace("signals", other, signals(other, 2))
            lake.commit()
        count_all = "SELECT day, count(*) FROM signals GROUP BY 1 ORDER BY 1"
        assert lake.connect().execute(count_all).fetchall() == [(FIRST, 3), (other, 2)]
        lake.replace("signals", FIRST, signals(FIRST, 0))
        lake.commit()
        assert lake.connect().execute(count_all).fetchall() == [(other, 2)]
        assert lake.verify() == ()
        with pytest.raises(ValueError, match="not derived"):
            lake.replace("events", FIRST, events(0, 1))


def test_days_that_were_read_again_are_told_and_merging_touches_nothing(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        for n in range(3):
            lake.append(events(n, 1), after(n + 1))
            lake.commit()
        seen = lake.sequence
        upkeep.compact(lake)
        assert lake.touched(seen) == ()
        lake.append(events(A_DAY, 1), after(A_DAY))
        lake.commit()
        assert lake.touched(seen) == (FIRST + timedelta(days=1),)


def test_the_second_writer_is_told_who_the_first_is(place: Path) -> None:
    with Lake.open(place, write=True), pytest.raises(UsageError, match=f"process {os.getpid()} is writing"):
        Lake.open(place, write=True)
    Lake.open(place, write=True).close()


def test_who_only_reads_cannot_write(place: Path) -> None:
    with Lake.open(place) as lake, pytest.raises(UsageError, match="reading only"):
        lake.append(events(0, 1), after(1))


def test_a_reader_keeps_its_state_while_its_files_are_replaced_and_deleted(place: Path) -> None:
    with Lake.open(place, write=True) as writer:
        for n in range(4):
            writer.append(events(n, 1), after(n + 1))
            writer.commit()
        reader = Lake.open(place)
        db = reader.connect()
        upkeep.compact(writer)
        writer.append(events(4, 1), after(5))
        writer.commit()
        assert db.execute("SELECT count(*) FROM events").fetchone() == (4,)
        assert len(list(place.glob("events/day=*/*.parquet"))) == 6
        reader.close()
        writer.tidy()
        assert len(list(place.glob("events/day=*/*.parquet"))) == 2
        assert numbers(place) == [0, 1, 2, 3, 4]


def test_the_lease_of_a_dead_reader_holds_nothing(place: Path) -> None:
    with Lake.open(place, write=True) as writer:
        (place / "readers").mkdir()
        (place / "readers" / "1-dead").write_text("0")
        for n in range(2):
            writer.append(events(n, 1), after(n + 1))
            writer.commit()
        upkeep.compact(writer)
        assert len(list(place.glob("events/day=*/*.parquet"))) == 1
    assert list((place / "readers").iterdir()) == []


def test_a_lease_that_was_just_made_holds_everything(place: Path) -> None:
    with Lake.open(place, write=True) as writer:
        (place / "readers").mkdir()
        with (place / "readers" / "1-new").open("w") as lease:
            fcntl.flock(lease, fcntl.LOCK_EX)
            for n in range(2):
                writer.append(events(n, 1), after(n + 1))
                writer.commit()
            upkeep.compact(writer)
            assert len(list(place.glob("events/day=*/*.parquet"))) == 3


def test_files_of_a_killed_run_are_ignored_and_swept(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 3), after(3))
        lake.commit()
    orphan = segments.write(place, "events", FIRST, [events(3, 3)], EVENTS)
    (place / "events" / f"day={FIRST}" / ".half.parquet.partial").write_bytes(b"PAR1")
    assert numbers(place) == [0, 1, 2]
    Lake.open(place, write=True).close()
    assert not (place / orphan.file).exists()
    assert len(list(place.glob("events/day=*/*"))) == 1
    assert numbers(place) == [0, 1, 2]


def test_a_column_that_came_later_is_empty_in_older_files(place: Path) -> None:
    older = pa.schema([one for one in EVENTS if one.name not in {"user", "size"}])
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 2), after(2))
        lake.commit()
        old = lake.present()[0]
        path = place / old.file
        pq.write_table(pq.read_table(path, partitioning=None).select(older.names), path)
        with manifest.transaction(lake._writable()):
            lake._writable().execute("UPDATE layout SET columns = ?", (str(older.names).replace("'", '"'),))
        lake.append(events(2, 1), after(3))
        lake.commit()
        found = lake.connect().execute('SELECT "user", size FROM events ORDER BY "offset"').fetchall()
        assert found == [("", None), ("", None), ("user2", None)]
        upkeep.compact(lake)
        assert lake.connect().execute('SELECT "user" FROM events ORDER BY "offset"').fetchall() == [
            ("",),
            ("",),
            ("user2",),
        ]


def test_a_day_in_the_question_leaves_out_the_files_of_the_others(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 5 * A_DAY), after(5 * A_DAY))
        lake.commit()
        asked = f"EXPLAIN SELECT client FROM events WHERE day = DATE '{FIRST}'"  # noqa: S608 - a date
        plan = lake.connect().execute(asked).fetchall()[0][1]
    assert "Scanning Files: 1/5" in plan


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '{out}'",
        "COPY (SELECT 1) TO '{file}' (FORMAT parquet)",
        "ATTACH '{out}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
    ],
)
def test_a_connection_reaches_nothing_but_the_files_of_the_lake(place: Path, tmp_path: Path, statement: str) -> None:
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 3), after(3))
        lake.commit()
        file = place / lake.present()[0].file
        with pytest.raises(duckdb.Error):
            lake.connect().execute(statement.format(out=tmp_path / "out", file=file))
        assert not (tmp_path / "out").exists()
        assert lake.verify() == ()


def test_the_same_bytes_are_known_again_under_another_name(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 3), after(3, "/var/log/mail.log.1"))
        lake.commit()
        assert lake.taken("g1") == after(3, "/var/log/mail.log.1")
        assert lake.taken("g2") is None


def test_sources_keep_their_numbers(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        assert [lake.number(name) for name in ("a", "b", "a")] == [1, 2, 1]
    with Lake.open(place, write=True) as lake:
        assert lake.number("b") == 2
        assert lake.position("b") is None


def test_many_rows_are_committed_on_the_way(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepost.edge.lake.lake.FULL", 100)
    with Lake.open(place, write=True) as lake:
        for n in range(0, 250, 50):
            lake.append(events(n, 50), after(n + 50))
    assert numbers(place) == list(range(200))


def test_a_name_with_quotes_is_a_name(tmp_path: Path) -> None:
    place = tmp_path / 'it\'s "here"' / "lake"
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 1), Position("o'clock", Shape.FILE, "g", 1))
        lake.commit()
        assert lake.connect().execute("SELECT name FROM sources").fetchall() == [("o'clock",)]
        assert lake.connect().execute("SELECT count(*) FROM events").fetchone() == (1,)


def test_a_file_in_the_place_of_the_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("")
    with pytest.raises(UsageError, match=str(tmp_path)):
        Lake.open(tmp_path / "lake", write=True)


def test_a_database_that_is_none_is_said(place: Path) -> None:
    place.mkdir(parents=True)
    (place / "lake.db").write_bytes(b"not a database at all, but long enough to be read as one" * 100)
    with pytest.raises(UsageError, match="damaged"):
        Lake.open(place)
