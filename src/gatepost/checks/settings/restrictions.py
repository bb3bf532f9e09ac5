"""Walking a Postfix restriction list as smtpd does: in order, until something permits or refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gatepost.catalogue.settings import Restriction, Safe
from gatepost.checks.settings.answer import HOLDS, Answer, Held, cannot_tell, fails
from gatepost.servers.wordlists import words

_DEEPEST = 8  # restriction classes inside each other
_WITH_ARGUMENT = (
    "check_", "permit_dnswl_client", "permit_rhswl_client", "reject_rbl", "reject_rhsbl", "sleep",
)  # fmt: skip
_LOGIN_MAPS = frozenset({"check_ccert_access", "check_sasl_access"})  # only who proved something is looked up
_KNOWN = ("check_", "defer", "permit", "reject", "sleep", "warn_if_reject")
_WARNS = "warn_if_reject"  # the next refusal is only logged
_HARMLESS = re.compile(
    r"(?:reject|defer|defer_if_permit|defer_if_reject|dunno|hold|discard|warn|info|filter|prepend|redirect|bcc|[45]\d\d)"
    r"(?:\s.*)?",
    re.IGNORECASE | re.DOTALL,
)
_OPENS = re.compile(r"(?:ok|permit|relay|\d+)(?:\s.*)?", re.IGNORECASE | re.DOTALL)  # access(5)
_RESULT = re.compile(r"=\s*([^{},]+)")
_ENDLESS = 500  # words of a list

Lookup = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Term:
    """One restriction with its argument. `warns`: its refusal counts for nothing."""

    word: str
    argument: str = ""
    warns: bool = False

    def __str__(self) -> str:
        return f"{self.word} {self.argument}".rstrip()


def refuses_strangers(text: str, safe: Safe, lookup: Lookup) -> Answer:
    """A refusal comes before anything that lets strangers through. `lookup` gives restriction classes by name."""
    answer = _walk(text, safe, lookup, _DEEPEST)
    if answer is not None:
        return answer
    return fails(f"the list ends without {' or '.join(safe.must_reach[:2])}: strangers may relay")


def _walk(text: str, safe: Safe, lookup: Lookup, depth: int) -> Answer | None:
    """None: the list ends and has decided nothing."""
    doubt: Answer | None = None
    for term in terms(text):
        said = _said(term, safe, lookup, depth)
        if said is None:
            continue
        if said.held is not Held.CANNOT_TELL:
            return said if said.fails or doubt is None else doubt
        doubt = doubt or said
    return doubt


def _said(term: Term, safe: Safe, lookup: Lookup, depth: int) -> Answer | None:
    """What one term decides about a stranger; None: it leaves him to the next."""
    word = term.word.lower()
    if word in safe.must_reach:
        return None if term.warns else HOLDS
    if word in safe.may_permit or word in _LOGIN_MAPS:
        return None
    if word == "permit_mx_backup":
        return (
            None if lookup("permit_mx_backup_networks") else fails("permit_mx_backup lets anybody name this host as MX")
        )
    if word == "check_policy_service":
        return cannot_tell(f"{term} may permit, and stands before the refusal")
    if word.startswith("check_"):
        return _table(term)
    if word.startswith("permit"):
        return fails(f"{term} comes before the refusal")
    if word.startswith(_KNOWN):
        return None
    return _class(term, safe, lookup, depth)


def _table(term: Term) -> Answer | None:
    """A table that answers OK permits. Those written out in the list itself can be read."""
    kind, _, contents = term.argument.partition(":")
    if kind == "static":
        results = [contents.strip("{} ")]
    elif kind == "inline":
        results = [found.strip() for found in _RESULT.findall(contents)]
    else:
        return cannot_tell(f"{term} stands before the refusal and was not read")
    if opening := [one for one in results if _OPENS.fullmatch(one) and not _HARMLESS.fullmatch(one)]:
        return fails(f"{term.word} answers {opening[0]} before the refusal")
    if all(_HARMLESS.fullmatch(one) for one in results):
        return None
    return cannot_tell(f"what {term} answers before the refusal is not known here")


def _class(term: Term, safe: Safe, lookup: Lookup, depth: int) -> Answer | None:
    """A restriction class is a list of its own; a table alone is an old way to write check_client_access."""
    if ":" in term.word or term.word.startswith("/"):
        return cannot_tell(f"the table {term.word} stands before the refusal and was not read")
    inner = lookup(term.word) if depth else None
    if inner is None:
        return cannot_tell(f"{term.word} stands before the refusal, and what it means was not seen")
    return _walk(inner, safe, lookup, depth - 1)


def terms(text: str) -> Iterator[Term]:
    left = iter(words(text)[:_ENDLESS])
    warns = False
    for word in left:
        if word.lower() == _WARNS:
            warns = True
            continue
        argument = next(left, "") if word.lower().startswith(_WITH_ARGUMENT) else ""
        yield Term(word, argument, warns)
        warns = False


def reached(lists: Sequence[tuple[str, str]], wanted: Restriction) -> Answer:
    """One of the words stands in one of the lists (name and value), before what would let a login pass it."""
    late = ""
    for name, text in lists:
        for term in terms(text):
            word = term.word.lower()
            if word in wanted.words and not term.warns:
                return HOLDS
            if word in wanted.not_behind:
                late = late or _behind(name, word, text, wanted)
                break
    if late:
        return fails(late)
    return fails(f"no restriction uses it: {' or '.join(wanted.words)} is missing")


def _behind(name: str, word: str, text: str, wanted: Restriction) -> str:
    found = next((t.word for t in terms(text) if t.word.lower() in wanted.words), "")
    return f"{found} in {name} is never reached, {word} comes before it" if found else ""
