"""An event in the making."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.model.event import Cover, Event, Kind, Result


@dataclass(slots=True)
class Draft:
    """The fields of `Event`, in its order, while they may still change."""

    at: int
    host: str
    daemon: str
    service: str
    pid: int | None
    kind: Kind
    result: Result = Result.NONE
    client: str = ""
    client_port: int | None = None
    name: str = ""
    helo: str = ""
    local: str = ""
    port: int | None = None
    user: str = ""
    method: str = ""
    cover: Cover = Cover.UNKNOWN
    tls: str = ""
    cipher: str = ""
    exchange: str = ""
    queue: str = ""
    sender: str = ""
    recipient: str = ""
    message_id: str = ""
    relay: str = ""
    size: int | None = None
    recipients: int | None = None
    commands: str = ""
    attempts: int | None = None
    code: str = ""
    reason: str = ""
    session: str = ""
    source: int = 0
    offset: int = 0


def done(draft: Draft) -> Event:
    """The finished event; the draft is spent.

    The two classes have the same slots, so that one object can turn into the other: filling a frozen class field by
    field costs eight times as much, and half of the time that a line takes.
    """
    draft.__class__ = Event  # type: ignore[assignment]  # same layout: see above
    return draft  # type: ignore[return-value]  # it is one now
