"""The domain truth as lines for a terminal: a card a domain, then one for each host behind them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from gatepost.model.audit import Audit
from gatepost.model.words import Severity
from gatepost.report.domain_view import Line
from gatepost.report.domains import Card, cards
from gatepost.report.escape import printable
from gatepost.report.layout import NARROWEST, cut, hanging, joined, padded, paint, text
from gatepost.report.tally import plural
from gatepost.report.truth import Standing
from gatepost.report.wall import MARKS

_INDENT = 14
_FEW = 14  # details of a line without -v


def domains_text(
    audit: Audit,
    *,
    width: int = 100,
    colour: bool = False,
    verbose: bool = False,
    fail_on: Severity | None = None,
) -> str:
    """Every card, and one sentence. `verbose` shows every detail; `fail_on` changes nothing here."""
    del fail_on
    shown = cards(audit)
    page = [
        line for note in audit.notes for line in hanging(text("! ", "yellow"), printable(note), indent=2, width=width)
    ]
    page += [text("")] if page else []
    for card in shown:
        page += [*_card(card, max(width, NARROWEST), verbose=verbose), text("")]
    return paint([*page, *_close(shown, width)], colour=colour)


def _card(card: Card, width: int, *, verbose: bool) -> list[Text]:
    kind = "" if card.kind == "domain" else "   mail host"
    page = [joined(text(card.name, "bold"), text(kind, "dim"))]
    for line in card.lines:
        page += _line(line, width, verbose=verbose)
    return page


def _line(line: Line, width: int, *, verbose: bool) -> list[Text]:
    mark, style = MARKS[line.standing]
    label = joined("  ", text(mark, style), " ", padded(text(line.label, "bold"), 9))
    tone = style if line.standing in {Standing.ATTENTION, Standing.BAD} else ""
    page = hanging(label, text(line.words, tone), indent=_INDENT, width=width)
    causes = [detail for detail in line.details if detail.startswith("→ ")]
    behind = [detail for detail in line.details if detail not in causes]
    shown = behind if verbose else behind[:_FEW]
    for detail in shown:
        page += hanging(text(""), text(detail, "dim"), indent=_INDENT, width=width)
    if left := len(behind) - len(shown):
        page.append(text(f"{' ' * _INDENT}… {plural(left, 'more line')} with -v", "dim"))
    for cause in causes:
        page += hanging(text(""), text(cause, style), indent=_INDENT, width=width)
    return page


def strip(shown: Sequence[Card], *, width: int) -> list[Text]:
    """A line a card: each standard with its mark, for a page that tells the causes elsewhere."""
    room = min(max((cell_len(card.name) for card in shown), default=0), width // 3)
    page: list[Text] = []
    for card in shown:
        mark, style = MARKS[card.standing]
        head = joined("  ", text(mark, style), " ", padded(cut(text(card.name, "bold"), room), room), "  ")
        marks = text("   ").join(_marked(line) for line in card.lines)
        page += hanging(head, marks, indent=room + 6, width=width)
    return page


def _marked(line: Line) -> Text:
    mark, style = MARKS[line.standing]
    return joined(text(mark, style), " ", text(line.label, "" if line.standing in _LOUD else "dim"))


_LOUD = frozenset({Standing.ATTENTION, Standing.BAD})


def _close(shown: Sequence[Card], width: int) -> list[Text]:
    lines = [line for card in shown for line in card.lines]
    bad = sum(line.standing is Standing.BAD for line in lines)
    doubtful = sum(line.standing is Standing.ATTENTION for line in lines)
    blind = sum(line.standing is Standing.UNKNOWN for line in lines)
    if not lines:
        return hanging(text("?", "blue"), text("DNS was not asked about any domain.", "bold"), indent=2, width=width)
    mark = text("✖", "bold red") if bad else text("◆", "yellow") if doubtful else text("✔", "green")
    mends = text("  gatepost audit says what mends each; gatepost records, what to publish", "dim")
    told = f"{bad} wrong, {doubtful} to look at" if bad or doubtful else "everything as it should be"
    unseen = f"; {blind} could not be asked" if blind else ""
    names = plural(sum(card.kind == "domain" for card in shown), "domain")
    words = joined(text(f"{names}: {told}{unseen}.", "bold"), mends if bad or doubtful else "")
    return hanging(mark, words, indent=2, width=width)
