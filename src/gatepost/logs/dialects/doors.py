"""What a port number and the name of a cipher tell, where a daemon's line says no more."""

from __future__ import annotations

import re
from functools import lru_cache

from gatepost import catalogue
from gatepost.logs.dialects.draft import Draft

MAIL = frozenset({"access", "mx", "sieve", "submission"})  # duties of the ports that mail comes and goes by
KEPT_SECRET = ("ECDHE", "DHE", "EDH")


def service(port: int | None, otherwise: str = "") -> str:
    """The usual service of a port of our own, or what was known without it."""
    usual = _usual(port) if port else None
    return usual.id if usual else otherwise


def mail_service(port: int | None) -> str:
    """The same for mail ports alone; "" for all others."""
    usual = _usual(port) if port else None
    return usual.id if usual and usual.duty in MAIL else ""


@lru_cache(1024)
def _usual(port: int) -> catalogue.Port | None:
    """Asked for every line, and the catalogue is a list."""
    return catalogue.port_numbered(port)


def placed(draft: Draft, _match: re.Match[str]) -> None:
    """The service by our own port, where the line tells it."""
    draft.service = service(draft.port, draft.service)


def exchange(cipher: str) -> str:
    """The key exchange by which the name of a cipher begins, as far as it keeps a secret later."""
    return next((one for one in KEPT_SECRET if cipher.startswith(one)), "")
