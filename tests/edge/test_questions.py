"""Everything asked about a domain and its hosts: together, each failure for itself, every answer kept."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.edge.questions import Kept, ask
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer
from gatepost.model.domain import (
    CaaSeen,
    DkimKeySeen,
    DmarcSeen,
    MxSeen,
    ReportTarget,
    ReverseSeen,
    SpfResult,
    SpfSeen,
    StsSeen,
    TlsaSeen,
    TlsRptSeen,
)
from gatepost.model.observation import Observation, Unobserved, of
from gatepost.model.words import Reason
from gatepost.records.lookup import Lookup
from gatepost.records.plans import DomainPlan, HostPlan
from tests.zone import SERVFAIL, Web, Zone

NAME, HOST, OUTER = "example.org", "mx.example.org", "198.51.100.40"
KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RECORDS = {
    f"{NAME} MX": [f"10 {HOST}"],
    f"{NAME} TXT": [f"v=spf1 mx ip4:{OUTER} -all"],
    f"{HOST} A": ["192.0.2.25"],
    f"s1._domainkey.{NAME} TXT": [KEY],
    f"default._domainkey.{NAME} TXT": [KEY],
    f"_dmarc.{NAME} TXT": ["v=DMARC1; p=reject; rua=mailto:d@example.net"],
    f"_mta-sts.{NAME} TXT": ["v=STSv1; id=1"],
    f"_smtp._tls.{NAME} TXT": [f"v=TLSRPTv1; rua=mailto:t@{NAME}"],
    f"_25._tcp.{HOST} TLSA": ["3 1 1 " + "ab" * 32],
    f"{NAME} CAA": ["0 issue ca.example.net"],
    "25.2.0.192.in-addr.arpa PTR": [HOST],
    "40.100.51.198.in-addr.arpa PTR": ["out.example.com"],
    "out.example.com A": [OUTER],
}
POLICY = {f"mta-sts.{NAME}/.well-known/mta-sts.txt": f"version: STSv1\nmode: enforce\nmx: {HOST}\nmax_age: 604800\n"}
DOMAIN = DomainPlan(NAME, selectors=("s1",), senders=("192.0.2.25", OUTER), egress=(OUTER,))
MAIL = HostPlan(HOST, ports=(25, 465), addresses=("192.0.2.25",))


def asked(lookup: Lookup, *, hosts: tuple[HostPlan, ...] = (MAIL,)) -> tuple[Observation, ...]:
    return asyncio.run(ask((DOMAIN,), hosts, lookup, Web(POLICY)))


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (MxSeen, 1), (SpfSeen, 1), (SpfResult, 2), (DkimKeySeen, 2), (DmarcSeen, 1), (ReportTarget, 1), (StsSeen, 1),
        (TlsRptSeen, 1), (TlsaSeen, 2), (CaaSeen, 1), (ReverseSeen, 2), (Unobserved, 0),
    ],
)  # fmt: skip
def test_every_question_has_its_fact(kind: type[Observation], count: int) -> None:
    assert len(of(kind, asked(Zone(RECORDS)))) == count


def test_senders_are_tried_and_outer_ones_have_their_reverse_name_with_the_domain() -> None:
    told = asked(Zone(RECORDS))
    assert {(r.address, r.result) for r in of(SpfResult, told)} == {("192.0.2.25", "pass"), (OUTER, "pass")}
    assert {(r.at, r.address) for r in of(ReverseSeen, told)} == {
        (Endpoint(HOST), "192.0.2.25"),
        (Endpoint(NAME), OUTER),
    }


def test_keys_under_common_names_are_told_apart_from_declared_ones() -> None:
    assert {(k.selector, k.declared) for k in of(DkimKeySeen, asked(Zone(RECORDS)))} == {
        ("s1", True),
        ("default", False),
    }


def test_where_every_selector_has_an_answer_only_declared_ones_count() -> None:
    zone = Zone(RECORDS)

    async def wild(name: str, kind: str) -> Answer:
        found = await zone(name, kind)
        return found if found.values or "._domainkey." not in name else await zone(f"default._domainkey.{NAME}", kind)

    assert [k.selector for k in of(DkimKeySeen, asked(wild))] == ["s1"]


def test_a_question_that_fails_costs_its_own_answer() -> None:
    told = asked(Zone(RECORDS, {f"_dmarc.{NAME}": SERVFAIL}))
    assert [(u.at.host, u.wanted, u.reason) for u in of(Unobserved, told)] == [(NAME, "dmarc", Reason.REFUSED)]
    assert of(SpfSeen, told)


def test_a_reader_that_breaks_costs_its_own_answer() -> None:
    zone = Zone(RECORDS)

    async def broken(name: str, kind: str) -> Answer:
        if kind == "CAA":
            raise ZeroDivisionError("a defect")
        return await zone(name, kind)

    (lost,) = of(Unobserved, asked(broken))
    assert (lost.at.host, lost.wanted, lost.detail) == (HOST, "caa", "defect: ZeroDivisionError: a defect")


def test_every_answer_is_kept_as_evidence_once() -> None:
    zone = Zone(RECORDS)
    answers = of(Answer, asked(zone))
    assert {f"{a.name} {a.kind}" for a in answers} == set(zone.asked)
    assert len(answers) == len({(a.name, a.kind) for a in answers})


def test_without_domains_only_hosts_are_asked() -> None:
    told = asyncio.run(ask((), (MAIL,), Kept(Zone(RECORDS)), Web({})))
    assert {type(one) for one in told} == {TlsaSeen, CaaSeen, ReverseSeen, Answer}
