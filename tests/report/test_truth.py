from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gatepost.model.architecture import Architecture, Endpoint, Host, Service
from gatepost.model.audit import Audit
from gatepost.model.observation import (
    Capabilities,
    Closed,
    Handshake,
    Identified,
    Listening,
    Observation,
    Run,
    Seen,
    Tried,
    Unobserved,
    Upgrade,
    Vantage,
)
from gatepost.model.traffic import UsedSeen
from gatepost.model.words import Mode, Reason, Role
from gatepost.report.encryption import Word, encryption
from gatepost.report.truth import NOT_ASKED, Row, Standing, rows
from tests.report.sample import BAD, GOOD, GOOD_V4, GOOD_V6, NOW, sample

LAST = datetime(2026, 11, 23, tzinfo=UTC)
AT = Endpoint("mx.test", "192.0.2.1", 587)
SUBMISSION = Service("submission", 587, "smtp", Role.SUBMISSION, Mode.STARTTLS, line=7)


def table() -> dict[tuple[str, str, int], Row]:
    return {(r.host, r.address, r.port): r for r in rows(sample())}


def one(*seen: Observation, service: Service | None = SUBMISSION, at: Endpoint = AT) -> Row:
    services = (service,) if service else ()
    hosts = (Host(at.host, (at.address,), services, line=5),) if service else ()
    run = Run(Seen(seen), NOW)
    (row,) = rows(Audit(NOW, "rfc9325", (at.host,), (), run, Architecture(hosts=hosts, source="gatepost.toml")))
    return row


def speaks(mode: Mode, at: Endpoint = AT) -> tuple[Observation, ...]:
    return Vantage(at, "203.0.113.1"), Listening(at), Identified(at, "smtp", mode, "220 hi")


UPGRADE = Upgrade(AT, offered=True, accepted=True, answer="220 go")
REFUSES = Tried(AT, "mail-before-tls", accepted=False, encrypted=False, sent="MAIL FROM:<>", answer="530 no")
TAKES = replace(REFUSES, accepted=True, answer="250 ok")
CLEAR_LOGIN = Tried(AT, "auth-in-clear", accepted=True, encrypted=False, sent="AUTH PLAIN ***", answer="235 ok")
NO_LOGIN = replace(CLEAR_LOGIN, accepted=False, answer="538 encrypt first")
OFFERS = Capabilities(AT, ("AUTH PLAIN LOGIN",), encrypted=False)


@pytest.mark.parametrize(
    ("seen", "word", "standing"),
    [
        ((*speaks(Mode.STARTTLS), UPGRADE, REFUSES), Word.STARTTLS_ENFORCED, Standing.GOOD),
        ((*speaks(Mode.STARTTLS), UPGRADE, TAKES), Word.STARTTLS_OPTIONAL, Standing.ATTENTION),
        ((*speaks(Mode.STARTTLS), UPGRADE, NO_LOGIN, TAKES), Word.STARTTLS_OPTIONAL, Standing.ATTENTION),
        ((*speaks(Mode.STARTTLS), UPGRADE), Word.STARTTLS_OPTIONAL, Standing.ATTENTION),
        ((*speaks(Mode.STARTTLS), UPGRADE, CLEAR_LOGIN), Word.PLAINTEXT_LOGIN, Standing.BAD),
        ((*speaks(Mode.STARTTLS), UPGRADE, OFFERS), Word.PLAINTEXT_LOGIN, Standing.BAD),
        ((*speaks(Mode.STARTTLS), UPGRADE, OFFERS, NO_LOGIN), Word.STARTTLS_ENFORCED, Standing.GOOD),
        ((*speaks(Mode.STARTTLS), replace(UPGRADE, accepted=False)), Word.STARTTLS_REFUSED, Standing.BAD),
        (
            (*speaks(Mode.STARTTLS), replace(UPGRADE, offered=False, mangled="XXXXXXXA")),
            Word.STARTTLS_STRIPPED,
            Standing.BAD,
        ),
        ((*speaks(Mode.IMPLICIT), Handshake(AT, None, "TLSv1.3", "x")), Word.WRONG_MODE, Standing.BAD),
        (speaks(Mode.NONE), Word.WRONG_MODE, Standing.BAD),
        ((Listening(AT),), Word.UNKNOWN, Standing.UNKNOWN),
        ((Closed(AT, "refused"),), Word.MISSING, Standing.BAD),
        ((Unobserved(AT, "listening", Reason.FILTERED, "silence"),), Word.FILTERED, Standing.UNKNOWN),
    ],
)
def test_one_word_for_what_a_submission_port_shows(
    seen: tuple[Observation, ...], word: Word, standing: Standing
) -> None:
    row = one(*seen)
    assert (row.verdict, row.standing) == (word, standing)
    assert bool(row.cause) == (standing is not Standing.GOOD)


