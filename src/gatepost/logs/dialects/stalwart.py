"""Stalwart: a sentence, the event's name in brackets, then `key = value` with texts in quotes."""

from __future__ import annotations

import re

from gatepost.logs.addresses import address
from gatepost.logs.dialects.doors import service
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, number, row, secretive, version
from gatepost.model.event import Cover, Kind, Result

_FIELD = re.compile(r"(?:^|, )([A-Za-z]+) = (\"(?:[^\"\\]|\\.)*\"|\[[^\]]*\]|[^,\"]*)")
EVENTS: dict[str, tuple[Kind, Result]] = {
    "auth.success": (Kind.LOGIN, Result.OK),
    "auth.failed": (Kind.AUTH_FAILED, Result.FAILED),
    "auth.too-many-attempts": (Kind.RATE_LIMITED, Result.REJECTED),
    "security.authentication-ban": (Kind.BAN, Result.REJECTED),
    "security.abuse-ban": (Kind.BAN, Result.REJECTED),
    "security.scan-ban": (Kind.BAN, Result.REJECTED),
    "security.loiter-ban": (Kind.BAN, Result.REJECTED),
    "security.ip-blocked": (Kind.REJECTED, Result.REJECTED),
    "smtp.connection-start": (Kind.CONNECT, Result.NONE),
    "imap.connection-start": (Kind.CONNECT, Result.NONE),
    "pop3.connection-start": (Kind.CONNECT, Result.NONE),
    "manage-sieve.connection-start": (Kind.CONNECT, Result.NONE),
    "smtp.connection-end": (Kind.DISCONNECT, Result.NONE),
    "imap.connection-end": (Kind.DISCONNECT, Result.NONE),
    "pop3.connection-end": (Kind.DISCONNECT, Result.NONE),
    "manage-sieve.connection-end": (Kind.DISCONNECT, Result.NONE),
    "smtp.rcpt-to-rejected": (Kind.REJECTED, Result.REJECTED),
    "smtp.mailbox-does-not-exist": (Kind.REJECTED, Result.REJECTED),
    "smtp.relay-not-allowed": (Kind.REJECTED, Result.REJECTED),
    "smtp.mail-from-rejected": (Kind.REJECTED, Result.REJECTED),
    "smtp.invalid-command": (Kind.PROTOCOL_ERROR, Result.VIOLATION),
    "smtp.command-not-implemented": (Kind.PROTOCOL_ERROR, Result.VIOLATION),
    "smtp.too-many-invalid-rcpt": (Kind.RATE_LIMITED, Result.REJECTED),
    "smtp.rate-limit-exceeded": (Kind.RATE_LIMITED, Result.REJECTED),
    "smtp.too-many-messages": (Kind.RATE_LIMITED, Result.REJECTED),
    "smtp.message-too-large": (Kind.REJECTED, Result.REJECTED),
    "tls.handshake": (Kind.TLS, Result.OK),
    "tls.handshake-error": (Kind.HANDSHAKE_FAILED, Result.FAILED),
    "delivery.delivered": (Kind.DELIVERY, Result.SENT),
    "delivery.start-tls": (Kind.TLS_OUT, Result.OK),
    "message-ingest.ham": (Kind.SAVED, Result.OK),
    "message-ingest.spam": (Kind.SAVED, Result.OK),
    "queue.authenticated-message-queued": (Kind.ACCEPTED, Result.OK),
    "queue.message-queued": (Kind.ACCEPTED, Result.OK),
}
_SERVICES = {"sieve": "managesieve", "smtps": "submissions"}


def told(draft: Draft, match: re.Match[str]) -> None:
    """The first of each key counts: the daemon's own keys stand before texts of strangers, which stand in quotes."""
    known = EVENTS.get(match["event_"])
    if known is None:
        draft.kind, draft.reason = Kind.SERVICE, secretive(match["event_"])
        return
    draft.kind, draft.result = known
    fields: dict[str, str] = {}
    for one in _FIELD.finditer(match["fields_"]):
        fields.setdefault(one[1], one[2].strip('"'))
    _connection(draft, fields)
    _message(draft, fields)
    draft.code = match["event_"]
    draft.reason = secretive(fields.get("reason", fields.get("details", "")))


def _connection(draft: Draft, fields: dict[str, str]) -> None:
    draft.client = address(fields.get("remoteIp", ""))
    draft.client_port = number(_digits(fields.get("remotePort", "")))
    draft.port = number(_digits(fields.get("localPort", "")))
    listener = fields.get("listenerId", "")
    draft.service = service(draft.port, _SERVICES.get(listener, secretive(listener)[:40]))
    draft.user = secretive(fields.get("accountName", fields.get("login", "")))
    draft.tls = (
        version(fields.get("version", "").replace("TLSv1_", "TLSv1.")) if draft.kind in {Kind.TLS, Kind.TLS_OUT} else ""
    )
    if draft.kind in {Kind.TLS, Kind.TLS_OUT} or fields.get("tls") == "true":
        draft.cover = Cover.TLS


def _message(draft: Draft, fields: dict[str, str]) -> None:
    draft.queue = secretive(fields.get("queueId", ""))
    draft.sender = secretive(fields.get("from", ""))
    draft.recipient = secretive(fields.get("to", "").strip("[]").partition(",")[0].strip('" '))
    digits = _digits(fields.get("size", ""))
    draft.size = int(digits) if digits and len(digits) <= 18 else None
    draft.session = secretive(fields.get("spanId", ""))


def _digits(said: str) -> str:
    return said if said.isascii() and said.isdigit() else ""


LINES = Table(
    row(
        "event",
        Kind.SERVICE,
        r"(?:(?:TRACE|DEBUG|INFO|WARN|ERROR) +)?[A-Z][^()\"]{0,200}\("
        r"(?P<event_>[a-z0-9]+(?:-[a-z]+)*\.[a-z0-9-]+)\) ?(?P<fields_>.*)",
        literal=") ",
        finish=told,
    ),
)


def claims(tag: str) -> Part | None:
    return Part("stalwart", "", LINES) if tag in {"stalwart", "stalwart-mail"} else None


STALWART = Dialect("stalwart", claims, (("lines", LINES),))
