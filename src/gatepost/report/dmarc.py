"""The DMARC of a domain on a terminal: the walk, what applies, who belongs together, where reports go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from gatepost.model.domain import DmarcSeen, DmarcStep, ReportTarget
from gatepost.model.observation import Unobserved
from gatepost.records.dmarc_alignment import Alignment
from gatepost.report.escape import printable
from gatepost.report.layout import Column, hanging, joined, paint, table, text
from gatepost.report.page import ADVICE, LONGEST, PROBLEM, answered, document, heading, headline, listed, spaced, unseen
from gatepost.report.plain import Plain, to_plain
from gatepost.report.truth import Standing

SCHEMA = "gatepost/dmarc/1"

_STYLES = {"reject": "green", "quarantine": "green", "none": "yellow"}


@dataclass(frozen=True, slots=True)
class Identifier:
    """A domain that mail was authenticated with, by `kind` DKIM or SPF, and whether it counts."""

    kind: str
    domain: str
    found: Alignment | Unobserved


@dataclass(frozen=True, slots=True)
class Told:
    seen: DmarcSeen | Unobserved
    targets: tuple[ReportTarget, ...] = ()
    identifiers: tuple[Identifier, ...] = ()


def render(told: Told, *, width: int = 100, colour: bool = False) -> str:
    return paint(_page(told, width), colour=colour)


def to_json(told: Told) -> str:
    more: dict[str, Plain] = {
        "report_targets": [to_plain(one) for one in told.targets],
        "identifiers": [_plain(one) for one in told.identifiers],
    }
    return document(SCHEMA, answered("dmarc", told.seen) | more)


def exit_code(told: Told) -> int:
    """1 without a policy, with a problem or with an identifier that one of both ways leaves out; 3 where DNS failed."""
    seen = told.seen
    answers = [one.found for one in told.identifiers]
    if isinstance(seen, Unobserved):
        return 3
    loose = any(isinstance(one, Alignment) and not (one.by_walk and one.by_list) for one in answers)
    refused = any(one.authorised is False for one in told.targets)
    if not seen.policy or seen.problems or loose or refused:
        return 1
    return 3 if any(isinstance(one, Unobserved) for one in answers) else 0


def _plain(one: Identifier) -> Plain:
    found = one.found
    if isinstance(found, Unobserved):
        return {"kind": one.kind, "domain": one.domain, "unobserved": to_plain(found)}
    return {
        "kind": one.kind,
        "domain": one.domain,
        "strict": found.strict,
        "aligned_by_walk": found.by_walk,
        "aligned_by_suffix_list": found.by_list,
        "organizational_by_walk": found.identifier.by_walk,
        "organizational_by_suffix_list": found.identifier.by_list,
        "warning": found.warning,
    }


def _page(told: Told, width: int) -> list[Text]:
    seen = told.seen
    if isinstance(seen, Unobserved):
        return unseen("DMARC", seen, width)
    return spaced(
        (
            _head(seen, width),
            _walk(seen, width),
            _organisations(seen),
            _identifiers(seen, told.identifiers, width),
            _targets(told.targets, width),
            listed(PROBLEM, seen.problems, width, "PROBLEMS"),
            listed(ADVICE, seen.advice, width, "ADVICE"),
        )
    )


def _head(seen: DmarcSeen, width: int) -> list[Text]:
    name = text(printable(seen.at.host), "bold")
    if not seen.policy:
        words = "no DMARC policy applies" if seen.record is None else "receivers apply no DMARC"
        return headline(Standing.BAD, joined(name, "   ", text(words, "bold red")), width)
    standing = Standing.ATTENTION if seen.problems or seen.policy == "none" else Standing.GOOD
    facts = f"   existing subdomains {seen.subdomains or 'none'}, invented names {seen.nonexistent or 'none'}"
    line = joined(name, "   ", text(f"DMARC {seen.policy}", _STYLES.get(seen.policy, "")), facts)
    return headline(standing, line, width)


def _walk(seen: DmarcSeen, width: int) -> list[Text]:
    longest = max(cell_len(printable(step.name)) for step in seen.walk)
    applies = f"_dmarc.{seen.record.domain}" if seen.record else ""
    page = [text("WALK", "bold")]
    for step in seen.walk:
        mark = text("  → ", "green") if step.name == applies else text("    ")
        label = joined(mark, f"{printable(step.name):<{longest}}")
        page += hanging(label, _found(step), indent=longest + 6, width=width)
    return page


def _found(step: DmarcStep) -> Text:
    if len(step.texts) == 1:
        note = text(f"  ({step.note})", "dim") if step.note else ""
        return joined(printable(step.texts[0], LONGEST), note)
    return text(printable(step.note, LONGEST), "red") if step.note else text("nothing", "dim")


def _organisations(seen: DmarcSeen) -> list[Text]:
    dated = f"   list of {seen.list_date}" if seen.list_date else ""
    style = "" if seen.organizational == seen.by_suffix_list else "yellow"
    return [
        text("ORGANISATION", "bold"),
        joined("    by tree walk     ", text(printable(seen.organizational), style)),
        joined("    by suffix list   ", text(printable(seen.by_suffix_list), style), text(dated, "dim")),
    ]


def _identifiers(seen: DmarcSeen, identifiers: Sequence[Identifier], width: int) -> list[Text]:
    if not identifiers:
        return []
    columns = tuple(Column(title) for title in ("by", "domain", "mode", "tree walk", "suffix list"))
    page = [heading("ALIGNMENT", f"with {printable(seen.at.host)} in the From header")]
    page += table(columns, [_row(one) for one in identifiers], indent=4)
    for one in identifiers:
        words = one.found.detail if isinstance(one.found, Unobserved) else one.found.warning
        if words:
            line = printable(f"{one.domain}: {words}", LONGEST)
            page += hanging(text("    ·", "yellow"), line, indent=6, width=width)
    return page


def _row(one: Identifier) -> tuple[Text, ...]:
    found = one.found
    start = (text(one.kind), text(printable(one.domain)))
    if isinstance(found, Unobserved):
        return (*start, text(""), text("not seen", "blue"), text("not seen", "blue"))
    mode = "strict" if found.strict else "relaxed"
    return (*start, text(mode), _said(aligned=found.by_walk), _said(aligned=found.by_list))


def _said(*, aligned: bool) -> Text:
    return text("aligned", "green") if aligned else text("not aligned", "red")


def _targets(targets: Sequence[ReportTarget], width: int) -> list[Text]:
    page = [text("REPORTS OUTSIDE", "bold")] if targets else []
    for one in targets:
        mark, words, style = {
            True: ("✔", "has agreed", "green"),
            False: ("✖", "has not agreed", "red"),
            None: ("?", "could not be asked", "blue"),
        }[one.authorised]
        line = joined(f"{printable(one.uri, LONGEST)} ", words, f": {printable(one.why, LONGEST)}" if one.why else "")
        page += hanging(text(f"  {mark}", style), line, indent=4, width=width)
    return page
