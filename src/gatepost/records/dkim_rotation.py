"""When to do what, so that no mail in transit loses its signature while a DKIM key is replaced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gatepost.records import dkim, zone_text

LEAST_WAIT = timedelta(hours=1)
MOST_WAIT = timedelta(days=1)  # no resolver keeps a "no such name" longer (RFC 2308 section 5)
KEPT = timedelta(days=7)
REVOKED = timedelta(days=30)


class Deed(StrEnum):
    PUBLISH = "publish"
    REMOVE = "remove"
    REVOKE = "revoke"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Turn:
    """One step of a rotation, not before `at`. `record` is zone-file text where something is published."""

    deed: Deed
    at: datetime
    selector: str
    text: str
    why: str
    record: str = ""


def plan(
    domain: str, new: str, text: str, *, now: datetime, old: str = "", negative: int = 0, ttl: int = 3600
) -> tuple[Turn, ...]:
    """From the key record `text` to the removal of the `old` selector; only the first two steps without one.

    `negative` is how long resolvers remember that a name does not exist (the last field of the SOA), `ttl` that of
    the records, both in seconds.
    """
    wait = min(max(LEAST_WAIT, timedelta(seconds=negative)), MOST_WAIT)
    signing = now + wait
    turns = (
        Turn(
            Deed.PUBLISH,
            now,
            new,
            f"publish the key of {new}; leave the signer as it is",
            "a signature whose key cannot be found yet fails for good at some receivers",
            zone_text.txt(dkim.owner(domain, new), text, ttl),
        ),
        Turn(
            Deed.SIGN,
            signing,
            new,
            f"sign with {new}" + (f" and no longer with {old}; leave the record of {old}" if old else ""),
            f"{_span(wait)} later: until then resolvers may remember that {new} did not exist",
        ),
    )
    return (*turns, *_farewell(domain, old, signing, ttl)) if old else turns


def _farewell(domain: str, old: str, signing: datetime, ttl: int) -> tuple[Turn, Turn]:
    revoked = signing + KEPT
    return (
        Turn(
            Deed.REVOKE,
            revoked,
            old,
            f'revoke {old}: let its record say "{dkim.REVOKED}", and destroy its private key',
            f"{_span(KEPT)} later: mail may wait 5 days in queues (RFC 5321 section 4.5.4.1), 2 days are for"
            " forwarders and late readers",
            zone_text.txt(dkim.owner(domain, old), dkim.REVOKED, ttl),
        ),
        Turn(
            Deed.REMOVE,
            revoked + REVOKED,
            old,
            f"remove the record of {old}",
            f"{_span(REVOKED)} later: until then a verifier is told that the key was withdrawn, not that it is missing",
        ),
    )


def _span(time: timedelta) -> str:
    hours = round(time.total_seconds() / 3600, 1)
    if time.days and not time.seconds:
        return "1 day" if time.days == 1 else f"{time.days} days"
    return "1 hour" if hours == 1 else f"{hours:g} hours"
