"""Suricata's EVE and Zeek's logs as JSON: what a sensor saw of the mail ports. Other ports are left alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from gatepost.logs.addresses import address
from gatepost.logs.dialects.doors import mail_service
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, row, secretive, version
from gatepost.model.event import Cover, Kind, Result

Fields = Mapping[str, object]
_VERSIONS = {
    "TLSv10": "TLSv1",
    "TLSv11": "TLSv1.1",
    "TLSv12": "TLSv1.2",
    "TLSv13": "TLSv1.3",
    "TLS 1.2": "TLSv1.2",
    "TLS 1.3": "TLSv1.3",
}
_UNANSWERED = frozenset({"S0", "REJ", "RSTO", "RSTOS0", "SH"})  # conn_state of Zeek: nobody spoke


def suricata(draft: Draft, match: re.Match[str]) -> None:
    fields = _read(match[0])
    _ends(draft, fields, "src_ip", "src_port", "dest_ip", "dest_port")
    kind = _text(fields, "event_type")
    if not draft.service:
        draft.kind = Kind.SERVICE
    elif kind == "smtp":
        _mail(draft, _inner(fields, "smtp"), helo="helo", sender="mail_from", recipients="rcpt_to")
    elif kind == "tls":
        _tls(draft, _inner(fields, "tls"), established=True)
    elif kind in {"alert", "anomaly"}:
        alert = _inner(fields, kind)
        draft.kind, draft.result = Kind.PROTOCOL_ERROR, Result.VIOLATION
        draft.reason = secretive(_text(alert, "signature") or _text(alert, "event"))
        draft.code = _text(alert, "signature_id")
    else:
        draft.kind = Kind.CONNECT if kind == "flow" else Kind.SERVICE


def zeek(draft: Draft, match: re.Match[str]) -> None:
    fields = _read(match[0])
    _ends(draft, fields, "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
    draft.session = secretive(_text(fields, "uid"))
    if not draft.service:
        draft.kind = Kind.SERVICE
    elif "established" in fields:
        _tls(draft, fields, established=fields.get("established") is True)
    elif "helo" in fields or "trans_depth" in fields:
        _mail(draft, fields, helo="helo", sender="mailfrom", recipients="rcptto")
        draft.cover = Cover.TLS if fields.get("tls") is True else Cover.NONE
    else:
        draft.kind = Kind.NO_ATTEMPT if _text(fields, "conn_state") in _UNANSWERED else Kind.CONNECT
        draft.code = _text(fields, "conn_state")[:8]


def _read(said: str) -> Fields:
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _ends(draft: Draft, fields: Fields, client: str, client_port: str, local: str, port: str) -> None:
    draft.client, draft.local = address(_text(fields, client)), address(_text(fields, local))
    draft.client_port, draft.port = _number(fields, client_port), _number(fields, port)
    draft.service = mail_service(draft.port)


def _mail(draft: Draft, fields: Fields, *, helo: str, sender: str, recipients: str) -> None:
    """What was said in clear. A sensor cannot tell whether it was taken."""
    to = fields.get(recipients)
    names = [one for one in to if isinstance(one, str)] if isinstance(to, list) else []
    draft.kind = Kind.SERVICE
    draft.cover = Cover.NONE
    draft.helo = secretive(_text(fields, helo))
    draft.sender = secretive(_text(fields, sender).strip("<>"))
    draft.recipient = secretive(names[0].strip("<>")) if names else ""
    draft.recipients = len(names) or None


def _tls(draft: Draft, fields: Fields, *, established: bool) -> None:
    said = _text(fields, "version")
    draft.kind = Kind.TLS if established else Kind.HANDSHAKE_FAILED
    draft.result = Result.OK if established else Result.FAILED
    draft.cover, draft.tls = (Cover.TLS if established else Cover.UNKNOWN), version(_VERSIONS.get(said, said))[:16]
    draft.cipher, draft.exchange = secretive(_text(fields, "cipher")), secretive(_text(fields, "curve"))
    draft.reason = secretive(_text(fields, "last_alert"))


def _inner(fields: Fields, name: str) -> Fields:
    inner = fields.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _number(fields: Fields, name: str) -> int | None:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 65535 else None


EVE = Table(row("event", Kind.SERVICE, r"\{.*\}", literal='"event_type"', finish=suricata))
ZEEK = Table(row("record", Kind.SERVICE, r"\{.*\}", literal='"uid"', finish=zeek))


def claims(tag: str) -> Part | None:
    if tag == "suricata":
        return Part("suricata", "", EVE)
    return Part("zeek", "", ZEEK) if tag == "zeek" else None


SENSORS = Dialect("sensors", claims, (("suricata", EVE), ("zeek", ZEEK)))