def test_a_public_mx_may_leave_encryption_to_the_sender() -> None:
    service = Service("smtp", 25, "smtp", Role.MX, Mode.STARTTLS)
    at = Endpoint("mx.test", "192.0.2.1", 25)
    row = one(*speaks(Mode.STARTTLS, at), replace(UPGRADE, at=at), replace(TAKES, at=at), service=service, at=at)
    assert (row.verdict, row.standing, row.cause) == (Word.STARTTLS_OPTIONAL, Standing.GOOD, "")


def test_from_the_server_itself_offered_passwords_say_nothing() -> None:
    _, word = encryption(AT, Seen((Vantage(AT, AT.address), *speaks(Mode.STARTTLS)[1:], UPGRADE, OFFERS)))
    assert word is Word.STARTTLS_OPTIONAL


def test_nothing_seen_is_never_good() -> None:
    assert one(Vantage(AT, "203.0.113.1")).standing is Standing.UNKNOWN


def test_an_undeclared_listener_is_named_with_the_line_of_its_host() -> None:
    at = Endpoint("mx.test", "192.0.2.1", 2525)
    run = Run(Seen((*speaks(Mode.STARTTLS, at), replace(UPGRADE, at=at))), NOW)
    architecture = Architecture(hosts=(Host("mx.test", (at.address,), (SUBMISSION,), line=5),), source="gatepost.toml")
    found = {r.port: r for r in rows(Audit(NOW, "rfc9325", ("mx.test",), (), run, architecture))}
    assert found[2525].declared == "no"
    assert found[2525].verdict is Word.UNDECLARED
    assert found[2525].cause == "listens, but is not declared (gatepost.toml:5)"
    assert found[587].verdict is Word.UNKNOWN  # declared, and this run did not look


def test_without_a_declaration_nothing_is_declared_nor_undeclared() -> None:
    assert one(*speaks(Mode.STARTTLS), UPGRADE, service=None).declared == NOT_ASKED


def test_the_versions_answered_are_shown_as_a_span() -> None:
    seen = [Handshake(AT, None, version, "x") for version in ("TLSv1.3", "TLSv1.0", "TLSv1.2")]
    assert one(*speaks(Mode.STARTTLS), UPGRADE, REFUSES, *seen).encrypted == "STARTTLS 1.0-1.3"


def test_a_missing_service_points_at_its_line() -> None:
    row = table()[GOOD, GOOD_V4, 995]
    assert (row.verdict, row.line) == (Word.MISSING, 14)
    assert row.cause.endswith("(gatepost.toml:14)")


def test_addresses_are_told_apart() -> None:
    assert table()[GOOD, GOOD_V4, 4190].reachable == "yes"
    assert table()[GOOD, GOOD_V6, 4190].reachable == "filtered"


def test_an_open_finding_marks_the_row_it_was_found_at() -> None:
    row = table()[BAD, "198.51.100.7", 465]
    assert (row.verdict, row.standing) == (Word.IMPLICIT, Standing.BAD)
    assert row.cause.startswith("the certificate expired")


def test_later_witnesses_are_not_asked_yet() -> None:
    assert {(r.firewalled, r.used) for r in rows(sample())} == {(NOT_ASKED, NOT_ASKED)}


def test_what_dns_tells_is_beside_what_answers() -> None:
    assert table()[GOOD, GOOD_V4, 25].advertised == "mx"
    assert table()[GOOD, GOOD_V4, 465].advertised == "srv"
    assert table()[GOOD, GOOD_V4, 587].advertised == "no"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"sessions": 9, "accounts": 2}, "2 accounts, 23 Nov"),
        ({"sessions": 9, "accounts": 2, "exact": False}, "≤ 2 accounts, 23 Nov"),
        ({"sessions": 1}, "1 session, 23 Nov"),
        ({"last": None}, "nobody"),
    ],
)
def test_used_tells_accounts_and_the_last_day(told: dict[str, object], shown: str) -> None:
    base = UsedSeen(Endpoint(AT.host, "", AT.port), "submission", True, NOW.date(), NOW.date(), 0, 0, LAST)
    assert one(Listening(AT), replace(base, **told)).used == shown  # type: ignore[arg-type]


def test_a_port_of_another_host_is_not_asked_about() -> None:
    assert one(Listening(AT)).used == NOT_ASKED
