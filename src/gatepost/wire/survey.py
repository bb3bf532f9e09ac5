"""One endpoint from the first connection to the last question: the order in which things are asked.

The conversation comes first and alone: postscreen lets a newcomer wait, and what the port speaks decides what is
worth asking. Everything after it is independent and may run side by side.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol, runtime_checkable

from gatepost.catalogue import Profile
from gatepost.errors import GatepostError, PeerUnreachable
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import (
    Closed,
    Feature,
    Greeting,
    Handshake,
    Identified,
    Injected,
    Listening,
    Observation,
    Tried,
    Unobserved,
    Upgrade,
)
from gatepost.model.words import Mode, Reason
from gatepost.wire import relay, smuggling
from gatepost.wire.ask import Ask, lost
from gatepost.wire.dialogue import Dialogue, dialogue_for
from gatepost.wire.identify import identify
from gatepost.wire.lines import Dial, Talk, Wire, printable
from gatepost.wire.software import by_habit
from gatepost.wire.tls.attacks import attacks
from gatepost.wire.tls.conform import certificates, conform
from gatepost.wire.tls.interview import Merge
from gatepost.wire.tls.inventory import inventory

HOPELESS = frozenset({Reason.LIMITED, Reason.FILTERED, Reason.REFUSED, Reason.BUDGET, Reason.TARPIT})
FORMS_AT_ONCE = 9  # Postfix slows down at the tenth error of a session and hangs up at the twentieth
BROKE_OFF = frozenset({Reason.CLOSED, Reason.GARBLED, Reason.RESET})
ENOUGH_FOR_NOW = frozenset({Reason.CLOSED, Reason.RESET, Reason.LIMITED})


@runtime_checkable
class Ticketed(Protocol):
    """A wire that knows what the tickets of its TLS session allow."""

    def max_early_data(self) -> int | None: ...


class Depth(StrEnum):
    """How much to ask: the port table, the certificates, what the controls need, or everything."""

    CERTIFICATES = "certificates"
    CONFORMANCE = "conformance"
    INVENTORY = "inventory"
    PORTS = "ports"


@dataclass(frozen=True, slots=True)
class Plan:
    depth: Depth
    profile: Profile


async def survey(ask: Ask, dial: Dial, plan: Plan, merge: Merge) -> AsyncIterator[Observation]:
    """Everything the plan asks of one endpoint; never raises a GatepostError."""
    first = _Watch()
    async for seen in first.over(_conversation(ask, dial)):
        yield seen
    if not first.spoke and not first.hopeless:
        found: Identified | None = None
        async for seen in _who(ask, dial):
            found = seen if isinstance(seen, Identified) else found
            yield seen
        if found is None or not _worth_another(ask, found):
            if first.handshake_failed and ask.mode is Mode.IMPLICIT:
                async for seen in merge(_tls(ask, dial, plan, merge)):
                    yield seen
            return
        ask = replace(ask, protocol=found.protocol, mode=found.mode)
        first = _Watch()
        async for seen in first.over(_conversation(ask, dial)):
            yield seen
    elif first.hung_up:
        async for seen in first.over(_conversation(replace(ask, gentle=True), dial)):
            yield seen
    if (mode := first.mode) is not None:
        yield Identified(ask.at, ask.protocol, mode, first.words, by_habit(first.answers))
    if first.spoke and plan.depth is not Depth.PORTS:
        async for seen in merge(_rest(ask, dial, plan, first, merge)):
            yield seen


@dataclass(slots=True)
class _Watch:
    """What the conversation told about how to go on."""

    greeted: bool = False
    words: str = ""
    encrypted: bool = False
    upgrade: Upgrade | None = None
    losses: list[Unobserved] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def over(self, steps: AsyncIterator[Observation]) -> AsyncIterator[Observation]:
        self.losses = []
        async for seen in steps:
            if isinstance(seen, Greeting):
                self.greeted, self.words = True, printable(seen.text, 80)
                self.answers.append(seen.text)
            elif isinstance(seen, Handshake):
                self.encrypted = self.encrypted or not seen.error
            elif isinstance(seen, Upgrade):
                self.upgrade = seen
                self.answers.append(re.sub(r"^\S+ ", "", seen.answer))
            elif isinstance(seen, Tried):
                self.answers.append(seen.answer)
            elif isinstance(seen, Unobserved):
                self.losses.append(seen)
            elif isinstance(seen, Closed):
                self.losses.append(Unobserved(seen.at, "connection", Reason.REFUSED, seen.detail))
            yield seen

    @property
    def mode(self) -> Mode | None:
        """How encryption was seen to start; None while it was not."""
        if self.encrypted and self.upgrade is None:
            return Mode.IMPLICIT
        return Mode.STARTTLS if self.upgrade is not None and self.upgrade.offered else None

    @property
    def spoke(self) -> bool:
        return self.greeted or self.encrypted

    @property
    def hopeless(self) -> bool:
        return any(loss.reason in HOPELESS for loss in self.losses)

    @property
    def handshake_failed(self) -> bool:
        return any(loss.wanted == "tls" for loss in self.losses)

    @property
    def hung_up(self) -> bool:
        """The server ended the talk over something we said, before TLS was tried."""
        early = {Reason.CLOSED, Reason.RESET}
        return not self.encrypted and any(loss.reason in early and loss.wanted != "tls" for loss in self.losses)

    @property
    def tls_worth_asking(self) -> bool:
        """TLS was reached, or failed in the handshake (old versions, odd suites): not when none is offered."""
        return self.encrypted or self.handshake_failed or (self.upgrade is not None and self.upgrade.accepted)


async def knock(at: Endpoint, dial: Dial, name: str | None) -> AsyncIterator[Observation]:
    """Is anybody there, and who?"""

    async def ask_who(wire: Wire) -> AsyncIterator[Observation]:
        try:
            async for seen in identify(wire, at, dial, name=name):
                yield seen
        except GatepostError as error:
            yield lost(at, "identity", error)

    async for seen in _meeting(at, dial, ask_who):
        yield seen


async def _conversation(ask: Ask, dial: Dial) -> AsyncIterator[Observation]:
    dialogue = dialogue_for(ask.protocol)

    async def converse(wire: Wire) -> AsyncIterator[Observation]:
        if dialogue is not None:
            async for seen in dialogue.converse(Talk(wire), ask):
                yield seen
        if isinstance(wire, Ticketed) and (octets := wire.max_early_data()) is not None:
            told = f"tickets allow {octets} octets of early data" if octets else "no ticket allows early data"
            yield Feature(ask.at, "early-data", octets > 0, told)

    async for seen in _meeting(ask.at, dial, converse):
        yield seen


async def _meeting(
    at: Endpoint, dial: Dial, then: Callable[[Wire], AsyncIterator[Observation]]
) -> AsyncIterator[Observation]:
    """The first connection tells whether anything listens."""
    try:
        wire = await dial()
    except PeerUnreachable as error:
        yield Closed(at, str(error)) if error.refused else lost(at, "connection", error)
        return
    except GatepostError as error:
        yield lost(at, "connection", error)
        return
    yield Listening(at)
    try:
        async for seen in then(wire):
            yield seen
    finally:
        await wire.close()


def _who(ask: Ask, dial: Dial) -> AsyncIterator[Observation]:
    """Identify a port that did not answer as expected."""
    return _one_talk(ask, dial, lambda talk, asked: identify(talk.wire, asked.at, dial, name=asked.name), "identity")


def _worth_another(ask: Ask, found: Identified) -> bool:
    return dialogue_for(found.protocol) is not None and (found.protocol, found.mode) != (ask.protocol, ask.mode)


def _rest(ask: Ask, dial: Dial, plan: Plan, first: _Watch, merge: Merge) -> list[AsyncIterator[Observation]]:
    dialogue = dialogue_for(ask.protocol)
    streams: list[AsyncIterator[Observation]] = []
    if dialogue is None:
        return streams
    if first.encrypted and plan.depth is not Depth.CERTIFICATES:
        streams.append(_injection(ask, dial, dialogue))
    if first.tls_worth_asking or ask.mode is Mode.IMPLICIT:
        streams += _tls(ask, dial, plan, merge)
    if ask.mine and plan.depth is not Depth.CERTIFICATES:
        streams.append(_one_talk(ask, dial, dialogue.preamble, "preamble"))
        if ask.protocol in {"smtp", "lmtp"}:
            streams.append(_matrix(ask, dial, relay.relay, relay.FORMS, "relay"))
            streams.append(_matrix(ask, dial, smuggling.smuggle, smuggling.FORMS, "smuggling"))
    return streams


async def _one_talk(
    ask: Ask, dial: Dial, talk: Callable[[Talk, Ask], AsyncIterator[Observation]], wanted: str
) -> AsyncIterator[Observation]:
    try:
        wire = await dial()
    except GatepostError as error:
        yield lost(ask.at, wanted, error)
        return
    try:
        async for seen in talk(Talk(wire), ask):
            yield seen
    finally:
        await wire.close()


async def _injection(ask: Ask, dial: Dial, dialogue: Dialogue) -> AsyncIterator[Observation]:
    """Where the burst behind STARTTLS cost us the connection, the same handshake is tried once without it.

    When that works, the server had fed our command to TLS instead of executing it (Dovecot does).
    """
    loss: Unobserved | None = None
    async for seen in _one_talk(ask, dial, dialogue.inject, "injection"):
        if isinstance(seen, Unobserved) and seen.reason in BROKE_OFF:
            loss = seen
        else:
            yield seen
    if loss is None:
        return
    worked = False
    for highest in (ask.highest, ""):  # the second is for servers that have TLS 1.3 only
        async for seen in _one_talk(replace(ask, gentle=True, highest=highest), dial, dialogue.inject, "injection"):
            worked = worked or (isinstance(seen, Handshake) and not seen.error)
            yield seen
        if worked:
            break
    if loss.wanted == "injection":
        detail = f"the server broke off ({loss.detail}); without the command the same handshake works"
        yield Injected(ask.at, "command", happened=False, detail=detail) if worked else loss


def _tls(ask: Ask, dial: Dial, plan: Plan, merge: Merge) -> list[AsyncIterator[Observation]]:
    dialogue = dialogue_for(ask.protocol)

    async def reach() -> Wire:
        """A fresh connection, right before the ClientHello."""
        wire = await dial()
        try:
            if dialogue is not None:
                await dialogue.reach(Talk(wire), ask)
        except BaseException:
            await wire.close()
            raise
        return wire

    look = {Depth.CERTIFICATES: certificates, Depth.INVENTORY: inventory}.get(plan.depth, conform)
    streams = [look(ask.at, reach, plan.profile, role=ask.role, name=ask.name, mine=ask.mine, merge=merge)]
    if ask.mine and plan.depth is not Depth.CERTIFICATES:
        streams.append(attacks(ask.at, reach, name=ask.name))
    return streams


FormTalk = Callable[[Talk, Ask, Sequence[str]], AsyncIterator[Tried | Unobserved]]


def _remaining(talk: FormTalk, left: Sequence[str]) -> Callable[[Talk, Ask], AsyncIterator[Observation]]:
    forms = tuple(left)
    return lambda t, ask: talk(t, ask, forms)


async def _matrix(
    ask: Ask, dial: Dial, talk: FormTalk, forms: Sequence[str], wanted: str
) -> AsyncIterator[Observation]:
    """All forms, a few on each connection: most servers slow down or hang up after so many refusals."""
    left = list(forms)
    while left:
        batch, loss, before = left[:FORMS_AT_ONCE], None, len(left)
        async for seen in _one_talk(ask, dial, _remaining(talk, batch), wanted):
            if (form := _form(seen)) in left:
                left.remove(form)
            elif isinstance(seen, Unobserved):
                loss = seen
                continue
            yield seen
        if loss is not None and (len(left) == before or loss.reason not in ENOUGH_FOR_NOW):
            yield replace(loss, detail=f"{loss.detail} ({len(left)} of {len(forms)} forms not tried)")
            return
        if len(left) == before:
            return  # the dialogue passed over what it could not ask; asking again would not help


def _form(seen: Observation) -> str:
    """The form an answer is about. A loss of the whole talk (`relay`, `smuggling`) is about none of them."""
    word = seen.what if isinstance(seen, Tried) else seen.wanted if isinstance(seen, Unobserved) else ""
    return word.partition(":")[2] or word
