"""Messages that are under way: who gave them in, and how each delivery was covered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

from gatepost.logs.addresses import network
from gatepost.model import counting
from gatepost.model.event import Act, Cover, Event, Result, Signal


@dataclass(slots=True)
class _Taken:
    """A message as its client gave it in; `waiting` until the queue manager has counted its recipients."""

    event: Event
    cover: Cover
    tls: str
    session: str
    waiting: bool = True


@dataclass(slots=True)
class _Sender:
    """A process that delivers: which servers it spoke TLS with for the message it works on."""

    queue: str
    delivered: bool  # since the newest handshake
    secured: list[tuple[str, str, bool]]  # server, version, and whether it came after the newest delivery


class Mail:
    """At most `room` messages and as many delivering processes are remembered."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._taken: OrderedDict[tuple[str, str], _Taken] = OrderedDict()
        self._senders: OrderedDict[tuple[str, str, int | None], _Sender] = OrderedDict()
        self._tells_tls: dict[str, int] = {}  # host: the newest day with a line about TLS to a server

    def accepted(self, event: Event, cover: Cover, tls: str, session: str) -> None:
        key = event.host, event.queue
        self._taken.pop(key, None)
        self._taken[key] = _Taken(event, cover, tls, session)
        _trim(self._taken, self._room)

    def queued(self, event: Event) -> tuple[Signal, ...]:
        """Only the first time: a message that is tried again is queued again."""
        one = self._taken.get((event.host, event.queue))
        if one is None or one.event.at < counting.since(event.at):
            alone = event.client and event.queue
            return (_message(event, event, event.cover, event.tls, ""),) if alone else ()
        if not one.waiting:
            return ()
        one.waiting = False
        return (_message(event, one.event, one.cover, one.tls, one.session),)

    def removed(self, event: Event) -> None:
        self._taken.pop((event.host, event.queue), None)

    def secured(self, event: Event) -> None:
        self._tells_tls[event.host] = event.at // counting.DAY
        sender = self._sender(event)
        sender.secured.append((counting.server(event.relay), event.tls, True))
        del sender.secured[:-MOST]

    def delivered(self, event: Event) -> tuple[Signal, ...]:
        peer = counting.peer(event.recipient)
        tls = self._secured(event)
        if event.result is not Result.SENT:
            return (self._delivery(event, Act.QUEUE, peer, event.cover, event.tls, event.code or event.reason),)
        if event.daemon in counting.INSIDE or counting.inside(event.relay):
            return ()
        cover = event.cover
        if cover is Cover.UNKNOWN and tls is not None:
            cover = Cover.TLS
        elif cover is Cover.UNKNOWN and self._tells_tls.get(event.host) == event.at // counting.DAY:
            cover = Cover.NONE
        return (self._delivery(event, Act.OUTBOUND, peer, cover, event.tls or tls or "", counting.server(event.relay)),)

    def _sender(self, event: Event) -> _Sender:
        key = event.host, event.daemon, event.pid
        one = self._senders.pop(key, None) or _Sender("", False, [])
        self._senders[key] = one
        _trim(self._senders, self._room)
        return one

    def _secured(self, event: Event) -> str | None:
        """The version of the newest handshake with this server that was made for this message; None without one."""
        sender = self._sender(event)
        if sender.queue != event.queue:
            sender.secured = [one for one in sender.secured if one[2]]
            sender.queue = event.queue
        sender.secured = [(server, tls, False) for server, tls, _ in sender.secured]
        wanted = counting.server(event.relay)
        return next((tls for server, tls, _ in reversed(sender.secured) if server == wanted), None)

    def _delivery(self, event: Event, act: Act, peer: str, cover: Cover, tls: str, cause: str) -> Signal:
        one = self._taken.get((event.host, event.queue))
        known = one.event if one is not None and one.event.at >= counting.since(event.at) else None
        client, user = (known.client, known.user) if known else ("", "")
        return Signal(
            event.at, event.host, event.service, event.port, act, client, network(client), user, "", cover, tls, peer,
            cause[: counting.CAUSE], 1, "", event.source, event.offset,
        )  # fmt: skip


_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")
MOST = 50  # handshakes of one process for one message


def _message(queued: Event, taken: Event, cover: Cover, tls: str, session: str) -> Signal:
    return Signal(
        queued.at, queued.host, taken.service, taken.port, Act.MESSAGE, taken.client, network(taken.client), taken.user,
        taken.method, cover, tls, counting.peer(queued.sender), "", max(1, queued.recipients or 1), session,
        queued.source, queued.offset,
    )  # fmt: skip


def _trim(table: OrderedDict[_Key, _Kept], room: int) -> None:
    if len(table) > room:
        table.popitem(last=False)
