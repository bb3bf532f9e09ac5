"""TLS-RPT (RFC 8460 section 3): where a domain wants to hear about failed encryption.

Unlike DMARC's, these reports need no consent of the address they go to: there are no targets to ask.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer
from gatepost.model.domain import TlsRptSeen
from gatepost.model.observation import Unobserved
from gatepost.records import fields
from gatepost.records.lookup import Lookup, unanswered
from gatepost.records.names import is_host
from gatepost.records.sentences import bounded, shown

VERSION = "TLSRPTv1"
MAX_URIS = 20
_URI = re.compile(r"[!-~]+")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


async def inspect(domain: str, lookup: Lookup) -> TlsRptSeen | Unobserved:
    answer = await lookup(f"_smtp._tls.{domain}", "TXT")
    if answer.failed:
        return unanswered(Endpoint(domain), "tls-rpt", answer)
    return record(domain, answer)


def record(domain: str, answer: Answer) -> TlsRptSeen:
    """`rua` has the usable addresses only; a broken one is a problem."""
    chosen = fields.choose(answer.values, VERSION)
    found = fields.read(chosen.text, ("rua",)) if chosen.text else fields.Fields(())
    uris, problems = addresses(found.first("rua") or "")
    if chosen.text and found.first("rua") is None:
        problems = ["no usable rua=: nobody gets a report"]
    return TlsRptSeen(
        Endpoint(domain),
        chosen.records,
        uris,
        bounded([*chosen.problems, *found.problems, *problems]),
        found.advice,
        answer.security,
    )


def addresses(rua: str) -> tuple[tuple[str, ...], list[str]]:
    """The URIs of a `rua` value, and what is wrong with the others. A comma inside one is written %2C."""
    parts = [part.strip(fields.BLANKS) for part in rua.split(",")] if rua else []
    problems = [f"{len(parts)} addresses, of which the first {MAX_URIS} were read"] if len(parts) > MAX_URIS else []
    usable: list[str] = []
    for part in parts[:MAX_URIS]:
        if objection := uri_problem(part):
            problems.append(objection)
        else:
            usable.append(part)
    return tuple(dict.fromkeys(usable)), problems


def uri_problem(uri: str) -> str:
    """Empty for a usable `mailto:` or `https:` URI."""
    if not uri:
        return "an empty address between two commas"
    if not _URI.fullmatch(uri):
        return f"{shown(uri)} has white space or a character outside ASCII"
    if "!" in uri:
        return f"{shown(uri)}: '!' has to be written %21, and sets no size limit here"
    if _PERCENT.search(uri):
        return f"{shown(uri)} has a stray percent sign"
    scheme, colon, rest = uri.partition(":")
    match scheme.lower() if colon else "":
        case "mailto":
            return _mail_problem(uri, rest)
        case "https":
            return _web_problem(uri)
        case "":
            meant = f"; mailto:{uri} may be meant" if "@" in uri else ""
            return f"{shown(uri)} is no URI{meant}"
        case other:
            return f"{shown(uri)}: {other} is not a way reports are sent, only mailto and https are"


def _mail_problem(uri: str, rest: str) -> str:
    address = unquote(rest.partition("?")[0])
    local, at, domain = address.rpartition("@")
    if not at or not local or len(local) > 64 or not is_host(domain):
        return f"{shown(uri)} names no mail address"
    return ""


def _web_problem(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    bracketed = host is not None and ":" in host
    return "" if host and (bracketed or is_host(host)) else f"{shown(uri)} names no web host"
