"""Changes in an order that breaks nothing, each with what comes before it and how long to wait.

Waiting is for caches: whoever asked before a change may go on with the old answer for a TTL, and whoever was told
that there is nothing, for the negative TTL of the zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from gatepost.records import dkim
from gatepost.records.publishing.difference import Change
from gatepost.records.publishing.known import Known
from gatepost.records.publishing.policies import Document
from gatepost.records.publishing.record import Part
from gatepost.records.publishing.spans import span

LARGE = 7200  # seconds: a mistake that stays longer is worth a first step of its own
SHORT = 300  # seconds: the TTL while a record is being replaced
REVERSIBLE = frozenset({Part.DMARC, Part.MTA_STS, Part.MX, Part.SPF})  # where a mistake costs mail
SETTLED_BY = {Part.MX: (Part.ADDRESS,), Part.DMARC: (Part.SPF, Part.DKIM)}


@dataclass(frozen=True, slots=True)
class Step:
    """A change of DNS, or (without `change`) something to do elsewhere, said in `action`.

    It may be done `wait` seconds after all the steps in `after` are done. `lowers`: the change only lowers the TTL
    of what is there.
    """

    number: int
    reason: str
    part: Part
    change: Change | None = None
    action: str = ""
    after: tuple[int, ...] = ()
    wait: int = 0  # seconds
    ttl: int = 0  # of what is published, seconds
    lowers: bool = False


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else decides the order. `ttl` is that of new records; `coming` are digests of keys not served yet."""

    known: Known
    ttl: int
    document: Document | None = None
    coming: tuple[str, ...] = ()
    enforced: bool = False  # the DMARC policy asks others to refuse


@dataclass(slots=True)
class _Plan:
    about: Circumstances
    steps: list[Step] = field(default_factory=list)

    def add(self, step: Step) -> int:
        number = len(self.steps) + 1
        self.steps.append(replace(step, number=number))
        return number

    def of(self, *parts: Part) -> list[Step]:
        """The changes of these parts so far, those that only lower a TTL aside."""
        return [one for one in self.steps if one.part in parts and one.change and not one.lowers]

    def settling(self, steps: Iterable[Step]) -> int:
        """How long until the whole world sees these changes."""
        return max((_settling(one.change, self.about) for one in steps if one.change), default=0)


def ordered(changes: Sequence[Change], about: Circumstances) -> tuple[Step, ...]:
    plan = _Plan(about)
    for part in (Part.ADDRESS, Part.MX, Part.SPF, Part.DKIM, Part.DMARC, Part.CONSENT, Part.CAA, Part.TLS_RPT):
        for change in (one for one in changes if one.part is part):
            _usual(plan, change)
    _pins(plan, [one for one in changes if one.part is Part.TLSA])
    _policy(plan, [one for one in changes if one.part is Part.MTA_STS])
    for change in sorted((one for one in changes if one.part is Part.SRV), key=_says_no):
        _usual(plan, change)
    return tuple(plan.steps)


def _settling(change: Change, about: Circumstances) -> int:
    """A TTL seen in a cache has run down already: the one we publish is the better guess where it is larger."""
    if change.present:
        return max(change.ttl, about.ttl)
    return max(change.ttl, about.known.negative_ttl(change.zone))


def _usual(plan: _Plan, change: Change) -> None:
    before = _lowered(plan, change)
    earlier = [one for one in plan.of(*SETTLED_BY.get(change.part, ())) if one.change and not _revokes(one.change)]
    if change.part is Part.DMARC and not plan.about.enforced:
        earlier = []
    wait = max(plan.settling(earlier), max(change.ttl, 0) if before else 0)
    after = tuple(sorted((*before, *(one.number for one in earlier))))
    number = plan.add(Step(0, _reason(change), change.part, change, after=after, wait=wait, ttl=plan.about.ttl))
    for action, reason in _afterwards(change):
        wait = _settling(change, plan.about)
        plan.add(Step(0, reason, change.part, action=action, after=(number,), wait=wait))


def _lowered(plan: _Plan, change: Change) -> tuple[int, ...]:
    if not (change.add and change.remove) or change.part not in REVERSIBLE or change.ttl <= LARGE:
        return ()
    same = replace(change, add=change.before, remove=change.before, kept=())
    reason = f"It is kept for {span(change.ttl)}: with {span(SHORT)} a mistake in the step after it is soon undone."
    return (plan.add(Step(0, reason, change.part, same, ttl=SHORT, lowers=True)),)


