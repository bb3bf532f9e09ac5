"""An observation in the words of a transcript: `C:` is what we said, `S:` what the server answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import singledispatch

from gatepost.model.architecture import Endpoint
from gatepost.model.certificate import Certificate
from gatepost.model.observation import (
    Accepted,
    Advertised,
    Capabilities,
    CertificateSeen,
    ChainSeen,
    Closed,
    Feature,
    Greeting,
    Handshake,
    Hello,
    Identified,
    Injected,
    Listening,
    Observation,
    Tried,
    Unobserved,
    Upgrade,
    Vantage,
)
from gatepost.report import answered, within
from gatepost.report.escape import printable

LONGEST = 300  # characters of one line; a banner flood is cut here
MOST = 40  # lines of one observation


def transcript(evidence: Iterable[Observation]) -> tuple[str, ...]:
    """All evidence of one finding; each line names its port when there is more than one place."""
    told = tuple(dict.fromkeys(evidence))
    mixed = len({(o.at.host, o.at.port) for o in told}) > 1
    said = dict.fromkeys((_place(one.at) if mixed else "", tuple(words(one))[:MOST]) for one in told)
    return tuple(printable(f"{place}{line}", LONGEST) for place, lines in said for line in lines)


def _place(at: Endpoint) -> str:
    return f":{at.port}  " if at.port else f"{at.host}  "


@singledispatch
def words(one: object) -> tuple[str, ...]:
    """Lines for one observation; a kind without its own words shows its fields."""
    if write := answered.WORDS.get(type(one)) or within.WORDS.get(type(one)):
        return write(one)
    shown = (f"{f.name}={getattr(one, f.name)!r}" for f in fields(one) if f.name != "at")  # type: ignore[arg-type] # every observation is a dataclass
    return (f"{type(one).__name__}: {', '.join(shown)}",)


@words.register
def _(one: Vantage) -> tuple[str, ...]:
    return (f"looked from {one.source}" + (f" ({one.label})" if one.label else ""),)


@words.register
def _(one: Listening) -> tuple[str, ...]:
    return (f"{one.at} accepted a connection",)


@words.register
def _(one: Closed) -> tuple[str, ...]:
    return (f"{one.at}: {one.detail}",)


@words.register
def _(one: Identified) -> tuple[str, ...]:
    software = f" ({one.software})" if one.software else ""
    return (f"speaks {one.protocol}, encryption: {one.mode.value}{software}", f"S: {one.first}")


@words.register
def _(one: Greeting) -> tuple[str, ...]:
    return tuple(f"S: {line}" for line in one.text.split("\n"))


@words.register
def _(one: Capabilities) -> tuple[str, ...]:
    when = "inside TLS" if one.encrypted else "before TLS"
    return (f"S: ({when}) {' · '.join(one.words)}",)


@words.register
def _(one: Upgrade) -> tuple[str, ...]:
    if one.mangled:
        return (f"S: {one.mangled} stands where STARTTLS should be",)
    if not one.offered and not one.answer:
        return ("STARTTLS is not offered",)
    return ("C: STARTTLS" + ("" if one.offered else "   (not offered, asked all the same)"), f"S: {one.answer}")


@words.register
def _(one: Tried) -> tuple[str, ...]:
    where = "   (inside TLS)" if one.encrypted else ""
    return (f"C: {one.sent}{where}", f"S: {one.answer}")


@words.register
def _(one: Injected) -> tuple[str, ...]:
    return (one.detail,)


@words.register
def _(one: Hello) -> tuple[str, ...]:
    if one.refused:
        return (f"hello {one.offer}: refused ({one.refused})",)
    dh = f" DH {one.dh_bits} bits" + (f" ({one.dh_prime})" if one.dh_prime else "") if one.dh_bits else ""
    chosen = " ".join(part for part in (one.version, one.suite, one.group, one.signature) if part)
    return (f"hello {one.offer}: answered {chosen}{dh}",)


@words.register
def _(one: Accepted) -> tuple[str, ...]:
    order = f", {one.order} order" if one.order else ""
    cut = "" if one.complete else ", and more that were not asked"
    return (f"{one.version} {one.kind}{order}: {', '.join(one.names)}{cut}",)


@words.register
def _(one: Handshake) -> tuple[str, ...]:
    if one.error:
        return (f"handshake failed: {one.error}",)
    return ("handshake: " + " ".join(part for part in (one.version, one.suite, one.group) if part),)


@words.register
def _(one: ChainSeen) -> tuple[str, ...]:
    return (f"chain of {len(one.chain)} as sent{_named(one.sni)}",)


@words.register
def _(one: CertificateSeen) -> tuple[str, ...]:
    if not one.chain:
        return (f"no certificate was sent{_named(one.sni)}",)
    trust = "trusted" if one.trust.valid else one.trust.why
    return (f"certificate{_named(one.sni)}: {described(one.chain[0])}", f"chain of {len(one.chain)}: {trust}")


@words.register
def _(one: Feature) -> tuple[str, ...]:
    state = {True: "yes", False: "no", None: "no answer"}[one.present]
    return (f"{one.name}: {state}" + (f", {one.detail}" if one.detail else ""),)


@words.register
def _(one: Advertised) -> tuple[str, ...]:
    return (f"{one.via} of {one.at.host} names {one.target}:{one.port} ({one.service}, {one.mode.value})",)


@words.register
def _(one: Unobserved) -> tuple[str, ...]:
    return (f"{one.wanted}: {one.reason.value}, {one.detail}",)


def _named(sni: str | None) -> str:
    return f" for {sni}" if sni else " without SNI"


def described(one: Certificate) -> str:
    """Names, key, issuer and last day, in that order."""
    names = ", ".join(one.dns_names or one.ip_addresses) or one.common_name or one.subject
    return f"{names}; {key(one)}; by {issuer(one)}; until {one.not_after:%Y-%m-%d}"


def key(one: Certificate) -> str:
    if one.key_type == "rsa":
        return f"RSA {one.key_bits}"
    return {"ecdsa": one.curve or f"ECDSA {one.key_bits}"}.get(one.key_type, one.key_type)


def issuer(one: Certificate) -> str:
    """The common name when there is one: the rest of the name rarely helps."""
    parts = [part.strip() for part in one.issuer.split(",")]
    return next((part[3:] for part in parts if part.upper().startswith("CN=")), one.issuer)
