"""What the kernel logs of packets, by nftables or iptables: those that were dropped on the way to a mail port."""

from __future__ import annotations

import re

from gatepost.logs.dialects.doors import mail_service
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, row
from gatepost.model.event import Kind, Result

_PASSED = re.compile(r"accept|allow|audit|new\b|pass", re.IGNORECASE)


def dropped(draft: Draft, match: re.Match[str]) -> None:
    """The prefix is the administrator's: a rule that only counts is told by its words. Other ports are no mail."""
    arrived_at = mail_service(draft.port)
    if not arrived_at or _PASSED.search(match["reason"]):
        draft.kind = Kind.SERVICE
        draft.result = Result.NONE
    else:
        draft.service = arrived_at


PACKETS = Table(
    row(
        "packet",
        Kind.DROPPED,
        r"(?:\[ *\d+\.\d+\] ?)?(?P<reason>.{0,127}?) ?IN=\S* OUT=\S*"
        r"(?: (?:MAC|PHYSIN|PHYSOUT)=\S*)* SRC=(?P<client>[0-9A-Fa-f:.]+) DST="
        r"(?P<local>[0-9A-Fa-f:.]+) .*?\bPROTO=TCP SPT=(?P<client_port>\d+) DPT="
        r"(?P<port>\d+) .*",
        literal=" PROTO=TCP SPT=",
        result=Result.REJECTED,
        finish=dropped,
    ),
    row("other", Kind.SERVICE, r"(?P<reason>.*)"),
)


def claims(tag: str) -> Part | None:
    return Part("kernel", "", PACKETS) if tag in {"kernel", "ulogd"} else None


KERNEL = Dialect("kernel", claims, (("packets", PACKETS),))
