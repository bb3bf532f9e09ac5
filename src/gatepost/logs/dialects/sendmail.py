"""Sendmail 8: `sendmail`, `sm-mta` and other names that begin with `sm-`. Lines of one message share its id."""

from __future__ import annotations

import re

from gatepost.logs.dialects.doors import exchange
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, row
from gatepost.model.event import Cover, Kind, Result

QUEUE = r"(?P<queue>[0-9A-Za-z]{12,20})"
HOST = r"(?:(?P<name>[^\s\[\],]+) )?\[(?:IPv6:)?(?P<client>[0-9A-Fa-f:.]+)\](?: \(may be forged\))?"
STATUS = {"Sent": Result.SENT, "Deferred": Result.DEFERRED, "User": Result.BOUNCED, "Service": Result.BOUNCED}


def inside(draft: Draft, _match: re.Match[str]) -> None:
    draft.cover = Cover.TLS
    draft.exchange = exchange(draft.cipher)


def attacked(draft: Draft, _match: re.Match[str]) -> None:
    """`command=AUTH, count=5` are failed logins that were not told one by one."""
    if draft.commands == "AUTH":
        draft.kind, draft.result = Kind.AUTH_FAILED, Result.FAILED


def accepted(draft: Draft, _match: re.Match[str]) -> None:
    """Without a recipient nothing was accepted, and the lines before told why."""
    if not draft.recipients:
        draft.kind, draft.result, draft.reason = Kind.REJECTED, Result.REJECTED, "no recipient was accepted"


def ended(draft: Draft, match: re.Match[str]) -> None:
    first = match["reason"].partition(" ")[0].rstrip(":,")
    draft.result = STATUS.get(first, Result.BOUNCED if draft.code.startswith("5") else Result.DEFERRED)


MTA = Table(
    row(
        "begun",
        Kind.ACCEPTED,
        rf"{QUEUE}: from=<?(?P<sender>[^<>\s,]*)>?, size=(?P<size>\d+), class=-?\d+, nrcpts="
        r"(?P<recipients>\d+)(?:, msgid=<?(?P<message_id>[^\s,<>]*)>?)?"
        rf"(?:, (?:bodytype|proto|daemon|tls_verify|auth)=[^\s,]*)*, relay={HOST}.*",
        literal=", nrcpts=",
        result=Result.OK,
        finish=accepted,
    ),
    row(
        "delivery",
        Kind.DELIVERY,
        rf"{QUEUE}: to=<?(?P<recipient>[^<>\s]*?)>?,(?: (?:ctladdr|delay|xdelay|mailer|pri|tls_veri"
        r"fy)=[^,]*,)*(?: relay=(?P<relay>[^\s,]*(?: \[[^\]\s]*\])?),)?"
        r"(?: dsn=(?P<code>[\d.]+),)? stat=(?P<reason>.*)",
        literal=" stat=",
        finish=ended,
    ),
    row(
        "tls",
        Kind.TLS,
        rf"STARTTLS=server, relay={HOST}, version=(?P<tls>[^\s,]+), verify=\S+, cipher="
        r"(?P<cipher>[^\s,]+), bits=\d+/\d+.*",
        starts="STARTTLS=server,",
        result=Result.OK,
        finish=inside,
    ),
    row(
        "tls out",
        Kind.TLS_OUT,
        r"STARTTLS=client, relay=(?P<relay>[^\s,]+), version=(?P<tls>[^\s,]+), verify=\S+, cipher="
        r"(?P<cipher>[^\s,]+), bits=\d+/\d+.*",
        starts="STARTTLS=client,",
        result=Result.OK,
        finish=inside,
    ),
    row(
        "handshake failed",
        Kind.HANDSHAKE_FAILED,
        rf"STARTTLS=server, error: accept failed=-?\d+, (?P<reason>.*), relay={HOST}",
        starts="STARTTLS=server,",
        literal="error: accept failed",
        result=Result.FAILED,
    ),
    row(
        "login",
        Kind.LOGIN,
        rf"AUTH=server, relay={HOST}, authid=(?P<user>[^\s,]+), mech=(?P<method>[\w-]+), bits=\d+",
        starts="AUTH=server,",
        result=Result.OK,
    ),
    row(
        "login failed",
        Kind.AUTH_FAILED,
        rf"{QUEUE}: AUTH failure \((?P<method>[\w-]+)\): (?P<reason>.*), user="
        rf"(?P<user>[^\s,]*), relay={HOST}",
        literal=": AUTH failure (",
        result=Result.FAILED,
    ),
    row(
        "rejected",
        Kind.REJECTED,
        rf"(?:{QUEUE}: )?ruleset=(?P<commands>\w+),(?: arg1=<?(?P<recipient>[^,<>]*)>?,)?"
        rf"(?: arg2=[^,]*,)? relay={HOST}, reject=(?P<code>\d{{3}}"
        rf"(?: \d\.\d{{1,3}}\.\d{{1,3}})?) (?P<reason>.*)",
        literal="ruleset=",
        result=Result.REJECTED,
    ),
    row(
        "attack",
        Kind.RATE_LIMITED,
        rf"{QUEUE}: {HOST}: possible SMTP attack: command=(?P<commands>[A-Z]+), count="
        r"(?P<attempts>\d+)",
        literal=": possible SMTP attack: ",
        result=Result.VIOLATION,
        finish=attacked,
    ),
    row(
        "nothing sent",
        Kind.NO_ATTEMPT,
        rf"{QUEUE}: {HOST} did not issue MAIL/EXPN/VRFY/ETRN during connection to (?P<reason>\S+)",
        literal=" did not issue ",
    ),
    row(
        "early",
        Kind.EARLY,
        rf"{QUEUE}: rejecting commands from (?:(?P<name>[^\s\[\],]+))? ?\["
        r"(?:IPv6:)?(?P<client>[0-9A-Fa-f:.]+)\](?: \(may be forged\))? due to"
        r" (?P<reason>pre-greeting traffic after \d+ seconds)",
        literal=" due to pre-greeting traffic",
        result=Result.VIOLATION,
    ),
    row(
        "asked about",
        Kind.REJECTED,
        rf"{QUEUE}: {HOST}: (?P<commands>(?i:expn|vrfy|etrn)) (?P<recipient>.*) \[rejected\]",
        literal=" [rejected]",
        result=Result.REJECTED,
    ),
    row(
        "lost",
        Kind.ABORTED,
        rf"{QUEUE}: lost input channel from {HOST} to \S+ after (?P<reason>\w+)",
        literal=": lost input channel from ",
        code="lost connection",
    ),
    row(
        "unknown user",
        Kind.REJECTED,
        rf"{QUEUE}: <(?P<recipient>[^<>]*)>\.\.\. (?P<reason>.*)",
        literal=">... ",
        result=Result.REJECTED,
    ),
    row(
        "service",
        Kind.SERVICE,
        r"(?P<reason>(?:starting daemon|alias database|restarting|stopping daemon|NOQUEUE: SYSERR|"
        r"SYSERR).*)",
        starts="starting|alias|restarting|stopping|NOQUEUE:|SYSERR",
    ),
)


def claims(tag: str) -> Part | None:
    return Part("sendmail", "smtp", MTA) if tag == "sendmail" or tag.startswith("sm-") else None


SENDMAIL = Dialect("sendmail", claims, (("sendmail", MTA),))
