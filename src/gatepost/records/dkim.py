"""DKIM key records (RFC 6376 section 3.6.1; RFC 8301, RFC 8463): what a verifier would make of a selector."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Presence
from gatepost.model.domain import DkimKeySeen
from gatepost.model.observation import Unobserved
from gatepost.records import dkim_public, tags
from gatepost.records.dkim_public import PublicKey
from gatepost.records.lookup import Lookup, unanswered
from gatepost.records.sentences import bounded, shown
from gatepost.records.tags import Tags

COMMON = (
    "default",  # OpenDKIM, cPanel, many guides
    "dkim",  # mailcow, Plesk
    "mail",  # Debian's guides, Mail-in-a-Box
    "google",  # Google Workspace
    "selector1",  # Microsoft 365
    "selector2",
    "k1",  # Mailchimp
    "k2",
    "k3",
    "s1",  # SendGrid
    "s2",
    "fm1",  # Fastmail
    "fm2",
    "fm3",
    "protonmail",  # Proton
    "protonmail2",
    "protonmail3",
    "mandrill",  # Mailchimp Transactional
    "pm",  # Postmark
    "zoho",  # Zoho Mail
    "smtp",  # Mailgun
    "mx",
)
"""Selectors worth trying where none is declared. A hit proves a key, a miss proves nothing."""

IMPROBABLE = "gatepost-no-such-selector"
VERSION = "DKIM1"
REVOKED = f"v={VERSION}; p="
TYPES = ("ed25519", "rsa")
MOST_RECORDS = 16  # of one selector that are read; there should be one

_MEANT = re.compile(r"\s*v\s*=\s*DKIM", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key record as read. The fields are those of `DkimKeySeen`."""

    key_type: str = ""
    bits: int = 0
    revoked: bool = False
    testing: bool = False
    strict: bool = False
    hashes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    fingerprint: str = ""
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


async def key(domain: str, selector: str, lookup: Lookup, *, declared: bool) -> DkimKeySeen | Unobserved:
    """A selector without a record is no fault by itself: whether one is due, the caller knows."""
    answer = await lookup(owner(domain, selector), "TXT")
    if answer.failed:
        return unanswered(Endpoint(domain), f"dkim:{selector}", answer)
    seen = DkimKeySeen(Endpoint(domain), selector, answer.presence, declared, ttl=answer.ttl, security=answer.security)
    return _filled(seen, answer) if answer.presence is Presence.PRESENT else seen


async def wildcard(domain: str, lookup: Lookup) -> bool:
    """Whether every selector seems to have a record: then a hit among the common ones proves nothing."""
    return (await lookup(owner(domain, IMPROBABLE), "TXT")).presence is Presence.PRESENT


