"""What to hold a listener against that nobody declared."""

from __future__ import annotations

from gatepost import catalogue
from gatepost.model.architecture import Service
from gatepost.model.observation import Identified
from gatepost.model.words import Mode, Role

CONVERSED = frozenset({"smtp", "lmtp", "imap", "pop3", "managesieve"})  # protocols with a dialogue of their own


def presumed(port: int, found: Identified | None = None) -> Service:
    """What to hold a listener against that nobody declared: the catalogue's row, corrected by what it speaks."""
    row = catalogue.port_numbered(port)
    if found is None or (row and row.protocol == found.protocol):
        if row is None:
            return Service(f"port-{port}", port, "unknown", Role.HOST, Mode.NONE, declared=False)
        mode = Mode(row.mode) if found is None else found.mode
        return Service(row.id, port, row.protocol, Role(row.duty), mode, row.exposure, declared=False)
    role = {"smtp": Role.SUBMISSION, "lmtp": Role.FILTER, "imap": Role.ACCESS, "pop3": Role.ACCESS}
    duty = Role.SIEVE if found.protocol == "managesieve" else role.get(found.protocol, Role.HOST)
    return Service(f"port-{port}", port, found.protocol, duty, found.mode, declared=False)
