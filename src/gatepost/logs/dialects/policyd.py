"""The lines of our own `gatepost policyd`: exact port and TLS of an attempt, which other logs leave out.

The daemons tell the attempts themselves; these lines explain them, joined by Dovecot's session id.
"""

from __future__ import annotations

import json
import re

from gatepost.logs.addresses import address
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, row, secretive
from gatepost.model.event import Cover, Kind, Result

_SERVICES = {"sieve": "managesieve", "imap": "imap", "pop3": "pop3", "smtp": "smtp", "submission": "submission"}
_RESULTS = {"ok": Result.OK, "failed": Result.FAILED, "refused": Result.REJECTED, "deny": Result.REJECTED}


def answered(draft: Draft, match: re.Match[str]) -> None:
    try:
        fields = json.loads(match[0])
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not isinstance(fields.get("stage"), str):
        draft.kind = Kind.UNKNOWN
        return
    words = {name: value for name, value in fields.items() if isinstance(value, str)}
    draft.kind = Kind.AUTH_DETAIL if words["stage"] == "login" else Kind.MILTER
    draft.result = _RESULTS.get(words.get("outcome", words.get("answer", "")), Result.NONE)
    draft.client = address(words.get("client", ""))
    draft.user, draft.session = secretive(words.get("user", "")), secretive(words.get("session", ""))
    draft.service = _SERVICES.get(words.get("service", ""), "")
    port, tls = fields.get("port"), fields.get("tls")
    draft.port = port if isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536 else None
    draft.cover = Cover.TLS if tls is True else Cover.NONE if tls is False else Cover.UNKNOWN
    draft.code, draft.reason = words.get("answer", "")[:16], secretive(words.get("because", ""))


ANSWERS = Table(row("answer", Kind.AUTH_DETAIL, r'\{"stage": .*\}', literal='{"stage": ', finish=answered))


def claims(tag: str) -> Part | None:
    return Part("policyd", "", ANSWERS) if tag == "gatepost/policyd" else None


POLICYD = Dialect("policyd", claims, (("answers", ANSWERS),))
