"""What is said of a look before it is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gatepost.cli.looking import stale
from gatepost.model.architecture import Endpoint
from gatepost.model.rules import Reach, ReachSeen

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def tried(vantage: str, days: int | None) -> ReachSeen:
    at = None if days is None else NOW - timedelta(days=days)
    return ReachSeen(Endpoint("mx.test", "192.0.2.1", 25), vantage, "", "", Reach.REACHED, taken_at=at)


def test_old_vantages_are_named_with_their_age() -> None:
    seen = [tried("office", 12), tried("home", 3), tried("agentless", None), tried("office", 12)]
    assert stale(seen, NOW) == ("what office reached was tried 12 days ago: gatepost probe tries again",)
