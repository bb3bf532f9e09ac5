"""What stands before Postfix's SMTP server: postscreen, dnsblog, tlsproxy; and anvil, which counts clients."""

from __future__ import annotations

import re

from gatepost.logs.addresses import address
from gatepost.logs.dialects.doors import placed
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.postfix_words import CLIENT, COMPLAINT, ENDPOINT, LIBRARY, TLS_IN, TLS_OUT, refused
from gatepost.logs.dialects.table import Table, row
from gatepost.model.event import Kind, Result

_LISTS = "WHITELIST|ALLOWLIST|BLACKLIST|DENYLIST"


def listed(draft: Draft, match: re.Match[str]) -> None:
    if match["code"].startswith(("BLACK", "DENY")):
        draft.kind = Kind.REJECTED
        draft.result = Result.REJECTED


def counted_for(draft: Draft, match: re.Match[str]) -> None:
    """(service:address); the service may be an address with a port itself, and the address IPv6."""
    rest = match["who_"]
    for _ in range(3):
        rest = rest.partition(":")[2]
        draft.client = draft.client or address(rest)


POSTSCREEN = Table(
    row(
        "connect",
        Kind.CONNECT,
        rf"CONNECT from {ENDPOINT} to \[(?P<local>[^\s\[\]]*)\]:(?P<port>\d+)",
        starts="CONNECT",
        finish=placed,
    ),
    row(
        "early",
        Kind.EARLY,
        rf"PREGREET \d+ after \S+ from {ENDPOINT}: ?(?P<reason>.*)",
        starts="PREGREET",
        result=Result.VIOLATION,
    ),
    row("dnsbl", Kind.DNSBL, rf"DNSBL rank (?P<code>-?\d+) for {ENDPOINT}", starts="DNSBL", result=Result.REJECTED),
    row("hangup", Kind.HANGUP, rf"HANGUP after \S+ from {ENDPOINT} in (?P<reason>tests .*)", starts="HANGUP"),
    row("pass", Kind.SCREENED, rf"PASS (?P<code>NEW|OLD) {ENDPOINT}", starts="PASS", result=Result.OK),
    row("disconnect", Kind.DISCONNECT, rf"DISCONNECT {ENDPOINT}", starts="DISCONNECT"),
    row(
        "listed",
        Kind.SCREENED,
        rf"(?P<code>(?:{_LISTS})(?:ED| VETO)) {ENDPOINT}",
        literal="LIST",
        result=Result.OK,
        finish=listed,
    ),
    row(
        "rejected",
        Kind.REJECTED,
        rf"NOQUEUE: reject: (?P<commands>[A-Z]+) from {ENDPOINT}: (?P<said_>.*)",
        starts="NOQUEUE:",
        result=Result.REJECTED,
        finish=refused,
    ),
    row(
        "rejected busy",
        Kind.RATE_LIMITED,
        rf"reject: connect from {ENDPOINT}: (?P<reason>.*)",
        starts="reject:",
        result=Result.REJECTED,
    ),
    row(
        "not smtp",
        Kind.NOT_SMTP,
        rf"NON-SMTP COMMAND from {ENDPOINT} after (?P<commands>\S+): (?P<reason>.*)",
        starts="NON-SMTP",
        result=Result.VIOLATION,
    ),
    row(
        "pipelining",
        Kind.PIPELINING,
        rf"COMMAND PIPELINING from {ENDPOINT} after (?P<commands>\S+): (?P<reason>.*)",
        starts="COMMAND",
        literal="COMMAND PIPELINING ",
        result=Result.VIOLATION,
    ),
    row(
        "time limit",
        Kind.ABORTED,
        rf"COMMAND TIME LIMIT from {ENDPOINT} after (?P<reason>\S+)",
        starts="COMMAND",
        literal="COMMAND TIME ",
        code="timeout",
    ),
    row(
        "limit",
        Kind.PROTOCOL_ERROR,
        rf"(?P<reason>COMMAND (?:COUNT|LENGTH) LIMIT) from {ENDPOINT} after (?P<commands>\S+)",
        starts="COMMAND",
        literal=" LIMIT from ",
        result=Result.VIOLATION,
    ),
    row(
        "bare newline",
        Kind.PROTOCOL_ERROR,
        rf"(?P<reason>BARE NEWLINE) from {ENDPOINT} after (?P<commands>.*)",
        starts="BARE",
        result=Result.VIOLATION,
    ),
    row(
        "no recipient",
        Kind.PROTOCOL_ERROR,
        rf"(?P<reason>(?:DATA|BDAT) without valid RCPT) from {ENDPOINT}",
        starts="DATA|BDAT",
        result=Result.VIOLATION,
    ),
    row("noted", Kind.SERVICE, rf"(?P<code>DROP|ENFORCE|UNFAIL|UNPASS|SKIP \S+) {ENDPOINT}", literal="]:"),
    row(
        "cleaned",
        Kind.STATISTICS,
        r"(?P<reason>(?:cache|close) .*)",
        starts="cache|close",
    ),
    COMPLAINT,
)

DNSBLOG = Table(
    row(
        "listed",
        Kind.DNSBL,
        r"addr (?P<client>[0-9A-Fa-f:.]+) listed by domain (?P<reason>\S+) as (?P<code>\S+)",
        starts="addr",
    ),
    COMPLAINT,
)

TLSPROXY = Table(
    row("connect", Kind.CONNECT, rf"CONNECT from {ENDPOINT}", starts="CONNECT"),
    row("disconnect", Kind.DISCONNECT, rf"DISCONNECT {ENDPOINT}", starts="DISCONNECT"),
    TLS_IN,
    TLS_OUT,
    row(
        "handshake failed",
        Kind.HANDSHAKE_FAILED,
        rf"SSL_accept error from {CLIENT}: (?P<reason>.*)",
        starts="SSL_accept",
        result=Result.FAILED,
    ),
    *LIBRARY,
    COMPLAINT,
)

ANVIL = Table(
    row(
        "statistics",
        Kind.STATISTICS,
        r"statistics: (?P<reason>max [\w ]+ [\d/]+\w*) for \((?P<who_>[^()\s]*)\) at .*",
        starts="statistics:",
        literal=" for (",
        finish=counted_for,
    ),
    row("cache", Kind.STATISTICS, r"statistics: (?P<reason>max cache size .*)", starts="statistics:"),
    COMPLAINT,
)
