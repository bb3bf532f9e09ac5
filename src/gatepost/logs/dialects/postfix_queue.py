"""What happens to a message in Postfix: cleanup, the queue, deliveries, notifications, and the daemons around them."""

from __future__ import annotations

import re

from gatepost.logs.addresses import address
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.postfix_words import ACTIONS, ADDRESS, COMPLAINT, LIBRARY, QUEUE, TLS_OUT, TURNED_AWAY
from gatepost.logs.dialects.table import Table, row, secretive, text
from gatepost.model.event import Cover, Kind, Result

_ENDED = {
    "bounced": Result.BOUNCED,
    "deferred": Result.DEFERRED,
    "deliverable": Result.OK,
    "expired": Result.EXPIRED,
    "sent": Result.SENT,
}
_CLIENT_OF_HEADER = re.compile(r" from (\S*)\[([^\s\[\]]*)\](?::\d+)?; from=<")
_LOCALLY = " from local; from=<"


def ended(draft: Draft, match: re.Match[str]) -> None:
    """`tls=` is there since 3.11: a level, and behind a colon what was missing of it."""
    draft.result = _ENDED.get(match["status_"], Result.FAILED)
    feature = match["feature_"]
    if feature:
        draft.commands = f"tls={feature}"
        level, _, missed = feature.partition(":")
        bare = level == "none" or missed in ("none", "nostarttls")
        draft.cover = Cover.NONE if bare else Cover.TLS


def checked(draft: Draft, match: re.Match[str]) -> None:
    """A header or body that a rule caught. All of it is a stranger's text, and a sender in quotes may look like
    the client: where the line names two, it names none.
    """
    said = match["said_"]
    clients = _CLIENT_OF_HEADER.findall(said)
    draft.reason = secretive(f"{match['action_']}: {said}")
    if len(clients) == 1 and _LOCALLY not in said:
        draft.name = text(clients[0][0])
        draft.client = address(clients[0][1])
    if match["action_"] != "reject":
        draft.kind = Kind.MILTER
        draft.result = Result.NONE


DELIVERED = row(
    "delivery",
    Kind.DELIVERY,
    rf"{QUEUE}: to=<(?P<recipient>{ADDRESS})>, (?:orig_to=<{ADDRESS}>, )?relay=(?P<relay>[^\s,]+), "
    r"(?:conn_use=\d+, )?delay=[\d.]+, delays=[\d./]+, (?:tls=(?P<feature_>[^\s,]+), )?"
    r"dsn=(?P<code>[\d.]+), status=(?P<status_>[a-z-]+)(?: \((?P<reason>.*)\))?",
    literal=", status=",
    finish=ended,
)

DELIVERY = Table(
    DELIVERED,
    TLS_OUT,
    row(
        "handshake out failed",
        Kind.HANDSHAKE_FAILED,
        r"SSL_connect error to (?P<relay>\S+): (?P<reason>.*)",
        starts="SSL_connect",
        result=Result.FAILED,
    ),
    row(
        "unreachable",
        Kind.SERVICE,
        r"connect to (?P<relay>\S+): (?P<reason>.*)",
        starts="connect",
        result=Result.FAILED,
    ),
    row(
        "unverified",
        Kind.SERVICE,
        r"(?P<reason>(?:server |client )?certificate verification failed) for (?P<relay>\S+): .*",
        literal="certificate verification failed for ",
        result=Result.FAILED,
    ),
    *LIBRARY,
    row(
        "server said",
        Kind.SERVICE,
        rf"{QUEUE}: (?:host |lost connection with |conversation with |SASL authentication failed; server )"
        r"(?P<relay>\S+\[\S*\])(?P<reason>.*)",
        literal="]",
        result=Result.FAILED,
    ),
    row("offered", Kind.SERVICE, r"(?P<reason>Host offered STARTTLS): \[(?P<relay>\S+)\]", starts="Host"),
    row("message noted", Kind.SERVICE, rf"{QUEUE}: (?P<reason>.*)", literal=": "),
    COMPLAINT,
)

CLEANUP = Table(
    row(
        "message id",
        Kind.MESSAGE_ID,
        rf"{QUEUE}: (?:resent-)?message-id=<?(?P<message_id>.*?)>?",
        literal="message-id=",
    ),
    TURNED_AWAY,
    row(
        "content",
        Kind.REJECTED,
        rf"{QUEUE}: (?P<action_>{ACTIONS}|warning): (?P<said_>(?:header|body|mime-header|nested-header) .*)",
        literal=" from ",
        result=Result.REJECTED,
        finish=checked,
    ),
    row("canceled", Kind.REMOVED, rf"{QUEUE}: (?P<code>canceled)(?:: (?P<reason>.*))?", literal=": canceled"),
    DELIVERED,
    row("message noted", Kind.SERVICE, rf"{QUEUE}: (?P<reason>.*)", literal=": "),
    COMPLAINT,
)

QMGR = Table(
    row("removed", Kind.REMOVED, rf"{QUEUE}: removed", literal=": removed"),
    row(
        "queued",
        Kind.QUEUED,
        rf"{QUEUE}: from=<(?P<sender>{ADDRESS})>, size=(?P<size>\d+), nrcpt=(?P<recipients>\d+) \(queue \w+\)",
        literal=", size=",
    ),
    row(
        "expired",
        Kind.DELIVERY,
        rf"{QUEUE}: from=<(?P<sender>{ADDRESS})>, status=(?P<code>expired|force-expired), (?P<reason>.*)",
        literal="expired, ",
        result=Result.EXPIRED,
    ),
    DELIVERED,
    row("message noted", Kind.SERVICE, rf"{QUEUE}: (?P<reason>.*)", literal=": "),
    COMPLAINT,
)

BOUNCE = Table(
    row(
        "notification",
        Kind.BOUNCED,
        rf"{QUEUE}: (?P<reason>(?:sender|postmaster) [a-z -]+ notification)(?: for|:) (?P<message_id>\w+)",
        literal=" notification",
    ),
    row(
        "notification of",
        Kind.BOUNCED,
        rf"(?P<reason>(?:sender|postmaster) [a-z -]+ notification): {QUEUE}(?:: (?P<message_id>\w+))?",
        starts="sender|postmaster",
    ),
    row("message noted", Kind.SERVICE, rf"{QUEUE}: (?P<reason>.*)", literal=": "),
    COMPLAINT,
)

PICKUP = Table(
    row(
        "picked up",
        Kind.ACCEPTED,
        rf"{QUEUE}: (?P<reason>uid=\d+) from=<(?P<sender>.*)>",
        literal=": uid=",
        result=Result.OK,
        cover=Cover.LOCAL,
    ),
    COMPLAINT,
)

OTHER = Table(
    row("statistics", Kind.STATISTICS, r"statistics: (?P<reason>.*)", starts="statistics:"),
    COMPLAINT,
    row("noted", Kind.SERVICE, r"(?P<reason>.*)"),
)

POSTSUPER = Table(
    row("removed by hand", Kind.REMOVED, rf"{QUEUE}: removed", literal=": removed"),
    row("queue changed", Kind.SERVICE, rf"{QUEUE}: (?P<reason>[a-z][a-z ]*)", literal=": "),
    *OTHER.rows,
)
