"""Everything DNS can tell about a domain and its mail hosts, as questions that may all be under way at once.

domain   MX, SPF and its verdict on each sender, DKIM, DMARC, MTA-STS, TLS-RPT
host     TLSA of each TLS port, CAA, the reverse names of each address
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Presence
from gatepost.model.domain import DkimKeySeen, DmarcSeen
from gatepost.model.observation import Observation
from gatepost.records import caa, dkim, dmarc, mta_sts, mx, reverse, spf, tls_rpt, tlsa
from gatepost.records.lookup import Fetch, Lookup, Together
from gatepost.records.plans import DomainPlan, HostPlan
from gatepost.records.suffixes import Suffixes


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to find out; `wanted` is what its failure is filed under. `answer` is awaited once."""

    at: Endpoint
    wanted: str
    answer: Coroutine[Any, Any, Observation | tuple[Observation, ...]]


def domain(
    plan: DomainPlan, lookup: Lookup, fetch: Fetch, suffixes: Suffixes, together: Together
) -> Iterator[Question]:
    name, at = plan.name, Endpoint(plan.name)
    yield Question(at, "mx", mx.inspect(name, lookup))
    yield Question(at, "spf", spf.inspect(name, lookup, together=together))
    for address in plan.senders:
        yield Question(at, "spf", spf.check(address, name, lookup))
    for selector in plan.selectors:
        yield Question(at, f"dkim:{selector}", dkim.key(name, selector, lookup, declared=True))
    yield Question(at, "dkim", usual_keys(plan, lookup, together))
    yield Question(at, "dmarc", _policy(name, lookup, suffixes))
    yield Question(at, "mta-sts", mta_sts.inspect(name, lookup, fetch))
    yield Question(at, "tls-rpt", tls_rpt.inspect(name, lookup))
    for address in plan.egress:
        yield Question(at, f"ptr:{address}", reverse.inspect(at, address, lookup))


def host(plan: HostPlan, lookup: Lookup) -> Iterator[Question]:
    at = Endpoint(plan.name)
    for port in plan.ports:
        yield Question(at, f"tlsa:{port}", tlsa.inspect(plan.name, port, lookup))
    yield Question(at, "caa", caa.inspect(plan.name, lookup))
    for address in plan.addresses:
        yield Question(at, f"ptr:{address}", reverse.inspect(at, address, lookup))


async def usual_keys(plan: DomainPlan, lookup: Lookup, together: Together) -> tuple[Observation, ...]:
    """Keys under common selectors. Where every name answers alike, none of them was put there."""
    if await dkim.wildcard(plan.name, lookup):
        return ()
    names = [one for one in dkim.COMMON if one not in plan.selectors]
    found = await together([dkim.key(plan.name, one, lookup, declared=False) for one in names])
    return tuple(one for one in found if isinstance(one, DkimKeySeen) and one.presence is Presence.PRESENT)


async def _policy(name: str, lookup: Lookup, suffixes: Suffixes) -> tuple[Observation, ...]:
    found = await dmarc.inspect(name, lookup, suffixes)
    return (found, *(await dmarc.targets(found, lookup) if isinstance(found, DmarcSeen) else ()))
