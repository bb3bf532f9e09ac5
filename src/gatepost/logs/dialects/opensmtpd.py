"""OpenSMTPD: since 6.0 each line begins with the id of its session; before, the id stands in the words."""

from __future__ import annotations

import re

from gatepost.logs.dialects.doors import exchange
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, row, secretive, version
from gatepost.model.event import Cover, Kind, Result

SESSION = r"(?P<session>[0-9a-f]{16})"
_REPLY = re.compile(r"(\d{3}) (?:(\d\.\d{1,3}\.\d{1,3}) )?(.*)", re.DOTALL)
_RESULTS = {"Ok": Result.SENT, "TempFail": Result.DEFERRED, "PermFail": Result.BOUNCED}


def inside(draft: Draft, match: re.Match[str]) -> None:
    """`TLSv1.3:TLS_AES_256_GCM_SHA384:256`."""
    protocol, _, rest = match["suite_"].partition(":")
    draft.cover, draft.tls, draft.cipher = Cover.TLS, version(protocol), rest.partition(":")[0]
    draft.exchange = exchange(draft.cipher)


def old_inside(draft: Draft, _match: re.Match[str]) -> None:
    draft.cover = Cover.TLS


def tried(draft: Draft, match: re.Match[str]) -> None:
    if match["ok_"] != "ok":
        draft.kind, draft.result = Kind.AUTH_FAILED, Result.FAILED


def refused(draft: Draft, match: re.Match[str]) -> None:
    """A failed command is a rejection where it concerns mail, a failed login is told by a line of its own."""
    draft.commands = secretive(match["command_"].partition(" ")[0].upper()[:20])
    if reply := _REPLY.match(match["said_"]):
        draft.code = " ".join(part for part in reply.groups()[:2] if part)
        draft.reason = secretive(reply[3])
    if draft.commands not in {"MAIL", "RCPT", "DATA", "BDAT", "EHLO", "HELO"}:
        draft.kind, draft.result = Kind.PROTOCOL_ERROR, Result.VIOLATION


def ended(draft: Draft, match: re.Match[str]) -> None:
    draft.result = _RESULTS.get(match["result_"], Result.NONE)
    if reply := _REPLY.match(draft.reason):
        draft.code = " ".join(part for part in reply.groups()[:2] if part)


def left(draft: Draft, match: re.Match[str]) -> None:
    if match["why_"] != "quit":
        draft.kind, draft.code = Kind.ABORTED, "timeout" if match["why_"] == "timeout" else "lost connection"


