"""Addresses for DMARC reports (RFC 9989 sections 4.6 and 4.8): in practice always `mailto:`."""

from __future__ import annotations

import re

from gatepost.records import report_uris, tags
from gatepost.records.sentences import bounded, shown

SURE_URIS = 2  # RFC 7489 section 6.2 obliged reporters to no more

_SIZE = re.compile(r"!\d+[kmgt]?", re.IGNORECASE)


def read(value: str) -> tuple[tuple[str, ...], list[str], list[str]]:
    """The usable URIs of rua= or ruf=, without obsolete sizes; problems; advice."""
    parts, problems = report_uris.split(value, tags.BLANKS)
    advice: list[str] = []
    usable: list[str] = []
    for part in parts:
        uri, exclamation, size = part.partition("!")
        sized = exclamation and _SIZE.fullmatch(f"!{size}")
        if sized:
            advice.append(f"the size limit !{size} is obsolete since RFC 9989 and ignored")
        if objection := _objection(uri if sized else part):
            problems.append(objection)
        else:
            usable.append(uri)
    if len(usable) > SURE_URIS:
        advice.append(f"{len(usable)} addresses: some reporters serve only the first {SURE_URIS}")
    return tuple(dict.fromkeys(usable)), list(bounded(problems)), list(bounded(advice))


def host(uri: str) -> str:
    """Where a usable URI leads, in lower case."""
    return report_uris.mailbox(uri).rpartition("@")[2].lower().removesuffix(".")


def _objection(uri: str) -> str:
    """Empty for a usable one."""
    if objection := report_uris.form_problem(uri):
        return objection
    if uri[:7].lower() != "mailto:":
        return f"{shown(uri)}: reports are sent by mail only, to mailto:"
    return report_uris.mail_problem(uri)
