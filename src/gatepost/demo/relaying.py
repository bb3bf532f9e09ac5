"""Whose mail a small SMTP server takes for whom."""

from __future__ import annotations

import re

from gatepost.demo.habits import Habits, Relaying

ROUTED = {
    Relaying.BANG: "!",
    Relaying.PERCENT: "%",
    Relaying.QUOTED: '"',
}


def known_here(habits: Habits, recipient: str) -> bool:
    """A user of ours, or anybody when unknown users are taken."""
    local, _, domain = recipient.rpartition("@")
    plain = re.fullmatch(r"[\w.+-]+", local) is not None
    return plain and domain.lower() == habits.domain and (habits.unknown_users or local.lower() in habits.users)


def relayed(habits: Habits, sender: str, recipient: str) -> bool:
    """Whether a faulty server would carry this elsewhere for a stranger."""
    relays, ours = habits.relays, f"@{habits.domain}"
    if Relaying.ALL in relays:
        return not recipient.lower().endswith(ours)
    local = recipient.rpartition("@")[0] or recipient
    outside = not recipient.lower().endswith((ours, "]")) and "@" in recipient
    return any((
        Relaying.NULL_SENDER in relays and not sender and outside,
        Relaying.OWN_SENDER in relays and sender.lower().endswith(ours) and outside,
        Relaying.SOURCE_ROUTE in relays and recipient.startswith("@") and ":" in recipient,
        Relaying.LITERAL in relays and recipient.endswith("]"),
        any(kind in relays and mark in local and not outside for kind, mark in ROUTED.items()),
    ))  # fmt: skip
