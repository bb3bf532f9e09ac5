"""An audit as an administrator reads it in a terminal: facts of the run, ports, findings, what was not seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rich.cells import cell_len
from rich.text import Text

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.host import BundleRead, SettingSeen
from gatepost.model.observation import of
from gatepost.model.words import Outcome, Severity
from gatepost.report import standards
from gatepost.report.blind import Blind, blind, gathered, unjudged
from gatepost.report.domains import cards
from gatepost.report.escape import printable, shortened
from gatepost.report.evidence import transcript
from gatepost.report.gallery import strip
from gatepost.report.held import held
from gatepost.report.interior import inside
from gatepost.report.layout import NARROWEST, WIDEST_PROSE, cut, hanging, joined, padded, paint, text
from gatepost.report.tally import at_or_above, open_findings, plural, sentence, tally
from gatepost.report.truth import rows
from gatepost.report.wall import wall

BADGES: Mapping[Severity, tuple[str, str]] = {
    Severity.CRITICAL: ("✖ CRITICAL", "bold red"),
    Severity.HIGH: ("▲ HIGH", "red"),
    Severity.INFO: ("○ INFO", "dim"),
    Severity.LOW: ("• LOW", "cyan"),
    Severity.MEDIUM: ("◆ MEDIUM", "yellow"),
}
_INDENT = 12
_EVIDENCE_LINES = 4
_REASONS = 10
_ALWAYS = frozenset({"failed", "not seen", "passed"})
_ID = 14  # a control id of the catalogue has at most 12 characters


def render(
    audit: Audit,
    *,
    width: int = 100,
    colour: bool = False,
    verbose: bool = False,
    fail_on: Severity | None = Severity.HIGH,
) -> str:
    """The whole page. `colour` adds colours and nothing else; `verbose` adds what passed and all evidence."""
    page = lines(audit, width=max(width, NARROWEST), verbose=verbose, fail_on=fail_on)
    return paint(page, colour=colour)


def lines(audit: Audit, *, width: int, verbose: bool, fail_on: Severity | None) -> list[Text]:
    sections = (
        _head(audit, width),
        _ports(audit, width),
        _domains(audit, width),
        _findings(audit, width, verbose=verbose),
        _mended(audit, width),
        _waived(audit, width),
        _unseen(audit, width, verbose=verbose),
        _passed(audit, width) if verbose and not audit.since else [],
        _close(audit, width, fail_on),
    )
    page: list[Text] = []
    for section in sections:
        page += [*section, text("")] if section else []
    return page[:-1]


def _head(audit: Audit, width: int) -> list[Text]:
    spent, ends = sum(audit.run.connections.values()), len(audit.run.connections)
    facts = [
        ("profile", audit.profile),
        ("looked", f"{audit.generated_at:%Y-%m-%d %H:%M} UTC from {audit.run.vantage or 'here'}"),
        ("with", f"{plural(spent, 'connection')} to {plural(ends, 'endpoint')}"),
        ("inside", inside(audit)),
        ("against", audit.compared_with),
        ("since", f"{audit.since}, only what changed" if audit.since else ""),
    ]
    page = hanging(text("gatepost", "bold"), text(printable(_targets(audit)), "bold"), indent=_INDENT, width=width)
    for key, value in facts:
        page += _labelled(key, printable(value), width)
    return page + [line for note in audit.notes for line in _note(note, width)]


def _targets(audit: Audit) -> str:
    named = ", ".join(audit.targets[:8])
    return f"{named} and {len(audit.targets) - 8} more" if len(audit.targets) > 8 else named


def _note(note: str, width: int) -> list[Text]:
    return hanging(text("! note", "yellow"), printable(note), indent=_INDENT, width=width)


def _ports(audit: Audit, width: int) -> list[Text]:
    table = wall(rows(audit), width=width)
    return [text("PORTS", "bold"), *table] if table else []


def _domains(audit: Audit, width: int) -> list[Text]:
    told = cards(audit)
    return [text("DOMAINS", "bold"), *strip(told, width=width)] if told else []


def _findings(audit: Audit, width: int, *, verbose: bool) -> list[Text]:
    found = open_findings(audit)
    if not found:
        return []
    counts = text(" · ").join(
        text(f"{number} {severity.value}", BADGES[severity][1]) for severity, number in tally(audit).open.items()
    )
    page = [joined(text("FINDINGS", "bold"), "   ", counts)]
    for finding in found:
        page += [text(""), *_block(finding, audit.generated_at, width, verbose=verbose)]
    return page


def _block(finding: Finding, now: datetime, width: int, *, verbose: bool) -> list[Text]:
    badge, style = BADGES[finding.severity]
    control = text(printable(finding.control, _ID), "dim")
    room = min(width, WIDEST_PROSE) - cell_len(control.plain)
    headline = text(printable(finding.because or standards.title(finding.control)), "bold")
    named = hanging(text(badge, style), headline, indent=_INDENT, width=room - 2)
    named[0] = joined(padded(named[0], room), control)
    return [
        *named,
        *_labelled("where", _where(finding, now), width),
        *_labelled("expected", printable(standards.title(finding.control)), width),
        *_seen(finding, width, verbose=verbose),
        *_fix(finding, width),
    ]


def _labelled(label: str, words: Text | str, width: int) -> list[Text]:
    return hanging(text(f"  {label}", "dim"), words, indent=_INDENT, width=width) if words else []


def _where(finding: Finding, now: datetime) -> Text:
    """A failure first seen today is not news about its age."""
    since = finding.first_seen
    aged = f"   open since {since:%Y-%m-%d}" if since and since.date() < now.date() else ""
    return joined(printable(finding.subject), text(aged, "dim"))


def _seen(finding: Finding, width: int, *, verbose: bool) -> list[Text]:
    """The start of the transcript, a line each; all of it, unshortened, with `-v`."""
    told = transcript(finding.evidence) if verbose or not _told(finding) else ()
    page: list[Text] = []
    for n, line in enumerate(told if verbose else told[:_EVIDENCE_LINES]):
        label = text("" if n else "  seen", "dim")
        if verbose:
            page += hanging(label, _spoken(line), indent=_INDENT, width=width)
        else:
            page.append(joined(padded(label, _INDENT), cut(_spoken(line), width - _INDENT)))
    left = 0 if verbose else len(told) - _EVIDENCE_LINES
    return [*page, text(f"{' ' * _INDENT}… {plural(left, 'more line')} with -v", "dim")] if left > 0 else page


def _told(finding: Finding) -> bool:
    """A setting stands in the headline already, with its place and value."""
    return all(isinstance(one, SettingSeen) and one.name in finding.because for one in finding.evidence)


def _spoken(line: str) -> Text:
    """The server's words stand out against ours."""
    return text(line, "cyan" if "S: " in line[:12] else "")


