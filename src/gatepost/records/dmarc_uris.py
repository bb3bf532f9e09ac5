"""Addresses for DMARC reports (RFC 9989 sections 4.6 and 4.8): in practice always `mailto:`."""

from __future__ import annotations

import re
from urllib.parse import unquote

from gatepost.records import tags
from gatepost.records.sentences import bounded, shown

MAX_URIS = 20
SURE_URIS = 2  # RFC 7489 section 6.2 obliged reporters to no more

_URI = re.compile(r"[!-~]+")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SIZE = re.compile(r"!\d+[kmgt]?", re.IGNORECASE)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")


def read(value: str) -> tuple[tuple[str, ...], list[str], list[str]]:
    """The usable URIs of rua= or ruf=, without obsolete sizes; problems; advice. A comma inside one is written %2C."""
    parts = [part.strip(tags.BLANKS) for part in value.split(",")]
    problems, advice, usable = [], [], []
    if len(parts) > MAX_URIS:
        problems.append(f"{len(parts)} addresses, of which the first {MAX_URIS} were read")
    for part in parts[:MAX_URIS]:
        uri, exclamation, size = part.partition("!")
        if exclamation and _SIZE.fullmatch(f"!{size}"):
            advice.append(f"the size limit !{size} is obsolete since RFC 9989 and ignored")
        if objection := _objection(uri if exclamation and _SIZE.fullmatch(f"!{size}") else part):
            problems.append(objection)
        else:
            usable.append(uri)
    if len(usable) > SURE_URIS:
        advice.append(f"{len(usable)} addresses: some reporters serve only the first {SURE_URIS}")
    return tuple(dict.fromkeys(usable)), list(bounded(problems)), list(bounded(advice))


def host(uri: str) -> str:
    """Where a usable URI leads, in lower case."""
    address = unquote(uri.partition(":")[2].partition("?")[0])
    return address.rpartition("@")[2].lower().removesuffix(".")


def _objection(uri: str) -> str:
    """Empty for a usable one."""
    if not uri:
        return "an empty address beside a comma"
    if not _URI.fullmatch(uri):
        return f"{shown(uri)} has white space or a character outside ASCII"
    if "!" in uri:
        return f"{shown(uri)}: an exclamation mark has to be written %21"
    if _PERCENT.search(uri):
        return f"{shown(uri)} has a stray percent sign"
    scheme, colon, rest = uri.partition(":")
    if not colon:
        return f"{shown(uri)} is no URI" + (f": mailto:{uri[:60]} may be meant" if "@" in uri else "")
    if scheme.lower() != "mailto":
        return f"{shown(uri)}: reports are sent by mail only, to mailto:"
    return "" if _is_mailbox(unquote(rest.partition("?")[0])) else f"{shown(uri)} names no mail address"


def _is_mailbox(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    return bool(at) and 0 < len(local) <= 64 and len(domain) <= 253 and bool(_HOST.fullmatch(domain))
