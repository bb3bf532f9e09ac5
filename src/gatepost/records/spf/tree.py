"""The records behind a domain as a tree, each term with what it has cost so far and what is wrong with it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Presence
from gatepost.model.domain import SpfSeen, SpfTerm
from gatepost.model.observation import Unobserved
from gatepost.records.addresses import Network, collapsed
from gatepost.records.lookup import Lookup, unanswered
from gatepost.records.names import fits
from gatepost.records.spf import lint, reach
from gatepost.records.spf.costs import FAMILIES, Costs
from gatepost.records.spf.evaluate import MOST_HOSTS
from gatepost.records.spf.grammar import Fault, Kind, Mechanism, Modifier, Qualifier, Record, parse, selected
from gatepost.records.spf.lint import Remark, Weight, advice, permerror, problem
from gatepost.records.spf.names import exchangers, fitted, malformed
from gatepost.records.spf.reach import Answers, Together, gathered, live, one_by_one

MOST_FOLLOWED = 100  # look-ups after which nothing more is followed
MOST_TERMS = 2000
MOST_SAID = 100  # of one weight; a sum at the end is always told

_EVERYBODY = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
_KINDS = {4: "A", 6: "AAAA"}


async def inspect(domain: str, lookup: Lookup, *, together: Together = one_by_one) -> SpfSeen | Unobserved:
    """The SPF of a domain. `together` puts the questions of one level at once, for example with asyncio.gather."""
    name = fitted(domain)
    answers = await gathered(name, lookup, together)
    own = answers[name, "TXT"]
    if own.failed:
        return unanswered(Endpoint(name), "spf", own)
    return _walked(name, answers).seen(own)


async def permitted(domain: str, lookup: Lookup, *, together: Together = one_by_one) -> tuple[Network, ...]:
    """The networks that some term lets send, IPv4 first: what ptr, exists and macros admit is not among them.

    Terms that refuse are not subtracted.
    """
    name = fitted(domain)
    return collapsed(_walked(name, await gathered(name, lookup, together)).networks)


def _walked(name: str, answers: Answers) -> _Walk:
    walk = _Walk(name, answers)
    walk.start()
    return walk


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record stands. `path` are the domains that led to it, its own last."""

    path: tuple[str, ...]
    depth: int = 0
    admits: bool = True  # a pass here lets the client send
    final: bool = True  # reached by redirects alone: what it says of everybody else is the result

    @property
    def domain(self) -> str:
        return self.path[-1]

    def below(self, target: str, term: Mechanism | Modifier) -> _Place:
        redirect = isinstance(term, Modifier)
        passes = isinstance(term, Modifier) or term.qualifier is Qualifier.PASS
        return _Place((*self.path, target), self.depth + 1, self.admits and passes, self.final and redirect)


