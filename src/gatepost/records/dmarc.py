"""DMARC (RFC 9989): the policy that holds for a domain, how it is found, and where reports may go."""

from __future__ import annotations

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Presence, weakest
from gatepost.model.domain import DmarcRecord, DmarcSeen
from gatepost.model.observation import Unobserved
from gatepost.records import dmarc_walk
from gatepost.records.dmarc_consent import targets
from gatepost.records.dmarc_walk import Stop, Walk, unobserved, walk
from gatepost.records.lookup import Lookup
from gatepost.records.sentences import bounded
from gatepost.records.suffixes import Suffixes

__all__ = ["effective", "inspect", "targets"]

_LOWERED = {"reject": "quarantine", "quarantine": "none"}


async def inspect(domain: str, lookup: Lookup, suffixes: Suffixes) -> DmarcSeen | Unobserved:
    """Whether the domain exists is asked only where that changes its policy."""
    plain = domain.lower().removesuffix(".")
    found = await walk(plain, lookup)
    if isinstance(found, Unobserved):
        return found
    under = await dmarc_walk.below(found, lookup)
    if isinstance(under, Unobserved):
        return Unobserved(Endpoint(plain), "dmarc", under.reason, under.detail)
    exists, security = True, found.security
    if _depends_on_existence(found):
        answer = await lookup(plain, "A")
        if answer.failed:
            return unobserved(plain, answer)
        exists = answer.presence is not Presence.ABSENT
        security = weakest((security, answer.security))
    record = found.record
    return DmarcSeen(
        Endpoint(plain),
        tuple(stop.step for stop in found.stops),
        record,
        policy=effective(record, plain, exists=exists),
        subdomains=effective(under.record, under.domain),
        nonexistent=effective(under.record, under.domain, exists=False),
        organizational=found.organizational,
        by_suffix_list=suffixes.organizational(plain),
        list_date=suffixes.list_date,
        problems=bounded(_problems(found, suffixes)),
        advice=bounded(_advice(found, suffixes)),
        security=security,
    )


def effective(record: DmarcRecord | None, domain: str, *, exists: bool = True) -> str:
    """What receivers apply to mail of `domain` (section 4.10.1); t=y takes one level off. Empty: nothing at all."""
    if record is None or not record.p:
        return ""
    if record.domain == domain:
        policy = record.p
    elif exists:
        policy = record.sp or record.p
    else:
        policy = record.np or record.sp or record.p
    return _LOWERED.get(policy, policy) if record.testing else policy


def _depends_on_existence(found: Walk) -> bool:
    """A name with a record of its own exists; for others it matters where np= says something else than sp=."""
    there, missing = (effective(found.record, found.domain, exists=exists) for exists in (True, False))
    return there != missing


def _problems(found: Walk, suffixes: Suffixes) -> list[str]:
    """Those of the record that applies, and of records that should have, as far as the organisation reaches."""
    own = suffixes.organizational(found.domain)
    record = found.record
    sentences = []
    for stop in found.stops:
        if stop.domain == own or stop.domain.endswith(f".{own}"):
            sentences += _faults(stop)
        if record and stop.domain == record.domain:
            break
    return [*(record.problems if record else ()), *sentences]


def _faults(stop: Stop) -> list[str]:
    several = f"{stop.several} DMARC records at {stop.step.name}: receivers discard them all"
    return [*([several] if stop.several else []), *(f"{stop.step.name}: {one}" for one in stop.overlooked)]


def _advice(found: Walk, suffixes: Suffixes) -> list[str]:
    """What the operator of the domain can do something about: a registry's own record is not among it."""
    listed, record = suffixes.organizational(found.domain), found.record
    sentences = [_difference(found, suffixes), *_suffix_words(found, suffixes)]
    if record and record.domain != listed and not record.domain.endswith(f".{listed}"):
        sentences.insert(0, f"the policy is that of {record.domain}: one at _dmarc.{listed} would be your own")
    elif record:
        sentences = [*record.advice, *sentences]
    return [one for one in sentences if one]


def _difference(found: Walk, suffixes: Suffixes) -> str:
    """Where the walk and the suffix list do not agree on who belongs together. Without any record nobody asks."""
    walked, listed = found.organizational, suffixes.organizational(found.domain)
    if walked == listed or not any(stop.record for stop in found.stops):
        return ""
    told = f"by the tree walk {walked} is an organisation of its own"
    record = found.at(walked)
    if suffixes.is_public(walked) and found.domain != walked:
        return (
            f"{walked} is a public suffix with a DMARC record that does not say psd=y: receivers take it for the"
            f" organisation of everything below it; psd=n at {listed} keeps its names to itself"
        )
    if not walked.endswith(f".{listed}"):
        return f"by the tree walk {walked} is the organisation, by the suffix list {listed}"
    if record and record.psd == "n":
        return f"{told} (psd=n); receivers that go by the suffix list still take {listed} for it"
    if (parent := found.stops[-1].record) and parent.psd == "y" and parent.domain != found.domain:
        return f"{told}, because {parent.domain} says psd=y; by the suffix list it is {listed}"
    return (
        f"{told}, by the suffix list it belongs to {listed}: mail of one that is authenticated as the other is aligned"
        f" for old receivers only; publish a record at _dmarc.{listed}"
    )


def _suffix_words(found: Walk, suffixes: Suffixes) -> list[str]:
    """What the record of the domain itself says about names below it, in vain or without knowing."""
    own = found.own
    if own is None:
        return []
    sentences = []
    if suffixes.is_public(found.domain) and own.psd != "y":
        sentences.append(f"{found.domain} is a public suffix by the list: psd=y would say so in DNS")
    if own.psd == "y" and not suffixes.is_public(found.domain):
        sentences.append(f"psd=y: each name right below {found.domain} counts as an organisation of its own")
    if (own.sp or own.np) and found.organizational != found.domain and own.psd == "u":
        sentences.append(
            f"sp= and np= count for nothing here: names below {found.domain} take the policy of {found.organizational}"
        )
    return sentences
