"""MX and SRV rows become what the world is told."""

from __future__ import annotations

import pytest

from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Advertised
from gatepost.model.words import Mode
from gatepost.records import mx, srv

AT = Endpoint("example.org")


def test_exchangers_in_order_of_preference() -> None:
    rows = ((20, "mx2.example.org."), (10, "MX1.example.org."))
    assert mx.exchangers("example.org", rows) == (
        Advertised(AT, "mx", "smtp", "mx1.example.org", 25, Mode.STARTTLS, 10),
        Advertised(AT, "mx", "smtp", "mx2.example.org", 25, Mode.STARTTLS, 20),
    )


def test_null_mx() -> None:
    assert mx.refuses_mail([(0, ".")])
    assert not mx.refuses_mail([])
    assert not mx.refuses_mail([(0, "."), (10, "mx1.example.org.")])
    assert mx.exchangers("example.org", [(0, ".")]) == ()


def test_labels_of_the_catalogue() -> None:
    assert srv.labels() == {
        "_imap._tcp": "imap",
        "_imaps._tcp": "imaps",
        "_pop3._tcp": "pop3",
        "_pop3s._tcp": "pop3s",
        "_sieve._tcp": "managesieve",
        "_submission._tcp": "submission",
        "_submissions._tcp": "submissions",
    }


def test_services_best_first() -> None:
    rows = ((10, 0, 993, "b.example.org."), (10, 9, 1993, "a.example.org."), (0, 0, 993, "C.example.org."))
    found = srv.services("example.org", "imaps", rows)
    assert [(one.target, one.port) for one in found] == [
        ("c.example.org", 993),
        ("a.example.org", 1993),
        ("b.example.org", 993),
    ]
    assert found[0] == Advertised(AT, "srv", "imaps", "c.example.org", 993, Mode.IMPLICIT, 0)


@pytest.mark.parametrize("row", [(0, 0, 0, "."), (0, 0, 993, "."), (0, 0, 0, "imap.example.org.")])
def test_service_not_offered(row: srv.Row) -> None:
    assert srv.services("example.org", "imaps", [row]) == ()
