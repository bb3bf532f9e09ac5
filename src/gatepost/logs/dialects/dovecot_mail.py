"""What Dovecot says of mailboxes: sessions that end, mail that arrives, is read, moved or removed."""

from __future__ import annotations

import re

from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Table, row, secretive, size
from gatepost.model.event import Kind, Result

_OUT = re.compile(r"(?:\bout=|\bretr=\d+/|\bbytes=\d+/)(\d+)")
_ENDS = "Disconnected|Connection closed|Logged out|Server shutting down"
_STARTS = "Disconnected|Disconnected:|Connection|Logged|Server"
_ACTIONS = "delete|undelete|expunge|save|copy|append|flag_change|mailbox_create|mailbox_delete|mailbox_rename"
# The message id is a stranger's: it ends at the last of the daemon's words. Until 2.2 a session stands before it.
_MESSAGE = r"(?:[\w+/]{8,40}: )?(?:sieve: )?msgid=(?P<message_id>.*)"


def sent(draft: Draft, match: re.Match[str]) -> None:
    """`out=` of IMAP, the bytes of `retr=` of POP3, the second of `bytes=` before 2.0."""
    if out := _OUT.search(match["commands"] or ""):
        draft.size = size(out[1])
    _bare_id(draft)


def saved(draft: Draft, _match: re.Match[str]) -> None:
    _bare_id(draft)


def acted(draft: Draft, match: re.Match[str]) -> None:
    draft.reason = secretive(match["action_"].partition(" ")[0])
    _bare_id(draft)


def _bare_id(draft: Draft) -> None:
    bare = draft.message_id.strip(" <>")
    draft.message_id = "" if bare == "unspecified" else bare


MAIL = Table(
    row(
        "logout",
        Kind.LOGOUT,
        rf"(?P<reason>(?:{_ENDS})[^=]*) (?P<commands>[a-z_]+=[\d/a-z_=, ]*)",
        starts=_STARTS,
        literal="=",
        finish=sent,
    ),
    row("logout uncounted", Kind.LOGOUT, rf"(?P<reason>(?:{_ENDS}).*)", starts=_STARTS),
    row(
        "saved",
        Kind.SAVED,
        rf"{_MESSAGE}: (?:fileinto action: )?(?:stored mail into mailbox|saved mail to) '?(?P<relay>[^']*?)'?",
        literal=" mail ",
        result=Result.OK,
        finish=saved,
    ),
    row(
        "redirected",
        Kind.MAIL_ACTION,
        rf"{_MESSAGE}: (?:redirect action: )?forwarded to <(?P<recipient>[^<>]*)>(?: .*)?",
        literal="forwarded to ",
        finish=saved,
        reason="redirect",
    ),
    row(
        "answered",
        Kind.MAIL_ACTION,
        rf"{_MESSAGE}: (?:vacation action: )?sent vacation response to <(?P<recipient>[^<>]*)>(?: .*)?",
        literal="vacation",
        finish=saved,
        reason="vacation",
    ),
    row(
        "filtered",
        Kind.MAIL_ACTION,
        rf"{_MESSAGE}: (?P<action_>(?:marked message to be discarded|rejected message|discarded|reject action|"
        r"discard action|notify action|save failed|failed to store).*)",
        literal="msgid=",
        finish=acted,
    ),
    row(
        "action",
        Kind.MAIL_ACTION,
        rf"(?P<action_>(?:{_ACTIONS})(?: from .*?)?): box=(?P<relay>.*?), uid=\d*(?:, msgid=(?P<message_id>.*?))?"
        r", size=(?P<size>\d+)(?:, flags=\([^()]*\))?",
        literal=": box=",
        finish=acted,
    ),
    row(
        "action described",
        Kind.MAIL_ACTION,
        rf"(?P<action_>(?:{_ACTIONS})(?: from .*?)?): box=(?P<relay>.*?), uid=\d*(?:, .*)?",
        literal=": box=",
        finish=acted,
    ),
    row(
        "mailbox",
        Kind.MAIL_ACTION,
        r"(?P<action_>Mailbox (?:created|deleted|renamed|subscribed|unsubscribed)): (?P<relay>.*)",
        starts="Mailbox",
        finish=acted,
    ),
    row("lmtp connect", Kind.CONNECT, r"Connect from (?P<client>\S+)", starts="Connect"),
    row(
        "lmtp disconnect",
        Kind.DISCONNECT,
        r"Disconnect from (?P<client>[^\s:]+|[0-9A-Fa-f:.]+): (?P<reason>.*)",
        starts="Disconnect",
    ),
    row("noted", Kind.SERVICE, r"(?P<reason>.*)"),
)
