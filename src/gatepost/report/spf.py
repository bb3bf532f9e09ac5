"""The SPF of a domain on a terminal: a tree with running counts, what is wrong, and the answer for each address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from gatepost.model.domain import SpfResult, SpfSeen, SpfTerm
from gatepost.model.observation import Unobserved
from gatepost.records.addresses import Network
from gatepost.records.spf.evaluate import MOST_LOOKUPS, MOST_VOIDS
from gatepost.report.escape import printable
from gatepost.report.layout import WIDEST_PROSE, hanging, joined, paint, text, wrapped
from gatepost.report.page import ADVICE, LONGEST, PROBLEM, answered, document, heading, headline, listed, spaced, unseen
from gatepost.report.plain import Plain, to_plain
from gatepost.report.tally import plural
from gatepost.report.truth import Standing
from gatepost.report.wall import MARKS

SCHEMA = "gatepost/spf/1"

_COUNTS = 16  # columns of the two counts
_SHOWN = 12  # networks
_STYLES = {"pass": "green", "fail": "red", "softfail": "yellow", "neutral": "yellow", "temperror": "blue"}


@dataclass(frozen=True, slots=True)
class Told:
    """All that was found out about one domain. `networks` are those that may send, addresses those asked about."""

    seen: SpfSeen | Unobserved
    results: tuple[SpfResult, ...] = ()
    networks: tuple[Network, ...] = ()


def render(told: Told, *, width: int = 100, colour: bool = False) -> str:
    """One page for a terminal."""
    return paint(_page(told, width), colour=colour)


def to_json(told: Told) -> str:
    more: dict[str, Plain] = {
        "networks": [str(one) for one in told.networks],
        "addresses": to_plain(told.results),
    }
    return document(SCHEMA, answered("spf", told.seen) | more)


def _page(told: Told, width: int) -> list[Text]:
    seen = told.seen
    if isinstance(seen, Unobserved):
        return unseen("SPF", seen, width)
    return spaced(
        (
            _head(seen, width),
            _records(seen, width),
            _tree(seen, width),
            _networks(told.networks, width) if seen.result != "permerror" else [],
            listed(PROBLEM, seen.problems, width, "PROBLEMS"),
            listed(ADVICE, _untold(seen), width, "ADVICE"),
            _verdicts(told.results, width),
        )
    )


def _head(seen: SpfSeen, width: int) -> list[Text]:
    standing = _standing(seen)
    costs = joined(
        _count(f"{seen.lookups} of {MOST_LOOKUPS} look-ups", over=seen.lookups > MOST_LOOKUPS),
        ", ",
        _count(f"{seen.voids} of {MOST_VOIDS} void", over=seen.voids > MOST_VOIDS),
    )
    facts = (
        joined("   everybody else: ", text(printable(seen.ending) or "neutral", "bold"), "   ", costs)
        if seen.terms
        else ""
    )
    line = joined(
        text(printable(seen.at.host), "bold"), "   ", text(f"SPF {printable(seen.result)}", MARKS[standing][1]), facts
    )
    return headline(standing, line, width)


def _standing(seen: SpfSeen) -> Standing:
    if seen.result == "valid":
        return Standing.ATTENTION if seen.problems else Standing.GOOD
    return Standing.UNKNOWN if seen.result == "temperror" else Standing.BAD


def _count(words: str, *, over: bool) -> Text:
    return text(words, "red" if over else "")


def _records(seen: SpfSeen, width: int) -> list[Text]:
    """Only where there is no tree to show them in."""
    if seen.terms:
        return []
    return [
        line for one in seen.records for line in hanging(text("  "), printable(one, LONGEST), indent=2, width=width)
    ]


def _tree(seen: SpfSeen, width: int) -> list[Text]:
    if not seen.terms:
        return []
    page = [text("  look-ups  void", "dim")]
    before = SpfTerm(0, "", "", 0, 0)
    for term, branch in zip(seen.terms, _branches(seen.terms), strict=True):
        page += _term(term, before, branch, width)
        before = term
    return page


def _term(term: SpfTerm, before: SpfTerm, branch: str, width: int) -> list[Text]:
    """The note stands behind the term where there is room, and below it otherwise."""
    style = "red" if term.broken else "yellow"
    start = joined(_costs(term, before), text(f"  {branch}", "dim"))
    shown = text(printable(term.text, LONGEST), "red" if term.broken else "")
    used = cell_len(start.plain) + cell_len(shown.plain)
    note = printable(term.note, LONGEST)
    if not note or used + 4 + cell_len(note) <= width:
        return [joined(start, shown, text(f"  ← {note}" if note else "", style))]
    rest = joined(" " * _COUNTS, text(f"  {_below(branch)}", "dim"))
    room = min(width, WIDEST_PROSE) - cell_len(rest.plain) - 4
    lines = [joined(start, line) for line in wrapped(shown, width - cell_len(start.plain))[:1]]
    for n, line in enumerate(wrapped(text(note, style), room)):
        lines.append(joined(rest, text("  └ " if n == 0 else "    ", style), line))
    return lines


def _costs(term: SpfTerm, before: SpfTerm) -> Text:
    """Counts stand only where they change."""
    lookups = str(term.lookups) if term.lookups != before.lookups else ""
    voids = str(term.voids) if term.voids != before.voids else ""
    return joined(
        text(f"{lookups:>10}", "red" if term.lookups > MOST_LOOKUPS else ""),
        text(f"{voids:>6}", "red" if term.voids > MOST_VOIDS else ""),
    )


def _branches(terms: Sequence[SpfTerm]) -> list[str]:
    """The lines in front of each term, found from below: a branch goes on as long as a sibling follows."""
    open_at: set[int] = set()
    drawn: list[str] = []
    for term in reversed(terms):
        open_at = {depth for depth in open_at if depth <= term.depth}
        lines = "".join("│  " if depth in open_at else "   " for depth in range(term.depth))
        drawn.append(lines + ("├─ " if term.depth in open_at else "└─ "))
        open_at.add(term.depth)
    return drawn[::-1]


def _below(branch: str) -> str:
    return branch.replace("├─", "│ ").replace("└─", "  ")


def _networks(networks: Sequence[Network], width: int) -> list[Text]:
    if not networks:
        return []
    shown = ", ".join(str(one) for one in networks[:_SHOWN])
    more = f" and {len(networks) - _SHOWN} more" if len(networks) > _SHOWN else ""
    return [
        heading("MAY SEND", plural(len(networks), "network")),
        *hanging(text("  "), f"{shown}{more}", indent=2, width=width),
    ]


def _untold(seen: SpfSeen) -> list[str]:
    """Advice that no note of the tree gives already."""
    notes = {(term.text, part) for term in seen.terms for part in term.note.split("; ")}
    return [one for one in seen.advice if not any(one.startswith(text) and one.endswith(note) for text, note in notes)]


def _verdicts(results: Sequence[SpfResult], width: int) -> list[Text]:
    page = [text("ADDRESSES", "bold")] if results else []
    longest = max((cell_len(printable(one.address)) for one in results), default=0)
    for one in results:
        label = joined(
            f"  {printable(one.address):<{longest}}  ",
            text(f"{printable(one.result):<11}", _STYLES.get(one.result, "bold red")),
        )
        page += hanging(label, _because(one), indent=longest + 15, width=width)
        if one.explanation:
            page += hanging(
                text(""),
                text(f"it says: {printable(one.explanation, LONGEST)}", "dim"),
                indent=longest + 15,
                width=width,
            )
    return page


def _because(one: SpfResult) -> str:
    spent = f" ({plural(one.lookups, 'look-up')})" if one.lookups else ""
    told = one.why.startswith(f"{one.mechanism} ") or f" {one.mechanism} in the record of " in one.why
    by = f"by {printable(one.mechanism, LONGEST)}: " if one.mechanism and not told else ""
    return f"{by}{printable(one.why, LONGEST)}{spent}"


def exit_code(told: Told) -> int:
    """1 when the record is missing or broken or an address does not pass, 3 when DNS did not say, else 0."""
    if isinstance(told.seen, Unobserved):
        return 3
    answers = {told.seen.result, *(one.result for one in told.results)} - {"pass", "valid"}
    if answers <= {"temperror"}:
        return 3 if answers else 0
    return 1
