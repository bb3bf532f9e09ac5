"""From published records to a declaration: `init` writes what holds already, and the file reads back."""

from __future__ import annotations

from datetime import date

import pytest

from gatepost import declare
from gatepost.cli.adopting import as_published
from gatepost.model.architecture import Architecture, Domain, Endpoint, Host, Selector
from gatepost.model.dns import Answer, Caa, Presence, Security, Tlsa
from gatepost.model.domain import (
    CaaSeen,
    DkimKeySeen,
    DmarcRecord,
    DmarcSeen,
    SpfSeen,
    StsSeen,
    TlsaSeen,
    TlsRptSeen,
)
from gatepost.model.observation import Observation, Seen

AT = Endpoint("example.org")
MX1 = Endpoint("mx1.example.org")
BARE = Domain("example.org", mx=("mx1.example.org", "mx.backup.example"))
HOSTS = frozenset({"mx1.example.org"})
PIN = TlsaSeen(MX1, 25, "_25._tcp.mx1.example.org", Presence.PRESENT, (Tlsa(3, 1, 1, "ab" * 32),), 300)


def adopted(*seen: Observation) -> Domain:
    return as_published(BARE, HOSTS, Seen(seen))


def spf(text: str, *seen: Observation) -> Domain:
    return adopted(SpfSeen(AT, (text,), "valid"), *seen)


def dmarc(where: str, p: str, *rua: str) -> DmarcSeen:
    return DmarcSeen(AT, (), DmarcRecord(where, "", p=p, rua=rua), policy=p)


def key(
    selector: str, presence: Presence = Presence.PRESENT, *, bits: int = 2048, revoked: bool = False
) -> DkimKeySeen:
    return DkimKeySeen(AT, selector, presence, declared=False, bits=bits, revoked=revoked)


def test_nothing_seen_says_nothing() -> None:
    assert adopted() == BARE


def test_everything_that_is_published() -> None:
    found = adopted(
        SpfSeen(AT, ("v=spf1 ip4:192.0.2.7 ip6:2001:db8::5/48 mx include:_spf.example.net ~all",), "valid"),
        dmarc("example.org", "reject", "mailto:d%2Be@example.org", "mailto:no address"),
        StsSeen(AT, ("v=STSv1; id=1",), "1", fetched=True, mode="testing"),
        TlsRptSeen(AT, ("",), ("mailto:t@example.org", "https://r.example/tls")),
        key("s1"), key("s0", revoked=True), key("s9", Presence.ABSENT), key("broken", bits=0),
        PIN,
        CaaSeen(MX1, "example.org", (Caa(0, "issue", "ca.example.net; x=y"), Caa(0, "issuewild", "other.example"))),
    )  # fmt: skip
    assert found.senders == ("192.0.2.7", "2001:db8::/48", "mx1.example.org")
    assert found.includes == ("_spf.example.net",)
    assert (found.dmarc, found.dmarc_reports) == ("reject", ("d+e@example.org",))
    assert (found.mta_sts, found.tls_reports) == ("testing", ("t@example.org", "https://r.example/tls"))
    assert (found.dkim, found.dane, found.caa, found.sends) == ((Selector("s1"),), True, ("ca.example.net",), True)
    hosts = (Host("mx1.example.org", ("192.0.2.25",), ()),)
    text = declare.write(Architecture(profile="rfc9325", hosts=hosts, domains=(found,)))
    (again,) = declare.read(text, "x", today=date(2026, 11, 24)).domains
    assert (again.senders, again.dmarc_reports, again.caa) == (found.senders, found.dmarc_reports, found.caa)


@pytest.mark.parametrize(
    ("text", "senders", "sends"),
    [
        ("v=spf1 mx -all", (), True),
        ("v=spf1 a:mx1.example.org -all", (), True),
        ("v=spf1 a -all", ("192.0.2.80", "2001:db8::80"), True),
        ("v=spf1 ip4:127.0.0.1 ip4:0.0.0.0/0 ip4:192.0.2.9/24 -all", ("192.0.2.0/24",), True),
        ("v=spf1 ?ip4:192.0.2.9 exists:%{i}.x ~all", (), True),
        ("v=spf1 -all", (), False),
        ("v=spf1 redirect=a.example", (), True),
        ("v=spf1 ip4:nonsense -all", (), True),
    ],
)
def test_senders(text: str, senders: tuple[str, ...], sends: bool) -> None:  # noqa: FBT001 - a column of the table
    own = (
        Answer(AT, "A", Presence.PRESENT, ("192.0.2.80",)),
        Answer(AT, "AAAA", Presence.PRESENT, ("2001:db8::80",)),
    )
    found = spf(text, *own)
    assert (found.senders, found.sends) == (senders, sends)


def test_what_belongs_to_others_is_not_adopted() -> None:
    assert adopted(dmarc("org", "reject", "mailto:x@y.example")) == BARE
    assert adopted(CaaSeen(MX1, "org", (Caa(0, "issue", "ca.example.net"),))) == BARE
    assert adopted(TlsaSeen(MX1, 25, "", Presence.PRESENT, PIN.records, security=Security.INSECURE)) == BARE
    assert adopted(StsSeen(AT, ("v=STSv1; id=1",), "1", fetched=False, mode="")) == BARE
