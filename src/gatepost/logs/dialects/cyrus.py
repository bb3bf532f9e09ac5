"""Cyrus, Courier and UW: mailbox servers whose processes are named imapd, pop3d and the like, so they share a table."""

from __future__ import annotations

import re

from gatepost.logs.dialects.doors import exchange
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, row, secretive
from gatepost.model.event import Cover, Kind, Result

HOST = r"(?P<name>[^\s\[\]]*) ?\[(?P<client>[0-9A-Fa-f:.]+)\]"
AT = r"ip=\[(?P<client>[0-9A-Fa-f:.]+)\](?:, port=\[(?P<client_port>\d+)\])?"
_WORDS = re.compile(r"(plaintext|[A-Z][A-Z0-9-]+)(\+TLS)?(?: (.*))?", re.DOTALL)


def logged_in(draft: Draft, match: re.Match[str]) -> None:
    """`plaintext+TLS User logged in`; without +TLS it was in clear, or on a layer of SASL's own."""
    draft.method = "LOGIN" if match["method_"] == "plaintext" else match["method_"].upper()
    draft.cover = Cover.TLS if match["tls_"] else Cover.NONE


def failed(draft: Draft, match: re.Match[str]) -> None:
    """`plaintext user SASL(-13): …`, `CRAM-MD5 [SASL(-13): …]`: only plain text names the account."""
    said = match["said_"]
    found = _WORDS.fullmatch(said)
    if found is None:
        draft.reason = secretive(said)
        return
    draft.method = "LOGIN" if found[1] == "plaintext" else found[1]
    rest = found[3] or ""
    if found[1] == "plaintext":
        user, _, rest = rest.partition(" ")
        draft.user = secretive(user)
    draft.reason = secretive(rest)


def inside(draft: Draft, _match: re.Match[str]) -> None:
    draft.cover = Cover.TLS
    draft.exchange = exchange(draft.cipher)


def left(draft: Draft, match: re.Match[str]) -> None:
    """Courier tells the bytes it sent, and TLS only when the session ends."""
    said = match["said_"]
    if sent := re.search(r", sent=(\d{1,18})", said):
        draft.size = int(sent[1])
    if re.search(r", (?:starttls|tls)=1\b", said):
        draft.cover = Cover.TLS


