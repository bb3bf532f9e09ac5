"""Dovecot 2.3 and 2.4: all its processes log under one tag, and name themselves in the message.

`imap-login: …`, `imap(user)<pid><session>: …`, `auth-worker(pid): …`, `auth(user,address,sasl:login)<session>: …`.
"""

from __future__ import annotations

import re

from gatepost.logs.addresses import address
from gatepost.logs.dialects.dovecot_auth import AUTH
from gatepost.logs.dialects.dovecot_json import EVENTS
from gatepost.logs.dialects.dovecot_login import LOGIN
from gatepost.logs.dialects.dovecot_mail import MAIL
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, number, row, text
from gatepost.model.event import Kind

HOST = Table(
    row("exported", Kind.SERVICE, EVENTS.rows[0].pattern.pattern, literal='"event"', finish=EVENTS.rows[0].finish),
    row("noted", Kind.SERVICE, r"(?P<reason>.*)"),
)
NOTHING = Table()

_LOGINS = {
    "imap-login": "imap",
    "managesieve-login": "managesieve",
    "pop3-login": "pop3",
    "sieve-login": "managesieve",
    "submission-login": "submission",
}
_MAIL = {
    "deliver": "",
    "doveadm": "",
    "imap": "imap",
    "indexer-worker": "",
    "lda": "",
    "lmtp": "lmtp",
    "managesieve": "managesieve",
    "pop3": "pop3",
    "submission": "submission",
}
_AUTH = frozenset({"auth", "auth-worker", "auth-master", "auth-userdb", "dovecot-auth"})
_HOST = frozenset(
    {"Debug", "Error", "Fatal", "Info", "Panic", "Warn", "Warning", "aggregator", "anvil", "config", "dict", "director"}
    | {"dns-client", "event", "imap-hibernate", "imap-urlauth", "indexer", "ipc", "log", "master", "old-stats"}
    | {"replicator", "script", "ssl-params", "stats"}
)
_OF_PAM = re.compile(r"pam_[a-z0-9]+\(dovecot:auth\): ")
_HEAD = re.compile(r"([A-Za-z][A-Za-z0-9_-]{1,30})(?:\((.*?)\))?(?:<(\d+)>)?(?:<([^<>]*)>)?: (?:Info: )?")
_OLDER = re.compile(r"(\d+), (.*)")  # lmtp(pid, user) until 2.2
_REQUEST = re.compile(r"(.*?),([0-9A-Fa-f:.]+)(?:,(?:sasl|oauth2|policy):([\w-]+)|,<([^<>]*)>)?")
_SECOND = re.compile(r",[0-9A-Fa-f:.]+(?:,[a-z0-9]+:[\w-]+)?\)<[^<>]*>: ")


def claims(tag: str) -> Part | None:
    if tag == "dovecot" or tag.startswith("dovecot") or tag in _AUTH or tag in _LOGINS:
        return Part("dovecot", _LOGINS.get(tag, ""), AUTH if tag in _AUTH else LOGIN if tag in _LOGINS else HOST)
    return None


def unwrap(draft: Draft, message: str) -> tuple[Table, str]:
    head, colon, rest = message.partition(": ")
    service = _LOGINS.get(head)
    if service is not None and colon:
        draft.service = service
        return LOGIN, rest.removeprefix("Info: ")
    if _OF_PAM.match(message):
        return AUTH, message
    found = _HEAD.match(message)
    if found is None:
        return NOTHING if not draft.service else LOGIN, message
    process = found[1].lower() if found[1] in ("IMAP", "POP3") else found[1]
    if process in _AUTH:
        return AUTH, _request(draft, found, message)
    if process in _MAIL:
        _box(draft, found, _MAIL[process])
        return MAIL, message[found.end() :]
    if process in _HOST:
        return HOST, message[found.end() :] if process != found[1] or found[1].islower() else message
    return (LOGIN, message) if draft.service else (AUTH, message) if _driver(message) else (NOTHING, message)


def _driver(message: str) -> bool:
    """Where the tag was the process itself: `auth: sql(user,address): …`."""
    return message.startswith(("sql(", "pam(", "ldap(", "passwd(", "passwd-file(", "conn unix:auth-worker "))


def _request(draft: Draft, found: re.Match[str], message: str) -> str:
    """`auth-worker(pid)`, `auth(default)` of 1.x, or since 2.4 the request itself. A user name, or a password further
    on, may imitate the request's end: then neither is taken.
    """
    inside, rest = found[2] or "", message[found.end() :]
    if inside.isascii() and inside.isdigit():
        draft.pid = number(inside)
    request = _REQUEST.fullmatch(inside)
    if request is not None and not _SECOND.search(rest):
        draft.user = text(request[1])
        draft.client = address(request[2])
        draft.method = (request[3] or "").upper()
        draft.session = text(request[4] or found[4] or "")
    return rest


def _box(draft: Draft, found: re.Match[str], service: str) -> None:
    inside = found[2] or ""
    draft.service = service
    older = _OLDER.fullmatch(inside)
    if older is not None:
        draft.pid, draft.user = number(older[1]), text(older[2])
    elif inside.isascii() and inside.isdigit() and service == "lmtp" and not found[3]:
        draft.pid = number(inside)
    else:
        draft.user = text(inside.partition(",")[0])
        own = number(found[3] or "")
        draft.pid = draft.pid if own is None else own
    draft.session = text(found[4] or "")


DOVECOT = Dialect(
    "dovecot",
    claims,
    (("login", LOGIN), ("auth", AUTH), ("mail", MAIL), ("host", HOST), ("events", EVENTS)),
    unwrap,
)
