"""What Postfix's SMTP server says, on whatever port."""

from __future__ import annotations

import re

from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.postfix_words import (
    CLIENT,
    CLIENT_LAST,
    COMPLAINT,
    LIBRARY,
    QUEUE,
    STAGE,
    TLS_IN,
    TRUST,
    TURNED_AWAY,
    envelope,
    passed,
)
from gatepost.logs.dialects.table import Table, number, row, secretive
from gatepost.logs.masking import masked_dialogue
from gatepost.model.event import Cover, Kind, Result

_AUTH = re.compile(r"\bauth=(?:(\d+)/)?(\d+)")
_STARTTLS = re.compile(r"\bstarttls=[1-9]")
_GREETED = re.compile(r"\b(?:ehlo|helo)=[1-9]")
_AWAY = ("Connection lost to authentication server", "Temporary authentication failure")
_UNNAMED = frozenset({"(unavailable)", "(unknown)"})


def counted(draft: Draft, _match: re.Match[str]) -> None:
    """auth=0/3 are three tries and no success. Behind a port with implicit TLS there is never a starttls counter."""
    if "auth=" in draft.commands and (auth := _AUTH.search(draft.commands)):
        draft.attempts = number(auth[2])
        draft.result = Result.FAILED if auth[1] == "0" else Result.OK
    if "starttls=" in draft.commands and _STARTTLS.search(draft.commands):
        draft.cover = Cover.TLS
    elif draft.service in ("smtp", "submission") and _GREETED.search(draft.commands):
        draft.cover = Cover.NONE


def named(draft: Draft, _match: re.Match[str]) -> None:
    """An authentication service that is away refuses everybody: that is no attempt, and nobody's fault."""
    if draft.user in _UNNAMED:
        draft.user = ""
    if draft.reason.startswith(_AWAY):
        draft.kind = Kind.AUTH_DETAIL


def pipelined(draft: Draft, match: re.Match[str]) -> None:
    said = match["said_"] or ""
    draft.reason = masked_dialogue(said) if draft.commands == "AUTH" and said else secretive(said)


def unproxied(draft: Draft, match: re.Match[str]) -> None:
    envelope(draft, match["said_"])
    passed(draft, match)