MAILBOX = Table(
    row(
        "login",
        Kind.LOGIN,
        rf"login: {HOST} (?P<user>\S+) (?P<method_>[A-Za-z][\w-]*)"
        r"(?P<tls_>\+TLS)? User logged in(?: SESSIONID=<(?P<session>[^<>\s]*)>)?.*",
        starts="login:",
        literal=" User logged in",
        result=Result.OK,
        finish=logged_in,
    ),
    row(
        "login failed",
        Kind.AUTH_FAILED,
        rf"badlogin: {HOST} (?P<said_>.*)",
        starts="badlogin:",
        result=Result.FAILED,
        finish=failed,
    ),
    row(
        "tls",
        Kind.TLS,
        r"starttls: (?P<tls>\S+) with cipher (?P<cipher>\S+) \(\d+/\d+ bits [\w ]+\).*",
        starts="starttls:",
        result=Result.OK,
        finish=inside,
    ),
    row(
        "handshake failed",
        Kind.HANDSHAKE_FAILED,
        rf"(?:imaps?|pop3s?|TLS)? ?(?:STARTTLS|TLS) negotiation failed: {HOST}(?P<reason>.*)",
        literal=" negotiation failed: ",
        result=Result.FAILED,
    ),
    row(
        "delivered",
        Kind.SAVED,
        r"Delivered: <(?P<message_id>[^<>\s]*)> to mailbox: (?P<relay>\S+)(?P<reason> .*)?",
        starts="Delivered:",
        result=Result.OK,
    ),
    row(
        "courier login",
        Kind.LOGIN,
        rf"LOGIN, (?:method=(?P<method>[\w-]+), )?user=(?P<user>[^,\s]*), {AT}"
        r"(?:, protocol=\w+)?(?P<reason>, .*)?",
        starts="LOGIN,",
        result=Result.OK,
    ),
    row(
        "courier login failed",
        Kind.AUTH_FAILED,
        rf"LOGIN FAILED, (?:method=(?P<method>[\w-]+), )?(?:user=(?P<user>[^,\s]*), )?{AT}",
        starts="LOGIN",
        result=Result.FAILED,
    ),
    row("courier connect", Kind.CONNECT, rf"Connection, {AT}", starts="Connection,"),
    row(
        "courier logout",
        Kind.LOGOUT,
        rf"(?:LOGOUT|DISCONNECTED|TIMEOUT|MAXIDLE), (?:user=(?P<user>[^,\s]*), )?{AT}"
        r"(?P<said_>, .*)?",
        starts="LOGOUT,|DISCONNECTED,|TIMEOUT,|MAXIDLE,",
        finish=lambda draft, match: left(draft, match) if match["said_"] else None,
    ),
    row(
        "courier handshake failed",
        Kind.HANDSHAKE_FAILED,
        rf"{AT}, couriertls: (?P<reason>.*)",
        literal=", couriertls: ",
        result=Result.FAILED,
    ),
    row(
        "uw login",
        Kind.LOGIN,
        r"(?:Login|Authenticated|Auth|Login success) user=(?P<user>\S*)"
        rf"(?: auth=\S*)? host={HOST}.*",
        starts="Login|Authenticated|Auth",
        literal=" host=",
        result=Result.OK,
    ),
    row(
        "uw login failed",
        Kind.AUTH_FAILED,
        r"(?:Login|Auth\w*) (?P<reason>failed|disabled|excessive) user="
        rf"(?P<user>\S*)(?: auth=\S*)? host={HOST}.*",
        starts="Login|Authentication|Auth",
        literal=" host=",
        result=Result.FAILED,
    ),
    row(
        "service",
        Kind.SERVICE,
        r"(?P<reason>(?:accepted connection|executed|USAGE|fetching user_deny|open:|counts:|ready "
        r"for work|mystore:|SSL_accept\(\)|inittls:|DBMSG|client id|auditlog:).*)",
        starts="accepted|executed|USAGE|fetching|open:|counts:|ready|mystore:|SSL_accept()|inittls:|DBMSG|client|auditlog:",
    ),
)
COURIER_SMTP = Table(
    row(
        "connect",
        Kind.CONNECT,
        r"started,ip=\[?(?P<client>[0-9A-Fa-f:.]+)\]?(?:,port=\[(?P<client_port>\d+)\])?",
        literal="started,ip=",
    ),
    row(
        "login failed",
        Kind.AUTH_FAILED,
        r"error,relay=\[?(?P<client>[0-9A-Fa-f:.]+)\]?,(?:port=\d+,)?msg=\""
        r"(?P<code>\d{3}) (?P<reason>Authentication failed\.?)\".*",
        literal="Authentication failed",
        result=Result.FAILED,
    ),
    row(
        "refused",
        Kind.REJECTED,
        r"error,relay=\[?(?P<client>[0-9A-Fa-f:.]+)\]?,(?:port=\d+,)?"
        r"(?:from=<(?P<sender>[^<>]*)>)?(?:,to=<(?P<recipient>[^<>]*)>)?:"
        r" (?P<code>\d{3}) (?P<reason>.*)",
        literal="error,relay=",
        result=Result.REJECTED,
    ),
)
_SERVICES = {
    "imap": "imap",
    "imapd": "imap",
    "imapd-ssl": "imaps",
    "imaps": "imaps",
    "ipop3d": "pop3",
    "lmtp": "lmtp",
    "lmtpunix": "lmtp",
    "master": "",
    "nntp": "nntp",
    "pop3": "pop3",
    "pop3d": "pop3",
    "pop3d-ssl": "pop3s",
    "pop3s": "pop3s",
    "sieve": "managesieve",
    "timsieved": "managesieve",
}  # fmt: skip


def claims(tag: str) -> Part | None:
    family, _, process = tag.rpartition("/")
    if tag in {"courieresmtpd", "courieresmtpsd", "esmtpd"}:
        return Part("courier", "submissions" if tag == "courieresmtpsd" else "smtp", COURIER_SMTP)
    if family not in {"", "cyrus"} or process not in _SERVICES:
        return None
    return Part("cyrus" if family else process, _SERVICES[process], MAILBOX)


CYRUS = Dialect("cyrus", claims, (("mailbox", MAILBOX), ("courier smtp", COURIER_SMTP)))
