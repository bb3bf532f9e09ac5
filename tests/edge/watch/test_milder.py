"""What an alert asks of policyd."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gatepost.edge.policing import store
from gatepost.edge.watch.milder import asking_policyd
from gatepost.model.alert import Alert, Response
from gatepost.model.words import Severity
from gatepost.policing.judging import Lock

NOW = 1_800_000_000
ALERT = Alert(
    "a1", "Spraying", Severity.HIGH, ("spray",), 0, 0, ("192.0.2.7",), (), ("Alice",), (), (), 9, (), Response.LOCK,
    "900 addresses tried 12 accounts", (),
)  # fmt: skip


@dataclass
class Said:
    delay: tuple[str, ...] = ("192.0.2.7", "192.0.2.9", "2001:db8::7")
    lock: tuple[str, ...] = ("Alice", "")


def test_accounts_are_locked_and_networks_slowed(tmp_path: Path) -> None:
    told = list(asking_policyd(tmp_path, 3600, carry=True)(Said(), [ALERT], NOW * 1_000_000))
    locks = store.locks(tmp_path, NOW)
    assert locks == {"alice": Lock("alice", NOW + 3600, "900 addresses tried 12 accounts", "watch")}
    assert store.slowed(tmp_path, NOW) == {"192.0.2.0/24", "2001:db8::/64"}
    assert store.slowed(tmp_path, NOW + 3600) == frozenset()
    assert [one.split(" for ")[0] for one in told] == ["1 accounts locked", "2 networks answered late"]


def test_a_rehearsal_only_says_so(tmp_path: Path) -> None:
    told = list(asking_policyd(tmp_path, 3600, carry=False)(Said(), [ALERT], NOW * 1_000_000))
    assert all("would be" in one for one in told)
    assert not list(tmp_path.iterdir())


def test_a_lock_for_everybody_is_not_loosened(tmp_path: Path) -> None:
    hard = Lock("alice", NOW + 9000, "stolen", "root", strangers=False)
    store.lock(tmp_path, hard)
    list(asking_policyd(tmp_path, 3600, carry=True)(Said(), [ALERT], NOW * 1_000_000))
    assert (store.locks(tmp_path, NOW)["alice"].until, store.locks(tmp_path, NOW)["alice"].strangers) == (
        NOW + 9000,
        False,
    )
