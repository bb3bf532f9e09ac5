"""Which dialogue speaks which protocol of the port catalogue, and what each can be asked to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from gatepost.model.observation import Observation
from gatepost.model.words import Mode
from gatepost.wire import imap, injection, pop3, preamble, sieve, smtp
from gatepost.wire.ask import Ask, Stage, secure, until_failure
from gatepost.wire.lines import Talk

__all__ = ("Ask", "Dialogue", "dialogue_for")


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How one protocol is talked to; each function takes a fresh connection.

    `reach` goes to right before the ClientHello and raises a PeerError when it cannot. The methods never
    raise: what they lose they yield as Unobserved. `steps` is the main conversation from the greeting on,
    `behind` and `early` are what the two others need to know of the protocol.
    """

    reach: Callable[[Talk, Ask], Coroutine[Any, Any, None]]
    steps: Callable[[Talk, Ask, Stage], AsyncIterator[Observation]]
    behind: injection.Behind
    early: preamble.Early

    def converse(self, talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
        """The main conversation."""
        stage = Stage("greeting")
        return until_failure(ask.at, stage, self._opened(talk, ask, stage))

    async def _opened(self, talk: Talk, ask: Ask, stage: Stage) -> AsyncIterator[Observation]:
        if ask.mode is Mode.IMPLICIT:
            stage.wanted = "tls"
            async for fact in secure(talk, ask, ask.name):
                yield fact
            stage.wanted = "greeting"
        async for seen in self.steps(talk, ask, stage):
            yield seen

    def inject(self, talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
        """A command sent behind STARTTLS, then what the port serves without SNI and over TLS 1.2."""
        return injection.inject(talk, ask, self.reach, self.behind)

    def preamble(self, talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
        """Talking before the greeting; only to endpoints that are `mine`."""
        return preamble.preamble(talk, ask, self.early)


_SMTP = Dialogue(smtp.reach, smtp.steps, smtp.BEHIND, smtp.EARLY)

DIALOGUES: dict[str, Dialogue] = {
    "imap": Dialogue(imap.reach, imap.steps, imap.BEHIND, imap.EARLY),
    "lmtp": _SMTP,
    "managesieve": Dialogue(sieve.reach, sieve.steps, sieve.BEHIND, sieve.EARLY),
    "pop3": Dialogue(pop3.reach, pop3.steps, pop3.BEHIND, pop3.EARLY),
    "smtp": _SMTP,
    "smtp-atrn": _SMTP,
}


def dialogue_for(protocol: str) -> Dialogue | None:
    """None for a protocol gatepost does not talk."""
    return DIALOGUES.get(protocol)
