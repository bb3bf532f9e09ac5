"""Rspamd's summary line of a message, joined to the mail server's lines by the queue id."""

from __future__ import annotations

import re

from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, row
from gatepost.model.event import Kind, Result

_REFUSING = frozenset({"reject", "soft reject", "greylist"})


def scored(draft: Draft, match: re.Match[str]) -> None:
    if match["action_"] in _REFUSING:
        draft.result = Result.REJECTED


TASKS = Table(
    row(
        "scanned",
        Kind.MILTER,
        r"(?:<[^<>]{0,16}>; )?(?:task|proxy|milter)?;? ?rspamd_(?:task_write_log|message_parse):"
        r" (?:id: <(?P<message_id>[^<>\s]*)>|id: undef),? ?(?:qid: <"
        r"(?P<queue>[0-9A-Za-z-]*)>, )?(?:ip: \[?(?P<client>[0-9A-Fa-f:.]+)\]?, )?"
        r"(?:user: (?P<user>[^,\s]+), )?"
        r"(?:smtp_)?from: <(?P<sender>[^<>]*)>, \(default: [A-Z] \("
        r"(?P<action_>[a-z ]+)\): \[(?P<code>-?[\d.]+/-?[\d.]+)\].*?\), len:"
        r" (?P<size>\d+), .*",
        literal=", (default: ",
        finish=scored,
    ),
    row("service", Kind.SERVICE, r"(?P<reason>.*)"),
)


def claims(tag: str) -> Part | None:
    return Part("rspamd", "", TASKS) if tag == "rspamd" or tag.startswith("rspamd_") else None


RSPAMD = Dialect("rspamd", claims, (("tasks", TASKS),))
