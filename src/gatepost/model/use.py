"""Who uses what: a row of the lake's daily roll-up, as retirements and reports see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gatepost.model.event import Cover


@dataclass(frozen=True, slots=True)
class Use:
    """What one account did in one way on one day. `first` and `last` are microseconds since 1970, UTC.

    `port` is None where the log does not name it: Dovecot's default log format tells imap, and not 143 or 993.
    """

    day: date
    host: str
    service: str
    port: int | None
    cover: Cover
    starttls: bool | None
    tls: str
    method: str
    user: str
    network: str
    hint: str  # what is known of the client: HELO, reverse name
    sessions: int
    failures: int
    messages: int
    first: int
    last: int
