from __future__ import annotations

import pytest

from gatepost import catalogue
from gatepost.model.event import Cover
from gatepost.model.using import Peer, Way, Who
from gatepost.usage import legacy, log_name, on_port, peers, trend, used

CLEAR = Way("pop3", None, Cover.NONE, None, "", "PLAIN")
EITHER = Way("pop3", None, Cover.TLS, None, "", "PLAIN")
OLD = Way("submission", None, Cover.TLS, True, "TLSv1", "LOGIN")
GOOD = Way("submissions", None, Cover.TLS, False, "TLSv1.3", "PLAIN")


def who(user: str = "alice", last: int = 9, weeks: tuple[int, ...] = (1, 2)) -> Who:
    return Who(user, "192.0.2.7", 1, "", sum(weeks), 0, 0, 1, last, weeks)


def test_clear_text_names_the_port_and_its_users_the_newest_first() -> None:
    told = used([(CLEAR, who("alice", 5)), (CLEAR, who("bob", 8)), (GOOD, who())], 0, 9)
    assert [(one.way.port, one.legacy) for one in told.ways] == [
        (catalogue.number("pop3"), "password in clear"),
        (catalogue.number("submissions"), ""),
    ]
    assert [one.user for one in told.ways[0].accounts] == ["bob", "alice"]
    assert told.ways[0].weeks == (2, 4)


def test_inside_tls_the_log_does_not_name_the_port_and_that_is_said() -> None:
    told = used([(EITHER, who())], 0, 9)
    assert told.ways[0].way.port is None
    assert any("lport=%a" in one for one in told.unknown)
    assert any("tls=%k" in one for one in told.unknown)


def test_only_what_is_old() -> None:
    told = used([(OLD, who()), (GOOD, who())], 0, 9, legacy_only=True)
    assert [one.way.tls for one in told.ways] == ["TLSv1"]


@pytest.mark.parametrize(
    ("way", "login", "words"),
    [
        (CLEAR, True, "password in clear"),
        (CLEAR, False, ""),
        (OLD, True, "TLS 1.0"),
        (GOOD, True, ""),
        (Way("smtp", None, Cover.TLS, True, "TLSv1.3", ""), False, ""),
        (Way("smtp", None, Cover.TLS, True, "TLSv1.3", "PLAIN"), True, "login on the port for relays"),
        (Way("imap", None, Cover.LOCAL, None, "", "PLAIN"), True, ""),
        (Way("imap", None, Cover.OUTSIDE, None, "", "PLAIN"), True, ""),
    ],
)
def test_what_is_old(way: Way, login: bool, words: str) -> None:  # noqa: FBT001 - a column of the table
    assert legacy(way, login=login) == words


@pytest.mark.parametrize(
    ("weeks", "word"),
    [
        ((1, 2, 3), ""),
        ((9, 9, 1, 1), "falling"),
        ((1, 1, 9, 9), "rising"),
        ((5, 5, 5, 5, 5), "steady"),
        ((0, 0, 1, 1), "new"),
        ((1, 1, 0, 0), "gone"),
        ((0, 0, 0, 0), ""),
    ],
)
def test_trend(weeks: tuple[int, ...], word: str) -> None:
    assert trend(weeks) == word


def test_a_port_keeps_what_may_have_been_there() -> None:
    pop3, pop3s = catalogue.number("pop3"), catalogue.number("pop3s")
    rows = [(CLEAR, who()), (EITHER, who())]
    assert [way for way, _ in on_port(rows, pop3)] == [CLEAR, EITHER]
    assert [way for way, _ in on_port(rows, pop3s)] == [EITHER]
    assert log_name("pop3s") == "pop3"


def test_a_nameless_tls_port_may_look_like_25_in_clear() -> None:
    told = used([(Way("smtp", None, Cover.NONE, False, "", "PLAIN"), who())], 0, 9)
    assert any("syslog_name" in one for one in told.unknown)
    relays = Way("smtp", None, Cover.TLS, True, "TLSv1.3", "")
    seen = used([(Way("smtp", None, Cover.NONE, False, "", "PLAIN"), who()), (relays, who(""))], 0, 9)
    assert not any("syslog_name" in one for one in seen.unknown)


def test_peers_in_clear_come_first() -> None:
    def peer(name: str, clear: int) -> Peer:
        return Peer("out", name, "mx", clear, 5, 0, ("TLSv1.3",), 0, 1, (clear, 0, 0, 0), "")

    told = peers([peer("a.example", 0), peer("b.example", 3)], 0, 9)
    assert [(one.name, one.trend) for one in told.peers] == [("b.example", "gone"), ("a.example", "")]