class _Walk:
    def __init__(self, root: str, answers: Answers) -> None:
        self.root = root
        self.answers = answers
        self.terms: list[SpfTerm] = []
        self.networks: list[Network] = []
        self.costs = Costs()
        self.ending = ""
        self.said: dict[Weight, dict[str, None]] = {weight: {} for weight in Weight}

    def start(self) -> None:
        texts = selected(self.answers[self.root, "TXT"].values)
        if len(texts) == 1:
            self._record(texts[0], _Place((self.root,)))
            for remark in self.costs.summed_up(self.ending):
                self._say(remark)
        elif texts:
            self._say(
                permerror(f"{self.root} has {len(texts)} SPF records, and only one is allowed: receivers use none")
            )
        else:
            for sentence in lint.almost(self.answers[self.root, "TXT"].values):
                self._say(problem(sentence))

    def seen(self, own: Answer) -> SpfSeen:
        records = selected(own.values)
        problems = (*self.said[Weight.PERMERROR], *self.said[Weight.PROBLEM])
        return SpfSeen(
            Endpoint(self.root),
            records,
            self._result() if records else "none",
            tuple(self.terms),
            self.costs.lookups,
            self.costs.voids,
            self.ending,
            problems if records else (f"{self.root} has no SPF record", *problems),
            (*self.said[Weight.TEMPERROR], *self.said[Weight.ADVICE]),
            own.security,
        )

    def _result(self) -> str:
        for weight in (Weight.PERMERROR, Weight.TEMPERROR):
            if self.said[weight]:
                return weight.value
        return "valid"

    def _record(self, text: str, place: _Place) -> None:
        record = parse(text)
        for remark in lint.of_record(text, record, final=place.final):
            self._say(remark, place)
        reached = {term.at for term in live(record)}
        before: set[Mechanism | Modifier] = set()
        for term in _ordered(record):
            if len(self.terms) >= MOST_TERMS:
                self._say(lint.unseen(f"more than {MOST_TERMS} terms: the rest was not looked at"))
                break
            if isinstance(term, Fault):
                self._add(term.text, place, [permerror(term.sentence)])
            elif isinstance(term, Modifier) and term.name != "redirect":
                self._add(term.text, place, lint.of_term(term, frozenset(), admits=False))
            elif term.at not in reached:
                self._add(term.text, place, [problem(_dead(term, record))])
            else:
                self._reached(term, before, place)
                before.add(term)
        if place.final:
            self.ending = next((f"{t.qualifier}all" for t in record.mechanisms if t.kind is Kind.ALL), self.ending)

    def _reached(self, term: Mechanism | Modifier, before: Container[Mechanism | Modifier], place: _Place) -> None:
        admits = place.admits and isinstance(term, Mechanism) and term.qualifier is Qualifier.PASS
        remarks = [*lint.of_term(term, before, admits=admits)]
        if term_asks(term):
            remarks += self.costs.spend(_shown(term.text, place))
        at = reach.target(term.value if isinstance(term, Modifier) else term.target, place.domain, self.root)
        if at is None:
            remarks.append(advice("its name depends on the message: counted, and not followed"))
            self._add(term.text, place, remarks)
        elif isinstance(term, Modifier) or term.kind is Kind.INCLUDE:
            self._follow(term, at, place, remarks)
        else:
            found = self._found(term, at, remarks)
            self._admit(term, found if admits else (), place)
            self._add(term.text, place, remarks)

    def _follow(self, term: Mechanism | Modifier, at: str, place: _Place, remarks: list[Remark]) -> None:
        text = self._text(at, place, remarks)
        self._add(term.text, place, remarks)
        if text is not None:
            self._record(text, place.below(at, term))

    def _text(self, at: str, place: _Place, remarks: list[Remark]) -> str | None:
        """The record of a domain that is included or redirected to, when there is one to go on with."""
        answer = self.answers.get((at, "TXT"))
        texts = selected(answer.values) if answer else ()
        if at in place.path:
            remarks.append(permerror(f"leads back to the record of {at}, without end"))
        elif why := malformed(at):
            remarks.append(permerror(why))
        elif answer is None or self.costs.lookups > MOST_FOLLOWED or len(self.terms) >= MOST_TERMS:
            remarks.append(lint.unseen("not followed: too much lies behind this record"))
        elif answer.failed:
            remarks.append(_unseen(answer))
        elif len(texts) == 1:
            return texts[0]
        elif texts:
            remarks.append(permerror(f"{at} has {len(texts)} SPF records, and only one is allowed"))
        else:
            missing = "does not exist" if answer.presence is Presence.ABSENT else "has no SPF record"
            remarks.append(permerror(f"{at} {missing}"))
        return None

    def _found(self, term: Mechanism, at: str, remarks: list[Remark]) -> Iterable[Network]:
        """The networks a mechanism stands for."""
        if term.block is not None:
            return [term.block.network]
        if not fits(at):
            remarks.append(advice(f"{at} can be no name in DNS, so this matches nobody"))
            return []
        match term.kind:
            case Kind.ALL:
                return _EVERYBODY
            case Kind.A:
                return [*self._addresses(at, term, remarks)]
            case Kind.MX:
                hosts = self._hosts(at, remarks)
                return [one for host in hosts for one in self._addresses(host, term, remarks)]
            case Kind.EXISTS:
                answer = self._answered(at, "A", remarks)
                if answer is not None and not answer.values:
                    remarks += self.costs.void(at, "A record", *FAMILIES)
                return []
            case _:
                return []

    def _hosts(self, at: str, remarks: list[Remark]) -> tuple[str, ...]:
        answer = self._answered(at, "MX", remarks)
        if answer is None:
            return ()
        if not answer.values:
            remarks += self.costs.void(at, "MX record", *FAMILIES)
        if len(answer.values) > MOST_HOSTS:
            remarks.append(permerror(f"{at} has {len(answer.values)} MX hosts, and {MOST_HOSTS} are allowed"))
            return ()
        hosts = exchangers(answer.values)
        if answer.values and not hosts:
            remarks.append(advice(f"{at} takes no mail (null MX), so this matches nobody"))
        return hosts

    def _addresses(self, name: str, term: Mechanism, remarks: list[Remark]) -> Iterator[Network]:
        answers = {family: self._answered(name, kind, remarks) for family, kind in _KINDS.items()}
        empty = [family for family, answer in answers.items() if answer is not None and not answer.values]
        if empty:
            remarks += self.costs.void(name, "address", *empty)
        for family, prefix in ((4, term.prefix4), (6, term.prefix6)):
            answer = answers[family]
            for one in answer.values if answer else ():
                yield ip_network(f"{one}/{prefix}", strict=False)

    def _answered(self, name: str, kind: str, remarks: list[Remark]) -> Answer | None:
        answer = self.answers.get((name, kind))
        if answer is None:
            remarks.append(lint.unseen("not looked up: too much lies behind this record"))
        elif answer.failed:
            remarks.append(_unseen(answer))
            return None
        return answer

    def _admit(self, term: Mechanism, found: Iterable[Network], place: _Place) -> None:
        for network in found:
            self.networks.append(network)
            self.costs.admitted(network.version, _shown(term.text, place))

    def _add(self, text: str, place: _Place, remarks: Iterable[Remark]) -> None:
        told = list(dict.fromkeys(remarks))
        for remark in told:
            self._say(remark, place, text)
        if len(self.terms) < MOST_TERMS:
            note = "; ".join(remark.sentence for remark in told)
            broken = any(remark.weight in {Weight.PERMERROR, Weight.PROBLEM, Weight.TELLING} for remark in told)
            self.terms.append(
                SpfTerm(place.depth, place.domain, text, self.costs.lookups, self.costs.voids, note, broken)
            )

    def _say(self, remark: Remark, place: _Place | None = None, text: str = "") -> None:
        """Advice on the records of others is for them."""
        if place and remark.weight is Weight.ADVICE and not f".{place.domain}".endswith(f".{self.root}"):
            return
        if place and len(self.said[remark.weight]) >= MOST_SAID:
            return
        where = _shown(text, place) if place and text else place.domain if place and place.depth else ""
        self.said[remark.weight][f"{where}: {remark.sentence}" if where else remark.sentence] = None


def term_asks(term: Mechanism | Modifier) -> bool:
    """Is it one of the terms that count as a look-up?"""
    return isinstance(term, Modifier) or term.kind not in {Kind.ALL, Kind.IP4, Kind.IP6}


def _ordered(record: Record) -> list[Mechanism | Modifier | Fault]:
    """As they are evaluated: modifiers last, redirect the very last."""
    return sorted((*record.terms, *record.faults), key=lambda one: (_rank(one), one.at))


def _rank(one: Mechanism | Modifier | Fault) -> int:
    return (1 + (one.name == "redirect")) if isinstance(one, Modifier) else 0


def _dead(term: Mechanism | Modifier, record: Record) -> str:
    everybody = next(one.text for one in record.mechanisms if one.kind is Kind.ALL)
    return f"never looked at: {everybody} ends the record" + (
        " without it" if isinstance(term, Modifier) else " before it"
    )


def _shown(text: str, place: _Place) -> str:
    return f"{text} of {place.domain}" if place.depth else text


def _unseen(answer: Answer) -> Remark:
    return lint.unseen(f"{answer.name} could not be looked up: {answer.why or 'no answer'}")
