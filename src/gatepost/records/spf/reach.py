"""Every answer the records behind a domain need, whoever the client is, asked level by level."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from gatepost.model.dns import Answer
from gatepost.records.lookup import Lookup
from gatepost.records.names import fits
from gatepost.records.spf import macros
from gatepost.records.spf.evaluate import MOST_HOSTS
from gatepost.records.spf.grammar import Kind, Mechanism, Modifier, Record, parse, selected
from gatepost.records.spf.macros import MacroString
from gatepost.records.spf.names import exchangers, fitted, malformed, presented

MOST_QUESTIONS = 300  # a record within the limits needs 10, or some 200 when each of them is an mx with ten hosts
MOST_LEVELS = 14
MOST_OCTETS = 200_000  # of answers that are read; the longest record a resolver hands on has 65,535

KNOWN = frozenset("do")  # macros that do not depend on the client or the mailbox

Question = tuple[str, str]  # a name, unescaped, and the kind of its records
Answers = Mapping[Question, Answer]
Together = Callable[[Sequence[Awaitable[Answer]]], Awaitable[Sequence[Answer]]]


async def one_by_one(questions: Sequence[Awaitable[Answer]]) -> list[Answer]:
    return [await question for question in questions]


async def gathered(domain: str, lookup: Lookup, together: Together) -> dict[Question, Answer]:
    """The questions of one level are put at once (`together`), so that the time is that of the deepest include.

    What is missing from the answer was not asked because of a bound.
    """
    found: dict[Question, Answer] = {}
    room = MOST_OCTETS
    wanted: list[Question] = [(domain, "TXT")]
    for _ in range(MOST_LEVELS):
        fresh = [one for one in dict.fromkeys(wanted) if one not in found][: MOST_QUESTIONS - len(found)]
        answers = await together([lookup(presented(name), kind) for name, kind in fresh])
        found |= zip(fresh, answers, strict=True)
        wanted = []
        for (name, _), answer in zip(fresh, answers, strict=True):
            room -= sum(len(value) for value in answer.values)
            wanted += _arising(name, answer, domain) if room >= 0 else ()
        if not wanted:
            break
    return found


def target(string: MacroString | None, domain: str, root: str) -> str | None:
    """The name a term of `domain` asks for when `root` is the sender's domain; None when only a client can say."""
    if string is None:
        return domain
    if not string.letters <= KNOWN:
        return None
    return fitted(macros.expand(string, {"d": domain, "o": root}))


def live(record: Record) -> tuple[Mechanism | Modifier, ...]:
    """The terms that are ever looked at: none behind all, and redirect only without it (sections 5.1 and 6.1)."""
    reached: list[Mechanism | Modifier] = []
    for term in record.mechanisms:
        reached.append(term)
        if term.kind is Kind.ALL:
            return tuple(reached)
    return (*reached, record.redirect) if record.redirect else tuple(reached)


def _arising(name: str, answer: Answer, root: str) -> Iterator[Question]:
    if answer.kind == "MX" and len(answer.values) <= MOST_HOSTS:
        for host in exchangers(answer.values):
            yield from ((host, "A"), (host, "AAAA"))
    texts = selected(answer.values) if answer.kind == "TXT" else ()
    if len(texts) == 1:
        record = parse(texts[0])
        for term in live(record):
            yield from _needed(term, name, root)


def _needed(term: Mechanism | Modifier, domain: str, root: str) -> Iterator[Question]:
    at = target(term.value if isinstance(term, Modifier) else term.target, domain, root)
    if at is None or not fits(at):
        return
    match term:
        case Modifier() | Mechanism(kind=Kind.INCLUDE):
            yield from () if malformed(at) else ((at, "TXT"),)
        case Mechanism(kind=Kind.A):
            yield from ((at, "A"), (at, "AAAA"))
        case Mechanism(kind=Kind.EXISTS):
            yield (at, "A")
        case Mechanism(kind=Kind.MX):
            yield (at, "MX")
        case _:
            pass
