from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from gatepost.model.domain import ReportTarget
from gatepost.model.words import Reason
from gatepost.records import dmarc
from tests.records.dmarc_rows import REJECT, RUA, look
from tests.zone import SERVFAIL, TIMEOUT, Zone


def consents(world: Zone, domain: str = "example.com") -> tuple[ReportTarget, ...]:
    return asyncio.run(dmarc.targets(look(domain, world), world))


def reporting(
    uris: str, consent: Mapping[str, list[str]], trouble: Mapping[str, tuple[Reason, str]] | None = None
) -> Zone:
    records = {f"{name} TXT": texts for name, texts in consent.items()}
    return Zone({"_dmarc.example.com TXT": [f"{REJECT}; rua={uris}"], **records}, trouble)


CONSENT = "example.com._report._dmarc.example.net"


@pytest.mark.parametrize(
    ("texts", "authorised", "why"),
    [
        (["v=DMARC1"], True, ""),
        (["v=DMARC1;"], True, ""),
        (["stray", "v=DMARC1"], True, ""),
        (["v=DMARC1", "v=DMARC1;"], True, ""),
        (["v=DMARC1; rua=mailto:other@example.net"], True, "redirected to mailto:other@example.net"),
        (["v=DMARC1; rua=mailto:x@example.org"], False, "another host: reporters send nothing"),
        (["v=dmarc1"], False, "has no TXT record with v=DMARC1"),
        (["yes"], False, "has no TXT record with v=DMARC1"),
        ([], False, "has no TXT record: reporters leave this address out"),
    ],
)
def test_consent(*, texts: list[str], authorised: bool, why: str) -> None:
    (found,) = consents(reporting("mailto:d@example.net", {CONSENT: texts} if texts else {}))
    assert (found.at.host, found.kind, found.uri) == ("example.com", "dmarc", "mailto:d@example.net")
    assert found.authorised is authorised
    assert why in found.why


@pytest.mark.parametrize("uri", ["mailto:d@example.com", "mailto:d@reports.example.com", "mailto:d@EXAMPLE.com"])
def test_no_consent_is_due_within_the_organisation(uri: str) -> None:
    assert consents(reporting(uri, {})) == ()


def test_consent_is_for_the_domain_of_the_record() -> None:
    world = reporting("mailto:d@example.net", {CONSENT: ["v=DMARC1"]})
    (found,) = consents(world, "mail.example.com")
    assert (found.at.host, found.authorised) == ("mail.example.com", True)


def test_a_parent_without_a_record_is_outside() -> None:
    world = Zone({"_dmarc.a.example.com TXT": [f"{REJECT}; rua=mailto:d@example.com"]})
    (found,) = consents(world, "a.example.com")
    assert found.authorised is False


def test_failure_reports_need_consent_as_well() -> None:
    world = Zone({"_dmarc.example.com TXT": [f"{REJECT}; {RUA}; ruf=mailto:f@example.net"]})
    assert [one.uri for one in consents(world)] == ["mailto:d@example.org", "mailto:f@example.net"]


def test_each_host_is_asked_once() -> None:
    world = reporting("mailto:a@example.net,mailto:b@example.net", {CONSENT: ["v=DMARC1"]})
    assert [one.authorised for one in consents(world)] == [True, True]
    assert world.asked.count(f"{CONSENT} TXT") == 1


def test_consent_that_could_not_be_asked() -> None:
    (found,) = consents(reporting("mailto:d@example.net", {}, {CONSENT: TIMEOUT}))
    assert found.authorised is None
    assert found.why == f"{CONSENT}: {TIMEOUT[1]}"


def test_where_the_organisation_cannot_be_told_consent_settles_it() -> None:
    trouble = {"_dmarc.net": SERVFAIL}
    (agreed,) = consents(reporting("mailto:d@example.net", {CONSENT: ["v=DMARC1"]}, trouble))
    (silent,) = consents(reporting("mailto:d@example.net", {}, trouble))
    assert (agreed.authorised, silent.authorised) == (True, None)


def test_a_name_too_long_for_consent() -> None:
    label = "x" * 60
    world = reporting(f"mailto:d@{label}.{label}.{label}.{label}.net", {})
    (found,) = consents(world)
    assert found.authorised is False
    assert "longer than a DNS name can be" in found.why


def test_no_record_no_targets() -> None:
    assert consents(Zone({})) == ()