def _fix(finding: Finding, width: int) -> list[Text]:
    page: list[Text] = []
    for n, line in enumerate(finding.remedy.splitlines()):
        label = text("  fix" if n == 0 else "", "dim")
        page += hanging(label, text(printable(line), "green"), indent=_INDENT, width=width)
    return page


def _mended(audit: Audit, width: int) -> list[Text]:
    """With `--since`: what got better, and what this run did not judge again."""
    page: list[Text] = []
    for finding in audit.findings if audit.since else ():
        if finding.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}:
            mark = text("✔", "green") if finding.outcome is Outcome.PASS else text("·", "dim")
            label = joined("  ", mark, " ", text(printable(finding.control, _ID), "dim"))
            words = f"{printable(finding.subject)}: {printable(finding.because)}"
            where = text(f"   {printable(standards.title(finding.control))}", "dim")
            page += hanging(label, joined(words, where), indent=18, width=width)
    return [text("NO LONGER OPEN", "bold"), *page] if page else []


def _waived(audit: Audit, width: int) -> list[Text]:
    page: list[Text] = []
    for finding in audit.findings:
        if finding.outcome is Outcome.FAIL and (waiver := finding.waiver):
            reason = printable(f"{finding.because} ({waiver.owner}, until {waiver.expires}: {waiver.reason})")
            label = joined("  ", text(printable(finding.control, _ID), "dim"))
            page += hanging(label, f"{printable(finding.subject)}: {reason}", indent=18, width=width)
    return [text("WAIVED", "bold"), *page] if page else []


