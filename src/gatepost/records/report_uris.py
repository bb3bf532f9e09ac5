"""Lists of addresses that reports go to, as DMARC (RFC 9989 section 4.6) and TLS-RPT (RFC 8460 section 3) have them.

A comma, a semicolon and an exclamation mark inside an address are percent-encoded.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from gatepost.records.names import is_host
from gatepost.records.sentences import shown

MAX_URIS = 20

_URI = re.compile(r"[!-~]+")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def split(value: str, blanks: str) -> tuple[list[str], list[str]]:
    """The addresses, and what is wrong with their number."""
    parts = [part.strip(blanks) for part in value.split(",")]
    over = [f"{len(parts)} addresses, of which the first {MAX_URIS} were read"] if len(parts) > MAX_URIS else []
    return parts[:MAX_URIS], over


def form_problem(uri: str) -> str:
    """What keeps a text from being any URI; empty for one that looks like it."""
    if not uri:
        return "an empty address beside a comma"
    if not _URI.fullmatch(uri):
        return f"{shown(uri)} has white space or a character outside ASCII"
    if "!" in uri:
        return f"{shown(uri)}: an exclamation mark has to be written %21"
    if _PERCENT.search(uri):
        return f"{shown(uri)} has a stray percent sign"
    if ":" not in uri:
        return f"{shown(uri)} is no URI" + (f": mailto:{uri[:60]} may be meant" if "@" in uri else "")
    return ""


def mail_problem(uri: str) -> str:
    """Empty for a `mailto:` with a usable address."""
    local, at, host = mailbox(uri).rpartition("@")
    usable = at and 0 < len(local) <= 64 and is_host(host.replace("_", "x"))  # underscores do occur
    return "" if usable else f"{shown(uri)} names no mail address"


def mailbox(uri: str) -> str:
    return unquote(uri.partition(":")[2].partition("?")[0])
