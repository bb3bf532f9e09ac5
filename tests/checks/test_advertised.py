"""Judges of client settings against the declaration."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.checks import advertised
from gatepost.model.architecture import Host
from gatepost.model.observation import Advertised
from gatepost.model.words import Mode
from tests.checks.cases import DOMAIN, MX, NAME, V4, Row, lost, of_row, row, service

DECLARED: dict[str, Any] = {"hosts": (Host(NAME, (V4,), (service(25), service(465), service(993))),)}


def told(name: str, port: int, mode: Mode, target: str = f"{NAME}.") -> Advertised:
    return Advertised(DOMAIN, "srv", name, target, port, mode)


IMAPS, SUBMISSIONS = told("imaps", 993, Mode.IMPLICIT), told("submissions", 465, Mode.IMPLICIT)
IMAP, NONE = told("imap", 143, Mode.STARTTLS), told("pop3", 0, Mode.NONE, ".")

ROWS: tuple[Row, ...] = (
    row(advertised.settings_as_declared, DOMAIN, "pass", IMAPS, SUBMISSIONS, NONE, **DECLARED),
    row(advertised.settings_as_declared, DOMAIN, "fail", IMAP, says=f"{NAME}:143 (srv): the port is not", **DECLARED),
    row(advertised.settings_as_declared, DOMAIN, "fail", told("imaps", 993, Mode.IMPLICIT, "old.test"),
        says="old.test:993 (srv): the host is not declared", **DECLARED),
    row(advertised.settings_as_declared, DOMAIN, "fail", told("imap", 993, Mode.STARTTLS),
        says="told as starttls, declared as implicit", **DECLARED),
    row(advertised.settings_as_declared, DOMAIN, "unknown", IMAPS, says="nothing is declared"),
    row(advertised.settings_as_declared, DOMAIN, "unknown", lost(DOMAIN, "srv"), says="timeout", **DECLARED),
    row(advertised.declared_services_told, DOMAIN, "pass", IMAPS, SUBMISSIONS, **DECLARED),
    row(advertised.declared_services_told, DOMAIN, "fail", IMAPS, says="clients are not told of submissions",
        **DECLARED),
    row(advertised.declared_services_told, DOMAIN, "unknown", lost(DOMAIN, "srv"), says="timeout", **DECLARED),
    row(advertised.declared_services_told, DOMAIN, "unknown", IMAPS, says="nothing is declared"),
    row(advertised.declared_services_told, DOMAIN, "not-applicable", told("smtp", 25, Mode.STARTTLS),
        hosts=(Host(NAME, (V4,), (service(MX.port),)),)),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because
