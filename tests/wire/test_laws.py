"""Any bytes parse or blame the peer, and it does not matter where they are cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gatepost.errors import PeerGarbled, PeerSilent
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Observation
from gatepost.model.words import Mode, Role
from gatepost.wire import relay, smuggling
from gatepost.wire.ask import Ask
from gatepost.wire.dialogue import DIALOGUES
from gatepost.wire.identify import identify
from gatepost.wire.lines import Talk, TlsFacts, Wire
from tests.script import FACTS, collect, told

AT = Endpoint("mx.example", "192.0.2.25", 25)


class Babbler:
    """Answers every read with the next chunk, whatever was asked; grants TLS when nothing is left unread."""

    def __init__(self, chunks: list[bytes], end: type[Exception] | None = None) -> None:
        self.chunks = list(chunks)
        self.end = end

    async def read(self) -> bytes:
        if self.chunks:
            return self.chunks.pop(0)
        if self.end is not None:
            raise self.end("no answer")
        return b""

    async def write(self, data: bytes) -> None:
        assert data

    async def start_tls(self, name: str | None, *, highest: str = "") -> TlsFacts:
        del name, highest
        if not self.chunks:
            raise PeerGarbled("TLS handshake: closed")
        return FACTS

    async def renegotiate(self) -> bool:
        return bool(self.chunks)

    async def close(self) -> None:
        return


# Pieces from which an answer that gets somewhere can be put together.
PIECE = st.sampled_from(
    [
        *(f"{code}{dash}STARTTLS\r\n".encode() for code in (220, 250, 334, 354, 421, 450) for dash in " -"),
        b"* OK ready\r\n", b"* CAPABILITY STARTTLS AUTH=PLAIN AUTH=ANONYMOUS\r\n", b"* BYE\r\n",
        b"+ \r\n", b"* {3}\r\n",
        *(f"a{n} {word}\r\n".encode() for n in range(1, 10) for word in ("OK", "NO x")), b"zz OK\r\n", b"PROXY BAD\r\n",
        b"+OK\r\n", b"STLS\r\n", b"SASL PLAIN ANONYMOUS\r\n", b".\r\n", b"-ERR x\r\n",
        b'"STARTTLS"\r\n', b'"SASL" "PLAIN ANONYMOUS"\r\n', b"OK\r\n", b"NO\r\n", b'""\r\n', b'"SIEVE" {2}\r\n',
        b"\0", b"\xff", b"\n", b"\r", b"x" * 9000,
    ]
)  # fmt: skip
BYTES = st.lists(st.one_of(PIECE, PIECE, PIECE, st.binary(max_size=40)), max_size=30).map(b"".join)

Run = Callable[[Wire, Ask], AsyncIterator[Observation]]


def runs(protocol: str) -> dict[str, Run]:
    dialogue = DIALOGUES[protocol]
    found: dict[str, Run] = {
        "converse": lambda wire, ask: dialogue.converse(Talk(wire), ask),
        "inject": lambda wire, ask: dialogue.inject(Talk(wire), ask),
        "preamble": lambda wire, ask: dialogue.preamble(Talk(wire), ask),
    }
    if protocol == "smtp":
        found["relay"] = lambda wire, ask: relay.relay(Talk(wire), ask, relay.FORMS)
        found["smuggle"] = lambda wire, ask: smuggling.smuggle(Talk(wire), ask, smuggling.FORMS)
        found["identify"] = lambda wire, ask: identify(wire, ask.at, _none_left)
    return found


async def _none_left() -> Wire:
    raise PeerSilent("no more")


CASES = [
    pytest.param(run, protocol, mode, id=f"{protocol} {name} {mode}")
    for protocol in sorted(DIALOGUES)
    for name, run in runs(protocol).items()
    for mode in (Mode.IMPLICIT, Mode.STARTTLS)
]


def ask_of(protocol: str, mode: Mode) -> Ask:
    role = Role.SUBMISSION if protocol == "smtp" else Role.MX
    return Ask(AT, protocol, mode, role, "mx.example", mine=True, domain="example.org", recipient="probe@example.org")


@pytest.mark.parametrize(("run", "protocol", "mode"), CASES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=BYTES)
def test_no_bytes_make_a_dialogue_raise(run: Run, protocol: str, mode: Mode, data: bytes) -> None:
    for end in (None, PeerSilent):
        seen = collect(run(Babbler([data], end), ask_of(protocol, mode)))
        assert seen
        for one in seen:
            line = told(one)
            assert line.replace("…", "").isascii(), line
            assert line.isprintable(), line


@pytest.mark.parametrize("protocol", sorted(DIALOGUES))
@settings(max_examples=60, deadline=None)
@given(data=BYTES, cut=st.sampled_from([1, 2, 3, 7]))
@example(data=b"220-a\r\n220 b\r\n250 STARTTLS\r\n", cut=3)
def test_cuts_do_not_matter(protocol: str, data: bytes, cut: int) -> None:
    """Without STARTTLS, where what has arrived behind the go-ahead is the very question."""
    ask = ask_of(protocol, Mode.NONE)
    data = data.replace(b"STARTTLS", b"STARTXXX").replace(b"STLS", b"XXXX")
    pieces = [data[at : at + cut] for at in range(0, len(data), cut)]
    whole = collect(DIALOGUES[protocol].converse(Talk(Babbler([data])), ask))
    assert collect(DIALOGUES[protocol].converse(Talk(Babbler(pieces)), ask)) == whole


@pytest.mark.parametrize("protocol", sorted(DIALOGUES))
@pytest.mark.parametrize("flood", [b"220-x\r\n", b"* x\r\n", b"+OK\r\nx\r\n", b'"x"\r\n', b"x" * 5000, b"* {0}\r\n"])
def test_a_flood_ends(protocol: str, flood: bytes) -> None:
    ask = ask_of(protocol, Mode.STARTTLS)
    wire = Babbler([b"* OK\r\n" if protocol == "imap" else b"", *([flood] * 100_000)])
    seen = collect(DIALOGUES[protocol].converse(Talk(wire), ask))
    assert seen
    assert len(wire.chunks) > 90_000, "it read on and on"