def _unseen(audit: Audit, width: int, *, verbose: bool) -> list[Text]:
    told = blind(audit)
    kept = told if verbose else told[:_REASONS]
    page = [line for one in kept for line in _reason(one, width, verbose=verbose)]
    if left := len(told) - len(kept):
        page.append(text(f"  … {plural(left, 'more reason')} with -v", "dim"))
    page += [
        line for need, controls in unjudged(audit).items() for line in _need(need, controls, width, verbose=verbose)
    ]
    heading = joined(text("NOT SEEN", "bold"), text("   neither a pass nor a failure", "dim"))
    return [heading, *page] if page else []


def _reason(one: Blind, width: int, *, verbose: bool) -> list[Text]:
    listed = ", ".join(one.controls) if verbose else plural(len(one.controls), "control")
    body = joined(one.told, "   ", text(f"{listed} at {one.where if verbose else shortened(one.where, 90)}", "dim"))
    return hanging(text("  ?", "blue"), body, indent=4, width=width)


def _need(need: str, controls: tuple[str, ...], width: int, *, verbose: bool) -> list[Text]:
    """In one line, for controls that had no judge in this run."""
    listed = ", ".join(controls) if verbose else plural(len(controls), "control")
    return hanging(text("  ·", "dim"), joined(printable(need), "   ", text(listed, "dim")), indent=4, width=width)


def _passed(audit: Audit, width: int) -> list[Text]:
    page: list[Text] = []
    for control, places in held(audit).items():
        label = joined("  ", text("✔", "green"), " ", text(printable(control, _ID), "dim"))
        where = text(f"   {gathered(places)}", "dim")
        page += hanging(label, joined(printable(standards.title(control)), where), indent=18, width=width)
    return [text("PASSED", "bold"), *page] if page else []


def _close(audit: Audit, width: int, fail_on: Severity | None) -> list[Text]:
    counted = tally(audit)
    mark, style = ("✖", "bold red") if counted.failures else ("✔", "green") if counted.passed else ("?", "blue")
    numbers = {
        "passed": counted.passed,
        "failed": counted.failures,
        "waived": counted.waived,
        "not seen": counted.unknown,
        "not judged": counted.unjudged,
    }
    counts = " · ".join(f"{number} {word}" for word, number in numbers.items() if number or word in _ALWAYS)
    return [
        *hanging(text(mark, style), text(printable(sentence(audit)), "bold"), indent=2, width=width),
        *hanging(text(""), text(counts + _exit(audit, fail_on), "dim"), indent=2, width=width),
        *(hanging(text(""), text(next_, "dim"), indent=2, width=width) if (next_ := _next(audit)) else []),
    ]


def _next(audit: Audit) -> str:
    """For whoever looked inside, where gatepost can do more than tell."""
    if not tally(audit).failures or not of(BundleRead, audit.run.seen):
        return ""
    if any(service.declared for host in audit.architecture.hosts for service in host.services):
        return "next: gatepost plan shows what of this it can mend, and how"
    return "next: gatepost init writes down what is there; once it says what should be, gatepost plan mends it"


def _exit(audit: Audit, fail_on: Severity | None) -> str:
    """Not with `--since`: the code is about all findings, and this page has only the changed ones."""
    if audit.since:
        return ""
    if fail_on is None:
        return " · exit 0 (--fail-on never)"
    grave = at_or_above(audit, fail_on)
    return f" · exit {int(grave > 0)}: {plural(grave, 'finding')} at or above {fail_on.value}"
