"""Why a login failed, as Dovecot's authentication service and PAM tell it: never an attempt of its own."""

from __future__ import annotations

import re

from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Table, row, secretive
from gatepost.model.event import Kind, Result

_WORKER = r"(?:conn unix:[^<>()]* \([^<>()]*\): auth-worker<\d+>: )?"
_DISALLOWED = re.compile(r"Username character disallowed by [^()]*\(username: (.*)\)", re.DOTALL)
_AGAIN = re.compile(r",[0-9A-Fa-f:.]+(?:,<[^<>]*>)?\): ")


def only(draft: Draft, match: re.Match[str]) -> None:
    """A user name may hold a comma and an address, and so may a password that is logged: two mean that neither is
    proved.
    """
    if draft.user == "?" and (disallowed := _DISALLOWED.fullmatch(draft.reason)):
        draft.user = disallowed[1]
    if "): " in match["reason"] and _AGAIN.search(match["reason"]):
        draft.client = draft.user = draft.session = ""


def only_host(draft: Draft, match: re.Match[str]) -> None:
    if match[0].count("rhost=") != 1:
        draft.client = ""


def level(draft: Draft, match: re.Match[str]) -> None:
    if match["level_"]:
        draft.kind = Kind.SERVICE
        draft.result = Result.NONE
        draft.reason = secretive(match[0])


AUTH = Table(
    row(
        "pam",
        Kind.AUTH_DETAIL,
        r"pam_[a-z0-9]+\(dovecot:auth\): (?P<reason>authentication failure); "
        r".*?ruser=(?P<user>.*) rhost=(?P<client>\S*)(?: +user=.*)?",
        literal="authentication failure",
        result=Result.FAILED,
        finish=only_host,
    ),
    row(
        "driver",
        Kind.AUTH_DETAIL,
        rf"{_WORKER}(?:[a-z][a-z0-9_-]*)\((?P<user>.*?),(?P<client>[0-9A-Fa-f:.]+)(?:,<(?P<session>[^<>]*)>)?\): "
        r"(?P<reason>.*)",
        literal="): ",
        result=Result.FAILED,
        finish=only,
    ),
    row(
        "driver of request",
        Kind.AUTH_DETAIL,
        r"(?P<level_>(?:Warning|Error|Fatal|Panic|Debug): )?(?:[a-z][a-z0-9_-]*): (?P<reason>.*)",
        result=Result.FAILED,
        finish=level,
    ),
    row("complaint", Kind.SERVICE, r"(?P<reason>.*)"),
)
