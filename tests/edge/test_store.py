"""Since when a finding is open: remembered, and counted anew after a return."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatepost.edge.store import history, remember, sighted
from gatepost.errors import UsageError
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Presence, Tlsa
from gatepost.model.domain import DkimKeySeen, TlsaSeen
from gatepost.model.finding import Finding
from gatepost.model.observation import Seen
from gatepost.model.words import Outcome, Role, Severity
from tests.checks.cases import NAME, at, chain

DOMAIN = Endpoint("example.org")
DAY = timedelta(days=1)
START = datetime(2026, 11, 1, tzinfo=UTC)


def finding(outcome: Outcome) -> Finding:
    return Finding(
        "GP-TLS-002", "judge", "mx.test:465", Role.SUBMISSION, outcome, Severity.HIGH, "why", (), "", ("mx.test:465",)
    )


def test_first_seen_stays_until_fixed_and_starts_again_after_a_return(tmp_path: Path) -> None:
    (one,) = remember(tmp_path, (finding(Outcome.FAIL),), START)
    (two,) = remember(tmp_path, (finding(Outcome.FAIL),), START + DAY)
    assert (one.first_seen, two.first_seen) == (START, START)
    (fine,) = remember(tmp_path, (finding(Outcome.PASS),), START + 2 * DAY)
    assert fine.first_seen is None
    (back,) = remember(tmp_path, (finding(Outcome.FAIL),), START + 3 * DAY)
    assert back.first_seen == START + 3 * DAY


def test_not_seen_is_not_fixed(tmp_path: Path) -> None:
    remember(tmp_path, (finding(Outcome.FAIL),), START)
    remember(tmp_path, (finding(Outcome.UNKNOWN),), START + DAY)
    (still,) = remember(tmp_path, (finding(Outcome.FAIL),), START + 2 * DAY)
    assert still.first_seen == START


def test_an_unusable_directory_is_the_operators_to_mend(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with pytest.raises(UsageError, match="--state"):
        remember(blocked, (finding(Outcome.FAIL),), START)


def key(fingerprint: str, selector: str = "s1") -> Seen:
    return Seen((DkimKeySeen(DOMAIN, selector, Presence.PRESENT, declared=True, fingerprint=fingerprint),))


def test_a_key_keeps_the_day_it_was_first_seen(tmp_path: Path) -> None:
    sighted(tmp_path, key("aa"), START)
    (again,) = sighted(tmp_path, key("aa"), START + DAY)
    assert (again.what, again.value, again.first_seen, again.last_seen) == ("dkim-key", "aa", START, START + DAY)


def test_a_successor_has_a_day_of_its_own_and_the_old_one_stays_known(tmp_path: Path) -> None:
    sighted(tmp_path, key("aa"), START)
    known = sighted(tmp_path, key("bb"), START + DAY)
    assert [(d.value, d.first_seen, d.last_seen) for d in known] == [
        ("aa", START, START),
        ("bb", START + DAY, START + DAY),
    ]
    assert history(tmp_path, "dkim-key") == known
    assert history(tmp_path, "tlsa") == ()


def test_certificates_and_tlsa_are_dated_by_place(tmp_path: Path) -> None:
    record = Tlsa(3, 1, 1, "ab")
    pin = TlsaSeen(Endpoint("mx.test"), 25, "_25._tcp.mx.test", Presence.PRESENT, (record,), ttl=3600)
    both = Seen((chain(at(25)), chain(at(465)), pin))
    known = sighted(tmp_path, both, START)
    assert [(d.at.host, d.what) for d in known] == [(NAME, "certificate"), (NAME, "certificate"), ("mx.test", "tlsa")]
    assert known[2].value == "3 1 1 ab"
    assert json.loads(known[0].detail)["port"] == 25
    assert json.loads(known[0].detail)["names"] == [NAME]


def test_where_nothing_was_kept_there_is_no_history_and_no_file(tmp_path: Path) -> None:
    assert history(tmp_path / "none", "certificate") == ()
    assert not (tmp_path / "none").exists()
