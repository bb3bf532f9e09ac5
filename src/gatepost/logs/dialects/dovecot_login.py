"""What Dovecot's login processes say of a connection: imap-login, pop3-login, submission-login, managesieve-login."""

from __future__ import annotations

import re

from gatepost.logs.dialects import dovecot_elements
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Table, row
from gatepost.model.event import Cover, Kind, Result

_SAID = r"[^<>]*"  # a stranger's words stand between < and > alone
_MORE = r"[^<>()]*"
_CODE = r"(?: \((?P<code>[a-z_]+)\))?"
_ELEMENTS = r": (?P<elements_>(?:user=<|method=|rip=|lip=|rport=|session=<).*)"
_REFUSED = (
    "authorization failed|user disabled|password expired|login disabled|anonymous logins disabled|"
    "proxy dest auth failed"
)
_STOPPED = (
    "client didn't finish SASL auth|disconnected while authenticating|disconnected while finishing login|"
    "auth process communication failure|tried to use unsupported auth mechanism|sent invalid base64|"
    "cert required|client didn't send a cert|client sent an invalid cert|auth service reported temporary failure|"
    "internal failure"
)
_ALERT = re.compile(
    r"alert (bad certificate|certificate expired|certificate revoked|certificate unknown|unknown ca|"
    r"unsupported certificate)"
)


def elements(draft: Draft, match: re.Match[str]) -> None:
    dovecot_elements.read(draft, match["elements_"])


def idle(draft: Draft, match: re.Match[str]) -> None:
    """Who left before the handshake was done did not leave without a try to log in: it never came to that."""
    elements(draft, match)
    if draft.code in ("handshaking", "tls_handshake_not_finished"):
        draft.kind = Kind.HANDSHAKE_FAILED
        draft.result = Result.FAILED
        draft.cover = Cover.UNKNOWN
    if alert := _ALERT.search(draft.reason):
        draft.kind = Kind.CERTIFICATE_REJECTED
        draft.code = alert[1]


def tried(draft: Draft, match: re.Match[str]) -> None:
    """Dovecot 1 told a failed login by the user alone."""
    idle(draft, match)
    if draft.user and draft.kind is Kind.NO_ATTEMPT:
        draft.kind = Kind.AUTH_FAILED
        draft.result = Result.FAILED


LOGIN = Table(
    row(
        "login",
        Kind.LOGIN,
        rf"(?:Login|Logged in)(?: \(proxying\))?{_ELEMENTS}",
        starts="Login:|Logged|Login",
        result=Result.OK,
        finish=elements,
    ),
    row(
        "login failed",
        Kind.AUTH_FAILED,
        rf"(?P<reason>{_SAID}\(auth failed, (?P<attempts>\d+) attempts?(?: in \d+ secs)?\)){_CODE}{_ELEMENTS}",
        literal="(auth failed, ",
        result=Result.FAILED,
        finish=elements,
    ),
    row(
        "bad commands",
        Kind.PROTOCOL_ERROR,
        rf"(?P<reason>{_SAID}Too many (?:invalid|bad) {_SAID}\(no auth attempts{_MORE}\)){_CODE}{_ELEMENTS}",
        literal="Too many ",
        result=Result.VIOLATION,
        finish=elements,
    ),
    row(
        "no attempt",
        Kind.NO_ATTEMPT,
        rf"(?P<reason>{_SAID}\((?:no auth attempts|disconnected (?:before|during)){_MORE}\)){_CODE}{_ELEMENTS}",
        finish=idle,
    ),
    row(
        "login refused",
        Kind.AUTH_FAILED,
        rf"(?P<reason>{_SAID}\((?:{_REFUSED})\)){_CODE}{_ELEMENTS}",
        result=Result.FAILED,
        finish=elements,
    ),
    row(
        "cleartext refused",
        Kind.CLEARTEXT_REFUSED,
        rf"(?P<reason>{_SAID}\(tried to use (?:disabled|disallowed) (?:plaintext|cleartext) auth\)){_CODE}{_ELEMENTS}",
        literal="(tried to use dis",
        result=Result.REJECTED,
        finish=elements,
    ),
    row(
        "connections",
        Kind.RATE_LIMITED,
        rf"(?P<reason>Maximum number of connections from user\+IP exceeded) {_SAID}{_ELEMENTS}",
        starts="Maximum",
        result=Result.REJECTED,
        finish=elements,
    ),
    row(
        "login stopped",
        Kind.ABORTED,
        rf"(?P<reason>{_SAID}\((?:{_STOPPED}){_MORE}\)){_CODE}{_ELEMENTS}",
        finish=elements,
    ),
    row(
        "proxied",
        Kind.SERVICE,
        rf"proxy(?:\([^<>()]*\))?: (?P<reason>{_SAID}){_ELEMENTS}",
        literal="proxy",
        finish=elements,
    ),
    row(
        "ended",
        Kind.NO_ATTEMPT,
        rf"(?P<reason>(?:Disconnected|Aborted login|Login aborted|Remote closed){_SAID}){_CODE}{_ELEMENTS}",
        finish=tried,
    ),
    row("complaint", Kind.SERVICE, r"(?P<code>Warning|Error|Fatal|Panic|Debug): (?P<reason>.*)"),
)
