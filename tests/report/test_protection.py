"""The TLSA and MTA-STS columns of the certificate truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gatepost.model.architecture import Architecture, Endpoint, Host
from gatepost.model.audit import Audit
from gatepost.model.dns import Presence, Security, Tlsa
from gatepost.model.domain import Exchanger, MxSeen, StsSeen, TlsaSeen
from gatepost.model.observation import CertificateSeen, Observation, Run, Seen
from gatepost.report.protection import mta_sts, tlsa
from gatepost.report.truth import NOT_ASKED
from tests.checks.cases import NAME, V4, at, chain, leaf, service

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = "5a" * 32
SERVED = chain(at(25), leaf(spki_sha256=KEY, der=""))
DOMAIN = Endpoint("example.org")
MX = MxSeen(DOMAIN, Presence.PRESENT, (Exchanger(10, NAME, (V4,)),))


def audit(*seen: Observation, host: Host | None = None) -> Audit:
    run = Run(Seen(seen), NOW)
    return Audit(NOW, "rfc9325", (NAME,), (), run, Architecture(hosts=(host,) if host else ()))


def pins(*records: Tlsa, port: int = 25, security: Security = Security.SECURE) -> TlsaSeen:
    presence = Presence.PRESENT if records else Presence.ABSENT
    return TlsaSeen(Endpoint(NAME), port, f"_{port}._tcp.{NAME}", presence, records, 3600, security=security)


def policy(mode: str = "enforce", *patterns: str, fetched: bool | None = True) -> StsSeen:
    return StsSeen(DOMAIN, ("v=STSv1; id=1",), "1", fetched=fetched, mode=mode, mx=patterns or (NAME,))


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        ((), NOT_ASKED),
        ((pins(),), "none"),
        ((pins(Tlsa(3, 1, 1, "00" * 32)),), "mismatch"),
        ((pins(Tlsa(3, 1, 1, "00" * 32), security=Security.INSECURE),), "not signed"),
        ((pins(Tlsa(1, 1, 1, "00" * 32)),), "unusable"),
        ((pins(Tlsa(3, 1, 1, KEY), port=465),), NOT_ASKED),
    ],
)
def test_what_pins_say(seen: tuple[Observation, ...], word: str) -> None:
    assert tlsa(SERVED, audit(*seen)) == word


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        ((), NOT_ASKED),
        ((MX,), NOT_ASKED),
        ((MX, policy()), "enforce"),
        ((MX, policy("testing")), "testing"),
        ((MX, policy("enforce", "*.elsewhere.test")), "not covered"),
        ((MX, policy("none")), "none"),
        ((MX, policy(fetched=False)), "not fetched"),
        ((MX, replace(policy(), records=())), "none"),
        ((MX, policy("")), "broken"),
    ],
)
def test_what_the_policy_says(seen: tuple[Observation, ...], word: str) -> None:
    assert mta_sts(SERVED, audit(*seen)) == word


@pytest.mark.parametrize(("port", "declared", "word"), [(465, None, NOT_ASKED), (2525, 2525, "enforce")])
def test_policies_speak_of_the_port_where_servers_meet(port: int, declared: int | None, word: str) -> None:
    host = Host(NAME, (V4,), (replace(service(25), port=declared),)) if declared else None
    shown: CertificateSeen = chain(at(port))
    assert mta_sts(shown, audit(MX, policy(), host=host)) == word
