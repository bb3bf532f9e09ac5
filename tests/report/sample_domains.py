"""Domain facts to render: example.org is kept well, example.net is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.dns import Answer, Caa, Presence, Security, Tlsa
from gatepost.model.domain import (
    CaaSeen,
    Dated,
    DkimKeySeen,
    DmarcRecord,
    DmarcSeen,
    DmarcStep,
    Exchanger,
    MxSeen,
    ReportsRead,
    ReportTarget,
    ReverseSeen,
    SourceSeen,
    SpfResult,
    SpfSeen,
    SpfTerm,
    StsSeen,
    TlsaSeen,
    TlsFailureSeen,
    TlsRptSeen,
)
from gatepost.model.finding import Finding
from gatepost.model.observation import Observation, Run, Seen, Unobserved
from gatepost.model.words import Outcome, Reason, Role, Severity
from tests.report.sample import ARCHITECTURE, BAD, GOOD, GOOD_V4, GOOD_V6, HOSTILE, NOW

ORG, NET = Endpoint("example.org"), Endpoint("example.net")
HOST, OLD = Endpoint(GOOD), Endpoint(BAD)
SECURE = Security.SECURE
PIN = Tlsa(3, 1, 1, "8cb0fc6c527506a053f4f14c8464bebbd6dede2738d11468dd953d7d6a3021f1")
YESTERDAY = date(2026, 11, 23)
SINCE = datetime(2026, 10, 1, tzinfo=NOW.tzinfo)


def record(domain: str, text: str, p: str) -> DmarcRecord:
    return DmarcRecord(domain, text, p, np="reject", rua=("mailto:dmarc@example.org",))


KEPT: tuple[Observation, ...] = (
    MxSeen(ORG, Presence.PRESENT, (Exchanger(10, GOOD, (GOOD_V4, GOOD_V6), security=SECURE),), security=SECURE),
    SpfSeen(
        ORG, ("v=spf1 mx include:_spf.example.com -all",), "valid",
        (
            SpfTerm(0, "example.org", "mx", 1, 0),
            SpfTerm(0, "example.org", "include:_spf.example.com", 2, 0),
            SpfTerm(1, "_spf.example.com", "ip4:203.0.113.0/24", 2, 0),
            SpfTerm(1, "_spf.example.com", "-all", 2, 0),
            SpfTerm(0, "example.org", "-all", 2, 0),
        ),
        lookups=2, ending="-all", security=SECURE,
    ),
    SpfResult(ORG, GOOD_V4, "pass", "mx", lookups=1),
    SpfResult(ORG, GOOD_V6, "pass", "mx", lookups=1),
    DkimKeySeen(
        ORG, "s2026", Presence.PRESENT, declared=True, text="v=DKIM1; p=MIIB", key_type="rsa", bits=2048,
        fingerprint="aa" * 32, security=SECURE,
    ),
    DkimKeySeen(ORG, "s2025", Presence.PRESENT, declared=True, text="v=DKIM1; p=", revoked=True, security=SECURE),
    Dated(ORG, "dkim-key", "aa" * 32, SINCE, NOW),
    DmarcSeen(
        ORG, (DmarcStep("_dmarc.example.org", ("v=DMARC1; p=reject; np=reject; rua=mailto:dmarc@example.org",)),),
        record("example.org", "v=DMARC1; p=reject", "reject"), "reject", "reject", "reject", "example.org",
        "example.org", "2026-10-23", security=SECURE,
    ),
    StsSeen(
        ORG, ("v=STSv1; id=20261001",), "20261001", fetched=True, text="version: STSv1\r\nmode: enforce\r\n",
        mode="enforce", mx=(GOOD,), max_age=604800, security=SECURE,
    ),
    TlsRptSeen(ORG, ("v=TLSRPTv1; rua=mailto:tls@example.org",), ("mailto:tls@example.org",), security=SECURE),
    ReportsRead(ORG, "dmarc", 12, ("google.com", "yahoo.com"), YESTERDAY - timedelta(days=6), YESTERDAY, 420, 3),
    SourceSeen(
        ORG, "203.0.113.77", 3, 0, 0, 0, 0, 0, 3, ("google.com",), YESTERDAY, YESTERDAY, ("bulk.example.com",),
    ),
    Answer(ORG, "MX", Presence.PRESENT, (f"10 {GOOD}",), SECURE, 300),
    TlsaSeen(HOST, 25, f"_25._tcp.{GOOD}", Presence.PRESENT, (PIN,), 3600, security=SECURE),
    TlsaSeen(HOST, 465, f"_465._tcp.{GOOD}", Presence.ABSENT, security=SECURE),
    CaaSeen(HOST, "example.org", (Caa(0, "issue", "letsencrypt.org"),), security=SECURE),
    ReverseSeen(HOST, GOOD_V4, (GOOD,), (GOOD,)),
    ReverseSeen(HOST, GOOD_V6, (), why="no reverse name"),
)  # fmt: skip
LOST = (Reason.TIMEOUT, "the resolver 127.0.0.1#53 does not answer within 8 s")
NEGLECTED: tuple[Observation, ...] = (
    MxSeen(
        NET, Presence.PRESENT,
        (Exchanger(10, BAD, ("198.51.100.7",), ("alias.example.net",), security=Security.INSECURE),),
        problems=(f"{BAD} is an alias",), security=Security.INSECURE,
    ),
    SpfSeen(
        NET, ("v=spf1 include:a.example.net +all", HOSTILE), "permerror",
        (SpfTerm(0, "example.net", "include:a.example.net", 11, 3, "over the limit of 10 look-ups"),),
        lookups=11, voids=3, ending="+all", problems=("2 SPF records at one name",), security=Security.INSECURE,
    ),
    SpfResult(NET, "198.51.100.7", "permerror", why="2 SPF records"),
    DkimKeySeen(
        NET, "default", Presence.PRESENT, declared=False, text="v=DKIM1; t=y; p=MIGf", key_type="rsa", bits=1024,
        testing=True, fingerprint="bb" * 32, problems=("RSA 1024",), security=Security.INSECURE,
    ),
    DmarcSeen(
        NET, (DmarcStep("_dmarc.example.net", (), "no record"), DmarcStep("_dmarc.net", (), "no record")), None,
        organizational="example.net", by_suffix_list="example.net", list_date="2026-10-23",
        security=Security.INSECURE,
    ),
    ReportTarget(NET, "dmarc", "mailto:reports@example.com", authorised=False),
    Unobserved(NET, "mta-sts", *LOST),
    TlsRptSeen(NET, (), security=Security.INSECURE),
    TlsFailureSeen(
        NET, "certificate-expired", 42, f"{BAD}, IPv4 (198.51.100.7), port 25: certificate expired on 2026-10-03", BAD,
        "198.51.100.7", "sts", ("google.com",), YESTERDAY, YESTERDAY,
    ),
    Answer(NET, "MX", Presence.FAILED, security=Security.BOGUS, reason=Reason.BOGUS, why="signature expired"),
    Unobserved(OLD, "tlsa:25", *LOST),
    CaaSeen(OLD, "", security=Security.INSECURE),
)  # fmt: skip


def failure(
    control: str, check: str, subject: str, because: str, severity: Severity, *evidence: Observation
) -> Finding:
    return Finding(
        control, check, subject, Role.DOMAIN, Outcome.FAIL, severity, because, evidence, "publish it", (subject,)
    )


FOUND = (
    failure("GP-DNSID-001", "one-spf-record", "example.net", "2 SPF records at one name", Severity.HIGH, NEGLECTED[1]),
    failure("GP-DNSID-006", "dmarc-published", "example.net", "no DMARC record", Severity.HIGH, NEGLECTED[4]),
    failure(
        "GP-DNSID-010",
        "sending-address-has-its-name",
        GOOD,
        f"{GOOD_V6} has no reverse name",
        Severity.MEDIUM,
        KEPT[-1],
    ),
)


def audit() -> Audit:
    run = Run(Seen((*KEPT, *NEGLECTED)), NOW)
    return Audit(NOW, "rfc9325", ("example.org", "example.net"), FOUND, run, replace(ARCHITECTURE))
