"""What can be said of a term without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface

from gatepost.records.addresses import is_inner
from gatepost.records.spf.grammar import VERSION, Kind, Mechanism, Modifier, Qualifier, Record

LONGEST_RECORD = 450  # octets: with the rest of the answer it still fits into 512 (RFC 7208 section 3.4)
WIDE = {4: 16, 6: 32}  # a shorter prefix is worth a look
TOO_WIDE = {4: 8, 6: 16}  # this or shorter admits whole continents

_ALMOST = re.compile(r"\W*(?:v\W{0,3}spf\W?[0-9]|v\W{1,3}spf|spf1\b)", re.IGNORECASE)


class Weight(StrEnum):
    ADVICE = "advice"
    PERMERROR = "permerror"  # receivers give up
    PROBLEM = "problem"  # legal, and against the purpose
    TELLING = "telling"  # breaks something that is summed up at the end
    TEMPERROR = "temperror"  # could not be seen


@dataclass(frozen=True, slots=True)
class Remark:
    weight: Weight
    sentence: str


def advice(sentence: str) -> Remark:
    return Remark(Weight.ADVICE, sentence)


def problem(sentence: str) -> Remark:
    return Remark(Weight.PROBLEM, sentence)


def unseen(sentence: str) -> Remark:
    return Remark(Weight.TEMPERROR, sentence)


def permerror(sentence: str) -> Remark:
    return Remark(Weight.PERMERROR, sentence)


def of_term(term: Mechanism | Modifier, before: Container[Mechanism | Modifier], *, admits: bool) -> Iterator[Remark]:
    """`before` are the terms in front of it in its record; `admits`: a match lets the client send."""
    if term in before:
        yield advice("stands in the record already")
    if isinstance(term, Modifier):
        yield from _modifier(term)
    elif term.block is not None:
        yield from _block(term.block, admits=admits)
    elif term.kind in {Kind.A, Kind.MX} and admits:
        yield from _width(term.prefix4, 4)
        yield from _width(term.prefix6, 6)
    elif term.kind is Kind.PTR:
        yield advice("slow and often skipped: RFC 7208 section 5.5 advises against ptr")
    elif term.kind is Kind.ALL and term.qualifier is Qualifier.PASS and admits:
        yield problem("everybody may send in the name of the domain")


def _modifier(term: Modifier) -> Iterator[Remark]:
    if term.name in Kind.__members__.values():
        yield problem(
            f"the equals sign makes it an unknown modifier, which receivers skip: write {term.name}:{term.value}"
        )
    elif term.name not in {"exp", "redirect"}:
        yield advice("an unknown modifier: receivers skip it")


def _block(block: IPv4Interface | IPv6Interface, *, admits: bool) -> Iterator[Remark]:
    network = block.network
    if block.ip != network.network_address:
        yield advice(f"host bits are set: the network is {network}")
    if network.prefixlen and is_inner(network):
        yield advice("an inner address: no receiver outside ever sees it")
    elif admits:
        yield from _width(network.prefixlen, network.version)


def _width(prefix: int, family: int) -> Iterator[Remark]:
    if prefix <= TOO_WIDE[family]:
        yield problem(f"a /{prefix} of IPv{family} is more than any sender has: strangers may send too")
    elif prefix < WIDE[family]:
        yield advice(f"a /{prefix} of IPv{family} is wide: may all of it send?")


def of_record(text: str, record: Record, *, final: bool) -> Iterator[Remark]:
    """`final`: nothing comes after this record, so it has to say what becomes of everybody else."""
    if len(text) > LONGEST_RECORD:
        yield advice(f"the record has {len(text)} octets; above {LONGEST_RECORD} the answer may need TCP")
    everybody = next((term for term in record.mechanisms if term.kind is Kind.ALL), None)
    if final and everybody and everybody.qualifier is Qualifier.NEUTRAL:
        yield advice(f"{everybody.text} says nothing about mail from elsewhere: end it with -all or ~all")
    if final and not everybody and not record.redirect:
        yield problem("the record does not say what becomes of mail from elsewhere: end it with -all or ~all")


def almost(texts: Iterable[str]) -> Iterator[str]:
    """TXT records that were meant to be SPF, as far as one can tell."""
    for text in texts:
        if _ALMOST.match(text) and not text.lower().startswith("spf2.0/"):
            yield f"a TXT record looks like SPF and does not begin with {VERSION} and a space: {text[:60]!r}"