SMTPD = Table(
    row("connect", Kind.CONNECT, rf"connect from {CLIENT_LAST}", starts="connect", literal="connect from "),
    row(
        "disconnect",
        Kind.DISCONNECT,
        rf"disconnect from {CLIENT_LAST}(?: (?P<commands>[a-z_]+=[0-9/]+(?: [a-z_]+=[0-9/]+)*))?",
        starts="disconnect",
        literal="disconnect from ",
        finish=counted,
    ),
    TLS_IN,
    row(
        "accepted",
        Kind.ACCEPTED,
        rf"{QUEUE}: client={CLIENT}(?:, sasl_method=(?P<method>[^\s,]+))?(?:, sasl_username=(?P<user>.*?))?"
        r"(?:, sasl_sender=\S*?)?(?:, orig_queue_id=\w+)?(?:, orig_client=\S*\[[0-9A-Fa-f:.]+\](?::\d+)?)?",
        literal=": client=",
        result=Result.OK,
    ),
    row(
        "login failed",
        Kind.AUTH_FAILED,
        rf"warning: {CLIENT}: SASL (?P<method>\S+) authentication (?:failed|failure):? ?"
        r"(?P<reason>.*?)(?:, sasl_username=(?P<user>.*))?",
        starts="warning:",
        literal=": SASL ",
        result=Result.FAILED,
        finish=named,
    ),
    row(
        "login given up",
        Kind.ABORTED,
        rf"warning: {CLIENT}: SASL (?P<method>\S+) authentication aborted",
        starts="warning:",
        literal=" authentication aborted",
        code="aborted",
        reason="AUTH",
    ),
    TURNED_AWAY,
    row(
        "rejected by proxy",
        Kind.REJECTED,
        rf"(?:{QUEUE}: )?(?P<action_>proxy-reject|proxy-accept): {STAGE}: (?P<said_>.*)",
        literal="proxy-",
        result=Result.REJECTED,
        finish=unproxied,
    ),
    row(
        "aborted",
        Kind.ABORTED,
        rf"(?:{QUEUE}: )?(?P<code>lost connection|timeout|too many errors) after (?P<reason>[A-Za-z-]+|\.)"
        rf"(?: \((?P<size>\d+) bytes\))? from {CLIENT_LAST}",
        literal=" after ",
    ),
    row(
        "pipelining",
        Kind.PIPELINING,
        rf"(?:{QUEUE}: )?improper command pipelining after {STAGE} from {CLIENT}(?::(?: (?P<said_>.*))?)?",
        literal="improper command pipelining after ",
        result=Result.VIOLATION,
        finish=pipelined,
    ),
    row(
        "not smtp",
        Kind.NOT_SMTP,
        rf"warning: non-SMTP command from {CLIENT}: (?P<reason>.*)",
        starts="warning:",
        literal="non-SMTP command from ",
        result=Result.VIOLATION,
    ),
    row(
        "handshake failed",
        Kind.HANDSHAKE_FAILED,
        rf"SSL_accept error from {CLIENT}: (?P<reason>.*)",
        starts="SSL_accept",
        literal="SSL_accept error from ",
        result=Result.FAILED,
    ),
    row(
        "tls aborted",
        Kind.HANDSHAKE_FAILED,
        rf"(?:{QUEUE}): abort: TLS from {CLIENT}: (?P<reason>.*)",
        literal=": abort: TLS from ",
        result=Result.FAILED,
    ),
    *LIBRARY,
    row(
        "rate",
        Kind.RATE_LIMITED,
        r"warning: (?P<reason>[A-Z][A-Za-z ]{3,40} (?:rate|concurrency)) limit exceeded: (?P<code>\d+) "
        rf"from {CLIENT} for service \S+",
        starts="warning:",
        literal=" limit exceeded: ",
        result=Result.REJECTED,
    ),
    row(
        "tls refused",
        Kind.RATE_LIMITED,
        rf"(?P<reason>Refusing (?:STARTTLS|TLS service) request) from {CLIENT} for service \S+",
        starts="Refusing",
        result=Result.REJECTED,
    ),
    row(
        "reverse name false",
        Kind.SERVICE,
        r"warning: hostname (?P<name>\S+) does not resolve to address (?P<client>[0-9A-Fa-f:.]+)(?:: (?P<reason>.*))?",
        starts="warning:",
        literal=" does not resolve to address ",
        result=Result.FAILED,
    ),
    row(
        "reverse name unproved",
        Kind.SERVICE,
        r"warning: (?P<client>[0-9A-Fa-f:.]+): (?P<reason>(?:hostname|address) .*)",
        starts="warning:",
        literal="hostname",
        result=Result.FAILED,
    ),
    row(
        "bad address",
        Kind.PROTOCOL_ERROR,
        rf"warning: (?P<reason>Illegal address syntax) from {CLIENT} in (?P<commands>[A-Z]+) command: .*",
        starts="warning:",
        literal="Illegal address syntax from ",
        result=Result.VIOLATION,
    ),
    row(
        "login library",
        Kind.AUTH_DETAIL,
        r"warning: SASL authentication (?:failure|problem): (?P<reason>.*)",
        starts="warning:",
        literal="SASL authentication ",
        result=Result.FAILED,
    ),
    row("keywords", Kind.SERVICE, r"(?P<reason>discarding EHLO keywords: .*)", starts="discarding"),
    row("tls begins", Kind.SERVICE, rf"(?P<reason>setting up TLS connection) from {CLIENT_LAST}", starts="setting"),
    row(
        "client certificate",
        Kind.SERVICE,
        rf"{CLIENT}: (?P<reason>(?:{TRUST}|Matched|Unmatched): subject_CN=.*)",
        literal=" subject_CN=",
    ),
    COMPLAINT,
)
