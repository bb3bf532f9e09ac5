"""Questions to a resolver on loopback: what comes back, how far it can be believed, and what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar

import pytest

from gatepost.edge import lookup
from gatepost.edge.lookup import Asker
from gatepost.edge.nameserver import Nameserver
from gatepost.model.dns import Answer, Presence, Security
from gatepost.model.words import Reason
from tests.dns import Dns

LONG = "".join(f'"{"x" * 255}" ' for _ in range(240))
ZONE = {
    ("example.org", "MX"): ["20 MX2.Example.org.", "10 mx1.example.org."],
    ("null.example.org", "MX"): ["0 ."],
    ("example.org", "TXT"): ['"v=spf1 " "-all"', '"\\233t\\233"'],
    ("example.org", "CAA"): ['0 issue "ca.example.net; policy=ev"', '128 iodef "mailto:a@example.org"'],
    ("example.org", "NS"): ["ns.example.org."],
    ("mx1.example.org", "A"): ["192.0.2.25"],
    ("mx1.example.org", "AAAA"): ["2001:db8::25"],
    ("_25._tcp.mx1.example.org", "TLSA"): ["3 1 1 " + "AB" * 32],
    ("_imaps._tcp.example.org", "SRV"): ["0 1 993 Mail.example.org."],
    ("_pop3._tcp.example.org", "SRV"): ["0 0 0 ."],
    ("25.2.0.192.in-addr.arpa", "PTR"): ["a\\.b.mx1.example.org.", "\\255\\032x.example.org."],
    ("sub\\.dot.example.org", "TXT"): ["dotted"],
    ("a.example.org", "CNAME"): ["B.example.org."],
    ("b.example.org", "CNAME"): ["mx1.example.org."],
    ("void.example.org", "CNAME"): ["nothing.example.org."],
    ("bare.example.org", "CNAME"): ["null.example.org."],
    ("alone.example.org", "CNAME"): ["alone2.example.org."],
    ("alone2.example.org", "CNAME"): ["mx1.example.org."],
    ("ring.example.org", "CNAME"): ["ring2.example.org."],
    ("ring2.example.org", "CNAME"): ["ring.example.org."],
    ("slow-ring.example.org", "CNAME"): ["slow-ring2.example.org."],
    ("slow-ring2.example.org", "CNAME"): ["slow-ring.example.org."],
    ("out.example.org", "CNAME"): ["host.example.net."],
    ("host.example.net", "A"): ["192.0.2.77"],
    ("long.example.org", "TXT"): [LONG],
    ("cut.example.org", "TXT"): ["whole"],
    ("spoofed.example.org", "TXT"): ["true"],
    ("flooded.example.org", "TXT"): ["true"],
    ("besieged.example.org", "TXT"): ["true"],
    ("slow.example.org", "TXT"): ["late"],
    ("old.example.org", "TXT"): ["plain"],
    **{(f"c{n}.example.org", "CNAME"): [f"c{n + 1}.example.org."] for n in range(30)},
}
TROUBLE = {
    "alone.example.org": "alone",
    "alone2.example.org": "alone",
    "slow-ring.example.org": "alone",
    "slow-ring2.example.org": "alone",
    "cut.example.org": "truncated",
    "broken.example.org": "servfail",
    "lame.example.org": "servfail:22:no server\nanswers",
    "odd.example.org": "servfail:4711",
    "no.example.org": "refused",
    "expired.example.org": "servfail:7:expired yesterday",
    "vague.example.org": "servfail:6",
    "quiet.example.org": "bogus",
    "blocked.example.org": "servfail:15",
    "mute.example.org": "silent",
    "noise.example.org": "garbage",
    "endless.example.org": "cut",
    "spoofed.example.org": "spoofed",
    "flooded.example.org": "flood:5",
    "besieged.example.org": "flood:100",
    "slow.example.org": "delay:0.25",
    "half.example.org AAAA": "servfail",
}


@pytest.fixture(scope="module")
def dns() -> Iterator[Dns]:
    with Dns(ZONE, TROUBLE) as server:
        yield server


def asker(dns: Dns, *, seconds: float = 2, trusted: bool = True) -> Asker:
    where = f"the resolver {dns.where}"
    return Asker((Nameserver("127.0.0.1", dns.port, where, trusted=trusted),), where, seconds=seconds)


def ask(dns: Dns, name: str, kind: str = "TXT", *, seconds: float = 2, trusted: bool = True) -> Answer:
    async def once() -> Answer:
        return await asker(dns, seconds=seconds, trusted=trusted)(name, kind)

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("example.org", "MX", ("10 mx1.example.org", "20 mx2.example.org")),
        ("EXAMPLE.org.", "MX", ("10 mx1.example.org", "20 mx2.example.org")),
        ("null.example.org", "MX", ("0 .",)),
        ("example.org", "CAA", ("0 issue ca.example.net; policy=ev", "128 iodef mailto:a@example.org")),
        ("example.org", "NS", ("ns.example.org",)),
        ("mx1.example.org", "A", ("192.0.2.25",)),
        ("mx1.example.org", "AAAA", ("2001:db8::25",)),
        ("_25._tcp.mx1.example.org", "TLSA", ("3 1 1 " + "ab" * 32,)),
        ("_imaps._tcp.example.org", "SRV", ("0 1 993 mail.example.org",)),
        ("_pop3._tcp.example.org", "SRV", ("0 0 0 .",)),
        ("25.2.0.192.in-addr.arpa", "PTR", (r"\255\032x.example.org", r"a\046b.mx1.example.org")),
        (r"sub\046dot.example.org", "TXT", ("dotted",)),
        (r"sub\.dot.example.org", "TXT", ("dotted",)),
        ("a.example.org", "CNAME", ("b.example.org",)),
    ],
)
def test_values(dns: Dns, name: str, kind: str, values: tuple[str, ...]) -> None:
    answer = ask(dns, name, kind)
    assert (answer.presence, answer.values, answer.ttl) == (Presence.PRESENT, values, 60)
    assert answer.name == name.lower().removesuffix(".")


def test_texts_have_their_pieces(dns: Dns) -> None:
    answer = ask(dns, "example.org")
    assert dict(zip(answer.values, answer.pieces, strict=True)) == {"v=spf1 -all": 2, "été": 1}


@pytest.mark.parametrize(
    ("name", "kind", "presence", "aliases", "ttl"),
    [
        ("gone.example.org", "TXT", Presence.ABSENT, (), 30),
        ("mx1.example.org", "TXT", Presence.EMPTY, (), 30),
        ("_tcp.example.org", "TXT", Presence.EMPTY, (), 30),
        ("a.example.org", "A", Presence.PRESENT, ("b.example.org", "mx1.example.org"), 60),
        ("a.example.org", "TXT", Presence.EMPTY, ("b.example.org", "mx1.example.org"), 30),
        ("void.example.org", "TXT", Presence.ABSENT, ("nothing.example.org",), 30),
        ("bare.example.org", "TXT", Presence.EMPTY, ("null.example.org",), 30),
        ("alone.example.org", "A", Presence.PRESENT, ("alone2.example.org", "mx1.example.org"), 60),
        ("alone.example.org", "TXT", Presence.EMPTY, ("alone2.example.org", "mx1.example.org"), 30),
    ],
)
def test_presence(dns: Dns, name: str, kind: str, presence: Presence, aliases: tuple[str, ...], ttl: int) -> None:
    answer = ask(dns, name, kind)
    assert (answer.presence, answer.aliases, answer.ttl) == (presence, aliases, ttl)


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", ".a", "x" * 64 + ".org", "a." * 127 + "abc", "bücher.example", r"a\999"]
)
def test_what_can_be_no_name_is_absent_without_a_question(dns: Dns, name: str) -> None:
    before = len(dns.asked)
    answer = ask(dns, name)
    assert answer.presence is Presence.ABSENT
    assert "can be no DNS name" in answer.why
    assert len(dns.asked) == before


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("broken.example.org", Reason.REFUSED, "cannot resolve broken.example.org: SERVFAIL"),
        ("lame.example.org", Reason.REFUSED, "SERVFAIL (no reachable authority: no server answers)"),
        ("odd.example.org", Reason.REFUSED, "SERVFAIL (EDE 4711)"),
        ("no.example.org", Reason.REFUSED, "cannot resolve no.example.org: REFUSED"),
        ("blocked.example.org", Reason.REFUSED, "SERVFAIL (blocked)"),
        ("expired.example.org", Reason.BOGUS, "signature expired (EDE 7)"),
        ("vague.example.org", Reason.BOGUS, "DNSSEC validation failed (EDE 6)"),
        ("quiet.example.org", Reason.BOGUS, "only with DNSSEC checking disabled"),
        ("mute.example.org", Reason.TIMEOUT, "does not answer for mute.example.org within 0.3 s"),
        ("noise.example.org", Reason.GARBLED, "answers nonsense for noise.example.org"),
        ("endless.example.org", Reason.GARBLED, "even over TCP the answer is cut off"),
        ("ring.example.org", Reason.GARBLED, "ring.example.org -> ring2.example.org -> ring.example.org"),
        ("slow-ring.example.org", Reason.GARBLED, "in a circle"),
        ("c1.example.org", Reason.GARBLED, "more than 12 aliases"),
    ],
)
def test_failures(dns: Dns, name: str, reason: Reason, words: str) -> None:
    answer = ask(dns, name, seconds=0.3)
    assert (answer.presence, answer.reason) == (Presence.FAILED, reason)
    assert words in answer.why
    assert f"the resolver {dns.where}" in answer.why
    assert "\n" not in answer.why
    assert answer.security is (Security.BOGUS if reason is Reason.BOGUS else Security.UNKNOWN)


def test_nobody_listens() -> None:
    with Dns({}) as server:
        pass
    answer = ask(server, "example.org")
    assert (answer.presence, answer.reason) == (Presence.FAILED, Reason.RESET)
    assert "connection refused" in answer.why


def test_the_question_asks_for_everything(dns: Dns) -> None:
    ask(dns, "example.org", "MX")
    flags, edns = dns.flags[dns.asked.index("example.org MX")]
    assert flags & 0x0120 == 0x0120  # RD and AD
    assert edns == 0x8000  # DO


def test_a_long_text_comes_over_tcp(dns: Dns) -> None:
    before = dns.streams
    answer = ask(dns, "long.example.org")
    assert answer.values == ("x" * 255 * 240,)
    assert answer.pieces == (240,)
    assert ask(dns, "cut.example.org").values == ("whole",)
    assert dns.streams == before + 2


def test_an_answer_to_another_question_is_nobodys(dns: Dns) -> None:
    before = dns.streams
    assert ask(dns, "spoofed.example.org").values == ("true",)
    assert dns.streams == before


@pytest.mark.parametrize("name", ["flooded.example.org", "besieged.example.org"])
def test_whoever_floods_drives_us_to_tcp(dns: Dns, name: str) -> None:
    before = dns.streams
    assert ask(dns, name, seconds=0.9).values == ("true",)
    assert dns.streams == before + 1


def test_a_lost_datagram_is_sent_again(dns: Dns) -> None:
    """The answer is due after the first try was given up."""
    before = dns.asked.count("slow.example.org TXT")
    assert ask(dns, "slow.example.org", seconds=0.6).values == ("late",)
    assert dns.asked.count("slow.example.org TXT") == before + 2


def test_a_server_that_knows_no_edns() -> None:
    with Dns({("old.example.org", "TXT"): ["plain"]}, {"old.example.org": "formerr"}, secure=(".",)) as server:
        answer = ask(server, "old.example.org")
    assert answer.values == ("plain",)
    assert [edns for _, edns in server.flags][:2] == [0x8000, -1]


def test_asked_once_a_run(dns: Dns) -> None:
    async def often(asking: Asker) -> list[Answer]:
        together = await asyncio.gather(*(asking("example.org", "MX") for _ in range(10)))
        return [*together, await asking("Example.ORG.", "MX"), await asking("example.org", "NS")]

    before = dns.asked.count("example.org MX")
    asking = asker(dns)
    answers = asyncio.run(often(asking))
    assert len(set(answers[:11])) == 1
    assert dns.asked.count("example.org MX") == before + 1
    assert asking.spared == 10
    asyncio.run(often(asking))
    assert dns.asked.count("example.org MX") == before + 2
    asyncio.run(often(asker(dns)))
    assert dns.asked.count("example.org MX") == before + 3


def test_two_askers_share_nothing(dns: Dns) -> None:
    async def both() -> tuple[Answer, Answer]:
        with Dns({("example.org", "MX"): ["5 other.example.org."]}) as other:
            one, two = asker(dns), asker(other)
            return await one("example.org", "MX"), await two("example.org", "MX")

    first, second = asyncio.run(both())
    assert first.values != second.values


def test_who_gives_up_waiting_spoils_nothing(dns: Dns) -> None:
    async def impatient() -> Answer:
        asking = asker(dns)
        first = asyncio.create_task(asking("slow.example.org", "TXT"))
        second = asyncio.create_task(asking("slow.example.org", "TXT"))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(impatient()).values == ("late",)


def test_what_is_kept_is_bounded(dns: Dns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "MAX_KEPT", 2)

    async def three() -> int:
        asking = asker(dns)
        for kind in ("MX", "NS", "CAA", "MX"):
            await asking("example.org", kind)
        return asking.spared

    assert asyncio.run(three()) == 0


class Crowd(Dns):
    """Counts how many questions wait for their answer at the same time."""

    waiting: ClassVar[set[str]] = set()

    def happens(self, name: object, kind: str) -> str:
        del name, kind
        return "silent"


def test_a_dead_resolver_costs_one_patience() -> None:
    async def many() -> tuple[list[Answer], float, Asker]:
        asking = asker(server, seconds=0.4)
        start = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*(asking(f"n{n}.example.org", "A") for n in range(300)))
        answers.append(await asking("later.example.org", "A"))
        return answers, asyncio.get_running_loop().time() - start, asking

    with Crowd({}) as server:
        answers, seconds, asking = asyncio.run(many())
    assert {answer.reason for answer in answers} == {Reason.TIMEOUT}
    assert answers[-1].why == f"the resolver {server.where} answers nothing at all"
    assert asking.asked < 70
    assert seconds < 2


def test_one_lame_domain_does_not_condemn_a_resolver(dns: Dns) -> None:
    async def both() -> tuple[Answer, Answer]:
        asking = asker(dns, seconds=0.4)
        return await asking("mute.example.org", "TXT"), await asking("example.org", "NS")

    lame, fine = asyncio.run(both())
    assert lame.reason is Reason.TIMEOUT
    assert fine.presence is Presence.PRESENT


def test_the_next_resolver_is_asked(dns: Dns) -> None:
    async def both(servers: tuple[Nameserver, ...]) -> tuple[Answer, Answer]:
        asking = Asker(servers, "the system's resolver", seconds=0.6)
        return await asking("example.org", "MX"), await asking("example.org", "NS")

    with Dns({}, {"example.org": "silent"}) as mute, Dns({}, {"example.org": "refused"}) as unwilling:
        servers = tuple(Nameserver("127.0.0.1", one.port, one.where) for one in (mute, unwilling, dns))
        answers = asyncio.run(both(servers))
    assert [answer.presence for answer in answers] == [Presence.PRESENT] * 2
    assert mute.asked.count("example.org NS") == 0  # silent before, so it comes last now


@pytest.mark.parametrize(
    ("secure", "trusted", "name", "security"),
    [
        ((".",), True, "mx1.example.org", Security.SECURE),
        ((".",), True, "gone.example.org", Security.SECURE),
        ((".",), False, "mx1.example.org", Security.UNKNOWN),
        ((), True, "mx1.example.org", Security.UNKNOWN),  # never seen to validate
        ((), False, "mx1.example.org", Security.UNKNOWN),
        (("org",), True, "mx1.example.org", Security.SECURE),
        (("org",), True, "host.example.net", Security.UNKNOWN),  # a resolver with an anchor for org alone
        (("org",), True, "out.example.org", Security.UNKNOWN),
        (("org", "net"), True, "out.example.org", Security.SECURE),
    ],
)
def test_security(secure: tuple[str, ...], trusted: object, name: str, security: Security) -> None:
    with Dns(ZONE, secure=secure) as server:
        assert ask(server, name, "A", trusted=bool(trusted)).security is security


class Island(Dns):
    """A resolver that validates, and names without signatures below a signed top."""

    def answer(self, data: bytes, *, udp: bool) -> bytes | None:
        answer = super().answer(data, udp=udp)
        if answer is None or not self.asked[-1].startswith("plain."):
            return answer
        return answer[:3] + bytes([answer[3] & ~0x20]) + answer[4:]


@pytest.mark.parametrize("secure", [(".",), ("org",)])
def test_insecure_needs_a_resolver_that_was_seen_to_validate(secure: tuple[str, ...]) -> None:
    with Island({**ZONE, ("plain.example.org", "A"): ["192.0.2.9"]}, secure=secure) as server:
        assert ask(server, "plain.example.org", "A").security is Security.INSECURE
        assert ask(server, "plain.example.org", "A", trusted=False).security is Security.UNKNOWN


def test_security_of_a_chain_asked_in_pieces_is_that_of_its_weakest_part() -> None:
    with Island({**ZONE, ("plain.example.org", "CNAME"): ["mx1.example.org."]}, secure=(".",)) as server:
        server.kinds["plain.example.org", "A"] = "alone"
        answer = ask(server, "plain.example.org", "A")
    assert answer.values == ("192.0.2.25",)
    assert answer.security is Security.INSECURE


def test_doubt_says_why_answers_stay_unknown(dns: Dns) -> None:
    async def doubt(*, trusted: bool) -> str:
        asking = asker(dns, trusted=trusted)
        assert asking.doubt == ""
        await asking("example.org", "MX")
        return asking.doubt

    assert "is not trusted to validate" in asyncio.run(doubt(trusted=False))
    assert "was not seen to validate" in asyncio.run(doubt(trusted=True))


def test_servfail_that_passes_is_not_bogus() -> None:
    """Answered with checking disabled, and then also without: a resolver that was just not ready."""

    class Hesitant(Dns):
        def happens(self, name: object, kind: str) -> str:
            return "bogus" if self.asked.count(f"{str(name).rstrip('.')} {kind}") == 1 else ""

    with Hesitant(ZONE) as server:
        answer = ask(server, "example.org", "MX")
    assert answer.presence is Presence.PRESENT


def test_a_filter_is_no_proof_of_absence() -> None:
    class Filter(Dns):
        def happens(self, name: object, kind: str) -> str:
            del name, kind
            return "refused:15"

        def answer(self, data: bytes, *, udp: bool) -> bytes | None:
            answer = super().answer(data, udp=udp)
            return answer and answer[:3] + bytes([answer[3] & 0xF0 | 3]) + answer[4:]  # NXDOMAIN

    with Filter({}) as server:
        answer = ask(server, "example.org", "MX")
    assert (answer.presence, answer.reason) == (Presence.FAILED, Reason.REFUSED)
    assert "NXDOMAIN (blocked)" in answer.why
