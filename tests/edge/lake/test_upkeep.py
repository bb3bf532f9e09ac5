"""Compaction, pseudonyms and retention; and any order of them, with crashes, against a plain model."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.edge.lake import segments, upkeep
from gatepost.edge.lake.lake import Lake
from gatepost.errors import UsageError
from gatepost.lake.columns import EVENTS
from tests.edge.lake.rows import A_DAY, FIRST, LOG, WIDTH, after, day_of, events, numbers

KEY = b"k" * 32
ROOT = Path(__file__).parents[3]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state" / "lake"


def test_many_files_become_one_a_day_in_order_of_time(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        for first in (1, 0, A_DAY, 2):
            lake.append(events(first, 1), after(first + 1))
            lake.commit()
        assert upkeep.compact(lake) == upkeep.Merged(3, 1)
        assert upkeep.compact(lake) == upkeep.Merged(0, 0)
        assert [one.rows for one in lake.present()] == [1, 3]
        merged = lake.present()[1]
        found = next(segments.read(place / merged.file, EVENTS))["offset"].to_pylist()
        assert found == [0, WIDTH, 2 * WIDTH]
        assert lake.verify() == ()


def test_large_files_are_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Lake.open(place, write=True) as lake:
        for n in range(4):
            lake.append(events(n, 1), after(n + 1))
            lake.commit()
        size = lake.present()[0].bytes
        monkeypatch.setattr(upkeep, "SMALL", size * 2 + size // 2)
        assert upkeep.compact(lake) == upkeep.Merged(4, 2)
        monkeypatch.setattr(upkeep, "SMALL", size // 2)
        assert upkeep.compact(lake) == upkeep.Merged(0, 0)


def test_names_go_after_their_time_and_what_remains_still_counts(place: Path) -> None:
    today = FIRST + timedelta(days=3)
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 3 * A_DAY), after(3 * A_DAY))
        lake.commit()
        masked = upkeep.mask(lake, 2, today, KEY)
        assert [one.day for one in masked] == [FIRST]
        assert upkeep.mask(lake, 2, today, KEY) == ()
        ask = 'SELECT count(DISTINCT "user"), any_value("user"), any_value(client) FROM events WHERE day = ?'
        users, user, client = lake.connect().execute(ask, [FIRST]).fetchall()[0]
        assert (users, user[0], client[:13]) == (7, "~", "192.0.2.0/24~")
        assert lake.connect().execute(ask, [FIRST + timedelta(days=1)]).fetchall()[0][1].startswith("user")
        assert b"user3" not in (place / lake.present()[-1].file).read_bytes()
        assert lake.verify() == ()


def test_rows_with_names_are_not_merged_with_rows_without(place: Path) -> None:
    today = FIRST + timedelta(days=9)
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 1), after(1))
        lake.commit()
        upkeep.mask(lake, 2, today, KEY)
        lake.append(events(1, 1), after(2))
        lake.commit()
        assert upkeep.compact(lake) == upkeep.Merged(0, 0)
        upkeep.mask(lake, 2, today, KEY)
        assert upkeep.compact(lake) == upkeep.Merged(2, 1)
        assert lake.present()[0].masked


def test_a_wrong_clock_is_suspected(place: Path) -> None:
    with Lake.open(place, write=True) as lake:
        lake.append(events(0, 1), after(1))
        lake.commit()
        read = upkeep.read_on(lake.present()[0])
        assert upkeep.clock_jumped(lake, 30, read + timedelta(days=3000))
        assert not upkeep.clock_jumped(lake, 30, read)


def test_the_key_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    first = upkeep.key(tmp_path)
    path = tmp_path / upkeep.KEY
    assert (upkeep.key(tmp_path), len(first), stat.S_IMODE(path.stat().st_mode)) == (first, 32, 0o600)
    assert [one.name for one in tmp_path.iterdir()] == [upkeep.KEY]
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        upkeep.key(tmp_path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(UsageError, match="not 32 bytes"):
        upkeep.key(tmp_path)


FULL = """
import resource, signal, sys
from pathlib import Path
from gatepost.edge.lake.lake import Lake
from gatepost.errors import UsageError
from tests.edge.lake.rows import after, events
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Lake.open(Path(sys.argv[1]), write=True) as lake:
    lake.append(events(0, 100), after(100))
    lake.commit()
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
    lake.append(events(100, 100), after(200))
    try:
        lake.commit()
    except UsageError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print([one.rows for one in lake.present()], len(list(Path(sys.argv[1]).glob("events/day=*/*"))))
    lake.commit()
"""


def test_a_disk_that_takes_no_more_is_said_and_the_next_commit_goes_on(place: Path) -> None:
    """A limit on the size of files stands in for the full disk: the same write fails in the same place."""
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(place)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={"PYTHONPATH": f"{ROOT}/src:{ROOT}", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said, left = ran.stdout.strip().splitlines()
    assert "file too large" in said
    assert "what was committed before is safe" in said
    assert left == "[100] 1"
    assert numbers(place) == list(range(200))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 700)),
        st.tuples(st.just("commit"), st.integers(0, 0)),
        st.tuples(st.just("compact"), st.integers(2, 4)),
        st.tuples(st.just("prune"), st.integers(1, 3)),
        st.tuples(st.just("mask"), st.integers(0, 2)),
        st.tuples(st.just("reopen"), st.integers(0, 0)),
        st.tuples(st.just("crash"), st.integers(0, 0)),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_any_order_of_deeds_and_crashes_gives_what_a_list_gives(steps: list[tuple[str, int]]) -> None:
    """`crash`: the commit fails after the files were written and before the transaction; the writer is gone then."""
    with TemporaryDirectory() as directory:
        place = Path(directory) / "lake"
        kept: list[int] = []  # committed
        waiting: list[int] = []
        lake = Lake.open(place, write=True)
        for what, amount in steps:
            position = lake.position(LOG)
            end = position.offset // WIDTH if position else 0
            if what == "append":
                lake.append(events(end, amount), after(end + amount))
                waiting += range(end, end + amount)
                continue
            if what in {"reopen", "crash"}:
                if what == "crash":
                    list(lake._changes(lake._pending))  # files, and no transaction
                waiting = []
                lake.close()
                lake = Lake.open(place, write=True)
            else:
                lake.commit()
                kept, waiting = kept + waiting, []
                kept = deed(lake, what, amount, day_of(end), kept)
            assert numbers(place) == kept
            assert lake.verify() == ()
            assert {p.relative_to(place).as_posix() for p in place.glob("*/day=*/*")} == {
                s.file for s in lake.present()
            }
        lake.close()


def deed(lake: Lake, what: str, amount: int, today: date, kept: list[int]) -> list[int]:
    if what == "compact":
        upkeep.compact(lake, amount)
    elif what == "mask":
        upkeep.mask(lake, amount, today, KEY)
    elif what == "prune":
        upkeep.prune(lake, amount, today)
        return [n for n in kept if (today - day_of(n)).days <= amount]
    return kept
