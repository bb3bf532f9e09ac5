"""What real name servers answer through a validating resolver, zone by zone: states, values and reasons."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from gatepost.edge.lookup import Asker
from gatepost.edge.nameserver import Nameserver
from gatepost.edge.resolve import resolver_at
from gatepost.edge.unbound import validator
from gatepost.model.dns import Answer, Presence, Security
from gatepost.model.words import Reason
from lab.domain import MailDomain
from lab.names import PROGRAMS, why_no_names
from lab.places import state_root
from lab.site import Site
from lab.zones import Net

NET = Net("127.0.27")
HOST = Site("mail.lab.test", NET.at(201))
SECONDS = 3.0  # for one question: a domain without living servers costs them all
REVERSE = "201.27.0.127.in-addr.arpa"
REVERSE_6 = f"5.2.{'0.' * 22}8.b.d.0.1.0.0.2.ip6.arpa"

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(bool(why_no_names()), reason=why_no_names()),
]


@dataclass(frozen=True, slots=True)
class Row:
    """`values` None: not looked at. `why` are words the reason must contain."""

    asked: str
    presence: Presence
    security: Security
    values: tuple[str, ...] | None = None
    reason: Reason | None = None
    why: str = ""

    @property
    def question(self) -> tuple[str, str]:
        name, kind = self.asked.split()
        return name, kind


def present(asked: str, *values: str, security: Security = Security.SECURE) -> Row:
    return Row(asked, Presence.PRESENT, security, values or None)


def insecure(asked: str, *values: str) -> Row:
    return present(asked, *values, security=Security.INSECURE)


def empty(asked: str, security: Security = Security.SECURE) -> Row:
    return Row(asked, Presence.EMPTY, security)


def absent(asked: str, security: Security = Security.SECURE) -> Row:
    return Row(asked, Presence.ABSENT, security)


def bogus(asked: str, why: str) -> Row:
    return Row(asked, Presence.FAILED, Security.BOGUS, reason=Reason.BOGUS, why=why)


def failed(asked: str, reason: Reason, why: str) -> Row:
    return Row(asked, Presence.FAILED, Security.UNKNOWN, reason=reason, why=why)


ROWS = (
    present("lab.test MX", "10 mail.lab.test"),
    present("lab.test TXT", "v=spf1 mx -all"),
    present("LAB.Test. TXT", "v=spf1 mx -all"),
    present("mail.lab.test A", HOST.address),
    empty("mail.lab.test AAAA"),
    absent("nobody.lab.test A"),
    empty("_tcp.mail.lab.test TXT"),
    present("_submissions._tcp.lab.test SRV", "0 1 465 mail.lab.test"),
    present("_imap._tcp.lab.test SRV", "0 0 0 ."),
    present("lab.test CAA", "0 iodef mailto:security@lab.test", "0 issue ca.lab.test", "0 issuewild ;"),
    present(f"{REVERSE} PTR", "mail.lab.test"),
    absent("9.9.0.127.in-addr.arpa PTR"),
    insecure(f"{REVERSE_6} PTR", "mx1.dual.test"),
    absent("nobody.example A"),  # the root is the lab's own: nothing leaves the machine
    insecure("insecure.test MX", "10 mx.insecure.test"),
    absent("nobody.insecure.test A", Security.INSECURE),
    insecure("island.test MX", "10 mx.island.test"),
    empty("island.test A", Security.INSECURE),
    bogus("bogus.test MX", "DS"),
    bogus("nobody.bogus.test A", "(EDE "),
    bogus("expired.test MX", "expired"),
    bogus("_993._tcp.mail.unusable.test TLSA", "(EDE "),  # secure, and leads into a zone that is not
    present("nsec3.test MX", "10 mx.nsec3.test"),
    absent("nobody.nsec3.test A"),
    empty("mx.nsec3.test TXT"),
    empty("_tcp.mx.nsec3.test A"),
    present("nullmx.test MX", "0 ."),
    empty("parked.test MX"),
    present("any.thing._domainkey.parked.test TXT", "v=DKIM1; p="),
    present("alias.test MX", "10 mx.alias.test", "20 private.alias.test", "30 nowhere.alias.test", "40 192.0.2.1"),
    present("mx.alias.test A", HOST.address),
    present("mx1.dual.test AAAA", "2001:db8::25"),
    failed("lame.test MX", Reason.REFUSED, "SERVFAIL"),
    failed("dead.test MX", Reason.TIMEOUT, "does not answer"),
)
# What an application gets to see is the same; the words for it are libunbound's own.
VALIDATED = tuple(row for row in ROWS if row.presence is not Presence.FAILED or row.security is Security.BOGUS)


@pytest.fixture(scope="module", params=["knot", "nsd"])
def domain(request: pytest.FixtureRequest) -> Iterator[MailDomain]:
    if why_no_names(request.param):
        pytest.skip(f"{PROGRAMS[request.param]} is not installed")
    made = MailDomain(state_root() / "dns", NET, HOST, request.param)
    made.down()
    made.up()
    try:
        yield made
    finally:
        made.down()


@pytest.fixture(scope="module")
def told(domain: MailDomain) -> dict[tuple[str, str], Answer]:
    """By the resolver, which is on this machine and so believed."""
    return asked(resolver_at(domain.names.resolver, seconds=SECONDS).asker, (row.question for row in ROWS))


def asked(lookup: Asker, questions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
    async def all_of_them() -> list[Answer]:
        return await asyncio.gather(*(lookup(*question) for question in wanted))

    wanted = tuple(questions)
    try:
        return dict(zip(wanted, asyncio.run(all_of_them()), strict=True))
    finally:
        lookup.close()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.asked)
def test_the_resolver_says(told: dict[tuple[str, str], Answer], row: Row) -> None:
    answer = told[row.question]
    assert (answer.presence, answer.security, answer.reason) == (row.presence, row.security, row.reason), answer
    assert row.why.lower() in answer.why.lower()
    assert row.values is None or tuple(sorted(answer.values)) == row.values
    assert bool(answer.why) == answer.failed


def test_libunbound_says_the_same(domain: MailDomain, told: dict[tuple[str, str], Answer]) -> None:
    """Through the same resolver, not believed this time, from the root's key down."""
    place = (NET.resolver, 53)
    own = validator((place,), domain.names.anchors)
    if own is None:
        pytest.skip("libunbound is not installed")
    stranger = Nameserver(*place, "the resolver")
    here = asked(Asker((stranger,), "the resolver", validator=own), (row.question for row in VALIDATED))
    differ = {q: (a.security, told[q].security, a.why) for q, a in here.items() if a.security is not told[q].security}
    assert not differ
    assert {q: sorted(a.values) for q, a in here.items()} == {q: sorted(told[q].values) for q in here}
