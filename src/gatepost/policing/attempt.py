"""One attempt to log in or to send, whoever asks; and what it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatepost.logs.addresses import network

LONGEST = 256  # characters of any value; strangers write most of them


class Course(StrEnum):
    """What happens to the attempt, mildest first in the order of response."""

    ALLOW = "allow"
    DELAY = "delay"
    DEFER = "defer"  # only mail: try again later
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login, or a recipient of a message. `digest` is keyed and cut by Dovecot; the password never comes here."""

    user: str
    client: str
    service: str  # as the daemon calls it: imap, pop3, smtp, submission …
    port: int | None = None
    tls: bool | None = None
    digest: str = ""
    device: str = ""
    session: str = ""
    stage: str = "login"  # login, RCPT, DATA, END-OF-MESSAGE …
    recipients: int = 0

    @property
    def network(self) -> str:
        return network(self.client)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a login. `refused` by us says nothing about the password."""

    attempt: Attempt
    success: bool
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """`seconds` only for a delay; `because` is one sentence, for the log and, denied, for the user."""

    course: Course
    seconds: int = 0
    because: str = ""


ALLOW = Answer(Course.ALLOW)


def account(user: str) -> str:
    """Accounts differ by case in no mail system that people use."""
    return user[:LONGEST].strip().lower()
