"""Exim 4's main log. One process serves one connection; the ids of messages are the queue ids.

Exim writes a host as `name (helo) [address]:port`; the greeting may hold anything but what would end it here.
"""

from __future__ import annotations

import re

from gatepost.logs.dialects.doors import placed
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, row, secretive, version
from gatepost.model.event import Cover, Kind, Result

QUEUE = r"(?P<queue>[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})"
HOST = (
    r"(?:(?P<name>[^\s()\[\]=]+) )?(?:\((?P<helo>[^()\s]*)\) )?"
    r"\[(?P<client>[0-9A-Fa-f:.]+)\](?::(?P<client_port>\d+))?"
    r"(?: I=\[(?P<local>[0-9A-Fa-f:.]+)\]:(?P<port>\d+))?(?: Ci=\S+)?"
)
RELAY = r"(?P<relay>[^\s\[\]]+ \[[0-9A-Fa-f:.]+\](?::\d+)?)"
_OPTION = re.compile(r" ([A-Za-z]{1,3})=(\"(?:[^\"\\]|\\.)*\"|\S+)")
_METHODS = (("cram", "CRAM-MD5"), ("scram", "SCRAM"), ("login", "LOGIN"), ("plain", "PLAIN"), ("external", "EXTERNAL"))
_REPLY = re.compile(r"(\d{3})[- ](?:(\d\.\d{1,3}\.\d{1,3}) )?")
_ALERTS = re.compile(
    r"alert (bad certificate|certificate expired|certificate revoked|certificate unknown|"
    r"unknown ca)"
)


def options(draft: Draft, said: str) -> None:
    """`X=TLS1.3:suite:256 A=login:user S=size id=…`; the first of each counts, which the daemon wrote."""
    told: dict[str, str] = {}
    for one in _OPTION.finditer(said):
        told.setdefault(one[1], one[2].strip('"'))
    if "X" in told:
        protocol, _, suite = told["X"].partition(":")
        draft.cover, draft.tls = Cover.TLS, version(protocol)
        parts = suite.split(":")
        draft.cipher = secretive(max(parts, key=len))
        draft.exchange = next((one for one in ("ECDHE", "DHE") if one in suite), "")
    if "A" in told:
        driver, _, user = told["A"].partition(":")
        draft.method, draft.user = method(driver), secretive(user.partition(":")[0])
    if told.get("S", "").isdigit():
        draft.size = int(told["S"][:18])
    draft.message_id = secretive(told.get("id", ""))


def method(driver: str) -> str:
    """Drivers are named by the administrator; most names hold the mechanism."""
    return next((known for word, known in _METHODS if word in driver.lower()), secretive(driver.upper())[:20])


def arrived(draft: Draft, match: re.Match[str]) -> None:
    """`esmtpsa` is inside TLS and logged in, `esmtpa` logged in only."""
    options(draft, match["options_"] or "")
    protocol = match["protocol_"] or ""
    if not draft.cover and "smtp" in protocol:
        draft.cover = Cover.TLS if protocol.endswith(("s", "sa")) else Cover.NONE
    placed(draft, match)


def refused(draft: Draft, match: re.Match[str]) -> None:
    placed(draft, match)
    options(draft, match["options_"])
    if reply := _REPLY.match(draft.reason):
        draft.code = " ".join(part for part in reply.groups() if part)


def denied(draft: Draft, match: re.Match[str]) -> None:
    placed(draft, match)
    draft.method = method(match["driver_"])
    if reply := _REPLY.match(draft.reason):
        draft.code = reply[1]


def delivered(draft: Draft, match: re.Match[str]) -> None:
    options(draft, match["options_"] or "")
    draft.user = draft.method = draft.message_id = ""
    draft.size = None


def shaken(draft: Draft, match: re.Match[str]) -> None:
    placed(draft, match)
    if alert := _ALERTS.search(draft.reason):
        draft.kind, draft.code = Kind.CERTIFICATE_REJECTED, alert[1]


def misspoken(draft: Draft, match: re.Match[str]) -> None:
    placed(draft, match)
    if "without waiting for greeting" in draft.reason:
        draft.kind = Kind.EARLY


