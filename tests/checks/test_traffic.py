"""Judges of what the logs tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from gatepost.checks import traffic
from gatepost.model.architecture import Endpoint
from gatepost.model.traffic import LogsRead, OneClient, UsedSeen
from gatepost.model.words import Severity
from tests.checks.cases import HOST, NAME, Row, of_row, row

SINCE, UNTIL = date(2026, 9, 1), date(2026, 11, 23)
READ = LogsRead(HOST, SINCE, UNTIL, 1000, ("mx1",))
LAST = datetime(2026, 11, 23, tzinfo=UTC)
SMTP = UsedSeen(Endpoint(NAME, "", 25), "smtp", True, SINCE, UNTIL, 500, 0, LAST, inside=400)
IMAP = UsedSeen(
    Endpoint(NAME, "", 143), "imap", False, SINCE, UNTIL, 90, 9, LAST, clear=3, clear_accounts=("alice",), inside=80
)
IMAPS = replace(IMAP, at=Endpoint(NAME, "", 993), service="imaps", clear=0, clear_accounts=())
GATEWAY = OneClient(HOST, "imap", "172.17.0.1", 900, "all 900 sessions of imap come from 172.17.0.1")

ROWS: tuple[Row, ...] = (
    row(traffic.nobody_logs_in_in_clear, HOST, "fail", READ, IMAP, IMAPS, says="3 on 143 (alice)"),
    row(traffic.nobody_logs_in_in_clear, HOST, "pass", READ, SMTP, IMAPS, says="no login in clear"),
    row(traffic.nobody_logs_in_in_clear, HOST, "unknown", says="no logs of this host were read"),
    row(traffic.users_stay_off_the_relay_port, HOST, "fail", READ, replace(SMTP, accounts=2), says="2 accounts"),
    row(traffic.users_stay_off_the_relay_port, HOST, "pass", READ, SMTP, says="500 sessions and no login"),
    row(traffic.users_stay_off_the_relay_port, HOST, "not-applicable", READ, IMAPS, says="nobody came"),
    row(traffic.users_stay_off_the_relay_port, HOST, "unknown", says="no logs of this host were read"),
    row(traffic.sessions_tell_their_tls, HOST, "fail", READ, SMTP, replace(IMAPS, untold=80), says="imaps 80 of 80"),
    row(traffic.sessions_tell_their_tls, HOST, "pass", READ, SMTP, IMAPS, says="nearly all"),
    row(traffic.sessions_tell_their_tls, HOST, "unknown", READ, replace(SMTP, inside=3), says="fewer than 20"),
    row(traffic.sessions_tell_their_tls, HOST, "unknown", says="no logs of this host were read"),
    row(traffic.clients_have_addresses_of_their_own, HOST, "fail", READ, GATEWAY, says="172.17.0.1"),
    row(traffic.clients_have_addresses_of_their_own, HOST, "pass", READ, SMTP, says="more than one address"),
    row(traffic.clients_have_addresses_of_their_own, HOST, "unknown", says="no logs of this host were read"),
)


@pytest.mark.parametrize("one", ROWS, ids=lambda one: f"{one.check.name}-{one.outcome}-{one.says[:30]}")
def test_judges(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert verdict.outcome is one.outcome, verdict
    assert one.says in verdict.because


def test_a_gateway_that_hides_everybody_is_severe() -> None:
    fail = next(one for one in ROWS if one.check is traffic.clients_have_addresses_of_their_own)
    assert fail.check.judge(of_row(fail)).severity is Severity.HIGH
