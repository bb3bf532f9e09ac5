"""What every reader of records makes of real zones and policies, and TLSA held against what real daemons serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gatepost.certs import dane
from gatepost.certs.dane import Rollover
from gatepost.edge.fetching import Fetcher
from gatepost.edge.resolve import resolver_at
from gatepost.edge.trust import roots
from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.dns import Presence, Security
from gatepost.model.domain import TlsaSeen
from gatepost.model.observation import CertificateSeen, Observation, Unobserved, of
from gatepost.model.words import Reason, Role
from gatepost.records import caa, dkim, dmarc, mta_sts, mx, reverse, spf, tls_rpt, tlsa
from gatepost.records.lookup import Fetch, Lookup
from gatepost.records.suffixes import suffixes
from lab.domain import MailDomain
from lab.names import why_no_names
from lab.places import state_root
from lab.site import Site
from lab.zones import Net
from tests.verdicts import audited

NET = Net("127.0.29")
HOST = Site("mail.lab.test", NET.at(201))
SECONDS = 3.0  # for one question

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(bool(why_no_names()), reason=why_no_names()),
]
Asked = Coroutine[Any, Any, Observation]


@dataclass(frozen=True, slots=True)
class Row:
    """One question to a reader. `facts` are fields of what it saw; `says` stands in its problems, advice or reason."""

    name: str
    ask: Callable[[Lookup, Fetch], Asked]
    facts: Mapping[str, object] = field(default_factory=dict)
    says: str = ""


def spf_of(name: str, result: str, lookups: int = 0, voids: int = 0, says: str = "") -> Row:
    facts = {"result": result, "lookups": lookups, "voids": voids}
    return Row(f"spf {name}", lambda lookup, _: spf.inspect(name, lookup), facts, says)


def sent_from(address: str, result: str) -> Row:
    return Row(f"spf from {address}", lambda lookup, _: spf.check(address, "lab.test", lookup), {"result": result})


def key_of(domain: str, selector: str, says: str = "", **facts: object) -> Row:
    def ask(lookup: Lookup, _fetch: Fetch) -> Asked:
        return dkim.key(domain, selector, lookup, declared=True)

    return Row(f"dkim {selector} {domain}", ask, facts, says)


def dmarc_of(name: str, policy: str, organizational: str, by_suffix_list: str, says: str = "", **facts: object) -> Row:
    told = {"policy": policy, "organizational": organizational, "by_suffix_list": by_suffix_list, **facts}
    return Row(f"dmarc {name}", lambda lookup, _: dmarc.inspect(name, lookup, suffixes()), told, says)


def sts_of(name: str, says: str = "", **facts: object) -> Row:
    return Row(f"mta-sts {name}", lambda lookup, fetch: mta_sts.inspect(name, lookup, fetch), facts, says)


def tlsa_of(host: str, port: int, says: str = "", **facts: object) -> Row:
    return Row(f"tlsa {port} {host}", lambda lookup, _: tlsa.inspect(host, port, lookup), facts, says)


def mx_of(name: str, says: str = "", **facts: object) -> Row:
    return Row(f"mx {name}", lambda lookup, _: mx.inspect(name, lookup), facts, says)


def ptr_of(address: str, names: tuple[str, ...], confirmed: tuple[str, ...], says: str = "") -> Row:
    def ask(lookup: Lookup, _fetch: Fetch) -> Asked:
        return reverse.inspect(Endpoint("lab.test"), address, lookup)

    return Row(f"ptr {address}", ask, {"names": names, "confirmed": confirmed}, says)


SENDING = (
    spf_of("lab.test", "valid", lookups=1),
    sent_from(HOST.address, "pass"),
    sent_from("192.0.2.9", "fail"),
    spf_of("ten.spf.test", "valid", lookups=10),
    spf_of("eleven.spf.test", "permerror", lookups=11, says="10 allowed"),
    spf_of("moved.spf.test", "permerror", lookups=11, says="10 allowed"),
    spf_of("loop.spf.test", "permerror", lookups=2, says="without end"),
    spf_of("voids.spf.test", "permerror", lookups=3, voids=3, says="void"),
    spf_of("twice.spf.test", "permerror", says="only one is allowed"),
    spf_of("everybody.spf.test", "valid", says="+all"),
    spf_of("slow.spf.test", "valid", lookups=1, says="ptr"),
    spf_of("faraway.spf.test", "temperror", lookups=1),
    spf_of("large.test", "valid", lookups=1, voids=1),  # by TCP: the answer fits no datagram
    key_of("lab.test", "r2026", key_type="rsa", bits=2048, problems=(), security=Security.SECURE),
    key_of("lab.test", "e2026", key_type="ed25519", problems=()),
    key_of("lab.test", "r2024", revoked=True),
    key_of("lab.test", "r1999", presence=Presence.ABSENT),
    key_of("aged.test", "weak", bits=1024, says="1024"),
    key_of("aged.test", "test", testing=True, hashes=("sha1",), says="sha1"),
    key_of("aged.test", "split", bits=2048, problems=()),
    key_of("aged.test", "twice", says="2 TXT records"),
    key_of("aged.test", "garbled", says="base64"),
    key_of("parked.test", "anything", revoked=True),
    dmarc_of("lab.test", "reject", "lab.test", "lab.test", nonexistent="reject", problems=(), advice=()),
    dmarc_of("aged.test", "none", "aged.test", "aged.test", says="pct=50 is obsolete"),
    dmarc_of("tree.test", "none", "tree.test", "tree.test", subdomains="quarantine", nonexistent="reject"),
    dmarc_of("a.unit.tree.test", "reject", "unit.tree.test", "tree.test", says="suffix list"),
    dmarc_of("b.tree.test", "quarantine", "tree.test", "tree.test"),
    dmarc_of("nobody.tree.test", "reject", "tree.test", "tree.test"),
    dmarc_of("a.b.c.d.e.f.g.h.i.deep.tree.test", "quarantine", "tree.test", "tree.test"),
    dmarc_of("member.registry.test", "none", "member.registry.test", "registry.test", says="psd=y"),
    dmarc_of("other.registry.test", "reject", "other.registry.test", "registry.test"),
)
RECEIVING = (
    mx_of("lab.test", presence=Presence.PRESENT, null=False, security=Security.SECURE),
    mx_of("insecure.test", security=Security.INSECURE),
    mx_of("nullmx.test", null=True, problems=()),
    mx_of("parked.test", presence=Presence.EMPTY, exchangers=()),
    mx_of("alias.test", says="mx.alias.test is an alias of mail.lab.test"),
    mx_of("alias.test", says="private.alias.test has the private address 10.0.0.25"),
    mx_of("alias.test", says="nowhere.alias.test has no address"),
    mx_of("alias.test", says="is an address"),
    mx_of("bogus.test", reason=Reason.BOGUS),
    mx_of("expired.test", reason=Reason.BOGUS, says="expired"),
    mx_of("lame.test", reason=Reason.REFUSED),
    mx_of("dead.test", reason=Reason.TIMEOUT),
    sts_of("lab.test", fetched=True, mode="enforce", mx=(HOST.name,), problems=(), advice=()),
    sts_of("testing.sts.test", fetched=True, mode="testing"),
    sts_of("wrong-mx.sts.test", fetched=True, mx=("mx.elsewhere.test",)),
    sts_of("expired.sts.test", fetched=False, says="expired"),
    sts_of("wrong-name.sts.test", fetched=False, says="hostname mismatch"),
    sts_of("unknown-ca.sts.test", fetched=False, says="not trusted"),
    sts_of("redirect.sts.test", fetched=False, says="301"),
    sts_of("huge.sts.test", fetched=False, says="65536"),
    sts_of("missing.sts.test", fetched=False, says="404"),
    sts_of("closed.sts.test", fetched=False, says="refused"),
    sts_of("nowhere.sts.test", fetched=False, says="does not exist"),
    sts_of("page.sts.test", fetched=True, mode="", says="HTML"),
    sts_of("parked.test", fetched=None, records=()),
    tlsa_of("mail.lab.test", 25, owner="_25._tcp.mail.lab.test", problems=(), security=Security.SECURE),
    tlsa_of("mail.lab.test", 993, owner="_tlsa.mail.lab.test", problems=()),
    tlsa_of("mail.lab.test", 24, presence=Presence.ABSENT, records=()),
    tlsa_of("mx.alias.test", 25, owner="_25._tcp.mail.lab.test"),
    tlsa_of("mx.nsec3.test", 25, presence=Presence.PRESENT, security=Security.SECURE),
    tlsa_of("mx.insecure.test", 25, security=Security.INSECURE, says="not signed"),
    tlsa_of("mx.island.test", 25, security=Security.INSECURE, says="not signed"),
    tlsa_of("mx.bogus.test", 25, reason=Reason.BOGUS),
    tlsa_of("mail.unusable.test", 587, says="matching type 9"),
    tlsa_of("mail.unusable.test", 993, reason=Reason.BOGUS),
    Row("caa", lambda lookup, _: caa.inspect("mail.lab.test", lookup), {"found_at": "lab.test", "problems": ()}),
    Row("no caa", lambda lookup, _: caa.inspect("mx.nsec3.test", lookup), {"found_at": "", "records": ()}),
    Row("tls-rpt", lambda lookup, _: tls_rpt.inspect("lab.test", lookup), {"rua": ("mailto:tls-reports@lab.test",)}),
    ptr_of(HOST.address, (HOST.name,), (HOST.name,)),
    ptr_of("2001:db8::25", ("mx1.dual.test",), ("mx1.dual.test",)),
    ptr_of("2001:db8::26", ("mx1.dual.test",), (), says="leads to 2001:db8::25"),
    ptr_of("2001:db8::27", ("mx2.dual.test", "nobody.dual.test"), ("mx2.dual.test",), says="does not exist"),
    ptr_of("2001:db8::28", (), ()),
)
ROWS = (*SENDING, *RECEIVING)


@pytest.fixture(scope="module")
def domain() -> Iterator[MailDomain]:
    made = MailDomain(state_root() / "domains", NET, HOST)
    made.down()
    made.up()
    try:
        yield made
    finally:
        made.down()


@pytest.fixture(scope="module")
def seen(domain: MailDomain) -> dict[int, Observation]:
    """All questions in one run, as an audit puts them."""
    resolver = resolver_at(domain.names.resolver, seconds=SECONDS)
    fetch = Fetcher(resolver, roots(domain.estate.ca))

    async def all_of_them() -> list[Observation]:
        return await asyncio.gather(*(row.ask(resolver.asker, fetch) for row in ROWS))

    return dict(zip(map(id, ROWS), asyncio.run(all_of_them()), strict=True))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_reads(seen: dict[int, Observation], row: Row) -> None:
    found = seen[id(row)]
    facts = {name: getattr(found, name, None) for name in row.facts}
    assert facts == row.facts, found
    if row.says:
        words = (*getattr(found, "problems", ()), *getattr(found, "advice", ()), *_reasons(found))
        assert any(row.says in word for word in words), words


def _reasons(found: Observation) -> tuple[str, ...]:
    return (found.detail,) if isinstance(found, Unobserved) else (getattr(found, "why", ""),)


def test_addresses_elsewhere_need_consent(domain: MailDomain) -> None:
    lookup = resolver_at(domain.names.resolver, seconds=SECONDS).asker

    async def targets() -> dict[str, bool | None]:
        found = await dmarc.inspect("aged.test", lookup, suffixes())
        assert not isinstance(found, Unobserved)
        return {one.uri: one.authorised for one in await dmarc.targets(found, lookup)}

    assert asyncio.run(targets()) == {"mailto:d@reports.test": True, "mailto:d@stranger.test": False}


@dataclass(frozen=True, slots=True)
class Pinned:
    """TLSA records under some name of the host, and what they come to against the certificate that it serves."""

    host: str
    port: int
    agrees: bool | None
    state: Rollover


PINNED = (
    *(Pinned("mail.lab.test", port, True, Rollover.CURRENT) for port in (110, 143, 465, 587, 993, 995, 4190)),
    Pinned("mail.lab.test", 25, True, Rollover.CURRENT),  # by its own key, and by that of its issuer
    Pinned("mx.alias.test", 25, True, Rollover.CURRENT),
    Pinned("mail.rollover.test", 25, True, Rollover.BOTH),
    Pinned("mail.stale.test", 25, False, Rollover.NEXT),
    Pinned("mail.unusable.test", 25, None, Rollover.NONE),  # PKIX-EE, which no sender uses
    Pinned("mail.unusable.test", 587, None, Rollover.NONE),
)


@pytest.fixture(scope="module")
def audit(domain: MailDomain) -> Audit:
    return audited(domain.estate.declaration, domain.estate.ca)


@pytest.fixture(scope="module")
def pins(domain: MailDomain) -> dict[Pinned, TlsaSeen]:
    lookup = resolver_at(domain.names.resolver, seconds=SECONDS).asker

    async def all_of_them() -> list[TlsaSeen | Unobserved]:
        return await asyncio.gather(*(tlsa.inspect(one.host, one.port, lookup) for one in PINNED))

    found = dict(zip(PINNED, asyncio.run(all_of_them()), strict=True))
    return {row: one for row, one in found.items() if isinstance(one, TlsaSeen)}


@pytest.mark.parametrize("row", PINNED, ids=lambda row: f"{row.host}:{row.port}")
def test_records_and_certificates_meet(audit: Audit, pins: dict[Pinned, TlsaSeen], row: Pinned) -> None:
    chains = [shown.chain for shown in of(CertificateSeen, audit.run.seen) if shown.at.port == row.port]
    assert chains
    role = Role.MX if row.port == 25 else Role.ACCESS
    names = (pins[row].base, HOST.name)
    met = [dane.match(pins[row].records, chain, audit.generated_at, names, role=role) for chain in chains]
    assert {one.agrees for one in met} == {row.agrees}, met
    assert dane.rollover(met).state is row.state
    assert all(len(one.matched) == len(pins[row].records) for one in met) or row.state is not Rollover.CURRENT
