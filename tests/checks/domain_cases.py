"""Facts of DNS and reports for judges: all is well with them unless told otherwise."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

from gatepost.model.architecture import Domain, Endpoint
from gatepost.model.dns import Caa, Presence, Security, Tlsa
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
from gatepost.model.words import Reason
from tests.checks.cases import DOMAIN, HOST, NAME, NOW, V4, V6

SECURE, INSECURE, BOGUS, UNSURE = Security.SECURE, Security.INSECURE, Security.BOGUS, Security.UNKNOWN
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TODAY = NOW.date()
ORG = Domain(DOMAIN.host, (NAME,))
PARKED = Domain(DOMAIN.host, sends=False)


def spf(*terms: str, **changes: Any) -> SpfSeen:
    """From terms of its own: `mx -all`. Of an included record as `_spf.example.com ip4:…`."""
    shown = terms or ("mx", "-all")
    made = [_term(text) for text in shown]
    ending = next((one.text for one in made if one.text[1:] == "all"), "")
    text = " ".join(("v=spf1", *(one.text for one in made if not one.depth)))
    facts: dict[str, Any] = {"records": (text,), "result": "valid", "terms": tuple(made), "ending": ending}
    return SpfSeen(DOMAIN, **{**facts, "security": SECURE, **changes})


def _term(text: str) -> SpfTerm:
    owner, _, term = text.rpartition(" ")
    return SpfTerm(int(bool(owner)), owner or DOMAIN.host, term, 0, 0)


NO_SPF = SpfSeen(DOMAIN, (), "none", problems=("example.org has no SPF record",), security=SECURE)


def tried(address: str, result: str, mechanism: str = "", why: str = "") -> SpfResult:
    return SpfResult(DOMAIN, address, result, mechanism, why)


def key(selector: str = "s1", **changes: Any) -> DkimKeySeen:
    facts: dict[str, Any] = {
        "presence": Presence.PRESENT,
        "declared": True,
        "text": "v=DKIM1; p=MIIB",
        "key_type": "rsa",
        "bits": 2048,
        "fingerprint": selector,
    }
    return DkimKeySeen(DOMAIN, selector, **{**facts, **changes})


def no_key(selector: str = "s1") -> DkimKeySeen:
    return DkimKeySeen(DOMAIN, selector, Presence.ABSENT, declared=True)


def dmarc(p: str = "reject", **changes: Any) -> DmarcSeen:
    """`record` holds changes of the record itself."""
    record = DmarcRecord(
        DOMAIN.host, f"v=DMARC1; p={p}", p, **{"rua": ("mailto:dmarc@example.org",), **changes.pop("record", {})}
    )
    facts: dict[str, Any] = {
        "walk": (DmarcStep("_dmarc.example.org", (record.text,)),),
        "record": record,
        "policy": p,
        "subdomains": p,
        "nonexistent": p,
        "organizational": DOMAIN.host,
        "by_suffix_list": DOMAIN.host,
        "list_date": "2026-10-23",
        "security": SECURE,
    }
    return DmarcSeen(DOMAIN, **{**facts, **changes})


NO_DMARC = DmarcSeen(DOMAIN, (DmarcStep("_dmarc.example.org"),), None, security=SECURE)


def mx(*hosts: str, **changes: Any) -> MxSeen:
    exchangers = tuple(Exchanger(10 * n, host, (V4, V6), security=SECURE) for n, host in enumerate(hosts or (NAME,), 1))
    return MxSeen(DOMAIN, **{"presence": Presence.PRESENT, "exchangers": exchangers, "security": SECURE, **changes})


NULL_MX = MxSeen(DOMAIN, Presence.PRESENT, null=True, security=SECURE)
NO_MX = MxSeen(DOMAIN, Presence.EMPTY, security=SECURE)


def sts(mode: str = "enforce", *patterns: str, **changes: Any) -> StsSeen:
    facts: dict[str, Any] = {
        "records": ("v=STSv1; id=1;",),
        "id": "1",
        "fetched": True,
        "text": "version: STSv1",
        "mode": mode,
        "mx": patterns or (NAME,),
        "max_age": 1209600,
        "security": SECURE,
    }
    return StsSeen(DOMAIN, **{**facts, **changes})


def not_fetched(why: str, reason: Reason) -> StsSeen:
    return sts("", fetched=False, why=why, reason=reason, mx=(), max_age=0, text="")


NO_STS = StsSeen(DOMAIN, (), security=SECURE)


def rpt(*rua: str, **changes: Any) -> TlsRptSeen:
    where = rua or ("mailto:tls@example.org",)
    return TlsRptSeen(DOMAIN, **{"records": ("v=TLSRPTv1; rua=…",), "rua": where, "security": SECURE, **changes})


NO_RPT = TlsRptSeen(DOMAIN, (), security=SECURE)


def pin(data: str, usage: int = 3, selector: int = 1, matching: int = 0) -> Tlsa:
    """Without a digest: `data` is compared as it is."""
    return Tlsa(usage, selector, matching, data)


def tlsa(*records: Tlsa, port: int = 25, **changes: Any) -> TlsaSeen:
    presence = Presence.PRESENT if records else Presence.ABSENT
    facts: dict[str, Any] = {"owner": f"_{port}._tcp.{NAME}", "presence": presence, "records": records, "ttl": 3600}
    return TlsaSeen(HOST, port, **{**facts, "security": SECURE, **changes})


def caa(*issuers: str, **changes: Any) -> CaaSeen:
    rows = tuple(Caa(0, "issue", one) for one in issuers)
    where = DOMAIN.host if rows or changes.get("records") else ""
    return CaaSeen(HOST, **{"found_at": where, "records": rows, "security": SECURE, **changes})


def reverse(address: str, *names: str, confirmed: bool = True, **changes: Any) -> ReverseSeen:
    good = names if confirmed else ()
    return ReverseSeen(changes.pop("at", HOST), address, names, good, **changes)


def dated(what: str, value: str, first: datetime, at: Endpoint = DOMAIN, **detail: Any) -> Dated:
    return Dated(at, what, value, first, NOW, json.dumps(detail))


def reports(kind: str, last: date = TODAY - DAY, **changes: Any) -> ReportsRead:
    return ReportsRead(DOMAIN, kind, 12, ("google.com",), last - 6 * DAY, last, **changes)


def source(address: str, messages: int, aligned: int, **changes: Any) -> SourceSeen:
    counts = {"spf": aligned, "dkim": aligned, "delivered": messages, "quarantined": 0, "rejected": 0, **changes}
    return SourceSeen(
        DOMAIN, address, messages, aligned, **counts, reporters=("google.com",), first=TODAY - DAY, last=TODAY - DAY
    )


def failure(cause: str, type_: str = "certificate-expired", policy: str = "sts", **changes: Any) -> TlsFailureSeen:
    last = changes.pop("last", TODAY - DAY)
    return TlsFailureSeen(
        DOMAIN, type_, changes.pop("sessions", 42), cause, NAME, V4, policy, ("google.com",), last, last
    )
