"""CAA (RFC 8659): which authorities a domain lets issue certificates for a host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gatepost.errors import PeerGarbled
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Caa, Security, weakest
from gatepost.model.domain import CaaSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records import rows
from gatepost.records.lookup import Lookup, unanswered
from gatepost.records.sentences import bounded, shown

MAX_CLIMB = 32  # names from the host towards the root
MAX_VALUE = 4096  # characters
ISSUING = ("issue", "issuemail", "issuewild")  # RFC 9495 added the middle one
KNOWN = frozenset({*ISSUING, "contactemail", "contactphone", "iodef", "issuevmc"})

_FORM = re.compile(r"(\d{1,3})[ \t]+(\S+)(?:[ \t]+(.*))?", re.ASCII | re.DOTALL)
_TAG = re.compile(r"[A-Za-z0-9]+")
_LABEL = r"[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_ISSUER = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*)?")
_PARAMETER = re.compile(rf"({_LABEL})[ \t]*=[ \t]*([\x21-\x3a\x3c-\x7e]*)")


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issue, issuewild or issuemail value (RFC 8659 section 4.2). An empty domain lets nobody issue."""

    domain: str
    parameters: tuple[tuple[str, str], ...] = ()  # accounturi and validationmethods are those of RFC 8657


async def inspect(host: str, lookup: Lookup) -> CaaSeen | Unobserved:
    """The set nearest to the name counts, alone (section 3). An alias is followed at each step, not climbed."""
    labels = host.rstrip(".").split(".")
    if len(labels) > MAX_CLIMB:
        return Unobserved(Endpoint(host), "caa", Reason.BUDGET, f"a name of {len(labels)} labels")
    states: list[Security] = []
    for n in range(len(labels)):
        answer = await lookup(".".join(labels[n:]), "CAA")
        if answer.failed:
            return unanswered(Endpoint(host), "caa", answer)
        states.append(answer.security)
        if answer.values:
            return records(host, answer)
    return CaaSeen(Endpoint(host), "", security=weakest(states))


def records(host: str, answer: Answer) -> CaaSeen:
    """What one set says. A record that cannot be read is a problem and left out."""
    kept, problems = rows.read(answer.values, parse)
    problems.extend(said for one in kept for said in _problems(one))
    return CaaSeen(Endpoint(host), answer.name, tuple(kept), bounded(problems), answer.security)


def parse(value: str) -> Caa:
    """`0 issue ca.example.net; policy=ev` as in `Answer`, the tag in lower case. Raises PeerGarbled.

    Quotes are part of the value here: forms of DNS providers put them there by mistake, and they spoil it.
    """
    form = _FORM.fullmatch(value.strip(" \t")) if len(value) <= MAX_VALUE else None
    if form is None or int(form[1]) > 255:
        raise PeerGarbled(f"{shown(value)} is no CAA record: a number, a tag and a value are wanted")
    if not _TAG.fullmatch(form[2]):
        raise PeerGarbled(f"{shown(value)} has a tag with other than letters and digits")
    return Caa(int(form[1]), form[2].lower(), form[3] or "")


def permits(seen: CaaSeen, issuer_domain: str, *, wildcard: bool = False) -> bool | None:
    """May an authority of that CAA name issue for the host? None when its name is not known.

    True also where it may only under conditions (`accounturi`, `validationmethods`): they cannot be seen from
    outside. Records without any issue property set no limit; issuewild replaces issue for wildcards (section 4.3).
    """
    if any(one.critical and one.tag not in KNOWN for one in seen.records):
        return False
    values = _relevant(seen.records, wildcard=wildcard)
    if not values:
        return True
    if not issuer_domain:
        return None
    plain = issuer_domain.lower().removesuffix(".")
    return any(issuer(one).domain == plain for one in values)


def issuers(seen: CaaSeen, *, wildcard: bool = False) -> tuple[Issuer, ...]:
    """Who may issue, with conditions. Empty with records that forbid everybody and without any limit alike."""
    found = (issuer(one) for one in _relevant(seen.records, wildcard=wildcard))
    return tuple(dict.fromkeys(one for one in found if one.domain))


def issuer(value: str) -> Issuer:
    """A value outside the grammar counts as one that names nobody (section 4.2)."""
    head, *rest = value.split(";")
    domain = head.strip(" \t")
    parameters = [_PARAMETER.fullmatch(one.strip(" \t")) for one in rest if one.strip(" \t")]
    found = tuple((one[1].lower(), one[2]) for one in parameters if one)
    if not _ISSUER.fullmatch(domain) or len(found) != len(parameters):
        return Issuer("")
    return Issuer(domain.lower(), found)


def render(one: Issuer) -> str:
    return "; ".join([one.domain, *(f"{name}={value}" for name, value in one.parameters)]) or ";"


def _relevant(kept: Iterable[Caa], *, wildcard: bool) -> list[str]:
    plain = [one.value for one in kept if one.tag == "issue"]
    wild = [one.value for one in kept if one.tag == "issuewild"]
    return wild if wildcard and wild else plain


def _problems(one: Caa) -> Iterator[str]:
    if one.critical and one.tag not in KNOWN:
        yield f"{shown(str(one))}: a critical tag nobody knows forbids every authority to issue"
    if one.flags & 127:
        yield f"{shown(str(one))}: flags {one.flags} set reserved bits; critical is 128"
    if one.tag in ISSUING and not issuer(one.value).domain and one.value.strip(" \t") not in {"", ";"}:
        yield f"{shown(str(one))}: the value is not of the form 'domain; name=value', so it lets nobody issue"
    if one.tag == "iodef" and not re.match(r"(?:mailto:[^@]+@.|https?://.)", one.value, re.IGNORECASE):
        yield f"{shown(str(one))}: reports go to a mailto:, http: or https: URI only"
