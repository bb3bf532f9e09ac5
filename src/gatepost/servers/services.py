"""Names of ports: those of the host itself (`getent services`), else those of the catalogue."""

from __future__ import annotations

from functools import lru_cache

from gatepost import catalogue
from gatepost.model.bundle import Bundle

COMMAND = ("getent", "services")
OTHER_NAMES = {"smtps": "submissions", "ssmtp": "submissions", "msa": "submission", "urd": "submissions"}


def port(bundle: Bundle, name: str) -> int:
    """The number of a port as a configuration writes it; 0 for a name that nobody knows."""
    if name.isascii() and name.isdecimal():
        return int(name) if len(name) <= 5 and int(name) <= 65535 else 0
    ran = bundle.command(*COMMAND)
    told = _told(ran.stdout if ran else "")
    return told.get(name.lower(), 0) or _catalogued(name.lower())


def _catalogued(name: str) -> int:
    row = catalogue.port(OTHER_NAMES.get(name, name))
    return row.number if row else 0


@lru_cache(8)
def _told(text: str) -> dict[str, int]:
    """Lines of services(5): name, number/transport, other names."""
    found: dict[str, int] = {}
    for line in text.splitlines()[:5000]:
        words = line.partition("#")[0].split()
        number, _, transport = words[1].partition("/") if len(words) > 1 else ("", "", "")
        if transport == "tcp" and number.isascii() and number.isdecimal():
            for name in (words[0], *words[2:]):
                found.setdefault(name.lower(), int(number[:5]))
    return found