def _reason(change: Change) -> str:
    match change.part:
        case Part.ADDRESS:
            return "A name in MX needs an address before mail is sent there."
        case Part.MX if any(value.endswith(" .") for value in change.add):
            return "The domain has an address and takes no mail: the null MX says so at once, instead of after days."
        case Part.MX:
            return "Mail goes where these names lead."
        case Part.SPF:
            return "Receivers learn who may send for the domain." if change.add else "A second SPF record spoils both."
        case Part.DKIM if _revokes(change):
            return "Its end has come: what is still signed with it proves nothing any more."
        case Part.DKIM:
            return "A key has to be found before the first mail is signed with it."
        case Part.DMARC:
            return "Receivers learn what to do with mail that neither SPF nor DKIM proves to be yours."
        case Part.CONSENT:
            return "Without it no reports about that domain are sent here."
        case Part.CAA:
            return "Authorities look before they issue: it has to be right before the next renewal."
        case Part.TLS_RPT:
            return "Failures of encryption are reported from then on, so it comes before any policy that refuses."
        case Part.SRV if _says_no(change):
            return "There is no such service: clients need not look for it."
        case Part.SRV:
            return "Clients that look for their settings find them."
        case _:
            return ""


def _afterwards(change: Change) -> Iterator[tuple[str, str]]:
    if change.part is Part.DKIM and not _revokes(change):
        selector = change.name.partition("._domainkey")[0]
        yield f"Sign with selector {selector}.", "Until then some receivers still hold that there is no such key."
    gone = [value.split()[-1] for value in change.remove if change.part is Part.MX and not value.endswith(" .")]
    stay = {value.split()[-1] for value in change.add}
    if gone := [name for name in gone if name not in stay]:
        yield f"Stop taking mail for the domain at {', '.join(gone)}.", "Until then others still deliver there."


def _says_no(change: Change) -> bool:
    return all(value.endswith(" .") for value in change.add)


def _revokes(change: Change) -> bool:
    return change.part is Part.DKIM and any(dkim.read(value).revoked for value in change.add)


def _pins(plan: _Plan, changes: list[Change]) -> None:
    """RFC 7671 section 8.1: publish beside the old, wait two TTLs, serve the new key, then remove the old."""
    added = [_pinned(plan, one) for one in changes if one.add]
    new = [
        one for one in added if one.change and any(value.split()[-1] in plan.about.coming for value in one.change.add)
    ]
    if new:
        ports = ", ".join(_port(one.change.name) for one in new if one.change)
        reason = "Senders that hold the old records would refuse a key they do not know."
        wait = 2 * plan.settling(new)
        numbers = tuple(one.number for one in new)
        plan.add(Step(0, reason, Part.TLSA, action=f"Serve the next key on {ports}.", after=numbers, wait=wait))
    for one in (change for change in changes if change.remove):
        before = [step for step in added if step.change and step.change.name == one.name]
        after = tuple(step.number for step in before)
        rest = replace(one, add=(), kept=tuple(sorted((*one.kept, *one.add))))
        reason = "It matches no key that is served or will be."
        plan.add(Step(0, reason, Part.TLSA, rest, after=after, wait=2 * plan.settling(before), ttl=plan.about.ttl))


def _pinned(plan: _Plan, change: Change) -> Step:
    rest = replace(change, remove=(), kept=change.before)
    coming = all(value.split()[-1] in plan.about.coming for value in change.add)
    served = "It is that of the next key." if coming else "It is that of the key served there now."
    others = " The others stay until every cache has it." if change.remove else ""
    step = Step(0, f"{served}{others}", Part.TLSA, rest, ttl=plan.about.ttl)
    return replace(step, number=plan.add(step))


def _port(owner: str) -> str:
    """`_25._tcp.mx1.example.org` is mx1.example.org:25; an alias is only itself."""
    head, _, rest = owner.partition("._tcp.")
    return f"{rest}:{head[1:]}" if rest and head[1:].isdecimal() else owner


def _policy(plan: _Plan, changes: list[Change]) -> None:
    """RFC 8461 section 8.3 and 3.1: first the policy, then the identifier that makes others fetch it."""
    document, reports = plan.about.document, plan.of(Part.TLS_RPT)
    if document is None:
        return
    after = tuple(one.number for one in reports)
    if document.needed or (document.needed is None and changes):
        reason = "Senders fetch it as soon as the record names a new identifier."
        action = f"Serve the policy at {document.uri}, as text/plain."
        after = (*after, plan.add(Step(0, reason, Part.MTA_STS, action=action)))
    for change in changes:
        before = _lowered(plan, change)
        wait = max(change.ttl, 0) if before else 0
        reason = "The new identifier makes senders fetch the policy again."
        step = Step(
            0, reason, Part.MTA_STS, change, after=tuple(sorted((*after, *before))), wait=wait, ttl=plan.about.ttl
        )
        plan.add(step)
