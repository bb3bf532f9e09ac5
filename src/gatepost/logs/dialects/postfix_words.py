"""How Postfix writes clients, queue ids and addresses, and what all its daemons say."""

from __future__ import annotations

import re

from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import row, secretive, text, version
from gatepost.model.event import Cover, Kind, Result

QUEUE = r"(?P<queue>[0-9A-Za-z]{5,30})"
_PORT = r"(?::(?P<client_port>\d+))?"
CLIENT = rf"(?P<name>\S*)\[(?P<client>[^\s\[\]]*)\]{_PORT}"  # no white space: it ends where the daemon's words go on
CLIENT_LAST = rf"(?P<name>.*)\[(?P<client>[^\s\[\]]*)\]{_PORT}"  # nothing but the daemon's words behind it
ENDPOINT = r"\[(?P<client>[^\s\[\]]*)\]:(?P<client_port>\d+)"
ADDRESS = r'[^"<>]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"<>]*)*'  # < and > stand within quotes only, since 3.5
TLS = r"(?P<tls>\S+) with cipher (?P<cipher>\S+) \(\d+/\d+ bits\)(?: key-exchange (?P<exchange>\S+))?(?: .*)?"
TRUST = "Anonymous|Trusted|Untrusted|Verified"
STAGE = r"(?P<commands>[A-Z][A-Za-z-]{1,20}|\.)"
_ALERTS = (
    "bad certificate|certificate expired|certificate revoked|certificate unknown|unknown ca|unsupported certificate"
)

_REPLY = re.compile(r"(?:(\d{3})(?: (\d\.\d{1,3}\.\d{1,3}))?|(\d\.\d{1,3}\.\d{1,3})) ?")
_ENDING = re.compile(
    r",? ?\bproto=(?P<proto>\w+),? helo=<(?P<helo>[^<>\s]*)>"
    r"(?:,? sasl_method=(?P<method><?[\w-]+>?))?(?:,? sasl_username=(?P<user>\S.*))?"
)
_ENVELOPE = re.compile(rf"; ?(?:from=<(?P<sender>{ADDRESS})>)?(?:,? ?to=<(?P<recipient>{ADDRESS})>)?", re.DOTALL)
_TRIES = 16  # a recipient in quotes may hold what looks like the envelope


def exchanged(draft: Draft, _match: re.Match[str]) -> None:
    """Until TLS 1.2 the name of the cipher tells the key exchange; without one it is RSA, which keeps no secret."""
    draft.cover = Cover.TLS
    if draft.exchange or draft.tls == version("TLS1.3"):
        return
    first = draft.cipher.partition("-")[0]
    draft.exchange = first if first in ("ECDHE", "DHE", "EDH", "AECDH", "ADH", "ECDH") else "RSA"


def refused(draft: Draft, match: re.Match[str]) -> None:
    """What stands behind the client of a rejection: reply, reason, envelope, greeting, account."""
    said = match["said_"]
    if reply := _REPLY.match(said):
        draft.code = " ".join(part for part in reply.groups() if part)
        said = said[reply.end() :]
    envelope(draft, said)
    if draft.reason.startswith("Error: bare <LF> received"):
        draft.kind = Kind.PROTOCOL_ERROR
        draft.result = Result.VIOLATION
    elif draft.reason.endswith(" rejected: Improper use of SMTP command pipelining"):
        draft.kind = Kind.PIPELINING
        draft.result = Result.VIOLATION


def envelope(draft: Draft, said: str) -> None:
    """`reason; from=<> to=<> proto= helo=<>`. Postfix lets no <, > or space of a HELO name into the log."""
    ending = last(_ENDING, said)
    if ending is not None:
        draft.helo = text(ending["helo"])
        draft.user = text((ending["user"] or "").strip("<>"))
        draft.method = (ending["method"] or "").strip("<>").upper()
        said = said[: ending.start()]
    at = said.find(";")
    for _ in range(_TRIES):
        found = _ENVELOPE.fullmatch(said, at) if at >= 0 else None
        if found is not None:
            draft.sender = text(found["sender"] or "")
            draft.recipient = text(found["recipient"] or "")
            said = said[:at]
            break
        at = said.find("; ", at + 1)
    draft.reason = secretive(said)


def last(pattern: re.Pattern[str], said: str) -> re.Match[str] | None:
    """The protocol nearest to the end: a HELO name may hold the word, but no space before it."""
    at = said.rfind(" proto=")
    return pattern.fullmatch(said, at - (at > 0 and said[at - 1] == ",")) if at >= 0 else None


ACTIONS = (
    "milter-reject|milter-hold|milter-discard|proxy-reject|reject|reject_warning|warn|hold|discard|redirect|filter|"
    "permit|info|bcc|prepend|replace|strip|delay"
)


def judged(draft: Draft, match: re.Match[str]) -> None:
    refused(draft, match)
    passed(draft, match)


def passed(draft: Draft, match: re.Match[str]) -> None:
    """Only reject, milter-reject and proxy-reject refuse; the others let the message go on and are marked by it."""
    action = match["action_"]
    if not action.endswith("reject"):
        draft.result = Result.NONE
        draft.reason = secretive(f"{action}: {draft.reason}")
        draft.kind = Kind.MILTER


LIBRARY = (
    row(
        "certificate alert",
        Kind.CERTIFICATE_REJECTED,
        rf"warning: TLS library problem: (?P<reason>(?:\d+:)?error:.*alert (?P<code>{_ALERTS}):.*)",
        starts="warning:",
        literal="TLS library problem",
        result=Result.FAILED,
    ),
    row(
        "library",
        Kind.LIBRARY,
        r"warning: TLS library problem: (?P<reason>.*)",
        starts="warning:",
        literal="TLS library problem",
        result=Result.FAILED,
    ),
)
COMPLAINT = row(
    "complaint",
    Kind.SERVICE,
    r"(?P<code>warning|error|fatal|panic): (?P<reason>.*)",
    starts="warning:|error:|fatal:|panic:",
)
TLS_IN = row(
    "tls",
    Kind.TLS,
    rf"(?:{TRUST}) TLS connection (?:established|reused) from {CLIENT}(?: to \S+)?: {TLS}",
    starts=TRUST,
    literal=" TLS connection ",
    result=Result.OK,
    finish=exchanged,
)
TURNED_AWAY = row(
    "rejected",
    Kind.REJECTED,
    rf"{QUEUE}: (?P<action_>{ACTIONS}): {STAGE} from {CLIENT}: (?P<said_>.*)",
    literal=" from ",
    result=Result.REJECTED,
    finish=judged,
)
TLS_OUT = row(
    "tls out",
    Kind.TLS_OUT,
    rf"(?:{TRUST}) TLS connection (?:established|reused) to (?P<relay>\S+): {TLS}",
    starts=TRUST,
    literal=" TLS connection ",
    result=Result.OK,
    finish=exchanged,
)
