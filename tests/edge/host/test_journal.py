"""The journal: what is written is there, whatever happens; what is damaged is named."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.edge.host import journal
from gatepost.errors import CannotLook, UsageError
from gatepost.model.plan import Act, Applied, Ending, Found, Kind, Plan, Step, Written
from gatepost.report.plain import from_plain, mapping, to_plain

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORD = Applied(Plan("p", NOW, "gatepost.toml"), NOW, Ending.UNFINISHED, id="p")

texts = st.text('a b\n\0"\\é\u2028', max_size=8)
acts = st.builds(Act, st.tuples(texts, texts), texts)
steps = st.builds(
    Step, texts, texts, st.sampled_from(Kind), texts, st.tuples(texts), texts,
    touches=st.tuples(texts), writes=st.tuples(st.builds(Written, texts, texts, st.integers(0, 0o7777))),
    acts=st.tuples(acts), undo=st.tuples(acts), already=st.tuples(acts),
    found=st.tuples(st.builds(Found, texts, texts)),
)  # fmt: skip
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
records = st.builds(
    Applied, st.builds(Plan, texts, times, texts, st.tuples(steps)), times, st.sampled_from(Ending),
    ended=st.none() | times, why=texts, done=st.tuples(texts), by=texts, id=texts,
    ways=st.tuples(st.tuples(texts, texts)), kept=st.none() | times, backups=texts,
)  # fmt: skip


@given(records)
def test_what_is_written_is_read(record: Applied) -> None:
    assert from_plain(Applied, mapping(to_plain(record), "")) == record


def test_oldest_first_and_replaced(tmp_path: Path) -> None:
    later = replace(RECORD, id="a", started=NOW + timedelta(hours=1))
    journal.write(tmp_path, later)
    journal.write(tmp_path, RECORD)
    assert journal.records(tmp_path) == (RECORD, later)
    ended = replace(RECORD, ending=Ending.KEPT)
    journal.write(tmp_path, ended)
    assert journal.records(tmp_path) == (ended, later)
    assert journal.unfinished(tmp_path) == (later,)


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    journal.write(tmp_path, RECORD)
    (path,) = (tmp_path / "applied").glob("*.json")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_half_a_record_counts_for_nothing(tmp_path: Path) -> None:
    """A write that was cut off leaves what was there before."""
    journal.write(tmp_path, RECORD)
    (tmp_path / "applied/.p.partial").write_text('{"schema": "gatepo')
    assert journal.records(tmp_path) == (RECORD,)
    journal.write(tmp_path, replace(RECORD, why="again"))
    assert journal.records(tmp_path)[0].why == "again"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "-x", "x" * 65, "a\n"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a plan"):
        journal.named(tmp_path, name)


def test_the_same_plan_again_is_numbered(tmp_path: Path) -> None:
    for expected in ("p", "p-2", "p-3"):
        name = journal.named(tmp_path, "p")
        assert name == expected
        journal.write(tmp_path, replace(RECORD, id=name))


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    with (
        journal.locked(tmp_path, "alice, plan p"),
        pytest.raises(CannotLook, match=r"^another apply is under way: alice, plan p$"),
        journal.locked(tmp_path, "bob"),
    ):
        pass
    with journal.locked(tmp_path, "bob"):
        assert journal.holder(tmp_path) == "bob"


def _hold(directory: Path, started: object) -> None:
    with journal.locked(directory, "a process"):
        started.set()  # type: ignore[attr-defined]  # an event of multiprocessing
        signal_never = multiprocessing.Event()
        signal_never.wait(60)


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    process = context.Process(target=_hold, args=(tmp_path, started))
    process.start()
    assert started.wait(60)
    with pytest.raises(CannotLook), journal.locked(tmp_path, "us"):
        pass
    process.kill()
    process.join()
    with journal.locked(tmp_path, "us"):
        pass


def test_a_state_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--state"), journal.locked(tmp_path / "file", "us"):
        pass
    with pytest.raises(UsageError, match="--state"):
        journal.write(tmp_path / "file", RECORD)
    with pytest.raises(UsageError, match="--state"):
        journal.records(tmp_path / "file")
    assert journal.records(tmp_path / "none") == ()


def test_names_that_lead_elsewhere(tmp_path: Path) -> None:
    """A host or an id becomes a directory on a host, whose scripts are run."""
    for changed in (replace(RECORD, ways=(("../../tmp/x", "local"),)), replace(RECORD, id="q")):
        journal.write(tmp_path, changed)
        (tmp_path / f"applied/{changed.id}.json").rename(tmp_path / "applied/p.json")
        with pytest.raises(UsageError, match="not a record of an apply"):
            journal.records(tmp_path)


def test_what_others_can_write_is_not_carried_out(tmp_path: Path) -> None:
    journal.write(tmp_path, RECORD)
    for path, usual, mode in ((tmp_path / "applied", 0o700, 0o777), (tmp_path / "applied/p.json", 0o600, 0o620)):
        path.chmod(mode)
        with pytest.raises(UsageError, match="others may have written it"):
            journal.records(tmp_path)
        path.chmod(usual)
    assert journal.records(tmp_path) == (RECORD,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_others_own_is_not_carried_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.write(tmp_path, RECORD)
    os.chown(tmp_path / "applied/p.json", 65534, 65534)
    with pytest.raises(UsageError, match="others may have written it"):
        journal.records(tmp_path)
    monkeypatch.setenv("SUDO_UID", "65534")
    assert journal.records(tmp_path) == (RECORD,)


def test_no_link_is_followed(tmp_path: Path) -> None:
    """A state directory may come with somebody else's files."""
    precious = tmp_path / "precious"
    precious.write_text("kept as it is")
    (tmp_path / "applied").mkdir(mode=0o700)
    for name in (".p.partial", "p.confirm", "p.json"):
        (tmp_path / "applied" / name).symlink_to(precious)
    (tmp_path / journal.LOCK).symlink_to(precious)
    with pytest.raises(UsageError), journal.locked(tmp_path, "us"):
        pass
    for act in (journal.write, lambda state, _: journal.ask(state, "p"), lambda state, _: journal.records(state)):
        with pytest.raises(UsageError):
            act(tmp_path, RECORD)
    assert precious.read_text() == "kept as it is"


def test_a_pipe_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "applied").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "applied/p.json", 0o600)
    with pytest.raises(UsageError, match="not a record of an apply"):
        journal.records(tmp_path)
