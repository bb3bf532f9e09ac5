"""Which dialogue speaks which protocol of the port catalogue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from gatepost.model.observation import Observation
from gatepost.wire import imap, pop3, sieve, smtp
from gatepost.wire.ask import Ask, why
from gatepost.wire.lines import Talk

__all__ = ("Ask", "Dialogue", "dialogue_for", "why")

Conversation = Callable[[Talk, Ask], AsyncIterator[Observation]]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How one protocol is talked to; each function takes a fresh connection.

    `reach` goes to right before the ClientHello and raises a PeerError when it cannot. `converse` is the main
    conversation. `inject` sends a command behind STARTTLS and then shows what the port serves without SNI and
    over TLS 1.2. `preamble` (only for endpoints that are `mine`) talks before the greeting. The last three
    never raise: what they lose they yield as Unobserved.
    """

    reach: Callable[[Talk, Ask], Coroutine[Any, Any, None]]
    converse: Conversation
    inject: Conversation
    preamble: Conversation


_SMTP = Dialogue(smtp.reach, smtp.converse, smtp.inject, smtp.preamble)

DIALOGUES: dict[str, Dialogue] = {
    "imap": Dialogue(imap.reach, imap.converse, imap.inject, imap.preamble),
    "lmtp": _SMTP,
    "managesieve": Dialogue(sieve.reach, sieve.converse, sieve.inject, sieve.preamble),
    "pop3": Dialogue(pop3.reach, pop3.converse, pop3.inject, pop3.preamble),
    "smtp": _SMTP,
    "smtp-atrn": _SMTP,
}


def dialogue_for(protocol: str) -> Dialogue | None:
    """None for a protocol gatepost does not talk."""
    return DIALOGUES.get(protocol)
