"""The world of `gatepost demo`, audited as the command does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gatepost.cli.audit import conclude
from gatepost.cli.looking import look
from gatepost.cli.request import Request
from gatepost.demo.stage import running
from gatepost.demo.world import BAD, BAD_DOMAIN, GOOD, GOOD_DOMAIN
from gatepost.model.architecture import Service
from gatepost.model.audit import Audit
from gatepost.model.domain import TlsFailureSeen
from gatepost.model.observation import Advertised, of
from gatepost.model.words import Outcome
from tests.verdicts import by_host

pytestmark = pytest.mark.xdist_group("demo-world")
SHOWN = {  # what a newcomer is meant to see go wrong
    "GP-AUTH-002",
    "GP-CERT-003",
    "GP-PATCH-002",
    "GP-PORT-002",
    "GP-RELAY-001",
    "GP-STLS-001",
    "GP-STLS-002",
    "GP-STLS-003",
    "GP-TLS-002",
    "GP-TLS-006",
}
TOLD = {  # and what its domain tells the world
    "GP-DNSID-001",
    "GP-DNSID-004",
    "GP-DNSID-007",
    "GP-DNSID-008",
    "GP-DNST-002",
    "GP-DNST-003",
    "GP-DNST-004",
}
NEAR = {"GP-RELAY-001", "GP-STLS-002"}  # unknown when the only address is also the server's


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audit]:
    folder: Path = tmp_path_factory.mktemp("world")
    with running(folder) as stage:
        request = Request(
            targets=stage.domains, declaration=stage.declaration, ca=stage.ca, ports=stage.ports, https=stage.https
        )
        yield conclude(look(request), None, None, stage.state)


def test_the_good_host_is_in_order(audit: Audit) -> None:
    assert by_host(audit, Outcome.FAIL)[GOOD] == {}
    assert by_host(audit, Outcome.FAIL)[GOOD_DOMAIN] == {}
    assert audit.architecture.host(GOOD) is not None


def test_the_bad_domain_shows_its_faults(audit: Audit) -> None:
    assert set(by_host(audit, Outcome.FAIL)[BAD_DOMAIN]) >= TOLD


def test_a_report_is_joined_with_the_certificate_of_its_day(audit: Audit) -> None:
    (failure,) = of(TlsFailureSeen, audit.run.seen)
    expired = audit.generated_at.date() - timedelta(days=3)
    assert failure.at.host == BAD_DOMAIN
    assert f"certificate expired on {expired}; another one is served since" in failure.cause


def test_clients_are_told_where_to_go(audit: Audit) -> None:
    told = {(o.target, o.via) for o in of(Advertised, audit.run.seen)}
    assert {(GOOD, "srv"), (BAD, "srv")} <= told


def test_the_bad_host_shows_its_faults(audit: Audit) -> None:
    wanted = SHOWN if sys.platform == "linux" else SHOWN - NEAR
    assert wanted <= set(by_host(audit, Outcome.FAIL)[BAD])


def test_a_limit_is_neither_pass_nor_failure(audit: Audit) -> None:
    told = [o for o in audit.run.seen if o.at.host == BAD and getattr(o, "reason", None) == "limited"]
    assert {o.at.port for o in told} == {s.port for s in _service(audit, "pop3s")}


def _service(audit: Audit, name: str) -> list[Service]:
    host = audit.architecture.host(BAD)
    assert host is not None
    return [s for s in host.services if s.name == name]
