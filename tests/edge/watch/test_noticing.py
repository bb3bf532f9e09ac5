"""A clock that ran ahead, in one line or on the whole machine, makes no attack invisible."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from gatepost.detect.rules import load
from gatepost.edge.logs.scanner import scan
from gatepost.edge.watch.noticing import Noticing
from gatepost.edge.watch.rows import events
from gatepost.model.alert import Alert
from gatepost.model.event import MICROSECONDS
from gatepost.model.log import Clock

NOW = 1_795_000_000  # 2026-11-18 11:06:40 UTC
GUESSER = "203.0.113.9"


@dataclass
class Noticed:
    noticing: Noticing = field(default_factory=lambda: Noticing(load().rules))
    lines: int = 0

    def fails(self, second: int, now: int) -> None:
        self.lines += 1
        at = datetime.fromtimestamp(second, UTC).isoformat()
        line = (
            f"{at} mx1 dovecot: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): "
            f"user=<u{self.lines}@example.org>, method=PLAIN, rip={GUESSER}, lip=198.51.100.25, TLS, "
            f"session=<s{self.lines}>\n"
        )
        table = scan(line.encode(), Clock(now * MICROSECONDS, "UTC")).table
        list(self.noticing.take(events(table), now * MICROSECONDS))

    def guesses(self, now: int) -> tuple[Alert, ...]:
        for second in range(40):
            self.fails(now + second, now + second)
        return self.noticing.alerts((now + 40) * MICROSECONDS)


@pytest.mark.parametrize("ahead", [120, 3600, 86400, 72 * 365 * 86400])
def test_a_line_from_the_future_makes_those_of_today_not_late(ahead: int) -> None:
    noticed = Noticed()
    noticed.fails(NOW + ahead, NOW)
    found = noticed.guesses(NOW)
    assert found[0].blockable == (GUESSER,)
    assert found[0].last <= (NOW + 40) * MICROSECONDS


@pytest.mark.parametrize("back", [120, 3600, 86400])
def test_a_clock_that_is_put_back_ends_no_watching(back: int) -> None:
    noticed = Noticed()
    noticed.fails(NOW, NOW)
    assert noticed.guesses(NOW - back)[0].blockable == (GUESSER,)