def owner(domain: str, selector: str) -> str:
    """Where the record of a selector stands (RFC 6376 section 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def read(text: str) -> KeyRecord:
    """The strings of one TXT record, joined without anything between them."""
    found = tags.read(text)
    problems, advice = [*_form(text, found)], [*_old(found)]
    kind = _kind(found, problems)
    public, value = PublicKey(), found.first("p")
    if value is None:
        problems.append("no p=: the record has no key")
    elif value and kind in TYPES:
        public = dkim_public.read(kind, value)
    elif value:
        problems.append(f"k={shown(kind)} is no type of key that verifiers know")
    limits = _limits(found)
    return KeyRecord(
        key_type=kind,
        bits=public.bits,
        revoked=value == "",
        testing="y" in tags.words(found.first("t") or ""),
        strict="s" in tags.words(found.first("t") or ""),
        hashes=tags.words(found.first("h") or ""),
        services=tags.words(found.first("s") or ""),
        fingerprint=public.fingerprint,
        problems=bounded([*problems, *public.problems, *limits.problems]),
        advice=bounded([*advice, *public.advice, *limits.advice]),
    )


def render(kind: str, value: str, *, more: Iterable[tuple[str, str]] = ()) -> str:
    """The text of a key record; an empty `value` revokes."""
    return tags.render([("v", VERSION), ("k", kind), *more, ("p", value)])


def _filled(seen: DkimKeySeen, answer: Answer) -> DkimKeySeen:
    """With several records at one name, none can be relied on; what is told is of one that has a key, if any has."""
    text, found = max(((one, read(one)) for one in answer.values[:MOST_RECORDS]), key=_rank)
    problems = list(found.problems)
    if len(answer.values) > 1:
        problems.insert(0, f"{len(answer.values)} TXT records at one selector: which one counts is undefined")
    via = (f"the key stands at {answer.aliases[-1]} (CNAME): who runs that zone changes it",) if answer.aliases else ()
    return replace(
        seen,
        text=text[: tags.MAX_TEXT],
        key_type=found.key_type,
        bits=found.bits,
        revoked=found.revoked,
        testing=found.testing,
        strict=found.strict,
        hashes=found.hashes,
        services=found.services,
        fingerprint=found.fingerprint,
        problems=bounded(problems),
        advice=bounded([*found.advice, *via]),
    )


def _rank(candidate: tuple[str, KeyRecord]) -> tuple[bool, bool, bool]:
    text, found = candidate
    return bool(found.fingerprint), found.revoked, bool(_MEANT.match(text))


def _form(text: str, found: Tags) -> list[str]:
    """Faults of the list itself, the most telling one first."""
    if pasted := _pasted(text):
        return [pasted]
    version = found.first("v")
    problems = list(found.problems)
    if version is not None and version != VERSION:
        problems.insert(0, f"v={shown(version)[1:-1]}: verifiers discard a key record that is not v={VERSION}")
    elif version is not None and found.names[0] != "v":
        problems.insert(0, "v= is not the first tag: verifiers discard the record")
    problems += [f"{name}= is given more than once: verifiers discard the record" for name in found.repeated]
    return problems


def _pasted(text: str) -> str:
    """Marks of a zone file or a control panel that became part of the record."""
    if "\\;" in text:
        return r"backslashes stand before the semicolons: the record was published with the escapes of a zone file"
    if '"' in text:
        return "quotation marks are part of the record: it was published with the quotes of a zone file"
    return ""


def _old(found: Tags) -> list[str]:
    advice = [] if "v" in found.names else [f"no v={VERSION}, which should come first"]
    if "g" in found.names:
        advice.append("g= is obsolete since RFC 6376 and ignored")
    return advice


def _kind(found: Tags, problems: list[str]) -> str:
    """Values are told apart by case (section 3.2): verifiers that keep to it do not know k=RSA."""
    given = found.first("k")
    if given is None:
        return "rsa"
    plain = given.lower()
    if given != plain and plain in TYPES:
        problems.append(f"k={given} has to be written k={plain}")
    return plain


@dataclass(frozen=True, slots=True)
class _Limits:
    problems: tuple[str, ...]
    advice: tuple[str, ...]


def _limits(found: Tags) -> _Limits:
    """What h=, s= and t= leave usable. Unknown words in them are legal and count for nothing."""
    problems, advice = [], []
    hashes, services = found.first("h"), found.first("s")
    if hashes is not None and "sha256" not in (allowed := [one.lower() for one in tags.words(hashes)]):
        dead = "only sha1, which verifiers refuse (RFC 8301 section 3.1)" if "sha1" in allowed else "no hash in use"
        problems.append(f"h= allows {dead}: sha256 is missing")
    elif hashes is not None and "sha1" in tags.words(hashes.lower()):
        advice.append("h= still allows sha1, which RFC 8301 withdrew")
    if services is not None and not {"*", "email"} & {one.lower() for one in tags.words(services)}:
        problems.append(f"s={shown(services)[1:-1]}: the key is not for mail")
    if "y" in tags.words(found.first("t") or ""):
        advice.append("t=y: in testing, verifiers treat signed mail as if it were not")
    return _Limits(tuple(problems), tuple(advice))
