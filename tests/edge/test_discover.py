"""From a target to hosts: domains, hosts, addresses, and names that lead nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.certs.chain import Roots
from gatepost.edge.discover import Discovery, discover
from gatepost.edge.resolve import resolver_at
from gatepost.errors import UsageError
from gatepost.model.words import Mode, Reason
from tests.authority import issue
from tests.dns import Dns
from tests.edge.web import Web

ZONE = {
    ("example.org", "MX"): ["20 mx2.example.org.", "10 mx1.example.org.", "30 gone.example.org."],
    ("example.org", "A"): ["192.0.2.80"],
    ("_imaps._tcp.example.org", "SRV"): ["0 0 993 imap.example.org."],
    ("_submissions._tcp.example.org", "SRV"): ["0 0 465 mx1.example.org."],
    ("_pop3s._tcp.example.org", "SRV"): ["0 0 0 ."],
    ("mx1.example.org", "A"): ["192.0.2.5"],
    ("mx1.example.org", "AAAA"): ["2001:db8::5"],
    ("mx2.example.org", "A"): ["192.0.2.6"],
    ("imap.example.org", "A"): ["192.0.2.7"],
    ("null.example", "MX"): ["0 ."],
    ("null.example", "A"): ["192.0.2.81"],
    ("nothing.example", "MX"): ["0 ."],
    ("text.example", "TXT"): ["x"],
    ("numbers.example", "MX"): ["10 192.0.2.9.", "20 mx1.example.org."],
    ("slow.example", "A"): ["192.0.2.82"],
    ("web.example", "MX"): ["10 mx1.example.org."],
    ("autoconfig.web.example", "A"): ["127.0.0.1"],
    ("autodiscover.web.example", "A"): ["127.0.0.1"],
}
TROUBLE = {"_imap._tcp.slow.example": "servfail", "mute.example": "silent", "broken.example": "servfail"}


@pytest.fixture(scope="module")
def dns() -> Iterator[Dns]:
    with Dns(ZONE, TROUBLE) as server:
        yield server


def found(dns: Dns, target: str, *, seconds: float = 2) -> Discovery:
    return asyncio.run(discover(target, resolver_at(dns.where, seconds=seconds)))


def test_domain(dns: Dns) -> None:
    seen = found(dns, "Example.org.")
    assert seen.domain == "example.org"
    assert seen.hosts == (
        ("mx1.example.org", ("192.0.2.5", "2001:db8::5")),
        ("mx2.example.org", ("192.0.2.6",)),
        ("imap.example.org", ("192.0.2.7",)),
    )
    assert [(one.via, one.service, one.target) for one in seen.advertised] == [
        ("mx", "smtp", "mx1.example.org"),
        ("mx", "smtp", "mx2.example.org"),
        ("mx", "smtp", "gone.example.org"),
        ("srv", "submissions", "mx1.example.org"),
        ("srv", "imaps", "imap.example.org"),
    ]
    (lost,) = seen.unobserved
    assert (lost.at.host, lost.wanted, lost.reason) == ("gone.example.org", "addresses", Reason.UNRESOLVED)


@pytest.mark.parametrize(
    ("target", "host", "address"),
    [
        ("mx2.example.org", "mx2.example.org", "192.0.2.6"),
        ("192.0.2.5", "192.0.2.5", "192.0.2.5"),
        ("[2001:DB8::5]", "2001:db8::5", "2001:db8::5"),
    ],
)
def test_host(dns: Dns, target: str, host: str, address: str) -> None:
    seen = found(dns, target)
    assert seen.hosts == ((host, (address,)),)
    assert seen.domain == ""
    assert not seen.unobserved


def test_null_mx_is_told(dns: Dns) -> None:
    seen = found(dns, "null.example")
    assert seen.notes == ("null.example accepts no mail (null MX, RFC 7505)",)
    assert (seen.domain, seen.hosts) == ("null.example", (("null.example", ("192.0.2.81",)),))


def test_a_domain_that_refuses_mail_needs_no_address_to_be_one(dns: Dns) -> None:
    seen = found(dns, "nothing.example")
    assert (seen.domain, seen.hosts) == ("nothing.example", ())
    assert seen.notes == ("nothing.example accepts no mail (null MX, RFC 7505)",)


def test_address_in_the_place_of_an_exchanger(dns: Dns) -> None:
    seen = found(dns, "numbers.example")
    assert [host for host, _ in seen.hosts] == ["mx1.example.org"]
    assert seen.unobserved[0].detail == "192.0.2.9 is an address where a name is due"


def test_record_that_could_not_be_asked_for(dns: Dns) -> None:
    seen = found(dns, "slow.example")
    assert seen.hosts == (("slow.example", ("192.0.2.82",)),)
    (lost,) = seen.unobserved
    assert (lost.at.host, lost.wanted, lost.reason) == ("slow.example", "srv:imap", Reason.REFUSED)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("gone.example", "gone.example does not exist"),
        ("", "is neither a host name, a domain nor an address"),
        ("a b", "is neither a host name"),
        ("mx\x1b.example", "is neither a host name"),
        ("a..b", "is no host name"),
        ("x" * 300, "is no host name"),
    ],
)
def test_leads_nowhere(dns: Dns, target: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        found(dns, target)
    assert str(caught.value).isprintable()


def test_no_answer_is_not_a_missing_name(dns: Dns) -> None:
    """It may be a domain, and what is wrong with it is for the audit to tell."""
    for name, reason, words in (
        ("mute.example", Reason.TIMEOUT, "does not answer"),
        ("broken.example", Reason.REFUSED, "SERVFAIL"),
    ):
        seen = found(dns, name, seconds=0.3)
        assert (seen.domain, seen.hosts) == (name, ())
        lost = seen.unobserved[-1]
        assert (lost.wanted, lost.reason) == ("addresses", reason)
        assert words in lost.detail


def test_a_name_without_mail_and_address_is_a_domain(dns: Dns) -> None:
    seen = found(dns, "text.example")
    assert (seen.domain, seen.hosts) == ("text.example", ())


def test_client_settings(dns: Dns, tmp_path: Path) -> None:
    root = issue("Web Root", ca=True, days=(-9000, 9000))
    names = ("autoconfig.web.example", "autodiscover.web.example")
    leaf = issue(names[0], root, names=names, days=(-9000, 9000))
    config = (
        b'HTTP/1.1 200 OK\r\n\r\n<clientConfig><incomingServer type="imap"><hostname>imap.example.org</hostname>'
        b"<port>993</port><socketType>SSL</socketType></incomingServer></clientConfig>"
    )
    answers: dict[str, bytes | None] = {names[0]: config, names[1]: b"HTTP/1.1 500 Broken\r\n\r\n"}
    with Web(tmp_path, leaf, answers) as web:
        resolver = resolver_at(dns.where, seconds=2)
        seen = asyncio.run(discover("web.example", resolver, roots=Roots((root.der,)), https=web.port))
    published = seen.advertised[-1]
    assert (published.via, published.target, published.mode) == ("autoconfig", "imap.example.org", Mode.IMPLICIT)
    (lost,) = seen.unobserved
    assert (lost.wanted, lost.reason) == ("autodiscover", Reason.REFUSED)
    assert [host for host, _ in seen.hosts] == ["mx1.example.org"]
    assert any("<EMailAddress>" not in asked and asked.startswith("POST /autodiscover") for asked in web.asked)
