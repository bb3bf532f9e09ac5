"""One hello and its answer, with everything a peer may do in between."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.catalogue import profile, tls
from gatepost.errors import GatepostError, PeerGarbled, PeerReset, PeerSilent
from gatepost.model.architecture import Endpoint
from gatepost.model.words import Role
from gatepost.wire.lines import TlsFacts, Wire
from gatepost.wire.tls import server_hello as sh
from gatepost.wire.tls.ask import Answer, ask
from gatepost.wire.tls.attacks import attacks
from gatepost.wire.tls.client_hello import parse_client_hello, render_client_hello
from gatepost.wire.tls.conform import certificates, conform
from gatepost.wire.tls.inventory import HELLOS, inventory
from gatepost.wire.tls.offers import Offer, all_groups, all_schemes, codes
from gatepost.wire.tls.rules import classic
from tests.script import collect, run

AT = Endpoint("mx.example.org", "192.0.2.1", 25)
ECDHE = 0xC02F
OFFER = Offer("allowed-rsa", (ECDHE, 0x009E), sni="mx.example.org")
HELLO = sh.render_server_hello(sh.ServerHello(0x0303, ECDHE, (), b"s"))


@dataclass
class Canned:
    """Says its pieces, then what its last word is: an error, or b"" for the end."""

    pieces: list[bytes]
    last: GatepostError | None = None
    sent: bytes = b""
    closed: list[bool] = field(default_factory=list)

    async def write(self, data: bytes) -> None:
        self.sent += data

    async def read(self) -> bytes:
        if self.pieces:
            return self.pieces.pop(0)
        if self.last is not None:
            raise self.last
        return b""

    async def start_tls(self, name: str | None, *, highest: str = "") -> TlsFacts:
        raise PeerGarbled(f"no handshake with {name} {highest}")

    async def renegotiate(self) -> bool:
        return False

    async def close(self) -> None:
        self.closed.append(True)


def put(*pieces: bytes, last: GatepostError | None = None, offer: Offer = OFFER) -> Answer:
    return run(ask(Canned(list(pieces), last), offer))


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (put(sh.render_alert(40)), "alert:handshake_failure"),
        (put(), "closed"),
        (put(last=PeerReset("reset")), "reset"),
        (put(HELLO, sh.render_alert(80)), "alert:internal_error"),
        (put(HELLO), ""),
        (put(HELLO, last=PeerReset("reset")), ""),
        (put(HELLO, last=PeerSilent("silent")), ""),
        (put(sh.render_ssl2_error(1)), "ssl2:no cipher"),
    ],
)
def test_what_counts_as_a_refusal(answer: Answer, refused: str) -> None:
    assert answer.refused == refused
    assert answer.accepted == (not refused)
    assert answer.seen(AT).refused == refused


def test_silence_is_no_answer() -> None:
    with pytest.raises(PeerSilent):
        put(last=PeerSilent("no answer within 10 s"))


@pytest.mark.parametrize(
    "data",
    [
        b"220 mx.example.org ESMTP\r\n",
        sh.render_server_hello(sh.ServerHello(0x0303, 0x002F)),  # a suite not on offer
        sh.render_server_hello(sh.ServerHello(0x0305, ECDHE)),  # a version not on offer
        sh.render_server_hello(sh.hello_retry_request(ECDHE, 29)),
    ],
)
def test_a_peer_that_does_not_play_by_the_rules(data: bytes) -> None:
    with pytest.raises(PeerGarbled):
        put(data)


def test_clear_text_before_silence_is_named() -> None:
    with pytest.raises(PeerGarbled, match="SMTP"):
        put(b"220 mx", last=PeerSilent("silent"))


@pytest.mark.parametrize(
    "offer",
    [
        Offer("forbidden", codes(classic()), sni="mx.example.org", grease=True, fallback=True),
        Offer("tls1.3", (0x1301,), "TLSv1.3", "mx.example.org"),
        Offer("ssl3", (5,), "SSLv3"),
        Offer("ssl2", tuple(tls.ssl2_kinds()), "SSLv2"),
        *(Offer("weak-groups", (ECDHE,) * n, groups=(19,), schemes=(0x0804,)) for n in range(1, 120, 7)),
    ],
)
def test_every_offer_is_a_hello_that_reads_back(offer: Offer) -> None:
    data = render_client_hello(offer.hello)
    assert parse_client_hello(data) == offer.hello
    assert offer.hello == offer.hello
    assert not 256 <= len(data) - 5 <= 511 or offer.version in {"SSLv2", "SSLv3"}  # RFC 7685
    assert offer.hello.sni == offer.sni


def test_tls13_asks_for_nothing_else() -> None:
    hello = Offer("tls1.3", (0x1301,), "TLSv1.3").hello
    assert hello.versions == (0x0304,)
    assert hello.shares == ()
    assert hello.compressions == (0,)


def test_strong_schemes_and_hybrids_lead() -> None:
    schemes, weak = all_schemes(), {s.code for s in tls.schemes() if s.weak}
    assert set(schemes[-len(weak) :]) == weak
    assert tls.group_name(all_groups(tls13=True)[0]) == "X25519MLKEM768"
    assert 0x11EC not in all_groups(tls13=False)


FLIGHT = (
    HELLO
    + sh.render_certificate((b"leaf",))
    + sh.render_server_key_exchange(sh.Ephemeral(29, public=b"k", scheme=0x0804, signature=b"s"))
    + sh.render_server_hello_done()
)
BYTES = st.binary(max_size=60) | st.builds(
    lambda at, byte: FLIGHT[:at] + bytes([byte]) + FLIGHT[at + 1 :],
    st.integers(0, len(FLIGHT) - 1),
    st.integers(0, 255),
)
LAST = st.sampled_from([None, PeerReset("reset"), PeerSilent("silent"), PeerGarbled("TLS: nonsense")])


@settings(max_examples=60, deadline=None)
@given(st.lists(BYTES, min_size=1, max_size=9), LAST)
def test_no_peer_brings_a_survey_down(answers: list[bytes], last: GatepostError | None) -> None:
    made: list[Canned] = []

    async def reach() -> Wire:
        made.append(Canned([answers[len(made) % len(answers)]], last))
        return made[-1]

    rfc = profile("rfc9325")
    for look in (conform, inventory, certificates):
        collect(look(AT, reach, rfc, role=Role.SUBMISSION, name="mx.example.org", mine=True))
    collect(attacks(AT, reach, name=None))
    assert len(made) <= HELLOS + 40
    assert all(wire.closed == [True] for wire in made)