MAIN = Table(
    row(
        "arrived",
        Kind.ACCEPTED,
        rf"{QUEUE} <= (?P<sender>\S+)(?: R=\S+)?(?: H={HOST})?(?: U=\S+)?"
        r"(?: P=(?P<protocol_>[a-z]+))?(?P<options_> .*)?",
        literal=" <= ",
        result=Result.OK,
        finish=arrived,
    ),
    row(
        "delivered",
        Kind.DELIVERY,
        rf"{QUEUE} (?:=>|->|>>|\*>) (?P<recipient>[^\s<>]+)(?: <[^<>]*>)?"
        rf"(?: [PRTU]=\S+)*(?: H={RELAY})?(?P<options_> .*)?",
        literal="> ",
        result=Result.SENT,
        finish=delivered,
    ),
    row(
        "deferred",
        Kind.DELIVERY,
        rf"{QUEUE} == (?P<recipient>[^\s<>]+)(?: <[^<>]*>)?(?P<options_>"
        r"(?: [A-Z]=\S+)*)(?P<reason> .*)?",
        literal=" == ",
        result=Result.DEFERRED,
        finish=delivered,
    ),
    row(
        "bounced",
        Kind.DELIVERY,
        rf"{QUEUE} \*\* (?P<recipient>[^\s<>:]+)(?: <[^<>]*>)?:?(?P<options_>"
        r"(?: [A-Z]=\S+)*)(?P<reason> .*)?",
        literal=" ** ",
        result=Result.BOUNCED,
        finish=delivered,
    ),
    row("completed", Kind.REMOVED, rf"{QUEUE} Completed(?: .*)?", literal=" Completed"),
    row(
        "login failed",
        Kind.AUTH_FAILED,
        rf"(?P<driver_>[\w-]{{1,64}}) authenticator failed for {HOST}:"
        r" (?P<reason>.*?)(?: \(set_id=(?P<user>[^()]*)\))?",
        literal=" authenticator failed for ",
        result=Result.FAILED,
        finish=denied,
    ),
    row(
        "rejected",
        Kind.REJECTED,
        rf"(?:{QUEUE} )?(?:F=\S+ )?H={HOST}(?P<options_>(?: (?:X|CV|SNI|DN|A|P|U|PRDR|K|TFO|L|D)=\S"
        r"+)*)(?: F=<?(?P<sender>[^<>\s]*)>?)?(?: [AP]=\S+)? "
        r"(?:temporarily )?rejected (?P<commands>[A-Z]+|after DATA|connection in \"\w+\" ACL|by lo"
        r"cal_scan\(\))(?: <(?P<recipient>[^<>]*)>| (?!<)[^\s:]+)?"
        r"(?:: (?P<reason>.*))?",
        literal="rejected ",
        result=Result.REJECTED,
        finish=refused,
    ),
    row(
        "sender refused",
        Kind.REJECTED,
        rf"H={HOST} sender verify (?:fail|defer) for <(?P<sender>[^<>\s]*)>(?:: (?P<reason>.*))?",
        literal=" sender verify ",
        result=Result.REJECTED,
        finish=placed,
    ),
    row(
        "dropped by rule",
        Kind.REJECTED,
        rf"H={HOST} dropped by '(?P<commands>\w+)' ACL(?:: (?P<reason>.*))?",
        literal=" dropped by ",
        result=Result.REJECTED,
        finish=placed,
    ),
    row(
        "handshake failed",
        Kind.HANDSHAKE_FAILED,
        rf"TLS error on connection from (?:H=)?{HOST} (?P<reason>.*)",
        starts="TLS",
        literal="TLS error on connection from ",
        result=Result.FAILED,
        finish=shaken,
    ),
    row(
        "out of step",
        Kind.PIPELINING,
        r"SMTP protocol synchronization error \((?P<reason>[^()]*)\): rejected"
        rf" (?:connection from|\"[^\"]*\") H={HOST} .*",
        starts="SMTP",
        literal="synchronization error",
        result=Result.VIOLATION,
        finish=misspoken,
    ),
    row(
        "misspoken",
        Kind.PROTOCOL_ERROR,
        rf"SMTP (?:protocol|syntax) error in \"(?P<commands>[^\"]{{0,512}})\" H={HOST}"
        r" (?P<reason>.*)",
        starts="SMTP",
        literal=" error in ",
        result=Result.VIOLATION,
        finish=placed,
    ),
    row(
        "too much",
        Kind.PROTOCOL_ERROR,
        rf"SMTP call from {HOST} dropped: (?P<reason>too many .*)",
        starts="SMTP",
        literal=" dropped: too many ",
        result=Result.VIOLATION,
        finish=placed,
    ),
    row(
        "nothing sent",
        Kind.NO_ATTEMPT,
        rf"no MAIL in SMTP connection from {HOST}(?P<reason> .*)?",
        starts="no",
        literal="no MAIL in SMTP ",
        finish=placed,
    ),
    row(
        "connected",
        Kind.CONNECT,
        rf"SMTP connection from {HOST} \((?P<reason>TCP/IP connection count = \d+)\)",
        starts="SMTP",
        literal="connection count",
        finish=placed,
    ),
    row(
        "lost",
        Kind.ABORTED,
        rf"(?:unexpected disconnection while reading SMTP command from|SMTP connection from) {HOST}"
        r"(?: lost(?P<reason> .*)?|(?: D=\S+)?)",
        starts="SMTP|unexpected",
        code="lost connection",
        finish=placed,
    ),
    row(
        "timed out",
        Kind.ABORTED,
        r"SMTP (?:command|data) timeout (?:on|\(message abandoned\) on)"
        rf"(?: TLS)? connection from {HOST}(?P<reason> .*)?",
        starts="SMTP",
        literal=" timeout ",
        code="timeout",
        finish=placed,
    ),
    row(
        "closed",
        Kind.DISCONNECT,
        rf"(?:{QUEUE} )?SMTP connection from {HOST} (?P<reason>closed by .*|D=.*)",
        literal="SMTP connection from ",
        finish=placed,
    ),
    row(
        "refused",
        Kind.RATE_LIMITED,
        rf"(?:Connection|connection) from {HOST} refused: (?P<reason>too many .*)",
        starts="Connection|connection",
        literal=" refused: too many ",
        result=Result.REJECTED,
        finish=placed,
    ),
    row(
        "service",
        Kind.SERVICE,
        r"(?P<reason>(?:exim [\d.]+ daemon started|Start queue run|End queue run|SIGHUP received|p"
        r"id \d+: SIGHUP).*)",
        starts="exim|Start|End|SIGHUP|pid",
    ),
)


def claims(tag: str) -> Part | None:
    return Part("exim", "smtp", MAIN) if tag in {"exim", "exim4"} else None


EXIM = Dialect("exim", claims, (("exim", MAIN),))
