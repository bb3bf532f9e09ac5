"""What a receiver says of mail from an address: `check_host` of RFC 7208 section 4.

Each term that asks DNS is one of 10 look-ups, each empty answer to a question of a term one of 2 void ones (section
4.6.4). Whether the names of a client's PTR records have addresses is never held against the record: they are the
client's. The questions of exp and of the p macro count for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_network

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Presence
from gatepost.model.domain import SpfResult
from gatepost.records import addresses
from gatepost.records.addresses import Address
from gatepost.records.lookup import Lookup
from gatepost.records.names import fits
from gatepost.records.spf import client as clients
from gatepost.records.spf import macros
from gatepost.records.spf.grammar import Kind, Mechanism, Modifier, Qualifier, Record, parse, selected
from gatepost.records.spf.macros import MacroString, Wrong
from gatepost.records.spf.names import exchangers, fitted, malformed, presented

MOST_LOOKUPS = 10
MOST_VOIDS = 2
MOST_HOSTS = 10  # of one mx term

RESULTS = {
    Qualifier.FAIL: "fail",
    Qualifier.NEUTRAL: "neutral",
    Qualifier.PASS: "pass",
    Qualifier.SOFTFAIL: "softfail",
}


async def check(
    address: str,
    domain: str,
    lookup: Lookup,
    *,
    sender: str = "",
    helo: str = "",
    receiver: str = "",
    now: datetime | None = None,
) -> SpfResult:
    """The result for mail from `address` in the name of `domain`. Never raises, whatever DNS or the caller says.

    `sender` is the reverse path, `postmaster` at the domain without one. `receiver` and `now` serve explanations only.
    """
    plain = fitted(domain)
    unread = SpfResult(Endpoint(plain), address, "none")
    client = addresses.read(address)
    if client is None:
        return replace(unread, why=f"{address!r} is no IP address")
    evaluation = _Evaluation(lookup, client, clients.values(client, plain, sender, helo, receiver, now))
    outcome = await evaluation.check_host(plain)
    return replace(
        unread,
        result=outcome.result,
        mechanism=outcome.term,
        why=outcome.why,
        lookups=evaluation.lookups,
        explanation=await evaluation.explanation(outcome),
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """`record` and its `domain` are those whose term decided: their exp is the one that counts (section 6.2)."""

    result: str
    why: str
    term: str = ""
    domain: str = ""
    record: Record | None = None


class _Evaluation:
    """One client, and what its evaluation has cost so far."""

    def __init__(self, lookup: Lookup, client: Address, values: dict[str, str]) -> None:
        self.lookup = lookup
        self.client = client
        self.values = values
        self.lookups = 0
        self.voids = 0
        self._pointers: Answer | None = None
        self._names: tuple[str, ...] | None = None

    async def check_host(self, domain: str) -> _Outcome:
        record = await self._record(domain)
        if isinstance(record, _Outcome):
            return record
        for term in record.mechanisms:
            matched = await self._matched(term, domain)
            if isinstance(matched, _Outcome):
                return replace(matched, term=term.text)
            if matched:
                return _Outcome(RESULTS[term.qualifier], matched, term.text, domain, record)
        if record.redirect:
            return await self._redirected(record.redirect, domain)
        return _Outcome("neutral", f"no mechanism of {domain} matches, and nothing says what then")

    async def explanation(self, outcome: _Outcome) -> str:
        """The text behind exp of a fail; nothing when anything about it is wrong (section 6.2)."""
        modifier = outcome.record.explanation if outcome.record and outcome.result == "fail" else None
        if modifier is None:
            return ""
        answer = await self.lookup(presented(await self._target(modifier.value, outcome.domain)), "TXT")
        if len(answer.values) != 1 or not all(" " <= one <= "~" for one in answer.values[0]):
            return ""
        text = macros.read(answer.values[0], macros.IN_EXPLANATIONS)
        return "" if isinstance(text, Wrong) else await self._expanded(text, outcome.domain)

    async def _record(self, domain: str) -> Record | _Outcome:
        if why := malformed(domain):
            return _Outcome("none", why)
        answer = await self.lookup(presented(domain), "TXT")
        if answer.failed:
            return _failed(answer)
        texts = selected(answer.values)
        if len(texts) != 1:
            several = f"{domain} has {len(texts)} SPF records"
            return _Outcome("permerror", several) if texts else _Outcome("none", f"{domain} has no SPF record")
        record = parse(texts[0])
        if not record.faults:
            return record
        fault = record.faults[0]
        return _Outcome("permerror", f"{fault.text} in the record of {domain}: {fault.sentence}", fault.text)

    async def _matched(self, term: Mechanism, domain: str) -> str | _Outcome:
        """Why it matches, nothing when it does not, or the error that ends the evaluation."""
        if term.kind is Kind.ALL:
            return f"{term.text} in the record of {domain} is for everybody"
        if term.block is not None:
            inside = self.client in term.block.network
            return f"{self.client} is in {term.text} in the record of {domain}" if inside else ""
        if spent := self._spend(term, domain):
            return spent
        target = domain if term.target is None else await self._target(term.target, domain)
        match term.kind:
            case Kind.INCLUDE:
                return await self._included(target, domain)
            case Kind.EXISTS:
                found = await self._asked(target, "A")
                return found if isinstance(found, _Outcome) else f"{target} exists" if found else ""
            case Kind.MX:
                return await self._exchanged(target, term)
            case Kind.PTR:
                return await self._pointed(target)
            case _:
                return await self._addressed(target, term)

    def _spend(self, term: Mechanism | Modifier, domain: str) -> _Outcome | None:
        if self.lookups < MOST_LOOKUPS:
            self.lookups += 1
            return None
        over = (
            f"{term.text} in the record of {domain} would be DNS look-up {MOST_LOOKUPS + 1} of {MOST_LOOKUPS} allowed"
        )
        return _Outcome("permerror", over, term.text)

    async def _included(self, target: str, domain: str) -> str | _Outcome:
        """Only a pass matches, and a missing record is an error (section 5.2)."""
        inner = await self.check_host(target)
        match inner.result:
            case "pass":
                return inner.why
            case "none":
                return _Outcome("permerror", f"{inner.why}, and {domain} includes it")
            case "permerror" | "temperror":
                return inner
            case _:
                return ""

    async def _redirected(self, modifier: Modifier, domain: str) -> _Outcome:
        if spent := self._spend(modifier, domain):
            return spent
        inner = await self.check_host(await self._target(modifier.value, domain))
        if inner.result == "none":
            return _Outcome("permerror", f"{inner.why}, and {domain} redirects to it", modifier.text)
        return inner

    async def _addressed(self, name: str, term: Mechanism) -> str | _Outcome:
        found = await self._asked(name, clients.kind(self.client))
        if isinstance(found, _Outcome):
            return found
        prefix = term.prefix4 if self.client.version == 4 else term.prefix6
        for one in found:
            if self.client in ip_network(f"{one}/{prefix}", strict=False):
                whole = prefix == self.client.max_prefixlen
                where = "" if whole else f"within /{prefix} of {one}, "
                return f"{self.client} is {where}an address of {name}"
        return ""

    async def _exchanged(self, name: str, term: Mechanism) -> str | _Outcome:
        """The addresses of the name itself are no substitute for its MX (section 5.4)."""
        found = await self._asked(name, "MX")
        if isinstance(found, _Outcome):
            return found
        if len(found) > MOST_HOSTS:
            return _Outcome("permerror", f"{name} has {len(found)} MX hosts, {MOST_HOSTS} are allowed")
        for host in exchangers(found):
            if matched := await self._addressed(host, term):
                return matched
        return ""

    async def _pointed(self, target: str) -> str | _Outcome:
        pointers = await self._reverse()
        if spent := self._emptied(pointers):
            return spent
        found = next((name for name in await self._own() if f".{name}".endswith(f".{target}")), None)
        return f"{self.client} is {found}" if found else ""

    async def _asked(self, name: str, kind: str) -> tuple[str, ...] | _Outcome:
        if not fits(name):  # no match, and no void look-up either
            return ()
        answer = await self.lookup(presented(name), kind)
        if answer.failed:
            return _failed(answer)
        return self._emptied(answer) or answer.values

    def _emptied(self, answer: Answer) -> _Outcome | None:
        self.voids += answer.presence in {Presence.ABSENT, Presence.EMPTY}
        if self.voids <= MOST_VOIDS:
            return None
        void = f"{answer.name} has no {answer.kind} record: void look-up {self.voids} of {MOST_VOIDS} allowed"
        return _Outcome("permerror", void)

    async def _target(self, string: MacroString, domain: str) -> str:
        return fitted(await self._expanded(string, domain))

    async def _expanded(self, string: MacroString, domain: str) -> str:
        own = await self._own() if "p" in string.letters else ()
        return macros.expand(string, self.values | {"d": domain, "p": clients.best(own, domain)})

    async def _reverse(self) -> Answer:
        self._pointers = self._pointers or await self.lookup(self.client.reverse_pointer, "PTR")
        return self._pointers

    async def _own(self) -> tuple[str, ...]:
        if self._names is None:
            self._names = await clients.confirmed(self.client, await self._reverse(), self.lookup)
        return self._names


def _failed(answer: Answer) -> _Outcome:
    return _Outcome("temperror", f"{answer.name} {answer.kind}: {answer.why or 'no answer'}")
