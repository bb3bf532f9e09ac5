"""What speaks on a port, by its dialogue.

Whoever speaks first gives itself away. A silent peer is offered TLS on the same connection, then, on one new
connection each, a line of HTTP (which Redis, memcached, spamd and clamd answer in their own way) and the
opening of the milter protocol. Nothing is asked that could change anything.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from gatepost.errors import BudgetSpent, PeerClosed, PeerError, PeerGarbled, PeerReset, PeerSilent, PeerTarpit
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Greeting, Identified, Observation
from gatepost.model.reasons import reason
from gatepost.model.words import Mode, Reason
from gatepost.wire import imap_answers, pop3, replies, sieve_answers
from gatepost.wire.ask import lost
from gatepost.wire.banners import protocol_of, settled
from gatepost.wire.lines import MAX_LINE, Dial, Talk, Wire, printable
from gatepost.wire.software import own_name, software

ME = "gatepost-audit.invalid"
HTTP = b"GET / HTTP/1.0\r\n\r\n"  # no Host header: Redis takes one for an attack and hangs up
MILTER = b"\0\0\0\x0dO\0\0\0\x06\0\0\0\0\0\0\0\0"  # option negotiation, version 6, asking for nothing
MAX_READS = 64  # a greeting in more pieces than that is a trickle

# OpenSSL's words when the other side speaks TLS but not with us; anything else was not TLS.
_SPEAKS_TLS = re.compile(r"alert|unsupported protocol|handshake failure|inappropriate fallback", re.IGNORECASE)


async def identify(wire: Wire, at: Endpoint, redial: Dial, *, name: str | None = None) -> AsyncIterator[Observation]:
    """Yields Identified, and Greeting where it is mail; Unobserved when nothing can be said.

    `name` is the SNI. At most two further connections, and only for a peer that waits for us.
    """
    try:
        first = await _first(wire)
    except PeerTarpit as error:
        yield lost(at, "identity", error)
    except PeerSilent:
        async for seen in _silent(wire, at, redial, name):
            yield seen
    except PeerError as error:
        yield lost(at, "identity", error)
    else:
        async for seen in _spoken(Talk(wire), at, first):
            yield seen


async def _first(wire: Wire) -> bytes:
    """The first line or binary greeting; what came before a silence when it does not get that far."""
    got = b""
    for _ in range(MAX_READS):
        try:
            data = await wire.read()
        except PeerTarpit:
            raise
        except PeerSilent:
            if got:
                return got
            raise
        if not data:
            if got:
                return got
            raise PeerClosed("closed without a word")
        got += data
        if settled(got) or len(got) > MAX_LINE:
            return got
    raise PeerTarpit(f"a greeting in more than {MAX_READS} pieces")


async def _spoken(talk: Talk, at: Endpoint, first: bytes) -> AsyncIterator[Observation]:
    """Mail is asked for what it can do, which also tells LMTP from SMTP and whether STARTTLS is there."""
    protocol = protocol_of(first) or "unknown"
    talk.lines.feed(first)
    known, upgrade = Heard(_shown(first)), False
    try:
        if protocol in _ASKED:
            known, protocol, upgrade = await _ASKED[protocol](talk)
    except (BudgetSpent, PeerError) as error:
        if reason(error) in {Reason.GARBLED, Reason.TARPIT}:
            protocol = "unknown"
    mode = Mode.IMPLICIT if talk.encrypted else Mode.STARTTLS if upgrade else Mode.NONE
    name, version = software(known.text)
    yield Identified(at, protocol, mode, _shown(first), f"{name} {version}".strip())
    if protocol in {"imap", "lmtp", "managesieve", "pop3", "smtp"}:
        host = own_name(known.text)
        yield Greeting(at, known.text, talk.encrypted, 0.0, name, version, host, preauth=known.preauth)


@dataclass(frozen=True, slots=True)
class Heard:
    """The whole greeting, once it was read as the protocol it belongs to."""

    text: str
    preauth: bool = False


async def _smtp(talk: Talk) -> tuple[Heard, str, bool]:
    greeting = await replies.reply(talk)
    heard = Heard("\n".join(printable(line) for line in greeting.lines))
    if greeting.code != 220:
        return heard, "smtp", False
    protocol, answer = "smtp", await replies.command(talk, f"EHLO {ME}")
    if not answer.ok:
        other = await replies.command(talk, f"LHLO {ME}")
        protocol, answer = ("lmtp", other) if other.ok else (protocol, answer)
    await _leave(talk, "QUIT")
    return heard, protocol, any(line.strip().upper() == "STARTTLS" for line in answer.lines)


async def _lmtp(talk: Talk) -> tuple[Heard, str, bool]:
    heard = Heard("\n".join(printable(line) for line in (await replies.reply(talk)).lines))
    answer = await replies.command(talk, f"LHLO {ME}")
    await _leave(talk, "QUIT")
    return heard, "lmtp", any(line.strip().upper() == "STARTTLS" for line in answer.lines)


async def _imap(talk: Talk) -> tuple[Heard, str, bool]:
    status, text = await imap_answers.greeting(talk)
    answer = await imap_answers.command(talk, "a1", "CAPABILITY")
    await _leave(talk, "a2 LOGOUT")
    return Heard(printable(text), status == "PREAUTH"), "imap", "STARTTLS" in (answer.capabilities() or ())


async def _pop3(talk: Talk) -> tuple[Heard, str, bool]:
    greeting = pop3.parse(await talk.line())
    words = await pop3.capabilities(talk) if greeting.ok else ()
    await _leave(talk, "QUIT")
    return Heard(printable(greeting.text)), "pop3", "STLS" in words


async def _sieve(talk: Talk) -> tuple[Heard, str, bool]:
    greeting = await sieve_answers.response(talk)
    await _leave(talk, "LOGOUT")
    words = greeting.capabilities()
    return Heard("\n".join((*words, greeting.words))), "managesieve", "STARTTLS" in words


_ASKED = {"imap": _imap, "lmtp": _lmtp, "managesieve": _sieve, "pop3": _pop3, "smtp": _smtp}


async def _silent(wire: Wire, at: Endpoint, redial: Dial, name: str | None) -> AsyncIterator[Observation]:
    """TLS first: behind a mail port number that is by far the likeliest."""
    talk = Talk(wire)
    try:
        await talk.start_tls(name)
    except PeerError as error:
        if _SPEAKS_TLS.search(str(error)):
            yield Identified(at, "tls", Mode.IMPLICIT, printable(str(error)))
            return
    if talk.encrypted:
        async for seen in _inside(talk, at):
            yield seen
        return
    await wire.close()
    for question in (HTTP, MILTER):
        try:
            first = await _answer(redial, question)
        except (BudgetSpent, PeerError) as error:
            yield lost(at, "identity", error)
            return
        if first and (protocol := protocol_of(first)) not in {"", "smtp"}:
            yield Identified(at, protocol, Mode.NONE, _shown(first))
            return
        if first:
            yield Identified(at, "unknown", Mode.NONE, _shown(first))
            return
    yield Identified(at, "silent", Mode.NONE, "")


async def _inside(talk: Talk, at: Endpoint) -> AsyncIterator[Observation]:
    """Whoever is silent inside TLS as well gets the line of HTTP."""
    try:
        first = await _first(talk.wire)
    except PeerTarpit:
        first = b""
    except PeerSilent:
        first = await _asked(talk.wire, HTTP)
    except PeerError:
        first = b""
    if not first:
        yield Identified(at, "tls", Mode.IMPLICIT, "")
        return
    if protocol_of(first) == "http":
        yield Identified(at, "https", Mode.IMPLICIT, _shown(first))
        return
    async for seen in _spoken(talk, at, first):
        yield seen


async def _answer(redial: Dial, question: bytes) -> bytes:
    """The answer on a new connection; empty for silence or a hang-up, which say nothing."""
    wire = await redial()
    try:
        return await _asked(wire, question)
    finally:
        await wire.close()


async def _asked(wire: Wire, question: bytes) -> bytes:
    try:
        await wire.write(question)
        return await _first(wire)
    except (PeerClosed, PeerGarbled, PeerReset, PeerSilent):
        return b""


async def _leave(talk: Talk, line: str) -> None:
    """Said for politeness; the answer is of no interest."""
    try:
        await talk.send(line)
    except PeerError:
        return


def _shown(first: bytes) -> str:
    line = first.split(b"\n", 1)[0].rstrip(b"\r")
    return printable(line.decode("latin-1"), 120)
