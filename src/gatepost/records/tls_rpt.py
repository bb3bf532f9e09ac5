"""TLS-RPT (RFC 8460 section 3): where a domain wants to hear about failed encryption.

Unlike DMARC's, these reports need no consent of the address they go to: there are no targets to ask.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer
from gatepost.model.domain import TlsRptSeen
from gatepost.model.observation import Unobserved
from gatepost.records import fields, report_uris
from gatepost.records.lookup import Lookup, unanswered
from gatepost.records.names import is_host
from gatepost.records.sentences import bounded, shown

VERSION = "TLSRPTv1"


async def inspect(domain: str, lookup: Lookup) -> TlsRptSeen | Unobserved:
    answer = await lookup(owner(domain), "TXT")
    if answer.failed:
        return unanswered(Endpoint(domain), "tls-rpt", answer)
    return record(domain, answer)


def owner(domain: str) -> str:
    return f"_smtp._tls.{domain}"


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
    """The URIs of a `rua` value, and what is wrong with the others."""
    parts, problems = report_uris.split(rua, fields.BLANKS) if rua else ([], [])
    usable: list[str] = []
    for part in parts:
        if objection := uri_problem(part):
            problems.append(objection)
        else:
            usable.append(part)
    return tuple(dict.fromkeys(usable)), problems


def uri_problem(uri: str) -> str:
    """Empty for a usable `mailto:` or `https:` URI."""
    if objection := report_uris.form_problem(uri):
        return objection
    match uri.partition(":")[0].lower():
        case "mailto":
            return report_uris.mail_problem(uri)
        case "https":
            return _web_problem(uri)
        case other:
            return f"{shown(uri)}: {other} is not a way reports are sent, only mailto and https are"


def _web_problem(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    bracketed = host is not None and ":" in host
    return "" if host and (bracketed or is_host(host)) else f"{shown(uri)} names no web host"