SMTPD = Table(
    row(
        "connect",
        Kind.CONNECT,
        rf"{SESSION} smtp connected address=\[?(?:IPv6:)?(?P<client>[0-9A-Fa-f:.]+)\]? host="
        r"(?P<name>\S+)",
        literal=" smtp connected ",
    ),
    row(
        "tls",
        Kind.TLS,
        rf"{SESSION} smtp tls (?:address=\S+ host=\S+ )?ciphers=\"?(?P<suite_>[\w.:-]+)\"?",
        literal=" smtp tls ",
        result=Result.OK,
        finish=inside,
    ),
    row(
        "login",
        Kind.LOGIN,
        rf"{SESSION} smtp authentication user=(?P<user>\S*) (?:address=\S+ host=\S+ )?result="
        r"(?P<ok_>\w+)",
        literal=" smtp authentication ",
        result=Result.OK,
        finish=tried,
    ),
    row(
        "message",
        Kind.ACCEPTED,
        rf"{SESSION} smtp message (?:address=\S+ host=\S+ )?msgid="
        r"(?P<queue>[0-9a-f]+)(?: from=<(?P<sender>[^<>\s]*)>)?(?: to=<"
        r"(?P<recipient>[^<>\s]*)>)? size=(?P<size>\d+) (?:ndest|nrcpt)="
        r"(?P<recipients>\d+)(?: proto=\S+)?",
        literal=" smtp message ",
        result=Result.OK,
    ),
    row(
        "envelope",
        Kind.QUEUED,
        rf"{SESSION} smtp envelope evpid=(?P<queue>[0-9a-f]{{8}})[0-9a-f]* from=<"
        r"(?P<sender>[^<>\s]*)> to=<(?P<recipient>[^<>\s]*)>",
        literal=" smtp envelope ",
    ),
    row(
        "refused",
        Kind.REJECTED,
        rf"{SESSION} smtp failed-command (?:address=\S+ host=\S+ )?command=\""
        r"(?P<command_>[^\"]*)\" result=\"(?P<said_>[^\"]*)\"",
        literal=" smtp failed-command ",
        result=Result.REJECTED,
        finish=refused,
    ),
    row(
        "disconnect",
        Kind.DISCONNECT,
        rf"{SESSION} smtp disconnected (?:address=\S+ host=\S+ )?reason=\"?(?P<why_>[\w -]+?)\"?",
        literal=" smtp disconnected ",
        finish=left,
    ),
    row(
        "delivery",
        Kind.DELIVERY,
        rf"{SESSION} (?:mta|mda) delivery evpid=(?P<queue>[0-9a-f]{{8}})[0-9a-f]* from=<"
        r"(?P<sender>[^<>\s]*)> to=<(?P<recipient>[^<>\s]*)>(?: (?:rcpt|user|method|source|delay)="
        r"(?:<[^<>]*>|\"[^\"]*\"|[^\s\"<>]*))*(?: relay=\"(?P<relay>[^\"]*)\")?"
        r"(?: delay=\S+)? result=\"?(?P<result_>\w+)\"? stat=\"?(?P<reason>.*?)\"?",
        literal=" delivery evpid=",
        finish=ended,
    ),
    row(
        "tls out",
        Kind.TLS_OUT,
        rf"{SESSION} mta tls ciphers=\"?(?P<suite_>[\w.:-]+)\"?",
        literal=" mta tls ",
        result=Result.OK,
        finish=inside,
    ),
    row(
        "outward",
        Kind.SERVICE,
        rf"{SESSION} (?P<reason>mta (?:connecting|connected|disconnected|cert-check|error).*)",
        literal=" mta ",
    ),
    row(
        "old connect",
        Kind.CONNECT,
        rf"smtp-in: New session {SESSION} from host (?P<name>\S+) \["
        r"(?:IPv6:)?(?P<client>[0-9A-Fa-f:.]+|local)\]",
        starts="smtp-in:",
        literal="New session ",
    ),
    row(
        "old message",
        Kind.ACCEPTED,
        rf"smtp-in: Accepted message (?P<queue>[0-9a-f]+) on session {SESSION}: from=<"
        r"(?P<sender>[^<>\s]*)>, to=<(?P<recipient>[^<>\s]*)>, size="
        r"(?P<size>\d+), ndest=(?P<recipients>\d+), proto=\w+",
        starts="smtp-in:",
        literal="Accepted message ",
        result=Result.OK,
    ),
    row(
        "old tls",
        Kind.TLS,
        rf"smtp-in: Started TLS on session {SESSION}: version=(?P<tls>[^\s,]+), cipher="
        r"(?P<cipher>[^\s,]+), bits=\d+",
        starts="smtp-in:",
        literal="Started TLS ",
        result=Result.OK,
        finish=old_inside,
    ),
    row(
        "old login failed",
        Kind.AUTH_FAILED,
        rf"smtp-in: Authentication failed for user (?P<user>\S*) on session {SESSION}",
        starts="smtp-in:",
        literal="Authentication failed ",
        result=Result.FAILED,
    ),
    row(
        "old refused",
        Kind.REJECTED,
        rf"smtp-in: Failed command on session {SESSION}: \"(?P<command_>[^\"]*)\" => (?P<said_>.*)",
        starts="smtp-in:",
        literal="Failed command ",
        result=Result.REJECTED,
        finish=refused,
    ),
    row(
        "old disconnect",
        Kind.DISCONNECT,
        rf"smtp-in: (?:Closing session|Received disconnect from session) {SESSION}",
        starts="smtp-in:",
    ),
    row(
        "service",
        Kind.SERVICE,
        r"(?P<reason>(?:info|warn|debug|smtp-out|mda|relay|delivery): .*)",
        starts="info:|warn:|debug:|smtp-out:|mda:|relay:|delivery:",
    ),
)


def claims(tag: str) -> Part | None:
    return Part("smtpd", "smtp", SMTPD) if tag in {"smtpd", "opensmtpd"} else None


OPENSMTPD = Dialect("opensmtpd", claims, (("smtpd", SMTPD),))
