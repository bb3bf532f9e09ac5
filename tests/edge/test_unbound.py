"""Validation on this machine, through resolvers that do not validate, that strip, and that forge."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gatepost.edge import unbound
from gatepost.edge.query import query
from gatepost.edge.resolve import resolver_at
from gatepost.edge.unbound import Unbound, anchor_names, validator
from gatepost.errors import UsageError
from gatepost.model.dns import Answer, Presence, Security
from gatepost.model.words import Reason
from tests.dns import Dns

TOP = dns.name.from_text("test.")
NOW = datetime.now(UTC)
RECORDS = """
@           300 IN SOA ns hostmaster 1 3600 600 86400 60
@           300 IN NS ns
ns          300 IN A 127.0.0.1
good        300 IN TXT "fine"
alias       300 IN CNAME good
forged      300 IN TXT "from the zone"
expired     300 IN TXT "old"
plain       300 IN NS ns.plain
ns.plain    300 IN A 127.0.0.1
"""


@cache
def signed() -> tuple[dns.zone.Zone, str]:
    """The zone with its signatures, and its trust anchor. The child `plain` has no DS."""
    zone = dns.zone.from_text(RECORDS, origin=TOP, relativize=False)
    secret = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(secret.public_key(), "ECDSAP256SHA256", 257)
    day = timedelta(days=1)
    with zone.writer() as txn:
        dns.dnssec.sign_zone(
            zone, txn, keys=[(secret, key)], dnskey_ttl=300, inception=NOW - day, expiration=NOW + 30 * day
        )
    old = zone.find_rrset("expired.test.", "TXT")
    stale = dns.dnssec.sign(old, secret, TOP, key, NOW - 60 * day, NOW - 30 * day)
    zone.replace_rdataset(old.name, dns.rdataset.from_rdata(300, stale))
    return zone, f"test. 300 IN DNSKEY {key}\n"


class Signed(Dns):
    """A resolver that does not validate; one that `strips` hands no DNSSEC record on."""

    def __init__(self, *, strips: bool = False) -> None:
        super().__init__({("plain.test", "TXT"): ["unsigned"], ("host.plain.test", "TXT"): ["unsigned"]})
        self.strips = strips

    def answer(self, data: bytes, *, udp: bool) -> bytes | None:
        asked = dns.message.from_wire(data)
        name, kind = asked.question[0].name, asked.question[0].rdtype
        if name.is_subdomain(dns.name.from_text("plain.test.")) and kind != dns.rdatatype.DS:
            return super().answer(data, udp=udp)
        self.asked.append(f"{name} {kind}")
        reply = dns.message.make_response(asked, recursion_available=True)
        zone, _ = signed()
        if name.is_subdomain(TOP):
            self._tell(reply, zone, name, kind)
        if self.strips:
            for section in reply.answer, reply.authority:
                section[:] = [one for one in section if one.rdtype not in {46, 47, 48, 43}]
        return reply.to_wire()

    def _tell(
        self, reply: dns.message.Message, zone: dns.zone.Zone, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> None:
        alias = zone.get_rrset(name, "CNAME")
        if alias is not None and kind != dns.rdatatype.CNAME:
            reply.answer += [alias, _signature(zone, alias)]
            name = alias[0].target
        if (found := zone.get_rrset(name, kind)) is not None:
            reply.answer += [_forge(found), _signature(zone, found)]
            return
        if zone.get_node(name) is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        whole = [zone.find_rrset(TOP, "SOA")]
        whole += [one for n in zone.nodes if (one := zone.get_rrset(n, "NSEC")) is not None]
        for one in whole:
            reply.authority += [one, _signature(zone, one)]


def _forge(found: dns.rrset.RRset) -> dns.rrset.RRset:
    if found.name != dns.name.from_text("forged.test.") or found.rdtype != dns.rdatatype.TXT:
        return found
    return dns.rrset.from_text(found.name, 300, "IN", "TXT", '"from an enemy"')


def _signature(zone: dns.zone.Zone, of: dns.rrset.RRset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(of.name, 300, list(zone.find_rdataset(of.name, "RRSIG", of.rdtype)))


@pytest.fixture(scope="module")
def anchor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("anchor") / "test.key"
    path.write_text(signed()[1])
    return path


@pytest.fixture(scope="module")
def plain() -> Iterator[Signed]:
    with Signed() as server:
        yield server


needs_libunbound = pytest.mark.skipif(unbound._library() is None, reason="libunbound is not installed")


def ask(server: Dns, name: str, anchor: Path | None, kind: str = "TXT", *, seconds: float = 4) -> Answer:
    """Through a resolver that is not trusted."""

    async def once() -> Answer:
        resolver = resolver_at(server.where, anchor=anchor, seconds=seconds)
        resolver.asker.servers[0].trusted = False
        try:
            return await resolver.asker(name, kind)
        finally:
            await resolver.close()

    return asyncio.run(once())


@needs_libunbound
@pytest.mark.parametrize(
    ("name", "presence", "security"),
    [
        ("good.test", Presence.PRESENT, Security.SECURE),
        ("alias.test", Presence.PRESENT, Security.SECURE),
        ("gone.test", Presence.ABSENT, Security.SECURE),
        ("ns.test", Presence.EMPTY, Security.SECURE),
        ("host.plain.test", Presence.PRESENT, Security.INSECURE),
        ("example.org", Presence.EMPTY, Security.UNKNOWN),  # no anchor covers it
    ],
)
def test_state(plain: Signed, anchor: Path, name: str, presence: Presence, security: Security) -> None:
    answer = ask(plain, name, anchor)
    assert (answer.presence, answer.security) == (presence, security)


@needs_libunbound
@pytest.mark.parametrize(("name", "words"), [("forged.test", "signature"), ("expired.test", "signature expired")])
def test_bogus(plain: Signed, anchor: Path, name: str, words: str) -> None:
    answer = ask(plain, name, anchor)
    assert (answer.presence, answer.reason, answer.security) == (Presence.FAILED, Reason.BOGUS, Security.BOGUS)
    assert "<" not in answer.why
    assert words in answer.why
    assert answer.why.endswith("says libunbound on this machine")


@needs_libunbound
def test_a_resolver_that_strips_signatures_makes_nobody_bogus(anchor: Path) -> None:
    with Signed(strips=True) as server:
        assert ask(server, "good.test", anchor).security is Security.UNKNOWN
        assert ask(server, "forged.test", anchor).values == ("from an enemy",)


@needs_libunbound
def test_another_key_makes_nobody_bogus(plain: Signed, tmp_path: Path) -> None:
    """A laboratory with a root of its own, and the anchor of the public one."""
    other = tmp_path / "other.key"
    other.write_text("test. 300 IN DS 4711 13 2 " + "ab" * 32 + "\n")
    answer = ask(plain, "good.test", other)
    assert (answer.presence, answer.security) == (Presence.PRESENT, Security.UNKNOWN)


@needs_libunbound
def test_a_cached_failure_gets_its_cause(anchor: Path) -> None:
    """A resolver that only says `bogus`, and hands the records out with checking disabled."""

    class Validating(Signed):
        def answer(self, data: bytes, *, udp: bool) -> bytes | None:
            answer = super().answer(data, udp=udp)
            unchecked = data[3] & 0x10
            if answer is None or unchecked or not self.asked[-1].startswith("expired"):
                return answer
            refused = dns.message.make_response(dns.message.from_wire(data))
            refused.set_rcode(dns.rcode.SERVFAIL)
            return refused.to_wire()

    with Validating() as server:
        answer = ask(server, "expired.test", anchor)
    assert "signature expired" in answer.why
    assert answer.reason is Reason.BOGUS


@needs_libunbound
def test_time_is_bounded(anchor: Path) -> None:
    async def once(port: int) -> tuple[Security, str, float]:
        found = validator((("127.0.0.1", port),), anchor)
        asked = query("good.test", "TXT")
        assert found is not None
        assert asked is not None
        start = asyncio.get_running_loop().time()
        told = await found(asked, 0.3)
        found.close()
        return told.security, told.why, asyncio.get_running_loop().time() - start

    with Dns({}, {"test": "silent", "good.test": "silent"}) as server:
        security, why, seconds = asyncio.run(once(server.port))
    assert security is Security.UNKNOWN
    assert why == "libunbound does not finish with good.test within 0.3 s"
    assert seconds < 2


@needs_libunbound
def test_closed_in_the_middle(anchor: Path) -> None:
    async def once(port: int) -> None:
        found = validator((("127.0.0.1", port),), anchor)
        asked = query("good.test", "TXT")
        assert found is not None
        assert asked is not None
        task = asyncio.create_task(found(asked, 5))
        await asyncio.sleep(0)
        found.close()
        assert (await task).why.endswith("through this resolver")

    with Dns({}, {"test": "silent"}) as server:
        asyncio.run(once(server.port))


@needs_libunbound
def test_many_at_once_and_in_one_run_after_another(plain: Signed, anchor: Path) -> None:
    found = validator((("127.0.0.1", plain.port),), anchor)
    assert found is not None

    async def many(found: Unbound) -> set[Security]:
        names = [query(name, "TXT") for name in ("good.test", "gone.test", "ns.test", "alias.test") * 20]
        return {told.security for told in await asyncio.gather(*(found(name, 5) for name in names if name))}

    assert [asyncio.run(many(found)) for _ in range(2)] == [{Security.SECURE}] * 2
    found.close()
    found.close()


def test_without_the_library_answers_stay_unknown(plain: Signed, anchor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unbound, "_library", lambda: None)
    assert ask(plain, "good.test", anchor).security is Security.UNKNOWN


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (". 172800 IN DNSKEY 257 3 8 AwEA ;{id = 20326}\n; autotrust trust anchor file\n", (".",)),
        ("example.org. IN DS 1 13 2 abcd\nExample.ORG. ds 2 13 2 abcd\n", ("example.org",)),
    ],
)
def test_anchor_files(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    path = tmp_path / "a.key"
    path.write_text(text)
    assert anchor_names(path) == names


@pytest.mark.parametrize("text", [None, "", "nothing here\n", "; DS\n", "\xff\x00 DS"])
def test_no_anchor(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "a.key"
    if text is not None:
        path.write_text(text, "latin-1")
    with pytest.raises(UsageError, match=r"a\.key"):
        resolver_at("192.0.2.1", anchor=path)
