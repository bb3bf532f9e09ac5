"""Ticketbleed (CVE-2016-9244): a resumed session echoes 32 octets of session id, however few were sent.

The hello carries a forged ticket and a session id of 16 octets. An echo longer than what was sent is the leak and
proves it. The flaw shows only when the ticket is resumed, so an ordinary answer to a forged one proves nothing,
unless the server promises no tickets at all: then there is none to resume.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

from gatepost.model.observation import Feature, Observation
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.ask import Answer
from gatepost.wire.tls.interview import Interview
from gatepost.wire.tls.offers import Offer, codes
from gatepost.wire.tls.rules import classic, needs_dh

SENT = sha256(b"session").digest()[:16]
FORGED = b"".join(sha256(bytes([i])).digest() for i in range(6))


async def ticketbleed(interview: Interview, name: str | None) -> AsyncIterator[Observation]:
    offer = Offer(
        "ticketbleed",
        codes(s for s in classic() if not needs_dh(s)),
        sni=name,
        session_id=SENT,
        extras=((ext.SESSION_TICKET, FORGED),),
    )
    answer = await interview.put(offer)
    for seen in interview.drain():
        yield seen
    if answer.accepted:
        present, detail = _verdict(answer)
        yield Feature(interview.at, "ticketbleed", present, detail)


def _verdict(answer: Answer) -> tuple[bool | None, str]:
    echo = answer.flight.session_id
    if echo.startswith(SENT) and len(echo) > len(SENT):
        return True, f"{len(echo) - len(SENT)} octets more came back than were sent as session id"
    if "session_ticket" not in answer.flight.extensions:
        return False, "the server promises no tickets"
    return None, "a forged ticket is not resumed; only a valid one would show the flaw"
