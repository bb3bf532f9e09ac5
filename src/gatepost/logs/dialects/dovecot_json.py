"""Dovecot's event exporter: objects of JSON, with fields as the daemon's own code sets them.

`transport` means another thing for each service: for imap and pop3 `trusted` (2.4: `secured`) is a client on the server
itself without TLS; for smtp it is TLS that Postfix ended, and `insecure` a password in clear.
"""

from __future__ import annotations

import json
import re

from gatepost.logs.addresses import address
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Table, row, secretive, text, version
from gatepost.model.event import Cover, Kind, Result

_LOGINS = frozenset({"auth_client_request_finished", "auth_request_finished", "login_aborted"})
_SERVICES = {"sieve": "managesieve", "smtp": "smtp", "submission": "submission", "imap": "imap", "pop3": "pop3"}


def exported(draft: Draft, match: re.Match[str]) -> None:
    try:
        event = json.loads(match[0])
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        draft.kind = Kind.UNKNOWN
        return
    nested = event.get("fields")
    fields = {**event, **(nested if isinstance(nested, dict) else {})}
    draft.daemon = "dovecot"
    _client(draft, fields)
    if event["event"] in _LOGINS:
        _login(draft, str(event["event"]), fields)
    elif event["event"].startswith(("mail_", "mailbox_", "sieve_", "managesieve_")):
        _mail(draft, str(event["event"]), fields)
    else:
        draft.kind = Kind.SERVICE
        draft.reason = text(event["event"])


def _client(draft: Draft, fields: dict[str, object]) -> None:
    service = _word(fields, "service") or _word(fields, "protocol")
    draft.service = _SERVICES.get(service, text(service))
    draft.user = text(_word(fields, "user"))
    draft.client = address(_word(fields, "remote_ip"))
    draft.local = address(_word(fields, "local_ip"))
    draft.client_port = _count(fields, "remote_port")
    draft.port = _count(fields, "local_port")
    draft.session = text(_word(fields, "session"))


def _login(draft: Draft, event: str, fields: dict[str, object]) -> None:
    """A wrong password has neither success nor error. The request of the client is the attempt; auth's own is why."""
    draft.method = text((_word(fields, "mechanism") or _word(fields, "mech")).upper())
    draft.tls = version(text(_word(fields, "tls_protocol")))
    draft.cipher = text(_word(fields, "tls_cipher"))
    draft.exchange = text(_word(fields, "tls_pfs").removeprefix("Kx"))
    draft.cover = _cover(_word(fields, "transport"), draft.service, draft.tls)
    draft.reason = secretive(_word(fields, "error") or _word(fields, "reason"))
    draft.code = text(_word(fields, "error_code"))
    done = _word(fields, "success") == "yes" or (event == "auth_client_request_finished" and not draft.reason)
    draft.result = Result.OK if done and event != "login_aborted" else Result.FAILED
    if event == "login_aborted":
        draft.attempts = _count(fields, "auth_attempts")
        draft.kind = Kind.AUTH_FAILED if draft.attempts else Kind.NO_ATTEMPT
    else:
        draft.kind = Kind.AUTH_DETAIL


def _cover(transport: str, service: str, tls: str) -> Cover:
    word = transport.lower()
    if word == "tls" or tls:
        return Cover.TLS
    if word in ("trusted", "secured"):
        return Cover.TLS if service in ("smtp", "submission") else Cover.LOCAL
    return Cover.NONE if word == "insecure" else Cover.UNKNOWN


def _mail(draft: Draft, event: str, fields: dict[str, object]) -> None:
    command = _word(fields, "cmd_name") or _word(fields, "command")
    draft.kind = Kind.MAIL_ACTION
    draft.reason = text(f"{event} {command}".strip())
    draft.relay = text(_word(fields, "mailbox"))
    draft.message_id = text(_word(fields, "message_id").strip(" <>"))
    draft.size = _count(fields, "net_out_bytes")


def _word(fields: dict[str, object], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else "" if value is None or isinstance(value, (dict, list)) else str(value)


def _count(fields: dict[str, object], key: str) -> int | None:
    digits = _word(fields, key)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


EVENTS = Table(
    row("exported", Kind.SERVICE, r'\{.*"event": ?".*\}', literal='"event"', finish=exported),
)
