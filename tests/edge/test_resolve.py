"""Names to records, and what went wrong told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.edge import resolve
from gatepost.edge.resolve import Resolver, hosts_file, resolver_at, resolver_file
from gatepost.errors import PeerBogus, PeerError, PeerGarbled, PeerRefused, PeerSilent, PeerUnreachable, UsageError
from gatepost.model.reasons import reason
from gatepost.model.words import Reason
from tests.dns import Dns

ZONE = {
    ("example.org", "MX"): ["20 mx2.example.org.", "10 mx1.example.org."],
    ("example.org", "TXT"): ['"v=spf1 " "-all"'],
    ("mx1.example.org", "A"): ["192.0.2.5", "192.0.2.6"],
    ("mx1.example.org", "AAAA"): ["2001:db8::5"],
    ("mx2.example.org", "A"): ["192.0.2.7"],
    ("half.example.org", "A"): ["192.0.2.8"],
    ("alias.example.org", "CNAME"): ["mx1.example.org."],
    ("empty.example.org", "TXT"): ["x"],
    ("long.example.org", "A"): ["192.0.2.9"],
    ("_imaps._tcp.example.org", "SRV"): ["10 5 993 imap.example.org."],
    ("xn--bcher-kva.example", "A"): ["192.0.2.10"],
}
TROUBLE = {
    "broken.example.org": "servfail",
    "no.example.org": "refused",
    "mute.example.org": "silent",
    "noise.example.org": "garbage",
    "long.example.org": "truncated",
    "expired.example.org": "servfail:7",
}


@pytest.fixture(scope="module")
def dns() -> Iterator[Dns]:
    with Dns(ZONE, TROUBLE) as server:
        yield server


@pytest.fixture
def resolver(dns: Dns) -> Resolver:
    return resolver_at(dns.where, seconds=2)


def addresses(resolver: Resolver, name: str) -> tuple[str, ...]:
    return asyncio.run(resolver.addresses(name))


def test_both_families(resolver: Resolver) -> None:
    assert addresses(resolver, "mx1.example.org") == ("192.0.2.5", "192.0.2.6", "2001:db8::5")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("MX2.example.org.", "192.0.2.7"),
        ("alias.example.org", "192.0.2.5"),
        ("long.example.org", "192.0.2.9"),
        ("bücher.example", "192.0.2.10"),
        ("192.0.2.77", "192.0.2.77"),
        ("[2001:DB8:0::77]", "2001:db8::77"),
    ],
)
def test_names(resolver: Resolver, name: str, first: str) -> None:
    assert addresses(resolver, name)[0] == first


@pytest.mark.parametrize(
    ("name", "kind", "why", "words"),
    [
        ("gone.example.org", PeerUnreachable, Reason.UNRESOLVED, "gone.example.org does not exist"),
        ("empty.example.org", PeerUnreachable, Reason.UNRESOLVED, "empty.example.org has no address"),
        ("broken.example.org", PeerRefused, Reason.REFUSED, "SERVFAIL"),
        ("no.example.org", PeerRefused, Reason.REFUSED, "REFUSED"),
        ("expired.example.org", PeerBogus, Reason.BOGUS, "signature expired"),
        ("a..b", PeerUnreachable, Reason.UNRESOLVED, "is no host name"),
        ("x" * 64 + ".example.org", PeerUnreachable, Reason.UNRESOLVED, "is no host name"),
        ("", PeerUnreachable, Reason.UNRESOLVED, "is no host name"),
    ],
)
def test_trouble(resolver: Resolver, name: str, kind: type[PeerError], why: Reason, words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        addresses(resolver, name)
    assert reason(caught.value) is why


def test_silence(dns: Dns) -> None:
    with pytest.raises(PeerSilent, match=r"does not answer for mute.example.org within 0.3 s") as caught:
        addresses(resolver_at(dns.where, seconds=0.3), "mute.example.org")
    assert reason(caught.value) is Reason.TIMEOUT


def test_garbage_ends_in_an_answer(dns: Dns) -> None:
    with pytest.raises((PeerGarbled, PeerRefused, PeerSilent)):
        addresses(resolver_at(dns.where, seconds=0.3), "noise.example.org")


def test_nobody_there() -> None:
    with Dns({}) as server:
        where = server.where
    with pytest.raises(PeerError, match="resolver 127"):
        addresses(resolver_at(where, seconds=0.3), "mx1.example.org")


def test_mx(resolver: Resolver) -> None:
    rows = asyncio.run(resolver.mx("example.org"))
    assert sorted(rows) == [(10, "mx1.example.org."), (20, "mx2.example.org.")]
    assert asyncio.run(resolver.mx("mx1.example.org")) == ()


def test_srv_and_txt(resolver: Resolver) -> None:
    assert asyncio.run(resolver.srv("_imaps._tcp.example.org")) == ((10, 5, 993, "imap.example.org."),)
    assert asyncio.run(resolver.srv("_pop3s._tcp.example.org")) == ()
    assert asyncio.run(resolver.txt("example.org")) == ("v=spf1 -all",)
    assert asyncio.run(resolver.txt("gone.example.org")) == ()


def test_half_an_answer_is_told_with_the_trouble() -> None:
    """IPv4 known and IPv6 unknown is not the same as no IPv6."""

    class OneFamily(Dns):
        def answer(self, data: bytes, *, udp: bool) -> bytes | None:
            self.trouble = {}
            answer = super().answer(data, udp=udp)
            if self.asked[-1].endswith("AAAA"):
                self.trouble = {name: "servfail" for name, _ in self.zone}
                answer = super().answer(data, udp=udp)
            return answer

    with OneFamily(ZONE) as server:
        found = asyncio.run(resolver_at(server.where, seconds=2).find("half.example.org"))
    assert found.addresses == ("192.0.2.8",)
    assert [type(error) for error in found.trouble] == [PeerRefused]


@pytest.mark.parametrize("where", ["dns.example", "127.0.0.1#x", "127.0.0.1#0", "127.0.0.1#65536", "", "#53"])
def test_no_resolver(where: str) -> None:
    with pytest.raises(UsageError, match="--resolver"):
        resolver_at(where)


@pytest.mark.parametrize("where", ["127.0.0.1", "::1#5353", "[::1]#5353"])
def test_resolver_in_words(where: str) -> None:
    assert resolver_at(where).where == f"the resolver {where}"


def test_one_run_asks_once(dns: Dns, resolver: Resolver) -> None:
    """Whoever looks up through the asker shares the answers of whoever resolves names."""

    async def both() -> int:
        await resolver.mx("example.org")
        await resolver.asker("EXAMPLE.org", "MX")
        await resolver.close()
        return resolver.asker.spared

    before = dns.asked.count("example.org MX")
    assert asyncio.run(both()) == 1
    assert dns.asked.count("example.org MX") == before + 1


@pytest.mark.parametrize(
    ("where", "named", "trusted"),
    [("127.0.0.1", False, True), ("::1", False, True), ("192.0.2.53", False, False), ("192.0.2.53#5353", True, True)],
)
def test_whose_word_counts(where: str, named: object, trusted: object) -> None:
    (server,) = resolver_at(where, trusted=bool(named)).asker.servers
    assert server.trusted is trusted


@pytest.mark.parametrize(
    ("text", "addresses", "trusted"),
    [
        (
            "nameserver 192.0.2.1\nsearch example.org\n nameserver\t2001:db8::1 # two\n",
            ("192.0.2.1", "2001:db8::1"),
            False,
        ),
        ("# nameserver 192.0.2.9\nnameserver dns.example\noptions edns0 trust-ad\n", ("127.0.0.1",), True),
        ("nameserver fe80::1%eth0\nnameserver 192.0.2.1\n" * 3, ("fe80::1%eth0", "192.0.2.1"), False),
        ("".join(f"nameserver 192.0.2.{n}\n" for n in range(9)), ("192.0.2.0", "192.0.2.1", "192.0.2.2"), False),
        ("\0\xff", ("127.0.0.1",), False),
    ],
)
def test_resolver_file(tmp_path: Path, text: str, addresses: tuple[str, ...], trusted: object) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(text, "latin-1")
    assert resolver_file(file) == (addresses, trusted)
    assert resolver_file(tmp_path / "none") == (("127.0.0.1",), False)


def test_the_systems_resolver_is_believed_when_the_system_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "resolv.conf"
    monkeypatch.setattr(resolve, "RESOLVER_FILE", file)
    file.write_text("nameserver 192.0.2.1\nnameserver 127.0.0.1\n")
    assert [server.trusted for server in resolver_at().asker.servers] == [False, True]
    file.write_text("nameserver 192.0.2.1\noptions trust-ad\n")
    (server,) = resolver_at().asker.servers
    assert (server.trusted, server.where) == (True, "the system's resolver 192.0.2.1")


def test_hosts_file(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("127.0.0.1 localhost\n192.0.2.1  MX.example.org mx # one\n2001:db8::1 mx\nnonsense x\n\xff\n")
    assert hosts_file(file) == {
        "localhost": ("127.0.0.1",),
        "mx.example.org": ("192.0.2.1",),
        "mx": ("192.0.2.1", "2001:db8::1"),
    }
    assert hosts_file(tmp_path / "none") == {"localhost": ("127.0.0.1",)}


def test_hosts_file_wins_except_for_the_own_name(dns: Dns) -> None:
    """Debian maps a machine's public name to 127.0.1.1."""
    local = {"mx1.example.org": ("127.0.1.1",), "mx2.example.org": ("198.51.100.1",), "mine.example": ("127.0.1.1",)}
    resolver = Resolver("a test", resolver_at(dns.where).asker, local)
    assert addresses(resolver, "mx1.example.org")[0] == "192.0.2.5"
    assert addresses(resolver, "mx2.example.org") == ("198.51.100.1",)
    assert addresses(resolver, "mine.example") == ("127.0.1.1",)


def test_system_resolver() -> None:
    assert "127.0.0.1" in addresses(resolver_at(), "localhost")
