"""From a line to what it says."""

from __future__ import annotations

from gatepost.logs.dialects.draft import Draft, done
from gatepost.logs.dialects.registry import DIALECTS, OBJECTS
from gatepost.logs.dialects.table import Dialect, Part, secretive, text
from gatepost.model.event import Event, Kind
from gatepost.model.log import Line

LONGEST_MESSAGE = 8192  # characters; no daemon writes more in one piece, and patterns are not asked to read more
TAGS = 4096  # a source may invent tags: what is remembered about them is bounded

_Claim = tuple[Dialect, Part] | None
_claims: dict[str, _Claim] = {}


def understand(line: Line, source: int = 0, offset: int = 0) -> Event:
    """What a line says; `Kind.UNKNOWN` with the masked text as its reason where no pattern tells.

    Never raises. A line without a time of its own is at 0.
    """
    message = line.message
    tag = line.tag
    claim = _claims[tag] if tag in _claims else _claim(tag)
    if claim is None:
        draft = Draft(line.at or 0, line.host, text(tag), "", line.pid, Kind.UNKNOWN)
        if message.startswith("{") and len(message) <= LONGEST_MESSAGE:
            _object(draft, message)
    else:
        dialect, part = claim
        draft = Draft(line.at or 0, line.host, part.daemon, part.service, line.pid, Kind.UNKNOWN)
        table = part.table
        if len(message) <= LONGEST_MESSAGE:
            if dialect.unwrap is not None:
                table, message = dialect.unwrap(draft, message)
            found = table.find(message)
            if found is not None:
                row, match = found
                row.fill(draft, match)
    if draft.kind is Kind.UNKNOWN:
        draft.reason = secretive(line.message[:LONGEST_MESSAGE])
    draft.source = source
    draft.offset = offset
    return done(draft)


def _object(draft: Draft, message: str) -> None:
    for table in OBJECTS:
        found = table.find(message)
        if found is not None:
            row, match = found
            row.fill(draft, match)
            return


def _claim(tag: str) -> _Claim:
    if len(_claims) >= TAGS:
        _claims.clear()
    for dialect in DIALECTS:
        part = dialect.claims(tag)
        if part is not None:
            _claims[tag] = (dialect, part)
            return _claims[tag]
    _claims[tag] = None
    return None


AUTHENTICATION = (
    "SASL",
    "auth failed",
    "sasl_username=",
    "-login: Log",
    "Aborted login",
    "Login aborted",
    "auth(",
    "auth: ",
    "auth-worker",
    "assword mismatch",
    "unknown user",
    "authentication fail",
    "authenticator failed",
    "AUTH",
    "auth=",
    "method=",
    "pam_unix",
    "Authentication",
)


def about_authentication(line: Line) -> bool:
    """Does a line speak of a login? By simple words, and so independent of the patterns that it measures."""
    message = line.message
    return any(word in message for word in AUTHENTICATION)
