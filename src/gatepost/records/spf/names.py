"""Names as SPF meets them: made by macros, from anybody's words, not always names at all."""

from __future__ import annotations

import re

from gatepost.records import names


def malformed(domain: str) -> str:
    """Why a domain cannot have SPF (RFC 7208 section 4.3), in a sentence; nothing when it can."""
    shown = domain if len(domain) <= 60 else f"{domain[:59]}…"
    labels = domain.split(".")
    if len(labels) < 2:
        return f"{shown!r} is a single label, not a domain"
    if not names.fits(domain):
        return f"{shown!r} can be no domain: a label is empty or too long"
    return "" if top_level(labels[-1]) else f"{shown!r} can be no domain: it does not end in a top-level domain"


def top_level(label: str) -> bool:
    """Letters, digits and inner hyphens, and not digits alone (section 7.1)."""
    return bool(re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", label)) and not label.isdigit()


def fitted(expanded: str) -> str:
    """Without the final dot, in lower case, labels dropped on the left until it fits (section 7.3)."""
    name = expanded.removesuffix(".").lower()
    while len(name) > names.MAX_NAME and "." in name:
        name = name.partition(".")[2]
    return name


def presented(name: str) -> str:
    r"""As a `Lookup` wants it: what a name seldom holds is written `\DDD`."""
    return ".".join(map(names.escaped, name.split(".")))


def octets(text: str) -> str:
    """Internationalised words as the octets they are on the wire, one character each."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")


def exchangers(rows: tuple[str, ...]) -> tuple[str, ...]:
    """The hosts of MX values, most preferred first; the null MX has none."""
    split = sorted((int(preference), host) for preference, _, host in (row.partition(" ") for row in rows))
    return tuple(host for _, host in split if host.strip("."))
